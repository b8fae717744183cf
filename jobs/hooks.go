package jobs

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// hooksLease is the lease of those who make, change and delete hooks: one does at a time.
const hooksLease = "hooks at paymo"

// hooksFresh is how old the answer may be which hooks Paymo has.
const hooksFresh = 10 * time.Minute

// HookConfig is which hooks are to be kept at Paymo. All of it is required.
type HookConfig struct {
	URL    string                                // that Paymo is to call
	Secret func(context.Context) (string, error) // of the account, of which the hooks' are made, as it is now
}

// What was done with a hook.
const (
	HookKept    = "kept"
	HookMade    = "made"
	HookChanged = "changed" // its URL or its secret
	HookAdopted = "adopted" // it was there already, for this URL, and nobody knew of it
	HookDeleted = "deleted"
	HookLost    = "lost" // Paymo dropped it
)

// HookAction is what was done with one hook.
type HookAction struct {
	Did   string `json:"did"`
	ID    int64  `json:"id"`
	Table string `json:"table"`
	Event string `json:"event"`
}

// HookKeeper keeps the account's own hooks at Paymo: one for each table that Paymo tells
// of. Hooks of others, on the same key too, are left alone.
type HookKeeper struct {
	Syncer *Syncer
	Tables []*catalog.Resource // that are synced
	HookConfig
}

// Heard are those of the tables that Paymo tells of.
func (k *HookKeeper) heard() []*catalog.Resource {
	return slices.DeleteFunc(slices.Clone(k.Tables), func(r *catalog.Resource) bool { return r.Model == "" })
}

// HookEvent is the pattern of the events of a table: made, changed, deleted and, of time
// entries, started and stopped.
func HookEvent(table string) string {
	r, ok := catalog.Lookup(table)
	if !ok {
		return ""
	}
	return "*." + r.Model
}

// HookSecret is with what the hook of a model is signed: made of the account's secret, so
// that what was told of one model is not let in as told of another, though a call's event is
// not signed itself.
func HookSecret(secret, model string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("paymosync hook of " + model))
	return hex.EncodeToString(mac.Sum(nil))
}

// hears reports whether a hook tells of all changes of a table, as it is at Paymo.
func hears(hook paymo.Hook, r *catalog.Resource) bool {
	return hook.Event == HookEvent(r.Table) && hook.Where == ""
}

// Keep makes what Paymo has of hooks what it should have. Cut short at any moment it has
// done a part, and the next one does the rest. When another process is at it the error is
// a *sink.HeldError.
func (k *HookKeeper) Keep(ctx context.Context) (actions []HookAction, err error) {
	secret, err := k.Secret(ctx)
	if err != nil {
		return nil, err
	}
	return actions, k.attend(ctx, func(ctx context.Context, own []sink.Hook, listed []paymo.Hook) error {
		actions, err = k.keep(ctx, secret, own, listed)
		return err
	})
}

// Remove deletes all of the account's own hooks.
func (k *HookKeeper) Remove(ctx context.Context) (actions []HookAction, err error) {
	return actions, k.attend(ctx, func(ctx context.Context, own []sink.Hook, listed []paymo.Hook) error {
		for _, hook := range own {
			action, err := k.drop(ctx, hook, listed)
			if err != nil {
				return err
			}
			actions = append(actions, action)
		}
		return nil
	})
}

// attend does the work on the hooks that are known and those that Paymo has, with the
// lease, after it was made sure whose key it is.
func (k *HookKeeper) attend(ctx context.Context, work func(context.Context, []sink.Hook, []paymo.Hook) error) error {
	s := k.Syncer
	return s.Store.WithLease(ctx, hooksLease, s.Owner, func(ctx context.Context, _ *sink.Lease) error {
		if _, err := s.guard.identify(ctx, s, 0); err != nil {
			return err
		}
		own, err := s.Store.Hooks(ctx)
		if err != nil {
			return err
		}
		listed, _, err := s.Client.Hooks(ctx)
		if err != nil {
			return fmt.Errorf("list the hooks at Paymo: %w", err)
		}
		return work(ctx, own, listed)
	})
}

func (k *HookKeeper) keep(ctx context.Context, secret string, own []sink.Hook, listed []paymo.Hook) (actions []HookAction, err error) {
	wanted := k.heard()
	kept := map[string]bool{} // tables that have their hook
	for _, hook := range own {
		at := slices.IndexFunc(listed, func(l paymo.Hook) bool { return l.ID == hook.ID })
		resource := slices.IndexFunc(wanted, func(r *catalog.Resource) bool { return r.Table == hook.Table })
		var action HookAction
		// One that somebody else moved, such as one with a copy of the database, is theirs.
		moved := at >= 0 && listed[at].TargetURL != k.URL && listed[at].TargetURL != hook.TargetURL
		if moved {
			action, err = k.lose(ctx, hook)
		} else if at < 0 || resource < 0 || kept[hook.Table] || !hears(listed[at], wanted[resource]) {
			action, err = k.drop(ctx, hook, listed)
		} else {
			kept[hook.Table] = true
			action, err = k.renew(ctx, secret, wanted[resource], hook, listed[at])
		}
		if err != nil {
			return actions, err
		}
		actions = append(actions, action)
	}
	for _, hook := range listed {
		known := slices.ContainsFunc(own, func(o sink.Hook) bool { return o.ID == hook.ID })
		if known || hook.TargetURL != k.URL {
			continue // it is kept, or another's
		}
		action, err := k.adopt(ctx, secret, hook, wanted, kept)
		if err != nil {
			return actions, err
		}
		actions = append(actions, action)
	}
	for _, r := range wanted {
		if kept[r.Table] {
			continue
		}
		made, _, err := k.Syncer.Client.MakeHook(ctx, k.URL, HookEvent(r.Table), HookSecret(secret, r.Model))
		if err != nil {
			return actions, fmt.Errorf("make a hook for %s: %w", r.Table, err)
		}
		if err := k.remember(ctx, secret, made, r.Table); err != nil {
			return actions, err
		}
		actions = append(actions, HookAction{HookMade, made.ID, r.Table, made.Event})
	}
	return actions, nil
}

