package jobs_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/paymotest"
	"github.com/paymosync/paymosync/sink"
)

// between makes a world in which a handler stands between the client and the fake.
func between(t *testing.T, company paymotest.Config, handle func(w *world, rw http.ResponseWriter, r *http.Request)) *world {
	t.Helper()
	w := newWorld(t, company)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { handle(w, rw, r) }))
	t.Cleanup(server.Close)
	w.url = server.URL
	w.syncer = w.newSyncer("worker-1")
	return w
}

// timeless drops the header that tells the server's time.
type timeless struct{ http.ResponseWriter }

func (w timeless) WriteHeader(status int) {
	w.Header()["Date"] = nil
	w.ResponseWriter.WriteHeader(status)
}

func (w timeless) Write(text []byte) (int, error) {
	w.Header()["Date"] = nil
	return w.ResponseWriter.Write(text)
}

// A server that does not tell its time: rows that change while a full goes on, after
// their range was read, are found by the next incremental.
func TestCursorWithoutServerTime(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	var armed atomic.Bool
	clock := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}
	pass := func() {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(5 * time.Minute)
	}
	w := between(t, paymotest.Config{Seed: 7, Entries: 10, Tasks: 6000, Now: clock}, func(w *world, rw http.ResponseWriter, r *http.Request) {
		w.fake.ServeHTTP(timeless{rw}, r)
		where := r.URL.Query().Get("where")
		if r.URL.Path != "/api/tasks" || !strings.Contains(where, "id<") || !strings.Contains(where, "id>=") || !armed.CompareAndSwap(true, false) {
			return
		}
		newest, oldest := query[int64](w, `SELECT max(id) FROM paymo.tasks`), query[int64](w, `SELECT min(id) FROM paymo.tasks`)
		pass()
		w.patch("tasks", newest, map[string]any{"name": "changed after it was read"})
		pass()
		w.patch("tasks", oldest, map[string]any{"name": "changed before it is read"})
		pass()
	})
	w.mustSync("tasks", jobs.Full)
	armed.Store(true)
	w.mustSync("tasks", jobs.Full)
	if armed.Load() {
		t.Fatal("no range was asked for")
	}
	w.mustSync("tasks", jobs.Incremental)
	w.mustEqual("tasks")
}

// A table that PostgreSQL cannot write for now is not ok, though its bookkeeping is.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	w.mustSync("clients", jobs.Full)
	w.patch("clients", query[int64](w, `SELECT min(id) FROM paymo.clients`), map[string]any{"name": "x"})
	exec(w, `CREATE FUNCTION paymo.full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$`)
	exec(w, `CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON paymo.clients FOR EACH ROW EXECUTE FUNCTION paymo.full_disk()`)
	if outcome, err := w.sync("clients", jobs.Incremental); err == nil || outcome.State != sink.StateFailing {
		t.Errorf("%+v, %v", outcome, err)
	}
	status := w.status("clients")
	if status.State != sink.StateFailing || !strings.Contains(status.Reason, "could not extend file") || status.LastRun().State != sink.StateFailing {
		t.Errorf("%s: %s; run %s", status.State, status.Reason, status.LastRun().State)
	}
	exec(w, `DROP TRIGGER full_disk ON paymo.clients`)
	w.mustSync("clients", jobs.Incremental)
	w.mustEqual("clients")
}

// A full that is due is made once, whichever job comes first, and one whose list was
// much too short is not made again at every tick.
func TestFullIsNotRepeated(t *testing.T) {
	t.Parallel()
	daily := func(_ *paymo.Config, config *jobs.SyncerConfig) {
		config.FullDue = func(last, now time.Time) bool { return now.Sub(last) > 24*time.Hour }
	}
	w := newWorld(t, paymotest.Config{Seed: 7, Entries: 10, Tasks: 1000}, daily)
	w.mustSync("tasks", jobs.Full)
	overdue := func() { exec(w, `UPDATE paymosync.checkpoints SET full_at = full_at - interval '2 days'`) }
	tick := func(mode jobs.Mode) jobs.Outcome {
		outcome, err := w.syncer.Sync(t.Context(), jobs.Request{Resource: resource(t, "tasks"), Mode: mode, Reason: jobs.ReasonSchedule})
		if err != nil {
			t.Fatal(err)
		}
		return outcome
	}
	overdue()
	if first, second := tick(jobs.Incremental), tick(jobs.Full); first.Mode != jobs.Full || second.Mode != jobs.Incremental {
		t.Errorf("the jobs ran as %s and %s", first.Mode, second.Mode)
	}

	deleted := 0
	for object := range w.fake.Rows("tasks") {
		var row struct{ ID int64 }
		if err := json.Unmarshal(object, &row); err != nil {
			t.Fatal(err)
		}
		if deleted < 300 {
			n, err := w.fake.Delete("tasks", row.ID)
			if err != nil {
				t.Fatal(err)
			}
			deleted += min(n, 1)
		}
	}
	overdue()
	if o := tick(jobs.Incremental); o.Mode != jobs.Full || o.State != sink.StateDegraded {
		t.Fatalf("%+v", o)
	}
	before := *w.status("tasks").FreshAsOf
	w.put("tasks", map[string]any{"name": "new"})
	for range 2 {
		if o := tick(jobs.Incremental); o.Mode != jobs.Incremental || o.State != sink.StateDegraded {
			t.Errorf("%+v", o)
		}
	}
	if after := *w.status("tasks").FreshAsOf; after.Before(before) {
		t.Errorf("fresh as of %s after %s", after, before)
	}
	if n := query[int](w, `SELECT count(*) FROM paymo.tasks WHERE name = 'new'`); n != 1 {
		t.Errorf("%d new rows", n)
	}
}

// A success that holds an empty list of something else is no empty table.
func TestEmptyListOfSomethingElse(t *testing.T) {
	t.Parallel()
	w := between(t, small(), func(w *world, rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/clients" {
			rw.Header().Set("Content-Type", "application/json")
			_, _ = rw.Write([]byte(`{"errors":[]}`))
			return
		}
		w.fake.ServeHTTP(rw, r)
	})
	outcome, err := w.sync("clients", jobs.Full)
	if err == nil || outcome.State != sink.StateFailing || !strings.Contains(outcome.Reason, `holds no list "clients"`) {
		t.Errorf("%+v, %v", outcome, err)
	}
}
