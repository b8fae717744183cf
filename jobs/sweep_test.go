package jobs_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/paymo/paymotest"
	"github.com/paymosync/paymosync/sink"
)

// syncAll syncs every table, parents first; all must end ok.
func (w *world) syncAll(mode jobs.Mode) (requests int) {
	w.t.Helper()
	for _, table := range readable() {
		requests += w.mustSync(table, mode).Requests
	}
	return requests
}

// mustEqualAll fails the test where any table is not what the fake serves, or where a row
// that the fake does not serve is not marked deleted.
func (w *world) mustEqualAll() {
	w.t.Helper()
	for _, table := range readable() {
		for _, difference := range w.differences(table) {
			w.t.Error(difference)
		}
	}
	if w.t.Failed() {
		w.t.FailNow()
	}
}

// remove deletes an object of the fake, with what Paymo deletes along.
func (w *world) remove(table string, id int64) int {
	w.t.Helper()
	n, err := w.fake.Delete(table, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// some is the id of some row of the table that meets the condition.
func (w *world) some(table, condition string) int64 {
	w.t.Helper()
	return query[int64](w, "SELECT id FROM paymo."+table+" WHERE _deleted_at IS NULL AND "+condition+" ORDER BY id OFFSET 1 LIMIT 1")
}

// tombstones is the number of rows of the table that are marked deleted.
func (w *world) tombstones(table string) int {
	w.t.Helper()
	return query[int](w, "SELECT count(*) FROM paymo."+table+" WHERE _deleted_at IS NOT NULL")
}

// However strictly Paymo judges the filters that some lists demand, every table is read,
// and what is deleted is found.
func TestScopes(t *testing.T) {
	t.Parallel()
	for _, scopes := range []paymotest.Scopes{paymotest.ScopesAny, paymotest.ScopesIn, paymotest.ScopesEqual, paymotest.ScopesOpen, paymotest.ScopesNone} {
		t.Run(string(scopes), func(t *testing.T) {
			t.Parallel()
			company := small()
			company.Scopes = scopes
			w := newWorld(t, company)
			for _, table := range readable() {
				outcome := w.mustSync(table, jobs.Full)
				if outcome.Inserted == 0 {
					t.Errorf("%s is empty", table)
				}
			}
			reached := scopes != paymotest.ScopesIn && scopes != paymotest.ScopesEqual
			if !reached { // receipts hang on expenses alone
				for object := range w.fake.Rows("files") {
					if file := decode(t, object); file["project_id"] == nil {
						id, _ := file["id"].(interface{ Int64() (int64, error) }).Int64()
						w.remove("files", id)
					}
				}
			}
			w.mustEqualAll()
			t.Logf("incrementals: %d requests", w.syncAll(jobs.Incremental))
			for _, table := range []string{"comments", "files", "task_assignments", "bookings", "invoice_items", "estimate_items", "recurring_profile_items", "project_template_tasks"} {
				w.remove(table, w.some(table, "true"))
			}
			w.remove("projects", w.some("projects", "true"))
			w.remove("invoices", w.some("invoices", "true"))
			t.Logf("fulls: %d requests", w.syncAll(jobs.Full))
			w.mustEqualAll()
		})
	}
}

// What Paymo deletes with a parent is marked deleted, however the parents' and the
// children's syncs are ordered, and nothing else is.
func TestDeletedParents(t *testing.T) {
	t.Parallel()
	for _, table := range []string{"clients", "projects", "tasklists", "tasks", "discussions", "comment_threads", "invoices", "estimates", "recurring_profiles", "project_templates", "expenses", "task_assignments"} {
		t.Run(table, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, small())
			w.syncAll(jobs.Full)
			n := w.remove(table, w.some(table, "true"))
			tables := readable()
			for i := range tables { // children first
				w.mustSync(tables[len(tables)-1-i], jobs.Full)
			}
			w.syncAll(jobs.Full)
			w.mustEqualAll()
			marked := 0
			for _, table := range readable() {
				marked += w.tombstones(table)
			}
			if marked != n {
				t.Errorf("%d rows are marked deleted, %d were", marked, n)
			}
		})
	}
}

