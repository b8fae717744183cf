package jobs_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/paymotest"
	"github.com/paymosync/paymosync/sink"
)

// For what was told without being true, or without a body that can be used, Paymo is asked,
// in one request for a hundred.
func TestManyChanges(t *testing.T) {
	t.Parallel()
	l := listen(newWorld(t, small()), "tasks")
	var told []jobs.Told
	for i, id := range liveIDs(l.world, "tasks")[:150] {
		if i%3 == 0 {
			l.patch("tasks", id, map[string]any{"name": "another name"})
		}
		told = append(told, l.sent("tasks", id, nil))
	}
	l.tell(told...)
	if brought := l.bring("tasks", true); brought.Changes < 50 || brought.Updated != 50 || l.requests("tasks") > 3 {
		t.Errorf("brought %+v with %d requests", brought, l.requests("tasks"))
	}
	l.mustWait("brought", 0, 0)
	l.mustEqual("tasks")
}

// An object at which Paymo fails holds up none of the others.
func TestObjectAtWhichPaymoFails(t *testing.T) {
	t.Parallel()
	var poison atomic.Pointer[string]
	l := listen(wrapped(t, small(), func(fake http.Handler, rw http.ResponseWriter, r *http.Request) {
		if id := poison.Load(); id != nil && (contains(r.URL.Query().Get("where"), *id) || contains(r.URL.Path, *id)) {
			answer(rw, http.StatusInternalServerError, `{"message":"Application error"}`)
			return
		}
		fake.ServeHTTP(rw, r)
	}), "tasks")
	ids := liveIDs(l.world, "tasks")[:5]
	var told []jobs.Told
	for _, id := range ids {
		l.patch("tasks", id, map[string]any{"name": "another name"})
		told = append(told, l.sent("tasks", id, nil))
	}
	text := strconv.FormatInt(ids[2], 10)
	poison.Store(&text)
	l.tell(told...)
	if brought := l.bring("tasks", true); brought.Updated != 4 {
		t.Errorf("brought %+v", brought)
	}
	l.mustWait("all but one", 1, 1)
	poison.Store(nil)
	exec(l.world, `UPDATE paymosync.changes SET claimed_until = '-infinity' WHERE settled_at IS NULL`)
	l.bring("tasks", true)
	l.mustWait("all", 0, 0)
	l.mustEqual("tasks")
}

// A server that does not list by ids is asked for one object after the other.
func TestChangesWithoutTheFilter(t *testing.T) {
	t.Parallel()
	company := small()
	l := listen(wrapped(t, company, func(fake http.Handler, rw http.ResponseWriter, r *http.Request) {
		if contains(r.URL.Query().Get("where"), "id in") {
			answer(rw, http.StatusBadRequest, `{"message":"Unknown field: id"}`)
			return
		}
		fake.ServeHTTP(rw, r)
	}), "tasks")
	first, second := l.some("tasks", "true"), liveIDs(l.world, "tasks")[7]
	l.patch("tasks", first, map[string]any{"name": "another name"})
	l.remove("tasks", second)
	l.tell(l.sent("tasks", first, nil), gone("tasks", second))
	if brought := l.bring("tasks", true); brought.Changes != 2 || brought.Updated != 1 || brought.Tombstoned != 1 {
		t.Errorf("brought %+v", brought)
	}
	l.mustWait("brought", 0, 1)
	l.mustEqual("tasks")
}

// hidden is a row that lives, and that an Employee's key does not see.
func (l *listener) hidden(table, key string) int64 {
	l.t.Helper()
	syncer := l.newSyncer("worker-9", withKey(key))
	page, err := syncer.Client.List(l.t.Context(), resource(l.t, table), paymo.Query{})
	if err != nil {
		l.t.Fatal(err)
	}
	seen := map[int64]bool{}
	for _, record := range page.Records {
		seen[record.ID] = true
	}
	for _, id := range liveIDs(l.world, table) {
		if !seen[id] {
			return id
		}
	}
	l.t.Fatalf("it sees all %s", table)
	return 0
}

// To a key that is not an Admin's what it may not see looks gone: it marks nothing deleted.
func TestLesserKeyBuriesNothing(t *testing.T) {
	t.Parallel()
	l := listen(newWorld(t, small()), "tasks")
	l.fake.AddKey("lesser", "Employee")
	hidden, deleted := l.hidden("tasks", "lesser"), l.some("tasks", "true")
	l.remove("tasks", deleted)
	l.syncer = l.newSyncer("worker-2", withKey("lesser"), func(_ *paymo.Config, config *jobs.SyncerConfig) { config.AcceptRole = "Employee" })
	l.tell(gone("tasks", hidden), gone("tasks", deleted), l.sent("tasks", hidden, nil))
	l.bring("tasks", true)
	if n := l.tombstones("tasks"); n > 0 {
		t.Errorf("%d rows are marked deleted", n)
	}
	l.mustWait("brought", 0, 2) // deletions, which are looked at again
}

