package jobs_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/paymotest"
	"github.com/paymosync/paymosync/sink"
)

// An incremental of all tables makes the requests that were planned, one by one, where
// nothing has changed.
func TestPlanOfIdleSync(t *testing.T) {
	t.Parallel()
	w := loaded(t, small())
	plan := w.planned(jobs.Incremental, readable()...)
	for _, table := range readable() {
		w.mustSync(table, jobs.Incremental)
	}
	asked := w.asked()
	compare(t, plan, asked)
	if plan.Requests != count(asked) || plan.Bound != jobs.AtLeast {
		t.Errorf("planned %s %d requests, made %d", plan.Bound, plan.Requests, count(asked))
	}
	t.Logf("%d requests", plan.Requests)
	for i, table := range plan.Tables {
		if table.Mode != jobs.Incremental || table.Why == "" || table.Because == "" || table.Listing == "" || table.Table != readable()[i] {
			t.Errorf("%+v", table)
		}
	}
}

// Where something has changed no fewer requests are made than were planned.
func TestPlanOfChanges(t *testing.T) {
	t.Parallel()
	w := loaded(t, small())
	for _, table := range readable() {
		if !resource(t, table).Singleton {
			w.change(table)
		}
	}
	plan := w.planned(jobs.Incremental, readable()...)
	for i, table := range readable() {
		made := w.mustSync(table, jobs.Incremental).Requests
		if planned := plan.Tables[i].Requests; made < planned {
			t.Errorf("%s: planned at least %d requests, made %d", table, planned, made)
		}
	}
	if made := count(w.asked()); made < plan.Requests || plan.Bound != jobs.AtLeast {
		t.Errorf("planned %s %d requests, made %d", plan.Bound, plan.Requests, made)
	}
}

// A full of tables that the warehouse knows makes the requests that were planned.
func TestPlanOfFull(t *testing.T) {
	t.Parallel()
	w := loaded(t, small())
	plan := w.planned(jobs.Full, readable()...)
	for _, table := range readable() {
		w.mustSync(table, jobs.Full)
	}
	asked := w.asked()
	made := count(asked)
	if off := plan.Requests - made; off > made/10 || off < -made/10 {
		t.Errorf("planned %d requests, made %d", plan.Requests, made)
	}
	t.Logf("planned %d, made %d", plan.Requests, made)
	// Whose key it is may be asked again at another pace.
	plan.Asked = len(asked["/api/me"])
	compare(t, plan, asked)
	if plan.Bound != jobs.About {
		t.Errorf("the number of requests is said to be %s so", plan.Bound)
	}
}

// Also where tables are longer than a reply. Lists that are not in the order of the ids
// take a few requests more, or less, to be proven whole.
func TestPlanOfLongTables(t *testing.T) {
	t.Parallel()
	for _, order := range []paymotest.Order{paymotest.Ascending, paymotest.Descending, paymotest.Shuffled} {
		t.Run(string(order), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, paymotest.Config{Seed: 3, Tasks: 6000, Entries: 20_000, Order: order})
			tables := []string{"users", "tasks", "time_entries"}
			for _, table := range tables {
				w.mustSync(table, jobs.Full)
			}
			plan := w.planned(jobs.Full, tables...)
			for i, table := range tables {
				made := w.mustSync(table, jobs.Full).Requests
				if i == 0 {
					continue // it may have asked whose key it is
				}
				planned := plan.Tables[i].Requests
				t.Logf("%s: planned %d, made %d", table, planned, made)
				most := made / 10
				if order != paymotest.Ascending {
					most = 4
				}
				if off := planned - made; off > most || off < -most {
					t.Errorf("%s: planned %d requests, made %d", table, planned, made)
				}
			}
		})
	}
}

// Before the first load nothing is known but the tables.
func TestPlanOfFirstLoad(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	plan := w.planned(jobs.Incremental, readable()...)
	for _, table := range readable() {
		w.mustSync(table, jobs.Incremental)
	}
	asked := w.asked()
	made := count(asked)
	t.Logf("planned %d, made %d", plan.Requests, made)
	if more := max(plan.Requests, made); more*4 > 5*min(plan.Requests, made) {
		t.Errorf("planned %d requests, made %d", plan.Requests, made)
	}
	for _, table := range plan.Tables {
		if table.Mode != jobs.Full || table.Why != string(jobs.WhyFirst) || table.Requests == 0 {
			t.Errorf("%+v", table)
		}
	}
	if !plan.Pace.Assumed || plan.Pace.String() != "5 requests per 5 s" || plan.Bound != jobs.About {
		t.Errorf("%+v", plan.Pace)
	}
}