// A user goes with all their time: a deleted parent explains it to the guard, whichever
// table is synced first. The same rows vanishing without a cause stop it.
func TestGuard(t *testing.T) {
	t.Parallel()
	busiest := `SELECT user_id FROM paymo.time_entries GROUP BY user_id ORDER BY count(*) DESC LIMIT 1`
	for _, first := range []string{"users", "time_entries"} {
		t.Run("explained, "+first+" first", func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, paymotest.Config{Seed: 7, Entries: 2000, Users: 6})
			w.syncAll(jobs.Full)
			user := query[int64](w, busiest)
			entries := query[int](w, `SELECT count(*) FROM paymo.time_entries WHERE user_id = $1`, user)
			if entries <= 200 {
				t.Fatalf("only %d entries", entries)
			}
			w.remove("users", user)
			if outcome := w.mustSync(first, jobs.Full); outcome.Tombstoned == 0 {
				t.Errorf("%+v", outcome)
			}
			w.syncAll(jobs.Full)
			w.mustEqualAll()
			if n := w.tombstones("time_entries"); n != entries {
				t.Errorf("%d entries are marked deleted, %d were", n, entries)
			}
		})
	}
	t.Run("unexplained", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, paymotest.Config{Seed: 7, Entries: 2000, Users: 6})
		w.syncAll(jobs.Full)
		user := query[int64](w, busiest)
		for object := range w.fake.Rows("time_entries") {
			entry := decode(t, object)
			if owner, _ := entry["user_id"].(interface{ Int64() (int64, error) }).Int64(); owner == user {
				id, _ := entry["id"].(interface{ Int64() (int64, error) }).Int64()
				w.remove("time_entries", id)
			}
		}
		for range 2 {
			outcome, err := w.sync("time_entries", jobs.Full)
			if err != nil || outcome.State != sink.StateDegraded || !contains(outcome.Reason, "guard stopped") || outcome.Tombstoned != 0 {
				t.Fatal(unexpected(outcome, err))
			}
		}
		if outcome, err := w.sync("time_entries", jobs.Incremental); err != nil || outcome.State != sink.StateDegraded {
			t.Fatal(unexpected(outcome, err)) // until somebody decides
		}
		outcome, err := w.syncer.Sync(t.Context(), jobs.Request{
			Resource: resource(t, "time_entries"), Mode: jobs.Full, Reason: jobs.ReasonManual, AcceptDeletes: true,
		})
		if err != nil || outcome.State != sink.StateOK || outcome.Tombstoned == 0 {
			t.Fatal(unexpected(outcome, err))
		}
		w.mustEqualAll()
	})
}

// The last rows of a table are not marked deleted on Paymo's word alone.
func TestLastRows(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	w.mustSync("reports", jobs.Full)
	for id := range ids(t, w, "reports", 1000) {
		w.remove("reports", id)
	}
	outcome, err := w.sync("reports", jobs.Full)
	if err != nil || outcome.State != sink.StateDegraded || !contains(outcome.Reason, "guard stopped: Paymo lists no rows") || w.tombstones("reports") != 0 {
		t.Fatal(unexpected(outcome, err))
	}
	outcome, err = w.syncer.Sync(t.Context(), jobs.Request{Resource: resource(t, "reports"), Mode: jobs.Full, Reason: jobs.ReasonManual, AcceptDeletes: true})
	if err != nil || outcome.State != sink.StateOK {
		t.Fatal(unexpected(outcome, err))
	}
	w.mustEqual("reports")
	w.mustSync("reports", jobs.Full)
}

// An edited invoice is right after the next incremental, its items with it.
func TestEditedInvoice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	w.syncAll(jobs.Full)
	item := w.some("invoice_items", "true")
	invoice := query[int64](w, `SELECT invoice_id FROM paymo.invoice_items WHERE id = $1`, item)
	w.remove("invoice_items", item)
	w.put("invoice_items", map[string]any{"invoice_id": invoice, "item": "another", "price_unit": 10, "quantity": 2})
	w.patch("invoices", invoice, map[string]any{"total": 4711})
	w.mustSync("invoices", jobs.Incremental)
	outcome := w.mustSync("invoice_items", jobs.Incremental)
	if outcome.Inserted != 1 || outcome.Tombstoned != 1 {
		t.Errorf("%+v", outcome)
	}
	w.mustEqual("invoice_items")
	if again := w.mustSync("invoice_items", jobs.Incremental); again.Inserted+again.Updated+again.Tombstoned != 0 {
		t.Errorf("%+v", again)
	}
}

