package jobs_test

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/paymotest"
	"github.com/paymosync/paymosync/sink"
)

// lie is a way in which Paymo answers well and wrongly, and what may come of it besides
// complete data with the state ok.
type lie struct {
	name  string
	fault paymotest.Fault // without a table it is about all requests, else about those for the table's rows
	all   bool            // the fault is about all requests
	role  string          // the key's user has this role
	known bool            // the process learned whose key it is before that
	words string          // pattern of "state: reason"; "" where only complete data will do
	blind bool            // to an incremental it is the same as if there were nothing new
	apart bool            // the same, to one that asks parent by parent
	field string          // "scope" or "window": the fault is about that filter of the table
}

// Ways to say what is wrong.
const (
	saysShort    = `^degraded: (listing (cut short|incomplete)|the list is not whole|Paymo lists no rows)`
	saysUnstable = `^degraded: listing (unstable|incomplete)`
	saysRole     = `^failing: .*the key's role is (Employee|Guest) now and was Admin`
	saysUnproven = `^degraded: (listing (cut short|incomplete|unstable)|the list is not whole|Paymo lists no rows|\d+ rows? of the warehouse (is|are) not listed, and Paymo does not say)`
)

func lies() []lie {
	fault := func(kind paymotest.FaultKind, n, count int) paymotest.Fault {
		return paymotest.Fault{Kind: kind, N: n, Count: count}
	}
	filter := func(kind paymotest.FaultKind, field string) paymotest.Fault {
		return paymotest.Fault{Kind: kind, Field: field}
	}
	return []lie{
		{name: "empty", fault: fault(paymotest.FaultEmpty, 0, 0), words: `^degraded: Paymo lists no rows|` + saysUnproven, blind: true},
		{name: "empty once", fault: fault(paymotest.FaultEmpty, 0, 1), words: saysShort, apart: true},
		{name: "empty at second", fault: paymotest.Fault{Kind: paymotest.FaultEmpty, Skip: 1, Count: 1}, words: saysUnproven, apart: true},
		{name: "cut at 10", fault: fault(paymotest.FaultCutList, 10, 0), words: saysShort, apart: true},
		{name: "cut at 3", fault: fault(paymotest.FaultCutList, 3, 0), words: saysShort, blind: true},
		{name: "cut at 3 once", fault: fault(paymotest.FaultCutList, 3, 1), words: saysShort, blind: true},
		{name: "pages of 10", fault: fault(paymotest.FaultPageCap, 10, 0), words: saysShort},
		{name: "pages of 3", fault: fault(paymotest.FaultPageCap, 3, 0), words: saysShort, blind: true},
		{name: "paging ignored", fault: fault(paymotest.FaultIgnorePaging, 0, 0)},
		{name: "updated_on ignored", fault: filter(paymotest.FaultIgnoreFilter, "updated_on")},
		{name: "updated_on broken", fault: filter(paymotest.FaultBreakFilter, "updated_on")},
		{name: "id ignored", fault: filter(paymotest.FaultIgnoreFilter, "id")},
		{name: "id broken", fault: filter(paymotest.FaultBreakFilter, "id"), words: saysUnproven},
		{name: "scope ignored", fault: filter(paymotest.FaultIgnoreFilter, ""), field: "scope", words: `^failing: .*the reply held row \d+, which is not of a parent that was asked for`},
		{name: "scope broken", fault: filter(paymotest.FaultBreakFilter, ""), field: "scope", words: saysUnproven, blind: true},
		{name: "window ignored", fault: filter(paymotest.FaultIgnoreFilter, ""), field: "window"},
		{name: "window broken", fault: filter(paymotest.FaultBreakFilter, ""), field: "window"},
		{name: "nested lists empty", fault: fault(paymotest.FaultEmptyNested, 0, 0), words: saysUnproven},
		{name: "nested lists empty once", fault: fault(paymotest.FaultEmptyNested, 0, 1), words: saysUnproven},
		{name: "nested lists empty at second", fault: paymotest.Fault{Kind: paymotest.FaultEmptyNested, Skip: 1, Count: 1}, words: saysUnproven},
		{name: "rotating", fault: fault(paymotest.FaultRotate, 0, 0), words: saysUnstable},
		{name: "duplicates over pages", fault: fault(paymotest.FaultDuplicate, 0, 0), words: saysUnstable},
		{name: "rows move between pages", fault: fault(paymotest.FaultMove, 2, 0), words: saysUnstable},
		{name: "stale", fault: fault(paymotest.FaultStale, 0, 0), words: `^degraded: stale versions`},
		{name: "every second row forgotten", fault: fault(paymotest.FaultForget, 2, 0), words: saysUnproven, blind: true},
		{name: "every fifth row forgotten", fault: fault(paymotest.FaultForget, 5, 0), words: saysUnproven, blind: true},
		{name: "other key", fault: fault(paymotest.FaultWrongKey, 0, 0)},
		{name: "HTML", fault: fault(paymotest.FaultHTML, 0, 0), words: `^failing: .*text/html.*not JSON`},
		{name: "HTML to all", fault: fault(paymotest.FaultHTML, 0, 0), all: true, words: `^failing: .*text/html.*not JSON`},
		{name: "401 to all", fault: fault(paymotest.FaultStatus, http.StatusUnauthorized, 0), all: true, words: `^failing: .*API key was refused`},
		{name: "403", fault: fault(paymotest.FaultStatus, http.StatusForbidden, 0), words: `^degraded: (Paymo answers 403 where it used to answer|\d+ of its \w+ were denied)`},
		{name: "403 to all", fault: fault(paymotest.FaultStatus, http.StatusForbidden, 0), all: true, words: `^failing: find out whose key it is: .* 403`},
		{name: "404", fault: fault(paymotest.FaultStatus, http.StatusNotFound, 0), words: `^degraded: (Paymo answers 404 where it used to answer|\d+ of its \w+ were denied)`},
		{name: "404 to all", fault: fault(paymotest.FaultStatus, http.StatusNotFound, 0), all: true, words: `^failing: find out whose key it is: .* 404`},
		{name: "demoted", role: "Employee", words: saysRole},
		{name: "demoted to a guest", role: "Guest", words: saysRole},
		{name: "demoted unnoticed", role: "Employee", known: true, words: saysRole, blind: true},
		{name: "demoted to a guest unnoticed", role: "Guest", known: true, words: saysRole, blind: true},
	}
}

