package jobs_test

import (
	"testing"
	"time"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo/paymotest"
)

// updated_on tells seconds: a parent that is changed twice within one, before and after it
// was read, looks the same both times. What comes with it is read all the same.
func TestParentsThatChangeTwiceInASecond(t *testing.T) {
	t.Parallel()
	company := small()
	now := time.Now()
	company.Now = func() time.Time { return now }
	w := newWorld(t, company)
	w.mustSync("invoices", jobs.Full)
	w.mustSync("invoice_items", jobs.Full)
	invoice := w.some("invoices", "true")
	for range 2 {
		w.put("invoice_items", map[string]any{"invoice_id": invoice, "item": "another", "price_unit": 10, "quantity": 2})
		w.patch("invoices", invoice, map[string]any{})
		w.mustSync("invoices", jobs.Incremental)
		w.mustSync("invoice_items", jobs.Incremental)
		w.mustEqual("invoice_items")
	}
}

// Where the last parent was deleted, its children are marked deleted too: that there is
// nothing to list them by is no error.
func TestLastParent(t *testing.T) {
	t.Parallel()
	company := small()
	company.Scopes = paymotest.ScopesIn
	w := newWorld(t, company)
	for _, table := range []string{"tasks", "task_assignments"} {
		w.mustSync(table, jobs.Full)
	}
	for id := range w.objects("tasks") {
		w.remove("tasks", id)
	}
	for _, table := range []string{"tasks", "task_assignments"} {
		outcome, err := w.syncer.Sync(t.Context(), jobs.Request{Resource: resource(t, table), Mode: jobs.Full, Reason: jobs.ReasonManual, AcceptDeletes: true})
		if err != nil || outcome.Tombstoned == 0 {
			t.Fatal(unexpected(outcome, err))
		}
		w.mustEqual(table)
	}
	w.mustSync("task_assignments", jobs.Incremental)
}

// A full that meets the loss of the key's rights leaves no verdicts behind: the next one,
// with the rights back, does not mark deleted what the lesser key was not shown.
func TestVerdictsOfALesserKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	w.mustSync("users", jobs.Full)
	users := w.count("users")
	w.fake.SetRole(paymotest.DefaultKey, "Guest")
	if outcome, err := w.sync("users", jobs.Full); err == nil {
		t.Fatal(unexpected(outcome, err))
	}
	w.fake.SetRole(paymotest.DefaultKey, jobs.AdminRole)
	w.syncer = w.newSyncer("worker-2")
	if outcome, err := w.sync("users", jobs.Full); err != nil || outcome.Tombstoned > 0 || w.count("users") != users {
		t.Fatal(unexpected(outcome, err))
	}
	w.mustSync("users", jobs.Full)
	w.mustEqual("users")
}