// renew gives a hook the URL and the secret of now, where it has others.
func (k *HookKeeper) renew(ctx context.Context, secret string, r *catalog.Resource, hook sink.Hook, listed paymo.Hook) (HookAction, error) {
	action := HookAction{HookKept, hook.ID, hook.Table, listed.Event}
	if listed.TargetURL != k.URL || hook.SecretMark != mark(secret) {
		changed, _, err := k.Syncer.Client.ChangeHook(ctx, hook.ID, k.URL, HookSecret(secret, r.Model))
		if err != nil {
			return action, fmt.Errorf("change hook %d of %s: %w", hook.ID, hook.Table, err)
		}
		action.Did, listed = HookChanged, changed
	}
	return action, k.remember(ctx, secret, listed, hook.Table)
}

// adopt takes a hook over that calls our URL and that nobody knows of: it was made, and
// could not be remembered. One that is there twice is deleted.
func (k *HookKeeper) adopt(ctx context.Context, secret string, hook paymo.Hook, wanted []*catalog.Resource, kept map[string]bool) (HookAction, error) {
	at := slices.IndexFunc(wanted, func(r *catalog.Resource) bool { return hears(hook, r) && !kept[r.Table] })
	if at < 0 {
		_, err := k.Syncer.Client.DeleteHook(ctx, hook.ID)
		return HookAction{HookDeleted, hook.ID, "", hook.Event}, err
	}
	table := wanted[at].Table
	kept[table] = true
	changed, _, err := k.Syncer.Client.ChangeHook(ctx, hook.ID, k.URL, HookSecret(secret, wanted[at].Model))
	if err != nil {
		return HookAction{}, fmt.Errorf("adopt hook %d of %s: %w", hook.ID, table, err)
	}
	return HookAction{HookAdopted, hook.ID, table, hook.Event}, k.remember(ctx, secret, changed, table)
}

// lose forgets a hook that is our own no more.
func (k *HookKeeper) lose(ctx context.Context, hook sink.Hook) (HookAction, error) {
	return HookAction{HookLost, hook.ID, hook.Table, HookEvent(hook.Table)}, k.Syncer.Store.ForgetHook(ctx, hook.ID)
}

// drop deletes a hook that is our own, where Paymo still has it, and forgets it.
func (k *HookKeeper) drop(ctx context.Context, hook sink.Hook, listed []paymo.Hook) (HookAction, error) {
	at := slices.IndexFunc(listed, func(l paymo.Hook) bool { return l.ID == hook.ID })
	if at < 0 {
		return k.lose(ctx, hook)
	}
	action := HookAction{HookDeleted, hook.ID, hook.Table, listed[at].Event}
	if _, err := k.Syncer.Client.DeleteHook(ctx, hook.ID); err != nil {
		return action, fmt.Errorf("delete hook %d of %s: %w", hook.ID, hook.Table, err)
	}
	return action, k.Syncer.Store.ForgetHook(ctx, hook.ID)
}

func (k *HookKeeper) remember(ctx context.Context, secret string, hook paymo.Hook, table string) error {
	return k.Syncer.Store.KeepHook(ctx, sink.Hook{
		ID: hook.ID, Table: table, TargetURL: hook.TargetURL, SecretMark: mark(secret), LastStatus: hook.LastStatus,
	})
}

// mark tells secrets apart: two have the same one once in some billions.
func mark(secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("paymosync hook"))
	return hex.EncodeToString(mac.Sum(nil)[:4])
}

// due reports whether it is time to ask Paymo for its hooks again: after a while, and at
// once where another URL, another secret or another table is configured.
func (k *HookKeeper) due(ctx context.Context) (bool, error) {
	own, err := k.Syncer.Store.Hooks(ctx)
	if err != nil {
		return false, err
	}
	secret, err := k.Secret(ctx)
	if err != nil {
		return false, err
	}
	now, err := k.Syncer.Store.Now(ctx)
	if err != nil {
		return false, err
	}
	wanted := k.heard()
	whole := len(own) == len(wanted) && !slices.ContainsFunc(own, func(hook sink.Hook) bool {
		return hook.TargetURL != k.URL || hook.SecretMark != mark(secret) || now.Sub(hook.SeenAt) > hooksFresh ||
			!slices.ContainsFunc(wanted, func(r *catalog.Resource) bool { return r.Table == hook.Table })
	})
	return !whole, nil
}

// held reports whether another process is at it.
func held(err error) bool {
	_, is := errors.AsType[*sink.HeldError](err)
	return is
}