// A sweep that is interrupted goes on with what is left to ask for.
func TestInterruptedSweep(t *testing.T) {
	t.Parallel()
	company := small()
	company.Scopes = paymotest.ScopesIn
	w := newWorld(t, company)
	w.mustSync("tasks", jobs.Full)
	w.mustSync("tasks", jobs.Full)
	// One by one, so that there is something to interrupt.
	fault := w.fake.AddFault(paymotest.Fault{Kind: paymotest.FaultBreakFilter, Field: "id", Table: "tasks", Where: "id in"})
	defer w.fake.RemoveFault(fault)
	for id := range ids(t, w, "tasks", 20) {
		w.remove("tasks", id)
	}
	for step := 1; ; step++ {
		ctx, cancel := context.WithCancel(t.Context())
		syncer := w.newSyncer("worker-1", func(client *paymo.Config, _ *jobs.SyncerConfig) {
			client.Transport = &cancelAfter{RoundTripper: client.Transport, left: 5 * step, cancel: cancel}
		})
		outcome, err := syncer.Sync(ctx, jobs.Request{Resource: resource(t, "tasks"), Mode: jobs.Full, Reason: jobs.ReasonManual})
		cancel()
		if err == nil {
			if outcome.State != sink.StateOK {
				t.Fatal(unexpected(outcome, err))
			}
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(unexpected(outcome, err))
		}
	}
	w.mustEqual("tasks")
}

// A lesser key is not shown all rows: nothing is marked deleted on its word.
func TestSweepNeedsAdmin(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	w.fake.AddKey("manager", "Project Manager")
	manager := func(client *paymo.Config, _ *jobs.SyncerConfig) {
		client.Key = func(context.Context) (string, error) { return "manager", nil }
	}
	w.syncer = w.newSyncer("worker-1", manager)
	w.mustSync("tasks", jobs.Full)
	w.remove("tasks", w.some("tasks", "true"))
	outcome, err := w.sync("tasks", jobs.Full)
	if err != nil || outcome.State != sink.StateDegraded || !contains(outcome.Reason, "SWEEP_WITHOUT_ADMIN") || w.tombstones("tasks") != 0 {
		t.Fatal(unexpected(outcome, err))
	}
	w.syncer = w.newSyncer("worker-1", manager, func(_ *paymo.Config, config *jobs.SyncerConfig) { config.SweepWithoutAdmin = true })
	if outcome := w.mustSync("tasks", jobs.Full); outcome.Tombstoned != 1 {
		t.Errorf("%+v", outcome)
	}
}

// A row that comes back loses its tombstone.
func TestRestored(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	w.syncAll(jobs.Full)
	project := w.some("projects", "true")
	w.remove("projects", project)
	w.syncAll(jobs.Full)
	if w.tombstones("tasks") == 0 {
		t.Fatal("no task was deleted")
	}
	if _, err := w.fake.Restore("projects", project); err != nil {
		t.Fatal(err)
	}
	w.syncAll(jobs.Full)
	w.mustEqualAll()
	for _, table := range readable() {
		if n := w.tombstones(table); n != 0 {
			t.Errorf("%s: %d rows are still marked deleted", table, n)
		}
	}
}

// Rows that a denied or broken reply leaves out are kept.
func TestUnconfirmedRowsAreKept(t *testing.T) {
	t.Parallel()
	for name, judge := range map[string]func(w http.ResponseWriter){
		"denied":   func(w http.ResponseWriter) { answer(w, http.StatusForbidden, `{"message":"Access denied"}`) },
		"html 404": func(w http.ResponseWriter) { answer(w, http.StatusNotFound, `<html>not here</html>`) },
		"empty":    func(w http.ResponseWriter) { answer(w, http.StatusOK, `{"tasks":[]}`) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lying := false
			w := wrapped(t, small(), func(fake http.Handler, rw http.ResponseWriter, r *http.Request) {
				if lying && (contains(r.URL.RawQuery, "in%20%28") || len(r.URL.Path) > len("/api/tasks") && contains(r.URL.Path, "/api/tasks/")) {
					judge(rw)
					return
				}
				fake.ServeHTTP(rw, r)
			})
			w.mustSync("tasks", jobs.Full)
			w.remove("tasks", w.some("tasks", "true"))
			lying = true
			outcome, err := w.sync("tasks", jobs.Full)
			if err != nil || outcome.State != sink.StateDegraded || !contains(outcome.Reason, "does not say that they are gone") || w.tombstones("tasks") != 0 {
				t.Fatal(unexpected(outcome, err))
			}
			lying = false
			if outcome := w.mustSync("tasks", jobs.Full); outcome.Tombstoned != 1 {
				t.Errorf("%+v", outcome)
			}
			w.mustEqual("tasks")
		})
	}
}

// The incremental sync of all tables with nothing new is cheap.
func TestRequestsOfIncrementals(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	w.syncAll(jobs.Full)
	w.fake.ResetLog()
	w.syncAll(jobs.Incremental)
	total := 0
	for table, count := range w.fake.Counts() {
		t.Logf("%-28s %d", table, count.Requests)
		total += int(count.Requests)
	}
	if total > 35 {
		t.Errorf("%d requests", total)
	}
	t.Logf("%-28s %d, %d tables", "all", total, len(catalog.All()))
}
