package sink_test

import (
	"errors"
	"testing"
	"time"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// A page that empties columns is refused as a whole until the caller says that it may.
func TestBlanks(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		values map[string]any
		blanks bool
	}{
		"emptied":                      {map[string]any{"price": nil}, true},
		"one emptied, another changed": {map[string]any{"name": "uno", "price": nil}, true},
		"absent":                       {map[string]any{"name": "uno"}, false},
		"one emptied, another filled":  {map[string]any{"price": nil, "due_date": "2026-03-04"}, true},
		"a volatile one":               {map[string]any{"files_count": nil}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tb := newTable(t, "tasks")
			tb.merge(tb.record(1, map[string]any{"name": "one", "price": "7", "due_date": nil, "files_count": "2"}))
			page := tb.page(tb.record(3, map[string]any{"name": "three"}), tb.record(1, tt.values))
			page.MayBlank, page.Volatile = false, true
			page.Checkpoint.Cursor = time.Now()
			page.Cost = sink.Cost{Requests: 1}
			page.Rejects = []catalog.Reject{{Payload: "{}", Problem: "the id is missing"}}
			page.Unknown = map[string]string{"mood": "string"}
			before := tb.row(1, "*")
			result, err := tb.lease.Apply(t.Context(), page)
			if !tt.blanks {
				if err != nil || result.Updated != 1 {
					t.Errorf("%+v, %v", result, err)
				}
				return
			}
			if !errors.Is(err, sink.ErrBlanks) || result.Inserted != 0 {
				t.Errorf("%+v, %v", result, err)
			}
			if tb.row(1, "*") != before || tb.row(3, "id") != "none" {
				t.Error("rows were written")
			}
			for _, what := range []string{
				`paymosync.quarantine`, `paymosync.drift`, `paymosync.checkpoints WHERE cursor IS NOT NULL`, `paymosync.runs WHERE requests > 0`,
			} {
				if n := value[int](t, tb.pool, `SELECT count(*) FROM `+what); n != 0 {
					t.Errorf("%d rows in %s", n, what)
				}
			}
			page.MayBlank = true
			wantCounts(t, tb.apply(page), 1, 1, 0, 1)
			if _, emptied := tt.values["price"]; emptied {
				tb.want(1, `price`, `{"price":null}`)
			}
			// What was rolled back does not count as recorded.
			if n := value[int](t, tb.pool, `SELECT count(*) FROM paymosync.drift`); n != 1 {
				t.Errorf("%d unknown fields", n)
			}
		})
	}
}

// Neither a new row, nor one that was tombstoned, nor one that the page does not change
// is blanked.
func TestWhatIsNoBlank(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "tasks")
	early := tb.now()
	tb.merge(tb.record(1, map[string]any{"name": "one", "price": "7"}), tb.record(2, map[string]any{"name": "two", "price": "8"}))
	exec(t, tb.pool, `UPDATE paymo.tasks SET _deleted_at = now() WHERE id = 1`)
	page := tb.page(tb.record(1, map[string]any{"price": nil}), tb.record(3, map[string]any{"name": nil}))
	page.MayBlank = false
	wantCounts(t, tb.apply(page), 1, 1, 0, 0)
	stale := tb.page(tb.record(2, map[string]any{"price": nil}))
	stale.MayBlank, stale.RequestedAt = false, early
	if result := tb.apply(stale); len(result.Stale) != 1 {
		t.Errorf("%+v", result)
	}
	tb.want(2, `price`, `{"price":8}`)

	// Also in the part of a page that is left when a record was refused.
	halved := tb.page(tb.record(4, map[string]any{"billable": "maybe"}), tb.record(2, map[string]any{"price": nil}))
	halved.MayBlank = false
	if _, err := tb.lease.Apply(t.Context(), halved); !errors.Is(err, sink.ErrBlanks) {
		t.Error(err)
	}
	if n := value[int](t, tb.pool, `SELECT count(*) FROM paymosync.quarantine`); n != 0 {
		t.Errorf("%d records in quarantine", n)
	}
}

// Late is what an incremental should have brought: by the record's own time, and new or
// newer than what the table has.
func TestLate(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "tasks")
	task := func(id int64, name string, updated any) catalog.Record {
		return tb.record(id, map[string]any{"name": name, "updated_on": updated})
	}
	tb.merge(task(1, "a", at("10:00:00")), task(2, "b", at("10:00:00")), task(3, "c", at("10:00:00")), task(4, "d", at("10:00:00")), task(5, "e", nil))
	exec(t, tb.pool, `UPDATE paymo.tasks SET _deleted_at = now(), _synced_at = now() WHERE id = 4`)
	before, err := time.Parse(time.RFC3339, at("12:00:00"))
	if err != nil {
		t.Fatal(err)
	}
	records := []catalog.Record{
		task(1, "late", at("11:00:00")),         // counts
		task(2, "in time", at("12:00:01")),      // after the time
		task(3, "moved", at("10:00:00")),        // what moves without updated_on is not to be found by it
		task(4, "undeleted", at("11:00:00")),    // was tombstoned
		task(5, "without a time", nil),          // nothing is known
		task(6, "new and late", at("12:00:00")), // counts
		task(7, "new", at("12:00:01")),
		task(8, "new, without a time", nil),
	}
	page := tb.page(records...)
	page.LateBefore = before
	result := tb.apply(page)
	wantCounts(t, result, 3, 5, 0, 0)
	if result.Late != 2 {
		t.Errorf("%d are late", result.Late)
	}
	tb.want(4, `name, _deleted_at`, `{"name":"undeleted","_deleted_at":null}`)
	again := tb.page(records...)
	again.LateBefore = before
	if result = tb.apply(again); result.Late != 0 || result.Unchanged != 8 {
		t.Errorf("again: %+v", result)
	}
	if result = tb.merge(task(1, "later", at("11:30:00"))); result.Late != 0 {
		t.Errorf("nothing is late without a time, but %+v", result)
	}
	run, err := tb.store.Run(t.Context(), tb.run)
	if err != nil || run.Late != 2 {
		t.Errorf("the run counts %d, %v", run.Late, err)
	}
}