// A key that lost its rights a moment ago is not believed either: what it was shown before
// says nothing.
func TestDemotedKeyBuriesNothing(t *testing.T) {
	t.Parallel()
	for _, table := range []string{"tasks", "tasklists"} { // the one shows by blank prices whose key it is
		for _, kind := range []string{sink.Gone, sink.Changed} {
			t.Run(table+" "+kind, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, small())
				w.fake.AddKey("key", "Employee") // of somebody who sees a part
				w.mustSync(table, jobs.Full)
				hidden := (&listener{world: w}).hidden(table, "key")
				w.fake.SetRole("key", jobs.AdminRole)
				w.syncer = w.newSyncer("worker-2", withKey("key"))
				l := listen(w, table) // as an Admin
				told := gone(table, hidden)
				if kind == sink.Changed {
					told = l.sent(table, hidden, nil)
				}
				l.tell(told)
				l.fake.SetRole("key", "Employee")
				before := l.fingerprint(table)
				brought, err := l.syncer.BringChanges(t.Context(), resource(t, table), true, told.HappenedAt, 100)
				if _, demoted := errors.AsType[*jobs.RoleError](err); !demoted || brought.Tombstoned > 0 || l.fingerprint(table) != before {
					t.Errorf("brought %+v, %v", brought, err)
				}
				// They wait for a key that may ask.
				l.mustWait("after that", 1, 1)
				l.fake.SetRole("key", jobs.AdminRole)
				l.syncer = l.newSyncer("worker-3", withKey("key"))
				if brought := l.bring(table, true); brought.Changes != 1 || brought.Tombstoned > 0 || l.fingerprint(table) != before {
					t.Errorf("brought %+v", brought)
				}
			})
		}
	}
}

// Changes of a table come in while a sync of it is underway, of whoever.
func TestChangesWhileSyncing(t *testing.T) {
	t.Parallel()
	l := listen(newWorld(t, small()), "tasks")
	first, second := l.some("tasks", "true"), liveIDs(l.world, "tasks")[7]
	err := l.store.WithLease(t.Context(), "tasks", "another process", func(context.Context, *sink.Lease) error {
		l.patch("tasks", first, map[string]any{"name": "another name"})
		l.patch("tasks", second, map[string]any{"name": "another name"})
		if merged := l.tell(l.body("tasks", first), l.sent("tasks", second, nil)); merged.Updated != 1 {
			t.Errorf("merged %+v", merged)
		}
		if brought := l.bring("tasks", true); brought.Updated != 1 {
			t.Errorf("brought %+v", brought)
		}
		l.mustEqual("tasks")
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// What could not be brought waits on, for anybody and at once.
func TestChangesThatCannotBeBrought(t *testing.T) {
	t.Parallel()
	var broken atomic.Bool
	l := listen(wrapped(t, small(), func(fake http.Handler, rw http.ResponseWriter, r *http.Request) {
		if broken.Load() {
			answer(rw, http.StatusUnauthorized, `{"message":"Authentication failed"}`)
			return
		}
		fake.ServeHTTP(rw, r)
	}), "tasks")
	changed, deleted := l.some("tasks", "true"), liveIDs(l.world, "tasks")[7]
	l.patch("tasks", changed, map[string]any{"name": "another name"})
	l.remove("tasks", deleted)
	l.tell(l.sent("tasks", changed, nil), gone("tasks", deleted))
	broken.Store(true)
	for range 2 {
		if brought, err := l.syncer.BringChanges(t.Context(), resource(t, "tasks"), true, l.body("tasks", changed).HappenedAt, 100); err == nil || brought.Changes != 1 {
			t.Errorf("brought %+v, %v", brought, err)
		}
	}
	l.mustWait("while it is broken", 2, 2)
	broken.Store(false)
	l.syncer = l.newSyncer("worker-2")
	if brought := l.bring("tasks", true); brought.Changes != 2 || brought.Updated != 1 || brought.Tombstoned != 1 {
		t.Errorf("brought %+v", brought)
	}
	l.mustEqual("tasks")
}

// A reply that lacks objects for another reason than that they are gone does not bury them.
func TestRepliesThatLackChanges(t *testing.T) {
	t.Parallel()
	for _, fault := range []paymotest.Fault{
		{Kind: paymotest.FaultCutList, Table: "tasks", N: 1},
		{Kind: paymotest.FaultEmpty, Table: "tasks"},
		{Kind: paymotest.FaultForget, Table: "tasks", N: 2},
	} {
		for _, kind := range []string{sink.Gone, sink.Changed} {
			t.Run(string(fault.Kind)+" "+kind, func(t *testing.T) {
				t.Parallel()
				l := listen(newWorld(t, small()), "tasks")
				var told []jobs.Told
				for _, id := range liveIDs(l.world, "tasks")[20:25] {
					if kind == sink.Gone {
						told = append(told, gone("tasks", id))
					} else {
						told = append(told, l.sent("tasks", id, nil))
					}
				}
				// Nothing is newer than what was told.
				exec(l.world, `UPDATE paymo.tasks SET updated_on = '2026-01-01'`)
				l.tell(told...)
				l.fake.AddFault(fault)
				for range 2 { // it may fail, and is tried again
					if _, err := l.syncer.BringChanges(t.Context(), resource(t, "tasks"), true, told[0].HappenedAt, 100); err != nil {
						t.Log(err)
					}
				}
				if n := l.tombstones("tasks"); n > 0 {
					t.Errorf("%d living rows are marked deleted", n)
				}
			})
		}
	}
}
