package jobs_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo/paymotest"
	"github.com/paymosync/paymosync/sink"
)

// hiding are rows that lists leave out and that are served by their ids, as archived ones
// may be.
type hiding struct {
	mu  sync.Mutex
	ids map[int64]bool
}

func (h *hiding) hide(ids ...int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, id := range ids {
		h.ids[id] = true
	}
}

func (h *hiding) hides(object json.RawMessage) bool {
	var row struct {
		ID int64 `json:"id"`
	}
	err := json.Unmarshal(object, &row)
	h.mu.Lock()
	defer h.mu.Unlock()
	return err == nil && h.ids[row.ID]
}

// hidden makes a world in which lists of the resource hide rows.
func hidden(t *testing.T, company paymotest.Config, path, key string) (*world, *hiding) {
	t.Helper()
	h := &hiding{ids: map[int64]bool{}}
	return wrapped(t, company, func(fake http.Handler, rw http.ResponseWriter, r *http.Request) {
		recorded := httptest.NewRecorder()
		fake.ServeHTTP(recorded, r)
		body := recorded.Body.Bytes()
		var reply map[string][]json.RawMessage
		if r.URL.Path == path && json.Unmarshal(body, &reply) == nil && reply[key] != nil {
			reply[key] = slices.DeleteFunc(reply[key], h.hides)
			body, _ = json.Marshal(reply)
		}
		maps.Copy(rw.Header(), recorded.Header())
		rw.Header().Del("Content-Length")
		rw.WriteHeader(recorded.Code)
		_, _ = rw.Write(body)
	}), h
}

// A row that lists hide is there, also when the row that owns it was deleted.
func TestHiddenRowOfADeletedOwner(t *testing.T) {
	t.Parallel()
	w, h := hidden(t, small(), "/api/invoices", "invoices")
	w.mustSync("clients", jobs.Full)
	w.mustSync("invoices", jobs.Full)
	invoice := w.some("invoices", "client_id IS NOT NULL")
	w.remove("clients", query[int64](w, `SELECT client_id FROM paymo.invoices WHERE id = $1`, invoice)) // its invoices stay
	w.mustSync("clients", jobs.Full)
	h.hide(invoice)
	outcome, err := w.sync("invoices", jobs.Full)
	if err != nil || outcome.Tombstoned != 0 || outcome.State != sink.StateDegraded || !contains(outcome.Reason, "listing incomplete: it lacks 1 row") {
		t.Error(unexpected(outcome, err))
	}
}

// Among many rows that are gone, those that lists hide are not marked deleted.
func TestHiddenRowsAmongDeletedOnes(t *testing.T) {
	t.Parallel()
	w, h := hidden(t, paymotest.Config{Seed: 7, Tasks: 3000, Entries: -1}, "/api/tasks", "tasks")
	w.mustSync("tasks", jobs.Full)
	all := slices.Sorted(maps.Keys(ids(t, w, "tasks", 3000)))
	for i := 5; i < 245; i++ {
		if i >= 205 && i < 225 {
			h.hide(all[i])
		} else {
			w.remove("tasks", all[i])
		}
	}
	outcome, err := w.sync("tasks", jobs.Full)
	if err != nil || outcome.State != sink.StateDegraded || outcome.Tombstoned == 0 {
		t.Error(unexpected(outcome, err))
	}
	for id := range h.ids {
		if query[bool](w, `SELECT _deleted_at IS NOT NULL FROM paymo.tasks WHERE id = $1`, id) {
			t.Errorf("task %d is there and marked deleted", id)
		}
	}
}

