package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo/paymotest"
	"github.com/paymosync/paymosync/sink"
)

// Every state of a table says why it is so, and below that what to do: in status and in
// check; of the exit codes, that of status follows the states.
func TestProgramEveryState(t *testing.T) {
	t.Parallel()
	w := newWorld(t, agency()).with("SYNC_TABLES", "users clients discussions reports expenses tasks milestones")
	fault := func(kind paymotest.FaultKind, n int, table string) {
		w.paymo.AddFault(paymotest.Fault{Kind: kind, N: n, Table: table})
	}
	fault(paymotest.FaultBadID, 0, "discussions")
	fault(paymotest.FaultStatus, 418, "reports")
	fault(paymotest.FaultStatus, 403, "expenses")
	w.run("status").mustExit(exitOK).mustSay("account  not known yet: ", "queue    empty\n", "tables   7 unavailable\n",
		"\n7 tables (users, clients, expenses, …) unavailable: not synced yet\n  → run paymosync sync TABLE, or let the service do it\n")
	w.run("sync", "users", "clients", "discussions", "reports", "expenses", "tasks").mustExit(exitUnwell)
	w.run("pause", "tasks").mustExit(exitOK)

	notes := map[string]string{}
	for _, test := range []struct {
		table, state, reason, advice string
		cause                        jobs.Cause
		code                         int
	}{
		{"users", sink.StateOK, "", "", "", exitOK},
		{"discussions", sink.StateDegraded, "5 records are in quarantine", "run paymosync quarantine list discussions to see them", jobs.CauseQuarantine, exitUnwell},
		{"reports", sink.StateFailing, "GET /api/reports: paymo answered 418", "run paymosync sync reports to see whether it stays", jobs.CauseRejected, exitUnwell},
		{"expenses", sink.StateUnavailable, "Paymo answers 403: not in the plan, or not permitted", "nothing, if your Paymo plan does not include it: leave it out of SYNC_TABLES", jobs.CauseNotServed, exitOK},
		{"milestones", sink.StateUnavailable, sink.Unsynced, "run paymosync sync milestones, or let the service do it", jobs.CauseUnsynced, exitOK},
		{"tasks", sink.StatePaused, "paused by an operator since 20", "run paymosync resume tasks to let its syncs go on", jobs.CausePaused, exitOK},
	} {
		r := w.run("status", test.table).mustExit(test.code).mustSay("tables   1 "+test.state+"\n", test.table)
		notes[test.table] = test.table + " " + test.state + ": " + test.reason
		if test.reason == "" {
			delete(notes, test.table)
		} else if _, below, _ := strings.Cut(r.out, "\n"+notes[test.table]); !strings.HasPrefix(afterLine(below), "  → "+test.advice) {
			t.Errorf("%s does not say %q and below it %q:\n%s", test.table, notes[test.table], test.advice, r.out)
		}
		var reports []tableReport
		if err := json.Unmarshal([]byte(w.run("status", "--json", test.table).mustExit(test.code).out), &reports); err != nil {
			t.Fatal(err)
		}
		if len(reports) != 1 || reports[0].State != test.state || reports[0].Cause != test.cause || !strings.HasPrefix(reports[0].Advice, test.advice) || test.advice == "" && reports[0].Advice != "" {
			t.Errorf("%s: %+v", test.table, reports)
		}
		if next := reports[0].NextRun; (next == nil) != (test.state == sink.StatePaused) {
			t.Errorf("%s: the next run is %v", test.table, next)
		}
	}
	w.run("status").mustExit(exitUnwell).mustSay("account  user ", ", Admin; company ", "; "+w.url+"\n",
		"tables   1 failing, 1 degraded, 2 unavailable, 1 paused, 2 ok\n")

	check := w.run("check").mustExit(exitOK).mustSay("see   tables         1 failing, 1 degraded, 2 unavailable, 1 paused, 2 ok\n")
	for _, note := range notes {
		if _, below, _ := strings.Cut(check.out, "\n      "+note); !strings.HasPrefix(afterLine(below), "        → ") {
			t.Errorf("check does not say %q and what to do:\n%s", note, check.out)
		}
	}
	step := w.steps(exitOK)[tablesStep]
	if !step.OK || len(step.Tables) != len(notes) {
		t.Errorf("%+v", step)
	}
	for _, table := range step.Tables {
		if table.Reason == "" || table.Cause == "" || table.Advice == "" {
			t.Errorf("%+v", table)
		}
	}
}

// afterLine is what follows the first line.
func afterLine(text string) string {
	_, rest, _ := strings.Cut(text, "\n")
	return rest
}

// A status that is asked wrongly is refused, with what was meant.
func TestProgramStatusUsage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, agency())
	w.run("status", "task").mustExit(exitConfig).mustSay("did you mean tasks?")
	w.run("status", "--watch", "2s").mustExit(exitConfig).mustSay("did you mean --watch=2s?")
	w.run("status", "--watch=1ms").mustExit(exitConfig).mustSay("--watch=1ms: give a duration from 1s to 1h")
	w.run("status", "--watch", "--json").mustExit(exitConfig).mustSay("give one of them")
	// One that the service leaves out is shown, and has no next run.
	r := w.with("SYNC_EXCLUDE_TABLES", "reports").run("status", "reports").mustExit(exitOK)
	if strings.Contains(r.out, " in ") {
		t.Errorf("%s", r.out)
	}
}
