package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/paymo/paymotest"
)

// told is a company whose changes the service is told of.
type told struct {
	*world

	mu      sync.Mutex
	changes map[toldObject]time.Time // the last of each object

	hush func() // stops the calls
}

// toldObject is an object of a company that changed, or is gone.
type toldObject struct {
	table string
	id    int64
	gone  bool
}

// newTold is a world with hooks, and with a company that notes when what changed.
func newTold(t *testing.T, company paymotest.Config) *told {
	t.Helper()
	w := &told{changes: map[toldObject]time.Time{}}
	company.Changed = func(table string, id int64, gone bool) {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.changes, toldObject{table, id, !gone})
		w.changes[toldObject{table, id, gone}] = time.Now()
	}
	w.world = newWorld(t, company)
	w.world = w.with("PUBLIC_URL", "http://"+w.variables["HTTP_ADDR"], "PAYMO_WEBHOOK_SECRET", "canary-of-the-hooks")
	w.call()
	return w
}

// call has the Paymo call the hooks, until the test ends or hush is called: what happens
// from then on waits.
func (w *told) call() {
	ctx, cancel := context.WithCancel(context.Background())
	called := make(chan struct{})
	paymo := w.paymo // the world may become another one
	go func() {
		defer close(called)
		paymo.Call(ctx)
	}()
	w.hush = func() {
		cancel()
		<-called
	}
	w.t.Cleanup(w.hush)
}

// forget forgets what changed so far.
func (w *told) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.changes)
}

// lags are how long after each object's last change its table had it, of the tables that
// Paymo tells of; an hour where it does not have it.
func (w *told) lags() []time.Duration {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	var lags []time.Duration
	for object, at := range w.changes {
		if r, ok := catalog.Lookup(object.table); !ok || r.Model == "" {
			continue
		}
		lag := value[float64](w.world, `
			SELECT coalesce((
				SELECT CASE WHEN (_deleted_at IS NOT NULL) = $2 AND _synced_at >= $3 THEN extract(epoch FROM _synced_at - $3::timestamptz) ELSE 3600 END
				FROM paymo.`+object.table+`
				WHERE id = $1
			), CASE WHEN $2 THEN 0 ELSE 3600 END)::float8`, object.id, object.gone, at)
		lags = append(lags, time.Duration(lag*float64(time.Second)))
	}
	slices.Sort(lags)
	return lags
}

// installed waits until Paymo has the service's hooks.
func (w *told) installed() {
	w.t.Helper()
	eventually(w.t, "the hooks are there", func() error {
		if n := value[int](w.world, `SELECT count(*) FROM paymosync.hooks`); n != 15 {
			return fmt.Errorf("%d hooks", n)
		}
		return nil
	})
}

// settled waits until all was told and the tables have every change.
func (w *told) settled(limit time.Duration) {
	w.t.Helper()
	within(w.t, limit, "every change is in its table", func() error {
		if n := w.paymo.Untold(); n > 0 {
			return fmt.Errorf("%d are to be told", n)
		}
		if n := value[int](w.world, `SELECT count(*) FROM paymosync.changes WHERE merged_at IS NULL AND settled_at IS NULL`); n > 0 {
			return fmt.Errorf("%d changes wait", n)
		}
		return nil
	})
}

// percentile is the lag that so many of a hundred do not exceed.
func percentile(lags []time.Duration, n int) time.Duration {
	if len(lags) == 0 {
		return 0
	}
	return lags[min(len(lags)-1, len(lags)*n/100)]
}

// A change is in its table within seconds, though Paymo allows five requests in as many.
func TestSoakWebhooks(t *testing.T) {
	t.Parallel()
	changes, most := 30, 10*time.Second // beside other tests
	if soak() {
		changes, most = 1000, 2*time.Second
	}
	w := newTold(t, paymotest.Config{Seed: 3, Entries: 500})
	w.run("sync").mustExit(exitOK)
	service := w.with("SYNC_SCHEDULE", "@every 15m").start("serve")
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(service.err.String())
		}
	})
	w.installed()
	w.paymo.SetRate(paymotest.DefaultRate)
	w.run("sync", "clients").mustExit(exitOK) // by which the limit is known
	w.forget()
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for range changes {
		<-ticker.C
		w.paymo.Work(1)
	}
	w.settled(time.Minute)
	lags := w.lags()
	t.Logf("%d changes: median %s, 95 %% %s, longest %s", len(lags), percentile(lags, 50), percentile(lags, 95), percentile(lags, 100))
	if p := percentile(lags, 95); p > most {
		t.Errorf("95 %% of the changes are in their tables within %s, want %s", p, most)
	}
	service.mustStop()
	w.bury()
	w.mustEqual()
}

// A thousand changes at once are in their tables before the requests could have been made
// that they would need one by one.
func TestProgramWebhooksBurst(t *testing.T) {
	t.Parallel()
	w := newTold(t, paymotest.Config{Seed: 4, Entries: 2000})
	w.run("sync").mustExit(exitOK)
	service := w.with("SYNC_SCHEDULE", "@every 24h").start("serve")
	w.installed()
	w.paymo.SetRate(paymotest.DefaultRate)
	w.run("sync", "clients").mustExit(exitOK) // by which the limit is known
	w.paymo.ResetLog()
	w.forget()
	w.paymo.Work(1000)
	w.settled(2 * time.Minute)
	lags := w.lags()
	asked := len(w.paymo.Requests())
	t.Logf("%d objects changed: median %s, 95 %% %s, longest %s; %d requests", len(lags), percentile(lags, 50), percentile(lags, 95), percentile(lags, 100), asked)
	if p := percentile(lags, 100); p > 2*time.Minute {
		t.Errorf("the last change came after %s", p)
	}
	if asked > 60 {
		t.Errorf("%d requests for what was told", asked)
	}
	service.mustStop()
	w.paymo.SetRate(0)
	w.bury()
	w.mustEqual()
}
