package jobs_test

import (
	"testing"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo/paymotest"
	"github.com/paymosync/paymosync/sink"
)

// A limit that nobody knows of, and that cuts the lists of several parents, or leaves those
// of some parents empty, is noticed at the first load: no row is known then that could be
// missed.
func TestUnknownLimitOfBatches(t *testing.T) {
	t.Parallel()
	for _, order := range []paymotest.Order{paymotest.Ascending, paymotest.Descending, paymotest.Shuffled} {
		t.Run(string(order), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, paymotest.Config{
				Seed: 7, Users: 8, Projects: 6, Tasks: 20, Entries: 30, Invoices: 12, Cap: 15, Order: order, Scopes: paymotest.ScopesIn,
			})
			for _, table := range []string{"users", "projects", "tasks", "task_assignments", "invoices", "invoice_items"} {
				for _, mode := range []jobs.Mode{jobs.Full, jobs.Incremental, jobs.Full} {
					outcome, err := w.sync(table, mode)
					if err != nil || outcome.State != sink.StateOK && !contains(outcome.Reason, "listing cut short") {
						t.Fatal(unexpected(outcome, err))
					}
					if outcome.State == sink.StateOK {
						w.mustEqual(table)
					}
				}
			}
		})
	}
}

// A list whose records have no id at all is no reason to break down.
func TestBatchesWithoutIDs(t *testing.T) {
	t.Parallel()
	company := small()
	company.Scopes = paymotest.ScopesEqual
	w := newWorld(t, company)
	w.mustSync("projects", jobs.Full)
	w.mustSync("comment_threads", jobs.Full)
	for object := range w.objects("comment_threads") {
		if w.fake.Count("comment_threads") > 1 {
			w.remove("comment_threads", object)
		}
	}
	w.fake.AddFault(paymotest.Fault{Kind: paymotest.FaultNoID, Table: "comment_threads"})
	outcome, err := w.sync("comment_threads", jobs.Full)
	if err != nil || outcome.State != sink.StateDegraded {
		t.Fatal(unexpected(outcome, err))
	}
	w.fake.ClearFaults()
	if outcome, err := w.syncer.Sync(t.Context(), jobs.Request{
		Resource: resource(t, "comment_threads"), Mode: jobs.Full, Reason: jobs.ReasonManual, AcceptDeletes: true,
	}); err != nil || outcome.State != sink.StateOK {
		t.Fatal(unexpected(outcome, err))
	}
	w.mustEqual("comment_threads")
}
