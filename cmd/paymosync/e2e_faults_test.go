package main

import (
	"testing"

	"github.com/paymosync/paymosync/paymo/paymotest"
)

// addFault arms a fault, given as the fake's --fault takes it.
func addFault(w *world, text string) {
	w.t.Helper()
	fault, err := paymotest.ParseFault(text)
	if err != nil {
		w.t.Fatal(err)
	}
	w.paymo.AddFault(fault)
}

// A fault ends in complete data or in words that name the table and the cause, and
// with an exit code that says so; never in a wrong success. When it is over, the next
// sync mends what is left of it.
func TestProgramFaults(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		fault string
		code  int
		words []string // none: complete data
	}{
		{fault: "429:clients:2"},
		{fault: "503:tasks:1"},
		{fault: "cut:users:1"},
		{fault: "500:projects", code: exitUnwell, words: []string{"projects failing: ", "500"}},
		{fault: "html=502:clients", code: exitUnwell, words: []string{"clients failing: ", "502"}},
		{fault: "html:invoices", code: exitUnwell, words: []string{"invoices failing: ", "JSON"}},
		{fault: "truncate:tasks", code: exitUnwell, words: []string{"tasks failing: ", "ends early"}},
		{fault: "cut:time_entries", code: exitUnwell, words: []string{"time_entries failing: "}},
		{fault: "redirect:tasklists", code: exitUnwell, words: []string{"tasklists failing: ", "redirect", "elsewhere.invalid"}},
		{fault: "no-id:expenses", code: exitUnwell, words: []string{"expenses degraded: ", "in quarantine"}},
		{fault: "403:reports", code: exitOK, words: []string{"reports unavailable: ", "403", "not permitted to this key"}},
		{fault: "endless:milestones", code: exitUnwell, words: []string{"milestones "}},
	} {
		t.Run(test.fault, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, paymotest.Config{Seed: 7, Entries: 300})
			addFault(w, test.fault)
			w.run("sync").mustExit(test.code).mustSay(test.words...)
			if len(test.words) == 0 {
				w.mustEqual()
				return
			}
			if n := value[int](w, `SELECT count(*) FROM paymosync.runs WHERE state <> 'ok'`); n != 1 {
				t.Errorf("%d runs were not ok, want that of the table: %v", n, w.ledger(`r.state <> 'ok'`))
			}
			w.paymo.ClearFaults()
			w.run("sync", "--full").mustExit(exitOK)
			w.mustEqual()
		})
	}
}
