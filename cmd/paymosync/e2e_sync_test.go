package main

import (
	"encoding/json"
	"testing"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink/sinktest"
)

// A first sync makes the warehouse equal to Paymo; a second one finds nothing, writes
// nothing to it, and says so.
func TestProgramSecondSyncWritesNothing(t *testing.T) {
	t.Parallel()
	// Others on the server would write WAL too.
	w := newWorldOn(t, agency(), open(t, ownServer(t).URL()))
	first := w.run("sync").mustExit(exitOK).mustSay("rows new, 0 changed, 0 deleted, 0 unchanged")
	w.mustEqual()

	w.paymo.ResetLog()
	before, start := w.written(), value[string](w, `SELECT pg_current_wal_insert_lsn()::text`)
	second := w.run("sync").mustExit(exitOK).mustSay("Nothing new: no row of the warehouse was written")
	wal := value[int64](w, `SELECT (pg_current_wal_insert_lsn() - $1::pg_lsn)::bigint`, start)
	w.mustBeUntouched(before)
	requests := len(w.paymo.Requests())
	t.Logf("first sync %v, second %v; %d requests, %d bytes of WAL for the bookkeeping", first.took, second.took, requests, wal)
	if most := 40; requests > most {
		t.Errorf("%d requests, want %d at most", requests, most)
	}
	// The bookkeeping writes about 2 kB a table: its lease, its checkpoint and its run.
	if most := int64(4096 * len(catalog.All())); wal > most {
		t.Errorf("%d bytes of WAL, want %d at most", wal, most)
	}
	w.mustEqual()
}

// The outcomes are JSON on request, and so is the status; both tell of every table.
func TestProgramJSON(t *testing.T) {
	t.Parallel()
	w := newWorld(t, agency())
	var outcomes []jobs.Outcome
	if err := json.Unmarshal([]byte(w.run("sync", "--json").mustExit(exitOK).out), &outcomes); err != nil {
		t.Fatal(err)
	}
	for i, resource := range catalog.All() {
		if o := outcomes[i]; o.Table != resource.Table || o.State != "ok" || o.Inserted != int64(w.paymo.Count(o.Table)) || o.Requests == 0 {
			t.Errorf("%s: %+v", resource.Table, o)
		}
	}
	var reports []tableReport
	if err := json.Unmarshal([]byte(w.run("status", "--json").mustExit(exitOK).out), &reports); err != nil {
		t.Fatal(err)
	}
	for i, resource := range catalog.All() {
		r := reports[i]
		if r.Table != resource.Table || r.State != "ok" || r.Rows != int64(w.paymo.Count(r.Table)) || r.LastRun == nil || r.NextRun == nil || r.LastFull == nil || r.FreshAsOf == nil || r.Found.AtOnce == "" {
			t.Errorf("%s: %+v", resource.Table, r)
		}
	}
}

// The status says of every table how it is; before the first sync, that there was none.
// A degraded table is told with its reason, and by the exit code.
func TestProgramStatus(t *testing.T) {
	t.Parallel()
	w := newWorld(t, agency())
	w.run("status").mustExit(exitOK).mustSay("unavailable: not synced yet", "TABLE", "STATE", "ROWS", "FRESH AS OF", "LAST FULL", "LAST RUN", "NEXT RUN")
	addFault(w, "no-id:projects")
	w.run("sync").mustExit(exitUnwell).mustSay("projects degraded: ", "in quarantine")
	w.run("status").mustExit(exitUnwell).mustSay("time_entries", "2,000", "full, ", "projects degraded: ", "in quarantine")
	w.paymo.ClearFaults()
	w.run("sync", "--full", "projects").mustExit(exitOK)
	w.run("status").mustExit(exitOK).mustSay(
		"Found at once: changes that move updated_on; by the full: deletions, and changes that do not move updated_on.\n    users, clients, ",
		"Found at once: changes that move updated_on, and running timers; ", "    time_entries\n",
		"Found at once: rows of parents that changed; ", "    invoice_items, estimate_items, ")
	w.mustEqual()
}

// A table whose checkpoint was reset is read in full by the next sync, and keeps its
// rows.
func TestProgramReset(t *testing.T) {
	t.Parallel()
	w := newWorld(t, agency())
	w.run("sync").mustExit(exitOK)
	before := w.written()
	w.run("reset", "projects").mustExit(exitOK).mustSay("projects has no checkpoint now")
	var outcomes []jobs.Outcome
	if err := json.Unmarshal([]byte(w.run("sync", "--json", "projects", "tasks").mustExit(exitOK).out), &outcomes); err != nil {
		t.Fatal(err)
	}
	if outcomes[0].Mode != jobs.Full || outcomes[1].Mode != jobs.Incremental {
		t.Errorf("projects was read %s, tasks %s", outcomes[0].Mode, outcomes[1].Mode)
	}
	w.mustBeUntouched(before)
}

// Tables and version ask nothing of anyone.
func TestProgramTablesAndVersion(t *testing.T) {
	t.Parallel()
	bare := (&world{t: t}).with()
	bare.run("version").mustExit(exitOK).mustSay("paymosync " + testRelease + "\n")
	tables := bare.run("tables").mustExit(exitOK)
	for _, resource := range catalog.All() {
		tables.mustSay(resource.Table)
	}
	bare.run("tables", "time_entries").mustExit(exitOK).mustSay("start_time", "timestamptz", "tasks.id")
	bare.run("--help").mustExit(exitOK).mustSay("serve", "sync", "status", "check", "migrate", "tables", "reset", "demo", "healthcheck", "version")
	for _, command := range []string{"serve", "sync", "status", "migrate", "reset", "healthcheck"} {
		bare.run(command, "--help").mustExit(exitOK).mustSay("Examples:", "paymosync "+command)
	}
}

// The warehouse's own view of how far it can be trusted.
func TestProgramSyncStatusView(t *testing.T) {
	t.Parallel()
	w := newWorld(t, agency())
	w.run("sync", "users").mustExit(exitOK)
	if got := value[string](w, `SELECT string_agg(state || ' ' || (fresh_as_of IS NOT NULL), ',' ORDER BY "table") FROM `+sinktest.Warehouse+`._sync_status WHERE "table" IN ('users', 'tasks')`); got != "unavailable false,ok true" {
		t.Errorf("tasks and users are %s", got)
	}
}

// What comes with its parents is synced after them, in whatever order the tables are
// named; where they are not synced at all, the reason says what to do.
func TestProgramSyncParentsFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t, agency())
	w.run("sync", "invoice_items").mustExit(exitUnwell).mustSay("invoice_items failing: ", "sync invoices first")
	args := []string{"sync"}
	for _, r := range withParents() {
		args = append(args, r.Table)
	}
	for _, r := range withParents() {
		args = append(args, parentsOf(r)...)
	}
	w.run(args...).mustExit(exitOK)
	for _, r := range withParents() {
		if got, want := value[int](w, `SELECT count(*) FROM paymo.`+r.Table), w.paymo.Count(r.Table); got != want {
			t.Errorf("%s has %d rows, want %d", r.Table, got, want)
		}
	}
}