// The reasons for a mode, and what is not synced at all.
func TestPlanSaysWhy(t *testing.T) {
	t.Parallel()
	due := false
	w := loaded(t, small(), func(_ *paymo.Config, config *jobs.SyncerConfig) {
		config.FullDue = func(last, _ time.Time) bool { return due || last.IsZero() }
	})
	one := func(mode jobs.Mode, table string) jobs.TablePlan {
		t.Helper()
		plan := w.planned(mode, table)
		if len(plan.Tables) != 1 {
			t.Fatalf("%+v", plan)
		}
		return plan.Tables[0]
	}
	expect := func(found jobs.TablePlan, mode jobs.Mode, why string) {
		t.Helper()
		if found.Mode != mode || !contains(found.Why, why) {
			t.Errorf("%s: %s: %s; want %s: %s", found.Table, found.Mode, found.Why, mode, why)
		}
	}
	expect(one(jobs.Incremental, "clients"), jobs.Incremental, "what changed since 2")
	expect(one(jobs.Full, "clients"), jobs.Full, string(jobs.WhyAsked))
	due = true
	expect(one(jobs.Incremental, "clients"), jobs.Full, string(jobs.WhyDue))
	due = false
	exec(w, `UPDATE paymosync.checkpoints SET layout = layout || ' from 2020-01-01' WHERE table_name = 'clients'`)
	expect(one(jobs.Incremental, "clients"), jobs.Full, string(jobs.WhyLayout))
	exec(w, `TRUNCATE paymo.tasks`)
	expect(one(jobs.Incremental, "tasks"), jobs.Full, string(jobs.WhyLost))

	if _, err := w.store.Pause(t.Context(), "clients"); err != nil {
		t.Fatal(err)
	}
	paused := w.planned(jobs.Incremental, "clients")
	expect(paused.Tables[0], "", "paused by an operator")
	if paused.Requests != 0 || paused.Takes != 0 || paused.Asked != 0 {
		t.Errorf("%+v", paused)
	}
	exec(w, `DELETE FROM paymosync.checkpoints WHERE table_name IN ('invoices', 'invoice_items')`)
	expect(one(jobs.Incremental, "invoice_items"), "", "sync invoices first")
	both := w.planned(jobs.Incremental, "invoices", "invoice_items").Tables
	expect(both[1], jobs.Full, string(jobs.WhyFirst))
	if both[1].Requests == 0 || both[1].Listing != "with parents: invoices, 100 a request" {
		t.Errorf("%+v", both[1])
	}
	if timers := one(jobs.Incremental, "time_entries"); !strings.HasPrefix(timers.Planned[0].String(),
		"GET /api/entries where time_interval in (2000-01-01T00:00:00Z, 2100-01-01T00:00:00Z) and end_time=null") {
		t.Errorf("%v", timers.Planned)
	}
}

// A run that is unfinished is gone on with.
func TestPlanOfUnfinishedLoad(t *testing.T) {
	t.Parallel()
	w := newWorld(t, paymotest.Config{Seed: 3, Tasks: 300, Entries: 20_000, Cap: 250})
	w.mustSync("users", jobs.Full)
	request := jobs.Request{Resource: resource(t, "time_entries"), Mode: jobs.Full, Reason: jobs.ReasonManual, Work: 1}
	for range 15 { // a slice at a time
		if outcome, err := w.syncer.Sync(t.Context(), request); err != nil || !outcome.Unfinished {
			t.Fatal(unexpected(outcome, err))
		}
	}
	plan := w.planned(jobs.Incremental, "time_entries").Tables[0]
	if plan.Mode != jobs.Full || !contains(plan.Why, "goes on with the full") || plan.Bound != jobs.About {
		t.Errorf("%+v", plan)
	}
	made := w.mustSync("time_entries", jobs.Incremental).Requests
	t.Logf("planned %d, made %d", plan.Requests, made)
	if more := max(plan.Requests, made); more*4 > 5*min(plan.Requests, made) {
		t.Errorf("planned %d requests, made %d", plan.Requests, made)
	}
}

// A table that Paymo does not serve is asked for again.
func TestPlanOfUnavailable(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	w.fake.AddFault(paymotest.Fault{Kind: paymotest.FaultStatus, N: 403, Table: "expenses"})
	if outcome, err := w.sync("expenses", jobs.Incremental); err != nil || outcome.State != sink.StateUnavailable {
		t.Fatal(unexpected(outcome, err))
	}
	w.fake.ResetLog()
	plan := w.planned(jobs.Incremental, "expenses").Tables[0]
	if _, err := w.sync("expenses", jobs.Incremental); err != nil {
		t.Fatal(err)
	}
	if plan.Requests != 1 || w.requests("expenses") != 1 || !contains(plan.Because, "did not serve") {
		t.Errorf("%+v", plan)
	}
}

// Where lists are read by parents, or without a filter, that is planned too.
func TestPlanOfOtherWays(t *testing.T) {
	t.Parallel()
	w := loaded(t, small())
	for table, struck := range map[string]string{
		"tasks": "id ranges", "comments": "id ranges", "files": "id ranges", "clients": "updated_on filter", "time_entries": "updated_on filter",
		"bookings": "id ranges", "invoice_items": "with parents",
	} {
		exec(w, `UPDATE paymosync.checkpoints SET capabilities = capabilities || $2 WHERE table_name = $1`, table,
			fmt.Sprintf(`{%q: {"works": false, "since": "2026-01-01T00:00:00Z", "reason": "a test"}}`, struck))
		plan := w.planned(jobs.Incremental, table)
		w.fake.ResetLog()
		w.syncer = w.newSyncer("worker-3")
		w.mustSync(table, jobs.Incremental)
		compare(t, plan, w.asked())
	}
}

// Where reading begins at a day, the plan does too.
func TestPlanFromStartDate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small(), func(_ *paymo.Config, config *jobs.SyncerConfig) {
		config.StartDate = time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)
	})
	tables := []string{"users", "bookings", "time_entries"}
	for _, mode := range []jobs.Mode{jobs.Full, jobs.Incremental, jobs.Full} {
		plan := w.planned(mode, tables...)
		w.fake.ResetLog()
		w.syncer = w.newSyncer("worker-"+string(mode), func(_ *paymo.Config, config *jobs.SyncerConfig) { config.StartDate = w.syncer.StartDate })
		unread := plan.Tables[0].Why == string(jobs.WhyFirst)
		for _, table := range tables {
			w.mustSync(table, mode)
		}
		if unread {
			continue
		}
		compare(t, plan, w.asked())
		if !contains(plan.Tables[2].Planned[0].Where, "2025-02-28") {
			t.Errorf("%v", plan.Tables[2].Planned)
		}
	}
}
