package sink_test

import (
	"strings"
	"testing"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// fresh are so many entries from an id on, as a first load brings them.
func (tb *table) fresh(from, rows int64) []catalog.Record {
	tb.t.Helper()
	records := make([]catalog.Record, 0, rows)
	for id := from; id < from+rows; id++ {
		records = append(records, tb.record(id, map[string]any{
			"duration": "3600", "description": "work " + itoa(id), "billed": "false", "invoice_item_id": nil,
			"start_time": at("08:00:00"), "end_time": at("09:00:00"), "updated_on": at("10:00:00"),
		}))
	}
	return records
}

// A page of new rows is copied, and must come out as if it had been merged: a merge of
// the same page finds no difference.
func TestNewRowsAreWrittenAsAMergeWould(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "time_entries")
	records := tb.fresh(1, 300)
	odd := []string{"", `\N`, `\.`, "a\tb", "a\nb\r\nc", `back\slash\`, "\t", "Zoë ✓ 'quoted' \"too\"", "\\\t\\", strings.Repeat("long\n", 500), "\v\f\b"}
	for i, text := range odd {
		records[i] = tb.record(int64(i+1), map[string]any{
			"description": text, "updated_on": at("10:00:00"),
			"_extra": `{"note": "a\tb\\c"}`, "_issues": `{"duration": "x\n"}`,
		})
	}
	before := tb.now()
	if got := tb.merge(records...); got.Inserted != 300 || got.Updated+got.Unchanged+got.Quarantined != 0 {
		t.Fatalf("the first page: %+v", got)
	}
	for i, text := range odd {
		if got := value[string](t, tb.pool, `SELECT description FROM paymo.time_entries WHERE id = $1`, i+1); got != text {
			t.Errorf("the text is %q, want %q", got, text)
		}
	}
	tb.want(3, "_extra->>'note' AS note, _issues->>'duration' AS issue, duration, start_time", `{"note":"a\tb\\c","issue":"x\n","duration":null,"start_time":null}`)
	if n := value[int](t, tb.pool, `SELECT count(*) FROM paymo.time_entries WHERE _synced_at BETWEEN $1 AND clock_timestamp()`, before); n != 300 {
		t.Errorf("%d rows were synced now, want 300", n)
	}
	page := tb.page(records...)
	page.Volatile = true
	if got := tb.apply(page); got.Unchanged != 300 {
		t.Errorf("the same page once more: %+v", got)
	}
}

// A record that PostgreSQL refuses is found among new rows too, and one page may bring
// new rows and known ones.
func TestNewRowsBesideOthers(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "time_entries")
	records := tb.fresh(1, 400)
	records[250] = tb.record(251, map[string]any{"duration": "a lot", "updated_on": at("10:00:00")})
	if got := tb.merge(records...); got.Inserted != 399 || got.Quarantined != 1 {
		t.Errorf("a page with a bad record: %+v", got)
	}
	if got := tb.merge(tb.fresh(300, 400)...); got.Inserted != 299 || got.Unchanged != 101 {
		t.Errorf("a page with known rows: %+v", got)
	}
	// What is late is counted among new rows too.
	page := tb.page(tb.fresh(1000, 300)...)
	page.LateBefore = page.RequestedAt
	if got := tb.apply(page); got.Inserted != 300 || got.Late != 300 {
		t.Errorf("a page of late rows: %+v", got)
	}
}

// Where PostgreSQL cannot COPY, as into a table with row security, the page is merged.
func TestNewRowsWhereCopyIsUnsupported(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "time_entries")
	exec(t, tb.pool, `ALTER TABLE paymo.time_entries RENAME TO hidden`)
	exec(t, tb.pool, `CREATE VIEW paymo.time_entries AS SELECT * FROM paymo.hidden`)
	_, err := tb.lease.Apply(t.Context(), tb.page(tb.fresh(1, 300)...))
	if err == nil || strings.Contains(err.Error(), "cannot copy to view") {
		t.Errorf("a view: %v, want the merge's error: it has no unique constraint", err)
	}
}
