package jobs_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/paymo/paymotest"
	"github.com/paymosync/paymosync/sink"
)

// at is a table in a state, with a cause.
func at(table, state string, cause jobs.Cause) jobs.TableOverview {
	fresh := time.Now()
	return jobs.TableOverview{
		TableStatus: sink.TableStatus{Table: table, State: state, Reason: "because", FreshAsOf: &fresh},
		Cause:       cause, Advice: jobs.Advice(table, cause),
	}
}

func failed(t jobs.TableOverview, runs int) jobs.TableOverview {
	t.Failed = runs
	return t
}

func overdue(t jobs.TableOverview, by time.Duration) jobs.TableOverview {
	t.Overdue = by
	return t
}

// named are the alerts as "cause subject".
func named(alerts []sink.Alert) []string {
	var names []string
	for _, alert := range alerts {
		names = append(names, strings.TrimSpace(alert.Cause+" "+alert.Subject))
	}
	slices.Sort(names)
	return names
}

// What is told of many tables is told once, and what that covers is neither raised nor over.
func TestFindAlarms(t *testing.T) {
	t.Parallel()
	ok := func(table string) jobs.TableOverview { return at(table, sink.StateOK, "") }
	guarded := at("tasks", sink.StateFailing, jobs.CauseServer)
	guarded.Capabilities = map[string]sink.Capability{jobs.WholeListing: {Reason: "guard stopped", Cause: string(jobs.CauseGuard)}}
	waiting := at("clients", sink.StateFailing, jobs.CauseVault)
	waiting.Recent = []sink.Run{{State: sink.RunRunning, StartedAt: time.Now().Add(-time.Hour)}}
	begun := at("clients", sink.StateFailing, jobs.CauseVault)
	begun.Recent = []sink.Run{{State: sink.RunRunning, StartedAt: time.Now().Add(-time.Minute)}}
	for name, tt := range map[string]struct {
		tables []jobs.TableOverview
		raised []string
		hidden []string
	}{
		"well":                         {tables: []jobs.TableOverview{ok("clients"), ok("users")}},
		"failing for too short":        {tables: []jobs.TableOverview{failed(at("clients", sink.StateFailing, jobs.CauseReply), 2)}},
		"failing":                      {tables: []jobs.TableOverview{failed(at("clients", sink.StateFailing, jobs.CauseReply), 3), ok("users")}, raised: []string{"table_failing clients"}, hidden: []string{"table_stale clients"}},
		"key refused at once":          {tables: []jobs.TableOverview{at("clients", sink.StateFailing, jobs.CauseKeyRefused), ok("users")}, raised: []string{"key_refused"}, hidden: []string{"table_failing clients", "table_stale clients"}},
		"one endpoint hides no others": {tables: []jobs.TableOverview{failed(at("clients", sink.StateFailing, jobs.CauseServer), 3), overdue(ok("users"), 3*time.Hour)}, raised: []string{"table_failing clients", "table_stale users"}, hidden: []string{"table_stale clients"}},
		"many alike": {tables: []jobs.TableOverview{
			failed(at("clients", sink.StateFailing, jobs.CauseDenied), 3), failed(at("users", sink.StateFailing, jobs.CauseDenied), 3),
			failed(at("tasks", sink.StateFailing, jobs.CauseDenied), 3), failed(at("projects", sink.StateFailing, jobs.CauseDenied), 3),
		}, raised: []string{"request_denied"}, hidden: []string{
			"table_failing clients", "table_failing projects", "table_failing tasks", "table_failing users",
			"table_stale clients", "table_stale projects", "table_stale tasks", "table_stale users",
		}},
		"most are late": {tables: []jobs.TableOverview{
			overdue(ok("clients"), 3*time.Hour), overdue(ok("users"), 3*time.Hour), overdue(ok("tasks"), 3*time.Hour), overdue(ok("projects"), 3*time.Hour), ok("expenses"),
		}, raised: []string{"table_stale"}, hidden: []string{"table_stale clients", "table_stale projects", "table_stale tasks", "table_stale users"}},
		"paused":                        {tables: []jobs.TableOverview{overdue(at("clients", sink.StatePaused, jobs.CausePaused), 3*time.Hour)}, hidden: []string{"guard_stopped clients", "table_failing clients", "table_stale clients"}},
		"unavailable is not late":       {tables: []jobs.TableOverview{overdue(at("clients", sink.StateUnavailable, jobs.CauseNotServed), 3*time.Hour)}},
		"a guard outlives a failure":    {tables: []jobs.TableOverview{guarded}, raised: []string{"guard_stopped tasks"}},
		"Vault is away for long":        {tables: []jobs.TableOverview{waiting}, raised: []string{"vault_away"}, hidden: []string{"table_failing clients", "table_stale clients"}},
		"Vault is away for a moment":    {tables: []jobs.TableOverview{begun}},
		"a table that somebody dropped": {tables: []jobs.TableOverview{at("clients", sink.StateFailing, jobs.CauseTable)}, raised: []string{"table_missing"}, hidden: []string{"table_failing clients", "table_stale clients"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := jobs.FindAlarms(jobs.Overview{At: time.Now(), Tables: tt.tables}, nil, jobs.Limits{FailedRuns: 3, StaleAfter: 2 * time.Hour})
			if raised := named(found.Raised); !slices.Equal(raised, tt.raised) {
				t.Errorf("raised %q, want %q", raised, tt.raised)
			}
			if hidden := named(found.Hidden); !slices.Equal(hidden, tt.hidden) {
				t.Errorf("hidden %q, want %q", hidden, tt.hidden)
			}
			for _, alert := range found.Raised {
				if !strings.Contains(alert.Sentence, " → ") {
					t.Errorf("it does not say what to do: %s", alert.Sentence)
				}
			}
		})
	}
	never := jobs.FindAlarms(jobs.Overview{Tables: []jobs.TableOverview{overdue(ok("clients"), 1000*time.Hour)}}, nil, jobs.Limits{FailedRuns: 3})
	if len(never.Raised) > 0 {
		t.Errorf("with no limit: %v", never.Raised)
	}
}

