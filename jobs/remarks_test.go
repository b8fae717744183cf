package jobs_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo/paymotest"
	"github.com/paymosync/paymosync/sink"
)

// Prices that come blank in every row are kept, and the table says so.
func TestBlankPricesAreKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	w.mustSync("invoices", jobs.Full)
	before := query[string](w, `SELECT sum(total)::text FROM paymo.invoices`)
	fault := w.fake.AddFault(paymotest.Fault{Kind: paymotest.FaultBlank, Table: "invoices"})
	outcome, err := w.sync("invoices", jobs.Full)
	if err != nil || outcome.State != sink.StateDegraded || !contains(outcome.Reason, "prices are blank where they were not") || !contains(outcome.Reason, "total") {
		t.Error(unexpected(outcome, err))
	}
	if after := query[string](w, `SELECT sum(total)::text FROM paymo.invoices`); after != before {
		t.Errorf("the invoices come to %s, and came to %s", after, before)
	}
	w.fake.RemoveFault(fault)
	w.mustSync("invoices", jobs.Full)
	w.mustEqual("invoices")
	// One who empties a price means it.
	w.patch("invoices", w.some("invoices", "discount IS NOT NULL"), map[string]any{"discount": nil})
	w.mustSync("invoices", jobs.Incremental)
	w.mustEqual("invoices")
}

// An ignored filter and values that do not fit are named in the outcome of a table that
// is complete all the same.
func TestRemarks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	w.mustSync("tasks", jobs.Full)
	w.fake.AddFault(paymotest.Fault{Kind: paymotest.FaultIgnoreFilter, Table: "tasks"})
	if outcome := w.mustSync("tasks", jobs.Incremental); !contains(outcome.Reason, "updated_on filter does not work: the reply held row") {
		t.Errorf("%q", outcome.Reason)
	}
	w.fake.ClearFaults()
	if outcome := w.mustSync("tasks", jobs.Full); outcome.Reason != "" {
		t.Errorf("%q", outcome.Reason)
	}
	w.fake.AddFault(paymotest.Fault{Kind: paymotest.FaultWrongType, Table: "tasks"})
	if outcome := w.mustSync("tasks", jobs.Full); !contains(outcome.Reason, "hold values that do not fit") {
		t.Errorf("%q", outcome.Reason)
	}
	w.fake.ClearFaults()
	w.fake.AddFault(paymotest.Fault{Kind: paymotest.FaultStatus, N: http.StatusBadRequest, Table: "files", Where: "project_id=null"})
	if outcome := w.mustSync("files", jobs.Full); !contains(outcome.Reason, "rows without a parent does not work") {
		t.Errorf("%q", outcome.Reason)
	}
}

// What a key brought in the minute before it was found to be a lesser one is read again
// when it has its role back.
func TestChangesHiddenFromALesserKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	w.mustSync("time_entries", jobs.Full)
	exec(w, `UPDATE paymosync.accounts SET checked_at = (SELECT max(updated_on) - interval '3 days' FROM paymo.time_entries)`)
	id := w.some("time_entries", "description IS NOT NULL")
	newest := query[time.Time](w, `SELECT max(updated_on) FROM paymo.time_entries`)
	w.patch("time_entries", id, map[string]any{"description": "changed while the key saw nothing", "updated_on": newest.AddDate(0, 0, -2)})
	// An incremental that a lesser key was shown nothing by has moved the cursor.
	exec(w, `UPDATE paymosync.checkpoints SET cursor = (SELECT max(updated_on) FROM paymo.time_entries), fresh_as_of = now()`)
	w.fake.SetRole(paymotest.DefaultKey, "Guest")
	w.syncer = w.newSyncer("worker-2")
	var role *jobs.RoleError
	if outcome, err := w.sync("time_entries", jobs.Incremental); !errors.As(err, &role) {
		t.Fatal(unexpected(outcome, err))
	}
	w.fake.SetRole(paymotest.DefaultKey, jobs.AdminRole)
	w.syncer = w.newSyncer("worker-3")
	if outcome := w.mustSync("time_entries", jobs.Incremental); outcome.Mode != jobs.Incremental {
		t.Errorf("a %s", outcome.Mode)
	}
	w.mustEqual("time_entries")
}
