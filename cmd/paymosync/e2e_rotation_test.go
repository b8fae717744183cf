package main

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"
)

// The service follows a company at work while its key is rotated, while Vault is away,
// and while both happen at once: the token it reads Vault with lives for seconds. At
// the end every table is what Paymo serves, and no run has said otherwise than was.
func TestSoakRotations(t *testing.T) {
	t.Parallel()
	length := 30 * time.Second
	if soak() {
		length = 10 * time.Minute
	}
	chance := seed(t)
	vault := startStoppableVault(t)
	company := agency()
	company.Seed, company.Key = chance.Uint64(), "first-key"
	w := newVaultWorld(t, vault, company, map[string]any{"token_ttl": "4s", "token_max_ttl": "12s"}).
		with("SYNC_SCHEDULE", "@every 2s", "FULL_SYNC_SCHEDULE", "@every 15s", "LOG_LEVEL", "debug")
	location, err := ParseReference(w.variables["PAYMO_API_KEY"])
	if err != nil {
		t.Fatal(err)
	}
	path := location.Location[len("secret/"):]

	service := w.start("serve")
	w.awaitReady(30 * time.Second)
	began := time.Now()
	ctx, stop := context.WithCancel(context.Background())
	var working sync.WaitGroup
	working.Go(func() { w.paymo.Live(ctx, 20) })
	t.Cleanup(func() { stop(); working.Wait() })

	key, lags := "first-key", map[string]time.Duration{}
	rotate := func(next string) (revoke func()) {
		w.paymo.AddKey(next, "Admin")
		storeKey(w, vault, path, next)
		old := key
		key = next
		return func() { w.paymo.RevokeKey(old) }
	}
	for round := 1; round == 1 || time.Since(began) < length-20*time.Second; round++ {
		name := func(what string) string { return fmt.Sprintf("%s, round %d", what, round) }
		lags[name("undisturbed")] = w.follow()

		rotate(fmt.Sprintf("key-%d-a", round))()
		lags[name("after a rotation")] = w.follow()

		vault.Stop(t)
		lags[name("without vault")] = w.follow() // the key is still held
		vault.Start(t)

		// The worst: the key that is held ends while the new one cannot be read.
		revoke := rotate(fmt.Sprintf("key-%d-b", round))
		vault.Stop(t)
		revoke()
		within(t, 30*time.Second, "runs wait for the key and say so", func() error {
			if len(w.ledger(`r.state = 'running' AND r.sentence LIKE 'waiting: %vault%'`)) == 0 {
				return fmt.Errorf("none does")
			}
			return nil
		})
		vault.Start(t)
		lags[name("after a rotation without vault")] = w.follow()
	}
	for time.Since(began) < length {
		lags["for the rest"] = max(lags["for the rest"], w.follow())
	}
	stop()
	working.Wait()
	w.awaitFresh(60 * time.Second)
	w.awaitFresh(60 * time.Second)
	service.mustStop()

	t.Logf("a change was in after %v", lags)
	t.Logf("%d runs", value[int](w, `SELECT count(*) FROM paymosync.runs`))
	// Those that the stop met were interrupted.
	if wrong := w.ledger(`r.state NOT IN ('ok', 'interrupted')`); len(wrong) > 0 {
		t.Errorf("runs that did not end well:\n%v", wrong)
	}
	var families []string // where no parent has changed there is nothing to ask
	for _, r := range withParents() {
		families = append(families, r.Table)
	}
	if wrong := w.ledger(`r.state = 'ok' AND r.requests = 0 AND r.table_name <> ALL ($1)`, families); len(wrong) > 0 {
		t.Errorf("runs that say ok and have read nothing:\n%v", wrong)
	}
	if n := value[int](w, `SELECT count(*) FROM paymosync.checkpoints WHERE state <> 'ok'`); n > 0 {
		t.Errorf("%d tables are not ok", n)
	}
	w.bury()
	w.mustEqual()
}

// follow changes something in Paymo and waits until the warehouse has it.
func (w *world) follow() time.Duration {
	w.t.Helper()
	return w.followWithin(time.Minute)
}

// followWithin is follow where that may take longer.
func (w *world) followWithin(most time.Duration) time.Duration {
	w.t.Helper()
	id, err := w.paymo.Put("clients", map[string]any{"name": "somebody new", "active": true})
	if err != nil {
		w.t.Fatal(err)
	}
	return within(w.t, most, "a new client is in the warehouse", func() error {
		if n := value[int](w, `SELECT count(*) FROM paymo.clients WHERE id = $1`, id); n == 0 {
			return fmt.Errorf("client %d is not", id)
		}
		return nil
	})
}
