package jobs_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/paymotest"
	"github.com/paymosync/paymosync/sink"
)

// withKey makes a Syncer that uses another key.
func withKey(key string) func(*paymo.Config, *jobs.SyncerConfig) {
	return func(c *paymo.Config, _ *jobs.SyncerConfig) {
		c.Key = func(context.Context) (string, error) { return key, nil }
	}
}

// stopped syncs with another Syncer, which must be stopped before it writes a row.
func (w *world) stopped(syncer *jobs.Syncer, words ...string) error {
	w.t.Helper()
	w.patch("tasks", query[int64](w, `SELECT min(id) FROM paymo.tasks`), map[string]any{"name": "a change"})
	before := w.fingerprint("tasks") + w.fingerprint("clients") + w.fingerprint("company")
	var last error
	for _, table := range []string{"tasks", "clients", "company"} {
		for _, mode := range []jobs.Mode{jobs.Incremental, jobs.Full} {
			outcome, err := syncer.Sync(w.t.Context(), jobs.Request{Resource: resource(w.t, table), Mode: mode, Reason: jobs.ReasonManual})
			if err == nil || outcome.State != sink.StateFailing {
				w.t.Fatal(unexpected(outcome, err))
			}
			for _, word := range words {
				if !strings.Contains(outcome.Reason, word) || !strings.Contains(err.Error(), word) {
					w.t.Errorf("%s: the reason lacks %q: %s", table, word, outcome.Reason)
				}
			}
			if !jobs.Refused(err) {
				w.t.Errorf("%s: it is worth another try: %v", table, err)
			}
			last = err
		}
		if status := w.status(table); status.State != sink.StateFailing {
			w.t.Errorf("%s: the status says %s", table, status.State)
		}
	}
	if after := w.fingerprint("tasks") + w.fingerprint("clients") + w.fingerprint("company"); after != before {
		w.t.Error("rows were written")
	}
	return last
}

func guarded(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, small())
	for _, table := range []string{"tasks", "clients", "company"} {
		w.mustSync(table, jobs.Full)
	}
	return w
}

func TestAnotherCompanyIsRefused(t *testing.T) {
	t.Parallel()
	w := guarded(t)
	w.fake.AddCompanyKey("theirs", "Admin", 2)
	err := w.stopped(w.newSyncer("worker-2", withKey("theirs")), "belongs to another Paymo", "company", "no row was written")
	if identity, ok := errors.AsType[*jobs.IdentityError](err); !ok || identity.What != "company" {
		t.Errorf("%v", err)
	}
	w.mustSync("tasks", jobs.Incremental) // with the right key it goes on
	w.mustEqual("tasks")
}

func TestAnotherBaseURLIsRefused(t *testing.T) {
	t.Parallel()
	w := guarded(t)
	syncer := w.newSyncer("worker-2", func(_ *paymo.Config, config *jobs.SyncerConfig) { config.BaseURL = "https://paymo.example" })
	err := w.stopped(syncer, "base URL", "https://paymo.example", w.url)
	if _, ok := errors.AsType[*jobs.IdentityError](err); !ok {
		t.Errorf("%v", err)
	}
}

func TestWeakerRoleIsRefused(t *testing.T) {
	t.Parallel()
	w := guarded(t)
	w.fake.AddKey("weak", "Employee")
	err := w.stopped(w.newSyncer("worker-2", withKey("weak")), "role is Employee now and was Admin", "ACCEPT_ROLE")
	if _, ok := errors.AsType[*jobs.RoleError](err); !ok {
		t.Errorf("%v", err)
	}
	// The operator may accept it; what it does not see stays.
	before := w.count("tasks")
	accepting := w.newSyncer("worker-3", withKey("weak"), func(_ *paymo.Config, config *jobs.SyncerConfig) { config.AcceptRole = "Employee" })
	outcome, err := accepting.Sync(t.Context(), jobs.Request{Resource: resource(t, "tasks"), Mode: jobs.Full, Reason: jobs.ReasonManual})
	if err != nil || outcome.State == sink.StateFailing {
		t.Fatal(unexpected(outcome, err))
	}
	if n := w.count("tasks"); n != before {
		t.Errorf("%d tasks, %d before", n, before)
	}
	// A role that got stronger needs nobody's consent.
	again := w.newSyncer("worker-4")
	if outcome, err := again.Sync(t.Context(), jobs.Request{Resource: resource(t, "tasks"), Mode: jobs.Full, Reason: jobs.ReasonManual}); err != nil || outcome.State != sink.StateOK {
		t.Fatal(unexpected(outcome, err))
	}
	w.mustEqual("tasks")
}

