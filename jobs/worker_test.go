package jobs_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/paymosync/paymosync/jobs"
)

// What comes with its parents follows them: when one was changed it is synced at once,
// and not at its own next tick.
func TestChildrenFollowTheirParents(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	tables := []string{"invoice_items", "invoices", "estimates"} // estimate_items is not synced
	w.mustSync("invoices", jobs.Full)
	service := w.serve(tables...)
	idle := func() bool {
		return query[bool](w, `SELECT count(*) > 2 AND bool_and(finalized_at IS NOT NULL) FROM river.river_job WHERE kind = 'sync'`)
	}
	eventually(t, "every table is synced", idle)
	w.mustEqual("invoice_items")

	invoice := query[int64](w, `SELECT min(id) FROM paymo.invoices`)
	item := w.put("invoice_items", map[string]any{"invoice_id": invoice, "item": "an afterthought"})
	w.patch("invoices", invoice, map[string]any{"title": "with an afterthought"})
	if _, err := service.Insert(t.Context(), jobs.SyncArgs{Account: w.store.Account(), Table: "invoices", Mode: jobs.Incremental, Reason: jobs.ReasonManual}, nil); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the item is there", func() bool {
		return query[bool](w, `SELECT EXISTS (SELECT FROM paymo.invoice_items WHERE id = $1)`, item)
	})
	eventually(t, "the jobs are complete", idle)
	w.mustEqual("invoice_items")
	if n := query[int](w, `SELECT count(*) FROM paymosync.runs WHERE table_name = 'invoice_items' AND reason = $1 AND mode = 'incremental'`, jobs.ReasonParent); n != 1 {
		t.Errorf("%d syncs followed the invoices", n)
	}
	if n := query[int](w, `SELECT count(*) FROM river.river_job WHERE args->>'table' = 'estimate_items'`); n > 0 {
		t.Errorf("%d jobs for a table that is not synced", n)
	}
}

// What comes with parents that are written while it is being read is read once more, at
// once: the job that should follow them is the one that runs.
func TestChildrenFollowParentsWrittenMeanwhile(t *testing.T) {
	t.Parallel()
	var armed atomic.Bool
	var item atomic.Int64
	var w *world
	w = wrapped(t, small(), func(fake http.Handler, rw http.ResponseWriter, r *http.Request) {
		families := r.URL.Path == "/api/invoices" && contains(r.URL.RawQuery, "invoiceitems")
		fake.ServeHTTP(rw, r)
		if !families || !armed.CompareAndSwap(true, false) {
			return
		}
		invoice := query[int64](w, `SELECT max(id) FROM paymo.invoices`)
		item.Store(w.put("invoice_items", map[string]any{"invoice_id": invoice, "item": "an afterthought"}))
		w.patch("invoices", invoice, map[string]any{"title": "with an afterthought"})
		if outcome, err := w.newSyncer("worker-2").Sync(context.WithoutCancel(r.Context()), jobs.Request{Resource: resource(t, "invoices"), Mode: jobs.Incremental, Reason: jobs.ReasonManual}); err != nil {
			t.Error(unexpected(outcome, err))
		}
	})
	w.mustSync("invoices", jobs.Full)
	armed.Store(true)
	w.serve("invoice_items")
	eventually(t, "the item is there", func() bool {
		return item.Load() != 0 && query[bool](w, `SELECT EXISTS (SELECT FROM paymo.invoice_items WHERE id = $1)`, item.Load())
	})
	eventually(t, "the job is complete", func() bool {
		return query[bool](w, `SELECT bool_and(finalized_at IS NOT NULL) FROM river.river_job WHERE kind = 'sync'`)
	})
	w.mustEqual("invoice_items")
}