// What was there after its owner had gone did not go with it: the guard stops.
func TestOldDeletionExplainsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, paymotest.Config{Seed: 7, Clients: 4, Invoices: 600, Entries: -1})
	w.mustSync("clients", jobs.Full)
	w.mustSync("invoices", jobs.Full)
	client := query[int64](w, `SELECT client_id FROM paymo.invoices GROUP BY 1 ORDER BY count(*) DESC LIMIT 1`)
	w.remove("clients", client)
	w.mustSync("clients", jobs.Full)
	w.mustSync("invoices", jobs.Full) // they outlive the client
	for object := range w.fake.Rows("invoices") {
		fields := decode(t, object)
		if owner, _ := fields["client_id"].(json.Number).Int64(); owner == client {
			id, _ := fields["id"].(json.Number).Int64()
			w.remove("invoices", id)
		}
	}
	outcome, err := w.sync("invoices", jobs.Full)
	if err != nil || outcome.Tombstoned != 0 || !contains(outcome.Reason, "guard stopped") {
		t.Error(unexpected(outcome, err))
	}
}

// That nothing but Paymo's word speaks of the rows is not forgotten when a job hands
// itself back.
func TestLastRowsInPieces(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	w.mustSync("reports", jobs.Full)
	for id := range ids(t, w, "reports", 1000) {
		w.remove("reports", id)
	}
	for unfinished := true; unfinished; {
		outcome, err := w.syncer.Sync(t.Context(), jobs.Request{Resource: resource(t, "reports"), Mode: jobs.Full, Reason: jobs.ReasonManual, Work: time.Nanosecond})
		if err != nil {
			t.Fatal(err)
		}
		unfinished = outcome.Unfinished
	}
	if n := w.tombstones("reports"); n != 0 {
		t.Errorf("%d rows are marked deleted", n)
	}
}

// Rows that came back after the guard had stopped are not marked deleted by what was said
// of them before.
func TestOldVerdicts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	w.mustSync("invoices", jobs.Full)
	w.mustSync("invoice_items", jobs.Full)
	first := map[int64]int64{}
	for object := range w.fake.Rows("invoice_items") {
		fields := decode(t, object)
		invoice, _ := fields["invoice_id"].(json.Number).Int64()
		id, _ := fields["id"].(json.Number).Int64()
		if first[invoice] == 0 {
			first[invoice] = id
		}
	}
	for _, id := range first {
		w.remove("invoice_items", id)
	}
	if outcome, err := w.sync("invoice_items", jobs.Full); err != nil || !contains(outcome.Reason, "guard stopped") {
		t.Fatal(unexpected(outcome, err))
	}
	for _, id := range first {
		if _, err := w.fake.Restore("invoice_items", id); err != nil {
			t.Fatal(err)
		}
	}
	for _, invoice := range slices.Sorted(maps.Keys(first))[:20] {
		w.patch("invoices", invoice, map[string]any{"title": "edited"})
	}
	w.mustSync("invoices", jobs.Incremental)
	if outcome, err := w.sync("invoice_items", jobs.Incremental); err != nil || outcome.Tombstoned != 0 || outcome.State != sink.StateDegraded {
		t.Error(unexpected(outcome, err)) // in doubt until the next full
	}
	w.mustSync("invoice_items", jobs.Full)
	w.mustEqual("invoice_items")
	if n := w.tombstones("invoice_items"); n != 0 {
		t.Errorf("%d rows are marked deleted", n)
	}
}

// A denied parent costs that parent where rows come with their parents too, and nothing
// when it is deleted.
func TestDeniedFamily(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	w.mustSync("invoices", jobs.Full)
	invoice := w.some("invoices", "true")
	fault := w.fake.AddFault(paymotest.Fault{Kind: paymotest.FaultStatus, N: http.StatusForbidden, Table: "invoices", Where: fmt.Sprint(invoice)})
	outcome, err := w.sync("invoice_items", jobs.Full)
	if err != nil || !contains(outcome.Reason, "1 of its invoices were denied by Paymo") || outcome.Inserted == 0 {
		t.Fatal(unexpected(outcome, err))
	}
	w.remove("invoices", invoice)
	w.fake.RemoveFault(fault)
	w.mustSync("invoices", jobs.Full)
	w.mustSync("invoice_items", jobs.Full)
	w.mustEqual("invoice_items")
}
