package main

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/paymosync/paymosync/paymo/paymotest"
	"github.com/paymosync/paymosync/sink"
)

// The ledger is shown newest first, with the sentence below what did not end well, and
// as little of it as is asked for.
func TestProgramRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t, agency())
	w.run("runs").mustExit(exitOK).mustSay("There is no such run in the ledger.\n")
	w.run("sync", "tasks", "users").mustExit(exitOK)
	w.paymo.AddFault(paymotest.Fault{Kind: paymotest.FaultStatus, N: 418, Table: "tasks"})
	w.run("sync", "tasks", "users").mustExit(exitUnwell)

	r := w.run("runs", "tasks").mustExit(exitOK)
	if !regexp.MustCompile(`(?s)^STARTED +TABLE +MODE +WHY +STATE +TOOK +NEW +CHANGED +DELETED +UNCHANGED +REQUESTS +WAITED\n` +
		`20\S+Z +tasks +incremental +manual +failing .*\n    GET /api/tasks: paymo answered 418[^\n]*\n` +
		`20\S+Z +tasks +full +manual +ok +\S+ +300 +0 +0 [^\n]*\n$`).MatchString(r.out) {
		t.Errorf("%s", r.out)
	}
	lines := func(args ...string) []runLine {
		t.Helper()
		var lines []runLine
		if err := json.Unmarshal([]byte(w.run(append([]string{"runs", "--json"}, args...)...).mustExit(exitOK).out), &lines); err != nil {
			t.Fatal(err)
		}
		return lines
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{nil, "failing ok ok ok"},
		{[]string{"--limit", "1", "tasks"}, "failing"},
		{[]string{"--failed"}, "failing"},
		{[]string{"--failed", "users"}, ""},
		{[]string{"--changed"}, "failing ok ok"},
	} {
		var states []string
		for _, line := range lines(test.args...) {
			states = append(states, line.State)
			if line.ID == 0 || line.Table == "" || line.StartedAt.IsZero() || line.FinishedAt == nil || line.Reason != "manual" ||
				(line.State == sink.StateFailing) != (line.Cause == "request_rejected") {
				t.Errorf("%v: %+v", test.args, line)
			}
		}
		slices.Sort(states) // two tables at once end in any order
		if got := strings.Join(states, " "); got != test.want {
			t.Errorf("%v: %q, want %q", test.args, got, test.want)
		}
	}
	w.run("runs", "task").mustExit(exitConfig).mustSay("did you mean tasks?")
	w.run("runs", "--limit", "0").mustExit(exitConfig).mustSay("--limit 0: give a number from 1 to 10,000")
	w.run("runs", "--failed", "--changed").mustExit(exitConfig).mustSay("give one of them")
}
