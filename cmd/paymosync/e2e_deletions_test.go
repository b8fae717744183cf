package main

import (
	"testing"

	"github.com/paymosync/paymosync/paymo/paymotest"
)

// live counts the rows of a table that are not marked deleted.
func (w *world) live(table string) int {
	w.t.Helper()
	return value[int](w, `SELECT count(*) FROM paymo.`+table+` WHERE _deleted_at IS NULL`)
}

// remove deletes the first rows of a table in the Paymo.
func (w *world) remove(table string, rows int) (ids []int64) {
	w.t.Helper()
	for _, id := range value[[]int64](w, `SELECT array_agg(id ORDER BY id) FROM paymo.`+table+` WHERE _deleted_at IS NULL`)[:rows] {
		if _, err := w.paymo.Delete(table, id); err != nil {
			w.t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return ids
}

// Rows that were deleted in Paymo are found by a full and counted; many that nothing
// explains wait until they are accepted, table by table. One that comes back loses its
// mark.
func TestProgramDeletions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, paymotest.Config{Seed: 7, Entries: 300})
	w.run("sync").mustExit(exitOK)
	all := w.live("expenses")

	ids := w.remove("expenses", 3)
	w.run("sync", "expenses").mustExit(exitOK).mustSay("Nothing new")
	w.run("sync", "--full", "expenses").mustExit(exitOK).mustSay("DELETED", "0 rows new, 0 changed, 3 deleted, ")
	if n := w.live("expenses"); n != all-3 {
		t.Errorf("%d expenses are left, want %d", n, all-3)
	}
	if _, err := w.paymo.Restore("expenses", ids[0]); err != nil {
		t.Fatal(err)
	}
	w.run("sync", "--full", "expenses").mustExit(exitOK).mustSay("0 deleted")
	w.mustEqual()

	const many = 52
	w.remove("expenses", many)
	gone := w.live("expenses") - w.paymo.Count("expenses")
	w.run("sync", "--full", "expenses", "reports").mustExit(exitUnwell).mustSay("expenses degraded: guard stopped: ", "sync --full --accept-deletes expenses")
	w.run("sync", "--full", "--accept-deletes", "reports", "expenses", "reports").mustExit(exitUnwell).mustSay("guard stopped")
	w.run("status").mustExit(exitUnwell).mustSay("guard stopped")
	if n := w.live("expenses"); n != w.paymo.Count("expenses")+gone {
		t.Errorf("%d expenses are left", n)
	}
	w.run("sync", "--full", "--accept-deletes", "reports,expenses", "expenses", "reports").mustExit(exitOK).mustSay("deleted")
	w.mustEqual()
	w.run("status").mustExit(exitOK)
}

// What is to be accepted must be asked for rightly: the exit code says so otherwise, and
// the message what to do.
func TestProgramAcceptDeletesUsage(t *testing.T) {
	t.Parallel()
	w := &world{t: t, variables: map[string]string{"DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing"}}
	w.run("sync", "--accept-deletes", "tasks").mustExit(exitConfig).mustSay("--accept-deletes tasks goes with --full")
	w.run("sync", "--full", "--accept-deletes", "taks").mustExit(exitConfig).mustSay(`there is no table "taks": did you mean tasks?`)
	w.run("sync", "--full", "--accept-deletes", "tasks", "users").mustExit(exitConfig).mustSay("names tasks, which is not synced")
}

// A key that sees a part of the account marks nothing deleted, unless it is told to.
func TestProgramSweepWithoutAdmin(t *testing.T) {
	t.Parallel()
	w := newWorld(t, paymotest.Config{Seed: 7, Entries: 300}).with("PAYMO_API_KEY", "employee-key")
	w.paymo.AddKey("employee-key", "Employee")
	w.run("sync").mustExit(exitOK)
	w.remove("milestones", 3)
	before := w.live("milestones")
	w.run("sync", "--full", "milestones").mustExit(exitUnwell).mustSay("milestones degraded: ", "the key's role is Employee", "SWEEP_WITHOUT_ADMIN=true")
	if n := w.live("milestones"); n != before {
		t.Errorf("%d rows are left, want %d", n, before)
	}
	w.with("SWEEP_WITHOUT_ADMIN", "true").run("sync", "--full", "milestones").mustExit(exitOK).mustSay("3 deleted")
}
