package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/paymo/paymotest"
)

// call is one of a flood.
type call struct {
	event, signature, body string
	want                   int
}

// replays are calls that were genuine once: of objects as they are now, before the flood
// changes some of them. The event is not signed, so that some tell of a deletion.
func (w *told) replays(n int) []call {
	w.t.Helper()
	var calls []call
	for _, table := range []string{"time_entries", "tasks", "clients", "projects", "comments"} {
		resource, _ := catalog.Lookup(table)
		left := n / 5
		for raw := range w.paymo.Rows(table) {
			event := "model.update." + resource.Model
			if left%10 == 0 {
				event = "model.delete." + resource.Model
			}
			calls = append(calls, call{event, paymotest.Signature(raw, w.variables["PAYMO_WEBHOOK_SECRET"]), string(raw), http.StatusOK})
			if left--; left == 0 {
				break
			}
		}
	}
	return calls
}

// forged are calls that Paymo did not make.
func forged() []call {
	body := `{"id": 4100001, "updated_on": "2030-01-01T00:00:00Z", "name": "forged"}`
	good := paymotest.Signature([]byte(body), "a guess")
	return []call{
		{"model.update.Task", good, body, http.StatusUnauthorized},
		{"model.delete.Project", good, `{"id":"4100001"}`, http.StatusUnauthorized},
		{"model.update.Task", "", body, http.StatusUnauthorized},
		{"model.update.Task", strings.Replace(good, "sha1=", "sha256=", 1), body, http.StatusUnauthorized},
		{"model.update.Task", "sha1=", body, http.StatusUnauthorized},
		{"model.update.Task", good, strings.Repeat("x", 1<<20), http.StatusRequestEntityTooLarge},
	}
}

// flood makes so many calls, one after the other by a few at once, and returns how many were
// answered otherwise than they should be. One that finds all places taken comes again.
func (w *told) flood(n int, calls []call) (wrong int64) {
	var next, bad atomic.Int64
	var senders sync.WaitGroup
	for range 8 {
		senders.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				c := calls[int(i)%len(calls)]
				status, err := w.send(c)
				for err == nil && status == http.StatusServiceUnavailable {
					status, err = w.send(c)
				}
				if err == nil && status != c.want {
					bad.Add(1)
				}
			}
		})
	}
	senders.Wait()
	return bad.Load()
}

func (w *told) send(c call) (int, error) {
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.variables["PUBLIC_URL"]+webhookPath, strings.NewReader(c.body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("X-Paymo-Event", c.event)
	if c.signature != "" {
		req.Header.Set("X-Paymo-Signature", c.signature)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err // a body that is too large may be cut off while it is sent
	}
	return res.StatusCode, res.Body.Close()
}

// A flood of calls, a fifth of them forged and a fifth replayed, and the genuine ones in no
// order: nothing alive is marked deleted, nothing becomes older, the schedule goes on, the
// memory stays, and what is forged is never asked for.
func TestSoakWebhookFlood(t *testing.T) {
	t.Parallel()
	calls := 1500
	if soak() {
		calls = 10_000
	}
	w := newTold(t, paymotest.Config{Seed: 9, Entries: 2000, Hooks: paymotest.HookConfig{Callers: 8}})
	w.run("sync").mustExit(exitOK)
	replays := w.replays(200)
	service := w.with("SYNC_SCHEDULE", "@every 1m", "LOG_LEVEL", "warn").start("serve")
	w.installed()
	w.paymo.SetRate(paymotest.DefaultRate)
	began := time.Now()
	var parts sync.WaitGroup
	parts.Go(func() { w.paymo.Work(calls * 3 / 5) })
	parts.Go(func() {
		if wrong := w.flood(calls/5, forged()); wrong > 0 {
			t.Errorf("%d forged calls were answered otherwise", wrong)
		}
	})
	parts.Go(func() {
		if wrong := w.flood(calls/5, replays); wrong > 0 {
			t.Errorf("%d replayed calls were answered otherwise", wrong)
		}
	})
	parts.Wait()
	t.Logf("the calls took %s", time.Since(began))
	within(t, 5*time.Minute, "every table was synced since the flood began", func() error {
		if n := value[int](w.world, `SELECT count(*) FROM paymosync.checkpoints AS c WHERE NOT EXISTS (
			SELECT FROM paymosync.runs AS r WHERE r.table_name = c.table_name AND r.started_at > $1 AND r.state = 'ok')`, began); n > 0 {
			return fmt.Errorf("%d tables were not", n)
		}
		return nil
	})
	w.settled(5 * time.Minute)
	t.Logf("all was in after %s", time.Since(began))
	for _, table := range []string{"time_entries", "tasks", "clients", "projects", "comments"} {
		for _, id := range value[[]int64](w.world, `SELECT coalesce(array_agg(id), '{}') FROM paymo.`+table+` WHERE _deleted_at IS NOT NULL`) {
			if _, err := w.paymo.Get(table, id); !errors.Is(err, paymotest.ErrNotFound) {
				t.Errorf("%s %d is marked deleted, and lives", table, id)
			}
		}
	}
	if n := value[int](w.world, `SELECT count(*) FROM paymo.tasks WHERE name = 'forged'`); n > 0 {
		t.Error("what was forged is there")
	}
	service.signal(os.Interrupt)
	r := service.wait().mustExit(exitOK)
	if r.peak > 120<<10 {
		t.Errorf("the service took %d MiB", r.peak>>10)
	}
	if strings.Contains(r.err, "canary") {
		t.Error("the secret is in the log")
	}
	w.paymo.SetRate(0)
	w.bury()
	w.mustEqual()
}