// A field is news until a full that began a day after it was met last did not meet it.
func TestDriftAlarm(t *testing.T) {
	t.Parallel()
	now := time.Now()
	field := sink.DriftField{Table: "clients", Field: "mood", LastSeen: now.Add(-30 * time.Hour)}
	for since, want := range map[time.Duration]int{8 * 24 * time.Hour: 1, 29 * time.Hour: 1, time.Hour: 0} {
		full := now.Add(-since)
		table := at("clients", sink.StateOK, "")
		table.FullAt = &full
		if found := jobs.FindAlarms(jobs.Overview{At: now, Tables: []jobs.TableOverview{table}}, []sink.DriftField{field}, jobs.Limits{FailedRuns: 3}); len(found.Raised) != want {
			t.Errorf("last full %s ago: %v", since, found.Raised)
		}
	}
	known := sink.DriftField{Table: "clients", Field: "name", LastSeen: now}
	if found := jobs.FindAlarms(jobs.Overview{At: now}, []sink.DriftField{known}, jobs.Limits{FailedRuns: 3}); len(found.Raised) > 0 {
		t.Errorf("it has a column by now: %v", found.Raised)
	}
}

// A message that was sent, and of which nobody could note that it was, is followed by its
// end; and what a pause hides is not told to be over.
func TestAlertsToldInVain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	watch := w.watch("clients", "users")
	w.mustSync("clients", jobs.Full)
	w.mustSync("users", jobs.Full)
	exec(w, `DELETE FROM paymosync.drift`)
	stale := func(since string) {
		exec(w, `UPDATE paymosync.checkpoints SET fresh_as_of = now() - $1::text::interval WHERE table_name = 'clients'`, since)
	}
	stale("2 hours")
	watch.mustTell("clients is stale")
	exec(w, `UPDATE paymosync.alerts SET told_at = NULL`) // as if the process had ended between the two
	stale("0")
	watch.mustBeOver("clients is stale")

	stale("2 hours")
	watch.mustTell("clients is stale")
	if _, err := w.store.Pause(t.Context(), "clients"); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if text := watch.look(); text != "" {
			t.Errorf("it is paused, and told:\n%s", text)
		}
	}
	if _, err := w.store.Resume(t.Context(), "clients"); err != nil {
		t.Fatal(err)
	}
	watch.mustBeOver("clients is stale") // it was resumed a moment ago, and is not late for that
}

// How many runs have failed is told by the syncs of the table alone: neither by what runs
// now nor by a backfill.
func TestFailedRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	w.mustSync("clients", jobs.Full)
	fault := w.fake.AddFault(paymotest.Fault{Kind: paymotest.FaultStatus, N: 400, Table: "clients"})
	for range 3 {
		_, _ = w.sync("clients", jobs.Full)
	}
	w.fake.RemoveFault(fault)
	backfill := jobs.Request{Resource: resource(t, "clients"), Mode: jobs.Backfill, Reason: jobs.ReasonManual, From: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	if outcome, err := w.syncer.Sync(t.Context(), backfill); err != nil || outcome.State != sink.StateOK {
		t.Fatal(unexpected(outcome, err))
	}
	exec(w, `INSERT INTO paymosync.runs (account, table_name, mode, reason) VALUES ('default', 'clients', 'full', 'schedule')`)
	if got := w.overview("clients"); got.Failed != 3 {
		t.Errorf("%d runs failed", got.Failed)
	}
}

