package jobs_test

import (
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/paymo/paymotest"
	"github.com/paymosync/paymosync/sink"
)

// cutShort are the ways to say that a list is not all there is.
const cutShort = `^degraded: (listing (cut short|incomplete)|the list is not whole|Paymo lists \d+ rows where the warehouse has)`

// faultCase is a fault and what may come of a sync that meets it, besides complete
// data with the state ok: a state, and words that its reason must hold.
type faultCase struct {
	name  string
	fault paymotest.Fault
	words string // pattern of "state: reason"; "" where only complete data will do
	odd   bool   // spoils values: what was read is not what the fake has
	later bool   // can only be noticed where rows are known
}

func faultCases() []faultCase {
	status := func(n int) paymotest.Fault { return paymotest.Fault{Kind: paymotest.FaultStatus, N: n} }
	kind := func(k paymotest.FaultKind) paymotest.Fault { return paymotest.Fault{Kind: k} }
	return []faultCase{
		{name: "400", fault: status(http.StatusBadRequest), words: `^failing: .*(none of the ways|answered 400)`},
		{name: "401", fault: status(http.StatusUnauthorized), words: `^failing: .*answered 401.*API key was refused`},
		{name: "403", fault: status(http.StatusForbidden), words: `^(unavailable: Paymo answers 403: not in the plan|degraded: Paymo answers 403 where it used to answer)`},
		{name: "404", fault: status(http.StatusNotFound), words: `^(unavailable: Paymo answers 404|degraded: Paymo answers 404 where it used to answer)`},
		{name: "429 once", fault: paymotest.Fault{Kind: paymotest.FaultStatus, N: http.StatusTooManyRequests, Delay: time.Second, Count: 1}},
		{name: "429 for long", fault: paymotest.Fault{Kind: paymotest.FaultStatus, N: http.StatusTooManyRequests, Delay: time.Minute}, words: `^running: .*rate limit is reached`},
		{name: "500", fault: status(http.StatusInternalServerError), words: `^failing: .*answered 500 Internal Server Error: Application error`},
		{name: "502 once", fault: paymotest.Fault{Kind: paymotest.FaultStatus, N: http.StatusBadGateway, Count: 1}},
		{name: "503", fault: status(http.StatusServiceUnavailable), words: `^failing: .*answered 503`},
		{name: "html", fault: kind(paymotest.FaultHTML), words: `^failing: .*text/html.*not JSON`},
		{name: "redirect", fault: kind(paymotest.FaultRedirect), words: `^failing: .*redirects to https://elsewhere.invalid.*not followed`},
		{name: "cut", fault: kind(paymotest.FaultCut), words: `^failing: .*(EOF|breaks off|ends early)`},
		{name: "truncate", fault: kind(paymotest.FaultTruncate), words: `^failing: .*ends early`},
		{name: "slow", fault: kind(paymotest.FaultSlow), words: `^failing: .*no whole reply within`},
		{name: "drip", fault: kind(paymotest.FaultDrip), words: `^failing: .*no whole reply within`},
		{name: "endless", fault: kind(paymotest.FaultEndless), words: `^failing: .*repeats its rows without an end`},
		{name: "empty", fault: kind(paymotest.FaultEmpty), words: `^degraded: Paymo lists no (rows|changes)`},
		{name: "cut list", fault: kind(paymotest.FaultCutList), words: cutShort},
		{name: "cut list of 1", fault: paymotest.Fault{Kind: paymotest.FaultCutList, N: 1}, words: cutShort},
		{name: "paging ignored", fault: kind(paymotest.FaultIgnorePaging)},
		{name: "page cap", fault: kind(paymotest.FaultPageCap)},
		{name: "updated_on ignored", fault: kind(paymotest.FaultIgnoreFilter)},
		{name: "updated_on broken", fault: kind(paymotest.FaultBreakFilter)},
		{name: "id ignored", fault: paymotest.Fault{Kind: paymotest.FaultIgnoreFilter, Field: "id"}},
		{name: "id broken", fault: paymotest.Fault{Kind: paymotest.FaultBreakFilter, Field: "id"}},
		{name: "time_interval ignored", fault: paymotest.Fault{Kind: paymotest.FaultIgnoreFilter, Field: "time_interval"}},
		{name: "time_interval broken", fault: paymotest.Fault{Kind: paymotest.FaultBreakFilter, Field: "time_interval"}},
		{name: "rotate", fault: kind(paymotest.FaultRotate), words: `^degraded: listing unstable`},
		{name: "duplicate", fault: kind(paymotest.FaultDuplicate), words: `^degraded: listing unstable`},
		{name: "empty nested", fault: kind(paymotest.FaultEmptyNested)},
		{name: "move", fault: kind(paymotest.FaultMove), words: `^degraded: (listing unstable|listing incomplete)`},
		{name: "forget", fault: kind(paymotest.FaultForget), words: `^degraded: listing incomplete`, later: true},
		{name: "stale", fault: kind(paymotest.FaultStale), words: `^degraded: stale versions`, odd: true},
		{name: "blank", fault: kind(paymotest.FaultBlank), words: `^degraded: prices are blank where they were not`, odd: true},
		{name: "wrong key", fault: kind(paymotest.FaultWrongKey)},
		{name: "bad id", fault: kind(paymotest.FaultBadID), words: `^degraded: \d+ records? (is|are) in quarantine`, odd: true},
		{name: "no id", fault: kind(paymotest.FaultNoID), words: `^degraded: \d+ records? (is|are) in quarantine`, odd: true},
		{name: "wrong type", fault: kind(paymotest.FaultWrongType), odd: true},
		{name: "nul", fault: kind(paymotest.FaultNUL), odd: true},
		{name: "huge", fault: kind(paymotest.FaultHuge), odd: true},
	}
}