// Whatever Paymo says of a table that was read well before: what is there is kept as it
// is, and either the table is complete or it says why it may not be. When Paymo is honest
// again two fulls at most make it equal.
func TestLies(t *testing.T) {
	t.Parallel()
	company := paymotest.Config{Seed: 7, Users: 5, Clients: 4, Projects: 5, Tasks: 40, Entries: 60, Invoices: 8}
	for _, subject := range []struct {
		table   string
		parents []string
		scopes  paymotest.Scopes
	}{
		{table: "webhooks"},
		{table: "tasks"},
		{table: "time_entries", parents: []string{"users"}},
		{table: "invoice_items", parents: []string{"invoices"}},
		{table: "comments", parents: []string{"comment_threads"}},
		{table: "comments", parents: []string{"projects", "tasks", "discussions", "files", "comment_threads"}, scopes: paymotest.ScopesIn},
		{table: "files", parents: []string{"projects"}, scopes: paymotest.ScopesIn},
		{table: "task_assignments", parents: []string{"tasks"}},
		{table: "task_assignments", parents: []string{"tasks"}, scopes: paymotest.ScopesEqual},
	} {
		t.Run(subject.table+" "+string(subject.scopes), func(t *testing.T) {
			t.Parallel()
			company := company
			company.Scopes = subject.scopes
			var later atomic.Int64 // rows that are made are old when they are listed
			company.Now = func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
			w := newWorld(t, company)
			for id, file := range w.objects("files") {
				if file["project_id"] == nil { // hangs on an expense alone, and cannot be listed under some scopes
					w.remove("files", id)
				}
			}
			for _, table := range append(subject.parents, subject.table) {
				w.mustSync(table, jobs.Full)
			}
			for n, l := range lies() {
				if testing.Short() && n%4 != 0 {
					continue
				}
				if l.concerns(w, subject.table) {
					t.Run(l.name, func(t *testing.T) {
						w.t = t
						for _, mode := range []jobs.Mode{jobs.Incremental, jobs.Full} {
							back := w.stir(subject.table)
							later.Add(int64(time.Minute))
							w.hears(l, subject.table, subject.scopes != "", mode)
							w.settles(subject.table, back)
						}
					})
				}
			}
		})
	}
}