// A doubt about what a full has found stays when the next one fails.
func TestDoubtOutlivesAFailedFull(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	w.mustSync("tasks", jobs.Full)
	for _, id := range liveIDs(w, "tasks")[:100] {
		w.remove("tasks", id)
	}
	if outcome, err := w.sync("tasks", jobs.Full); err != nil || outcome.Cause != jobs.CauseGuard {
		t.Fatal(unexpected(outcome, err))
	}
	fault := w.fake.AddFault(paymotest.Fault{Kind: paymotest.FaultStatus, N: 400, Table: "tasks"})
	if outcome, err := w.sync("tasks", jobs.Full); err == nil {
		t.Fatal(unexpected(outcome, err))
	}
	w.fake.RemoveFault(fault)
	if outcome, err := w.sync("tasks", jobs.Incremental); err != nil || outcome.Cause != jobs.CauseGuard || outcome.State != sink.StateDegraded {
		t.Error(unexpected(outcome, err))
	}
	outcome, err := w.syncer.Sync(t.Context(), jobs.Request{Resource: resource(t, "tasks"), Mode: jobs.Full, Reason: jobs.ReasonManual, AcceptDeletes: true})
	if err != nil || outcome.State != sink.StateOK {
		t.Fatal(unexpected(outcome, err))
	}
	w.mustEqual("tasks")
}

// daily is a schedule with a tick at six in the morning.
type daily struct{}

func (daily) Next(t time.Time) time.Time {
	six := time.Date(t.Year(), t.Month(), t.Day(), 6, 0, 0, 0, time.UTC)
	if !six.After(t) {
		six = six.AddDate(0, 0, 1)
	}
	return six
}

// A table that was synced at its daily tick is not late until the next one, though
// Paymo's clock is a little behind; and what comes with a paused table is not late either.
func TestOverdue(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	w.mustSync("invoices", jobs.Full)
	w.mustSync("invoice_items", jobs.Full)
	look := func(table string) jobs.TableOverview {
		t.Helper()
		overview, err := jobs.ReadOverview(t.Context(), jobs.OverviewConfig{Pool: w.pool, Store: w.store, Full: daily{}, Tables: []jobs.TableSchedule{
			{Resource: resource(t, "invoices"), Schedule: daily{}}, {Resource: resource(t, "invoice_items"), Schedule: daily{}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(overview.Tables, func(t jobs.TableOverview) bool { return t.Table == table })
		return overview.Tables[i]
	}
	last := daily{}.Next(time.Now().UTC()).AddDate(0, 0, -1)
	exec(w, `UPDATE paymosync.checkpoints SET fresh_as_of = $1`, last.Add(-3*time.Second))
	if got := look("invoices"); got.Overdue != 0 {
		t.Errorf("synced at its tick, it is late by %s", got.Overdue)
	}
	exec(w, `UPDATE paymosync.checkpoints SET fresh_as_of = $1`, last.AddDate(0, 0, -3))
	for _, table := range []string{"invoices", "invoice_items"} {
		if got := look(table); got.Overdue < 24*time.Hour {
			t.Errorf("%s is late by %s", table, got.Overdue)
		}
	}
	if _, err := w.store.Pause(t.Context(), "invoices"); err != nil {
		t.Fatal(err)
	}
	if got := look("invoice_items"); got.Overdue != 0 {
		t.Errorf("what it comes with is paused, and it is late by %s", got.Overdue)
	}
}

// A job of a table whose parents are paused, and were never read, ends, and does not wait
// for them.
func TestParentsPaused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	if _, err := w.store.Pause(t.Context(), "invoices"); err != nil {
		t.Fatal(err)
	}
	if outcome, err := w.sync("invoice_items", jobs.Full); err != nil || outcome.State != sink.StatePaused {
		t.Error(unexpected(outcome, err))
	}
	w.serve("invoice_items")
	eventually(t, "the job ends", func() bool {
		return query[bool](w, `SELECT EXISTS (SELECT FROM river.river_job WHERE kind = 'sync' AND state = 'completed')`)
	})
}

// The view for reports knows which tables come with which: those stand still with them.
func TestViewKnowsFamilies(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	for _, parent := range catalog.All() {
		if _, err := w.store.Pause(t.Context(), parent.Table); err != nil {
			t.Fatal(err)
		}
		for _, r := range catalog.All() {
			want := sink.StateUnavailable
			if r == parent || r.Listings[0] == catalog.WithParent && r.Embedded.Parent == parent.Table {
				want = sink.StatePaused
			}
			if got := query[string](w, `SELECT state FROM paymo._sync_status WHERE "table" = $1`, r.Table); got != want {
				t.Errorf("with %s paused, %s is %s in the view, want %s", parent.Table, r.Table, got, want)
			}
		}
		if _, err := w.store.Resume(t.Context(), parent.Table); err != nil {
			t.Fatal(err)
		}
	}
}