// Every fault of the server ends in complete data or in a state that names the cause,
// and the sync after it makes the table equal.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, kind := range paymotest.Faults() {
		if !coversFault(kind) {
			t.Errorf("there is no case for %s", kind)
		}
	}
	several := paymotest.Config{Seed: 7, Tasks: 2700, Entries: 2700} // what no single reply holds is read in another way
	for _, group := range []struct {
		table   string
		company paymotest.Config
		all     bool
	}{
		{table: "tasks", company: small(), all: true},
		{table: "tasks", company: several},
		{table: "time_entries", company: small()},
		{table: "time_entries", company: several},
		{table: "webhooks", company: small()},
		{table: "company", company: small()},
	} {
		t.Run(group.table, func(t *testing.T) {
			t.Parallel()
			if testing.Short() && group.company.Tasks == several.Tasks {
				t.Skip("takes half a minute")
			}
			w := newWorld(t, group.company)
			w.mustSync("users", jobs.Full)
			for _, c := range faultCases() {
				if concerns(c.fault, resource(t, group.table)) && (group.all || bendsLists(c.fault)) {
					t.Run(c.name, func(t *testing.T) {
						w.t = t
						c.fault.Table = group.table
						w.meets(c)
					})
				}
			}
		})
	}
}

// concerns reports whether the table can be asked for what the fault spoils.
func concerns(f paymotest.Fault, r *catalog.Resource) bool {
	switch f.Kind {
	case paymotest.FaultIgnoreFilter, paymotest.FaultBreakFilter:
		return !r.Singleton && (f.Field != "time_interval" || r.Window == f.Field)
	case paymotest.FaultIgnorePaging, paymotest.FaultPageCap, paymotest.FaultRotate, paymotest.FaultDuplicate, paymotest.FaultCutList, paymotest.FaultMove, paymotest.FaultForget:
		return !r.Singleton
	}
	return true
}

// bendsLists reports whether the fault leaves replies that look like a list.
func bendsLists(f paymotest.Fault) bool {
	switch f.Kind {
	case paymotest.FaultStatus, paymotest.FaultHTML, paymotest.FaultRedirect, paymotest.FaultCut, paymotest.FaultTruncate,
		paymotest.FaultSlow, paymotest.FaultDrip, paymotest.FaultEmptyNested, paymotest.FaultWrongType, paymotest.FaultNUL, paymotest.FaultHuge:
		return false
	}
	return true
}