// concerns reports whether the table can be lied about so.
func (l lie) concerns(w *world, table string) bool {
	r := resource(w.t, table)
	return (l.field != "scope" || r.Scope.Filter != "") && (l.field != "window" || r.Window != "")
}

// arm makes Paymo lie about the table, where it comes with its parents about these too.
func (l lie) arm(w *world, table string) {
	if l.role != "" {
		w.fake.SetRole(paymotest.DefaultKey, l.role)
		return
	}
	r, fault := resource(w.t, table), l.fault
	switch l.field {
	case "scope":
		fault.Field = r.Scope.Filter
	case "window":
		fault.Field = r.Window
	}
	if l.all {
		w.fake.AddFault(fault)
		return
	}
	for _, of := range []string{table, r.Embedded.Parent} {
		if of == table || of != "" && r.Listings[0].String() == "with parents" {
			fault.Table = of
			w.fake.AddFault(fault)
		}
	}
}

// hears has a sync hear the lie.
func (w *world) hears(l lie, table string, apart bool, mode jobs.Mode) {
	w.t.Helper()
	w.syncer = w.newSyncer("worker-1", impatient)
	if l.known {
		w.mustSync("company", jobs.Incremental)
	}
	before := w.look(table)
	l.arm(w, table)
	outcome, err := w.sync(table, mode)
	deleted, emptied := w.harm(table, before, w.look(table))
	for _, harm := range slices.Concat(deleted, emptied) {
		w.t.Errorf("%s: %s", mode, harm)
	}
	said := outcome.State + ": " + outcome.Reason
	switch lacking := w.lacking(table); {
	case err == nil && outcome.State == sink.StateOK:
		if len(lacking) > 0 && (outcome.Mode != jobs.Incremental || !l.blind && !(l.apart && apart)) {
			w.t.Errorf("%s: a wrong success: rows %d are missing", mode, lacking)
		}
	case l.words == "" || !regexp.MustCompile(l.words).MatchString(said):
		w.t.Errorf("%s: it says %q, want %q", mode, said, l.words)
	}
	w.t.Logf("%s: %s; %d requests", mode, said, outcome.Requests)
}

// settles ends the lie and brings the deleted rows back: after two fulls at most the table
// is equal.
func (w *world) settles(table string, back []int64) {
	w.t.Helper()
	w.fake.ClearFaults()
	w.fake.SetRole(paymotest.DefaultKey, jobs.AdminRole)
	for _, id := range back {
		if _, err := w.fake.Restore(table, id); err != nil {
			w.t.Fatal(err)
		}
	}
	exec(w, `UPDATE paymosync.budgets SET dues = '{}', blocked_until = '-infinity'`)
	w.syncer = w.newSyncer("worker-1", impatient)
	if outcome, err := w.sync(table, jobs.Full); err != nil {
		w.t.Fatal(unexpected(outcome, err))
	}
	if parent := resource(w.t, table).Embedded.Parent; parent != "" && resource(w.t, table).Listings[0].String() == "with parents" {
		w.mustSync(parent, jobs.Full)
	}
	w.mustSync(table, jobs.Full)
	w.mustEqual(table)
}

func impatient(client *paymo.Config, _ *jobs.SyncerConfig) { client.MaxWait = 20 * time.Millisecond }

// stir deletes rows of a table, makes one and changes one, and returns the deleted ones.
func (w *world) stir(table string) (deleted []int64) {
	w.t.Helper()
	served := w.objects(table)
	ids := slices.Sorted(maps.Keys(served))
	fields := map[string]any{}
	like := slices.IndexFunc(ids, func(id int64) bool { // no timer that runs
		_, timed := served[id]["start_time"]
		return !timed || served[id]["end_time"] != nil
	})
	for name, value := range served[ids[like]] {
		if name != "id" && name != "created_on" && name != "updated_on" {
			fields[name] = value
		}
	}
	w.put(table, fields)
	w.patch(table, ids[0], map[string]any{"created_on": time.Unix(1_600_000_000, 0)})
	for _, id := range []int64{ids[1], ids[len(ids)-1]} {
		w.remove(table, id)
		deleted = append(deleted, id)
	}
	if parent := resource(w.t, table).Embedded.Parent; parent != "" { // their parents' own changes
		for id := range w.objects(parent) {
			w.patch(parent, id, map[string]any{})
		}
		w.mustSync(parent, jobs.Incremental)
	}
	return deleted
}