func TestRefusedKey(t *testing.T) {
	t.Parallel()
	w := guarded(t)
	w.fake.RevokeKey(paymotest.DefaultKey)
	var api *paymo.APIError
	err := w.stopped(w.newSyncer("worker-2"), "the API key was refused", "PAYMO_API_KEY")
	if !errors.As(err, &api) || api.Status != http.StatusUnauthorized {
		t.Errorf("%v", err)
	}
	// Not one probe a table: one for all of them, for a while.
	if n := w.requests("me"); n > 12 {
		t.Errorf("%d requests about the key", n)
	}
}

// A key that is put in another's place while a table is read is another key.
func TestRotatedKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	w.fake.AddKey("second", "Admin")
	var mu sync.Mutex
	key := paymotest.DefaultKey
	syncer := w.newSyncer("worker-1", func(c *paymo.Config, _ *jobs.SyncerConfig) {
		c.Key = func(context.Context) (string, error) {
			mu.Lock()
			defer mu.Unlock()
			return key, nil
		}
	})
	w.syncer = syncer
	w.mustSync("tasks", jobs.Full)
	mu.Lock()
	key = "second"
	mu.Unlock()
	w.fake.RevokeKey(paymotest.DefaultKey)
	w.change("tasks")
	w.mustSync("tasks", jobs.Incremental)
	w.mustEqual("tasks")
}

// Faults of the question whose key it is stop every table with the cause in words.
func TestFaultsOfIdentity(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		fault paymotest.Fault
		words string
	}{
		{paymotest.Fault{Kind: paymotest.FaultStatus, N: http.StatusForbidden}, "find out whose key it is: GET /api/me: paymo answered 403"},
		{paymotest.Fault{Kind: paymotest.FaultStatus, N: http.StatusInternalServerError}, "find out whose key it is: GET /api/me: paymo answered 500"},
		{paymotest.Fault{Kind: paymotest.FaultHTML}, "GET /api/me: read the reply (text/html"},
		{paymotest.Fault{Kind: paymotest.FaultRedirect}, "redirects to https://elsewhere.invalid"},
	} {
		t.Run(string(tt.fault.Kind)+" "+http.StatusText(tt.fault.N), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, small())
			tt.fault.Table = "me"
			w.fake.AddFault(tt.fault)
			outcome, err := w.sync("tasks", jobs.Full)
			if err == nil || outcome.State != sink.StateFailing || !strings.Contains(outcome.Reason, tt.words) {
				t.Fatal(unexpected(outcome, err))
			}
			if n := w.count("tasks"); n != 0 {
				t.Errorf("%d rows", n)
			}
			w.fake.ClearFaults()
			w.syncer = w.newSyncer("worker-2")
			w.mustSync("tasks", jobs.Full)
			w.mustEqual("tasks")
		})
	}
}

// Of two that sync the same table one does it, and the other one learns who.
func TestTwoSyncersOnOneTable(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	reading, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	w.syncer = w.newSyncer("worker-1", func(_ *paymo.Config, config *jobs.SyncerConfig) {
		config.Watch = func(string, jobs.Moment) {
			once.Do(func() {
				close(reading)
				<-release
			})
		}
	})
	ended := make(chan error, 1)
	go func() {
		_, err := w.syncer.Sync(t.Context(), jobs.Request{Resource: resource(t, "tasks"), Mode: jobs.Full, Reason: jobs.ReasonManual})
		ended <- err
	}()
	<-reading
	second := w.newSyncer("worker-2")
	request := jobs.Request{Resource: resource(t, "tasks"), Mode: jobs.Full, Reason: jobs.ReasonManual}
	outcome, err := second.Sync(t.Context(), request)
	var held *sink.HeldError
	if !errors.As(err, &held) || held.Owner != "worker-1" {
		t.Fatal(unexpected(outcome, err))
	}
	if wait, ok := jobs.RetryIn(err); !ok || wait <= 0 {
		t.Errorf("to be tried again in %s, %t", wait, ok)
	}
	if runs := query[int](w, `SELECT count(*) FROM paymosync.runs`); runs != 1 {
		t.Errorf("%d runs in the ledger", runs)
	}
	close(release)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if outcome, err := second.Sync(t.Context(), request); err != nil || outcome.Inserted+outcome.Updated != 0 {
		t.Fatal(unexpected(outcome, err))
	}
	w.mustEqual("tasks")
}

// Taken over while it reads, a sync writes nothing more and says why.
func TestTakenOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t, big())
	var once sync.Once
	w.syncer = w.newSyncer("worker-1", func(_ *paymo.Config, config *jobs.SyncerConfig) {
		config.Watch = func(string, jobs.Moment) {
			once.Do(func() {
				exec(w, `UPDATE paymosync.leases SET fence = fence + 1, owner = 'worker-2'`)
			})
		}
	})
	outcome, err := w.sync("tasks", jobs.Full)
	if !errors.Is(err, sink.ErrLeaseLost) {
		t.Fatal(unexpected(outcome, err))
	}
	exec(w, `UPDATE paymosync.leases SET expires_at = clock_timestamp()`)
	w.mustSync("tasks", jobs.Full)
	w.mustEqual("tasks")
}