func coversFault(kind paymotest.FaultKind) bool {
	for _, c := range faultCases() {
		if c.fault.Kind == kind {
			return true
		}
	}
	return false
}

// meets has a first full meet the fault, then an incremental and another full.
func (w *world) meets(c faultCase) {
	t, table := w.t, c.fault.Table
	exec(w, "TRUNCATE paymo."+table+", paymosync.checkpoints, paymosync.quarantine")
	patience := 20 * time.Second
	if c.fault.Kind == paymotest.FaultSlow || c.fault.Kind == paymotest.FaultDrip {
		patience = 400 * time.Millisecond
	}
	w.syncer = w.newSyncer("worker-1", func(client *paymo.Config, _ *jobs.SyncerConfig) { client.Timeout = patience })
	if !c.later {
		w.fake.AddFault(c.fault)
		w.judge(c, jobs.Incremental, "first full")
		w.fake.ClearFaults()
	}
	w.recover(table)
	before := w.count(table)
	for _, mode := range []jobs.Mode{jobs.Incremental, jobs.Full} {
		w.change(table)
		w.fake.AddFault(c.fault)
		w.judge(c, mode, string(mode))
		if n := w.count(table); n < before {
			t.Errorf("%s: %d rows, %d before", mode, n, before)
		}
		w.fake.ClearFaults()
		w.recover(table)
	}
}

// judge syncs under a fault and holds the outcome against what may come of it.
func (w *world) judge(c faultCase, mode jobs.Mode, when string) {
	w.t.Helper()
	outcome, err := w.sync(c.fault.Table, mode)
	said := outcome.State + ": " + outcome.Reason
	if outcome.Reason == "" && err != nil {
		said += err.Error()
	}
	w.t.Logf("%s: %s; %d requests", when, said, outcome.Requests)
	if outcome.State == sink.StateOK && err == nil {
		if found := w.differences(c.fault.Table); len(found) > 0 && !c.odd && !(c.fault.Kind == paymotest.FaultEmpty && when == "first full") {
			w.t.Errorf("%s: a wrong success: %s", when, found[0])
		}
		return
	}
	if c.words == "" || !regexp.MustCompile(c.words).MatchString(said) {
		w.t.Errorf("%s: it says %q, want %q", when, said, c.words)
	}
	status := w.status(c.fault.Table)
	if outcome.State != sink.RunRunning && (status.State != outcome.State || status.Reason != outcome.Reason) {
		w.t.Errorf("%s: the status says %s: %s", when, status.State, status.Reason)
	}
}

// recover syncs without faults; the table must be as Paymo has it.
func (w *world) recover(table string) {
	w.t.Helper()
	// What the rate budget was told of the fault is not about this.
	exec(w, `UPDATE paymosync.budgets SET dues = '{}', blocked_until = '-infinity'`)
	w.mustSync(table, jobs.Full)
	w.mustEqual(table)
	if n := query[int](w, `SELECT count(*) FROM paymosync.quarantine`); n != 0 {
		w.t.Errorf("%d records are still in quarantine", n)
	}
}

// change makes one object and changes another, where that can be done.
func (w *world) change(table string) {
	w.t.Helper()
	switch table {
	case "tasks":
		w.put(table, map[string]any{"name": "made while nobody looked", "price": 12.5})
	case "time_entries":
		w.put(table, map[string]any{"start_time": w.fake.Now(), "end_time": nil, "user_id": entryOf(w.t, w)})
	case "webhooks":
		w.put(table, map[string]any{"event": "*", "target_url": "https://example.com/made"})
	}
	id := query[int64](w, "SELECT min(id) FROM paymo."+table)
	field := map[string]string{"tasks": "name", "time_entries": "description", "webhooks": "event", "company": "name"}[table]
	w.patch(table, id, map[string]any{field: "changed at " + time.Now().String()})
}
