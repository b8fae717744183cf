package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/sink"
)

func (p *program) webhooksCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "webhooks",
		Short: "Show, make or remove the hooks by which Paymo tells of changes",
		Long: `Show, make or remove the hooks by which Paymo tells of changes.

With PUBLIC_URL and PAYMO_WEBHOOK_SECRET set, serve makes and keeps them by itself, and makes
those again that remove took away. Hooks of others, on the same key too, are left alone.`,
		Example: "  paymosync webhooks list\n  paymosync webhooks install\n  paymosync webhooks remove",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.webhooksListCommand(), p.webhooksChangeCommand("install", "Make the hooks that are missing, and mend those that differ", "PUBLIC_URL", "PAYMO_WEBHOOK_SECRET"),
		p.webhooksChangeCommand("remove", "Remove the account's own hooks from Paymo"))
	return cmd
}

// listedHook is a hook as it is shown.
type listedHook struct {
	ID          int64      `json:"id"`
	Table       string     `json:"table"` // "" for another's
	Event       string     `json:"event"`
	TargetURL   string     `json:"target_url"`
	Own         bool       `json:"own"`
	Installed   bool       `json:"installed"` // Paymo has it
	LastStatus  int        `json:"last_status,omitempty"`
	HeardAt     *time.Time `json:"heard_at"`
	SilentSince *time.Time `json:"silent_since"`
}

func (p *program) webhooksListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "Show the hooks at Paymo, and which are the account's own",
		Example: "  paymosync webhooks list\n  paymosync webhooks list --json",
		Args:    usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			keeper, done, err := p.hookKeeper(cmd.Context(), "WAREHOUSE_URL")
			if err != nil {
				return err
			}
			defer done()
			listed, _, err := keeper.Syncer.Client.Hooks(cmd.Context())
			if err != nil {
				return err
			}
			own, err := keeper.Syncer.Store.Hooks(cmd.Context()) // after those that a service made just now
			if err != nil {
				return err
			}
			hooks := listHooks(own, listed)
			if asJSON {
				return p.printJSON(hooks)
			}
			return p.printHooks(hooks)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// listHooks are the hooks that Paymo has, and those of ours that it does not have any more.
func listHooks(own []sink.Hook, listed []paymo.Hook) []listedHook {
	hooks := []listedHook{}
	for _, hook := range listed {
		shown := listedHook{ID: hook.ID, Event: hook.Event, TargetURL: hook.TargetURL, Installed: true, LastStatus: hook.LastStatus}
		if at := slices.IndexFunc(own, func(o sink.Hook) bool { return o.ID == hook.ID }); at >= 0 {
			shown.Own, shown.Table, shown.HeardAt, shown.SilentSince = true, own[at].Table, own[at].HeardAt, own[at].SilentSince
		}
		hooks = append(hooks, shown)
	}
	for _, hook := range own {
		if !slices.ContainsFunc(listed, func(l paymo.Hook) bool { return l.ID == hook.ID }) {
			hooks = append(hooks, listedHook{ID: hook.ID, Table: hook.Table, Event: jobs.HookEvent(hook.Table), TargetURL: hook.TargetURL, Own: true, HeardAt: hook.HeardAt, SilentSince: hook.SilentSince})
		}
	}
	return hooks
}

func (p *program) printHooks(hooks []listedHook) error {
	if len(hooks) == 0 {
		p.tell("The key's user has no hook at Paymo; paymosync webhooks install makes them.")
		return nil
	}
	w := p.newTable("id", "table", "event", "last call", "target")
	numbers(w, "id")
	for _, hook := range hooks {
		table, last := hook.Table, "-"
		if !hook.Own {
			table = "(another's)"
		}
		switch {
		case !hook.Installed:
			last = "lost"
		case hook.LastStatus > 0:
			last = strconv.Itoa(hook.LastStatus)
		}
		if hook.SilentSince != nil {
			last += ", silent since " + hook.SilentSince.UTC().Format(time.DateTime)
		}
		w.AppendRow([]any{hook.ID, table, hook.Event, last, hook.TargetURL})
	}
	w.Render()
	return nil
}

// webhooksChangeCommand is install or remove.
func (p *program) webhooksChangeCommand(name, short string, required ...string) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     name,
		Short:   short,
		Example: "  paymosync webhooks " + name,
		Args:    usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			keeper, done, err := p.hookKeeper(cmd.Context(), append(required, "WAREHOUSE_URL")...)
			if err != nil {
				return err
			}
			defer done()
			change := keeper.Keep
			if name == "remove" {
				change = keeper.Remove
			}
			actions, err := change(cmd.Context())
			switch {
			case err != nil && len(actions) == 0:
			case asJSON:
				err = errors.Join(p.printJSON(append([]jobs.HookAction{}, actions...)), err)
			default:
				p.printHookActions(actions)
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (p *program) printHookActions(actions []jobs.HookAction) {
	if len(actions) == 0 {
		p.tell("There is nothing to do.")
		return
	}
	w := p.newTable("hook", "id", "table", "event")
	numbers(w, "id")
	for _, action := range actions {
		w.AppendRow([]any{action.Did, action.ID, action.Table, action.Event})
	}
	w.Render()
}

// hooksWait is how long a command waits for each of its requests: a service may be busy with
// the same key.
const hooksWait = time.Minute

// hookKeeper opens what keeping hooks needs; done closes it.
func (p *program) hookKeeper(ctx context.Context, required ...string) (keeper *jobs.HookKeeper, done func(), err error) {
	config, err := p.config(required...)
	if err != nil {
		return nil, nil, err
	}
	log := p.logger(config, slog.LevelError)
	vault, err := NewVault(config.Vault, log)
	if err != nil {
		return nil, nil, err
	}
	warehouse, err := openMigrated(ctx, config, vault, nil)
	if err != nil {
		vault.Close()
		return nil, nil, err
	}
	done = func() {
		warehouse.Close()
		vault.Close()
	}
	spans, err := newTraces(TracesConfig{}, log)
	if err == nil {
		var syncer *jobs.Syncer
		if syncer, err = newSyncer(ctx, config, vault, warehouse, log, nil, spans, nil); err == nil {
			syncer.Client = syncer.Client.Patient(hooksWait)
			secret := newWebhookSecret(config, vault)
			return &jobs.HookKeeper{Syncer: syncer, Tables: syncedTables(config), HookConfig: jobs.HookConfig{URL: config.Webhooks.Target(), Secret: secret.Read}}, done, nil
		}
	}
	done()
	return nil, nil, err
}
