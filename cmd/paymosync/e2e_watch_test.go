package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/paymosync/paymosync/paymo/paymotest"
)

// mustShow waits until the program has said a text since a place in its output, and
// returns where that ends.
func (c *child) mustShow(since int, text string) int {
	c.t.Helper()
	at := 0
	eventually(c.t, fmt.Sprintf("%s says %q", c, text), func() error {
		out := c.out.String()
		i := strings.Index(out[since:], text)
		if i < 0 {
			return fmt.Errorf("it said:\n%s\n%s", out, c.err.String())
		}
		at = since + i + len(text)
		return nil
	})
	return at
}

// In a pipe a watched status prints what changes, with the time, and nothing else; it
// goes on when the database is lost and comes back, until a signal ends it.
func TestProgramWatchInPipe(t *testing.T) {
	t.Parallel()
	w := newWorld(t, agency()).with("SYNC_TABLES", "users reports")
	id := w.paymo.AddFault(paymotest.Fault{Kind: paymotest.FaultStatus, N: 418, Table: "reports"})
	w.run("sync").mustExit(exitUnwell)
	guarded := w.with()
	g := newGate(guarded)
	g.open()
	c := guarded.start("status", "--watch=1s")
	at := c.mustShow(0, "Z 1 failing, 1 ok\n  reports failing: GET /api/reports: paymo answered 418")
	at = c.mustShow(at, "\n    → run paymosync sync reports to see")

	w.run("sync", "users").mustExit(exitOK) // no other state
	w.paymo.RemoveFault(id)
	w.run("sync").mustExit(exitOK)
	at = c.mustShow(at, "Z 2 ok\n  reports ok: it was failing\n")
	g.close()
	at = c.mustShow(at, "Z The database cannot be read since ")
	at = c.mustShow(at, ", tried again every 1s: ")
	g.open()
	at = c.mustShow(at, "Z The database can be read again: 2 ok\n")
	w.run("pause", "users").mustExit(exitOK)
	c.mustShow(at, "Z 1 paused, 1 ok\n  users paused: paused by an operator since ")
	c.signal(os.Interrupt)
	r := c.wait().mustExit(exitInterrupted)
	if stamps := regexp.MustCompile(`(?m)^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ `).FindAllString(r.out, -1); len(stamps) != 5 {
		t.Errorf("%d blocks for 5 changes:\n%s", len(stamps), r.out)
	}
}
