package sink_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// filled is a table of workflows with the rows 1 to n.
func filled(t *testing.T, n int64) *table {
	t.Helper()
	tb := newTable(t, "workflows")
	var records []catalog.Record
	for id := int64(1); id <= n; id++ {
		records = append(records, tb.workflow(id))
	}
	tb.merge(records...)
	return tb
}

func (tb *table) workflow(id int64) catalog.Record {
	tb.t.Helper()
	return tb.record(id, map[string]any{"name": "one", "is_default": "true", "created_on": at("08:00:00"), "updated_on": at("09:00:00")})
}

func (tb *table) set(sql string) {
	tb.t.Helper()
	if _, err := tb.pool.Exec(tb.t.Context(), `UPDATE paymo.workflows SET `+sql); err != nil {
		tb.t.Fatal(err)
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	tb := filled(t, 5)
	records := func() []catalog.Record {
		return []catalog.Record{tb.workflow(1), tb.workflow(2), tb.workflow(3), tb.workflow(4), tb.workflow(6)}
	}
	compare := func(records []catalog.Record) []sink.Difference {
		t.Helper()
		found, err := tb.store.Compare(t.Context(), tb.resource, records, true)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	if found := compare(records()[:4]); len(found) != 0 {
		t.Errorf("equal rows differ: %+v", found)
	}
	tb.set(`name = NULL, is_default = false WHERE id = 1`)
	tb.set(`_deleted_at = now() WHERE id = 2`)
	tb.set(`_extra = '{"a": "` + strings.Repeat("x", 500) + `"}', _issues = '{}' WHERE id = 3`)
	tb.set(`_synced_at = now() + interval '1 day', name = '' WHERE id = 4`)
	found := compare(records())
	if len(found) != 5 {
		t.Fatalf("%+v", found)
	}
	names := func(d sink.Difference) string {
		var names []string
		for _, c := range d.Columns {
			names = append(names, c.Name)
		}
		return strings.Join(names, " ")
	}
	if d := found[0]; d.ID != 1 || names(d) != "name is_default" || d.Columns[0].Warehouse != nil || *d.Columns[0].Paymo != "one" || d.SyncedAt.IsZero() {
		t.Errorf("%+v", d)
	}
	if d := found[1]; d.ID != 2 || !d.Deleted || d.Missing || len(d.Columns) != 0 {
		t.Errorf("%+v", d)
	}
	if d := found[2]; d.ID != 3 || names(d) != "_extra _issues" || len(*d.Columns[0].Warehouse) != 200 || d.Columns[0].Paymo != nil {
		t.Errorf("%+v", d)
	}
	if d := found[3]; d.ID != 4 || names(d) != "name" || !d.SyncedAt.IsZero() {
		t.Errorf("a time that is still to come: %+v", d)
	}
	if d := found[4]; d.ID != 6 || !d.Missing || len(d.Columns) != 0 {
		t.Errorf("%+v", d)
	}
	if plain, err := tb.store.Compare(t.Context(), tb.resource, records(), false); err != nil || len(plain) != 5 || plain[0].Columns != nil {
		t.Errorf("%+v, %v", plain, err)
	}
	// What a record says nothing of makes no difference, what PostgreSQL refuses is told.
	tb.set(`name = 'one', is_default = true, _deleted_at = NULL, _extra = NULL, _issues = NULL`)
	silent := tb.record(1, map[string]any{"updated_on": at("09:00:00")})
	bad := tb.record(2, map[string]any{"created_on": "never"})
	found = compare([]catalog.Record{silent, bad, tb.workflow(3)})
	if len(found) != 1 || found[0].ID != 2 || !strings.Contains(found[0].Refused, "refused the row") {
		t.Errorf("%+v", found)
	}
}

func TestLacking(t *testing.T) {
	t.Parallel()
	tb := filled(t, 6)
	now, err := tb.store.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tb.set(`_deleted_at = now() WHERE id = 2`)
	tb.set(`_synced_at = now() + interval '1 second' WHERE id = 3`)
	from, to := int64(2), int64(6)
	for _, tt := range []struct {
		slice sink.Slice
		want  []int64
	}{
		{sink.Slice{}, []int64{1, 5, 6}},
		{sink.Slice{From: &from, To: &to}, []int64{5}},
		{sink.Slice{Rest: true}, nil},
	} {
		if got, err := tb.store.Lacking(t.Context(), tb.resource, tt.slice, []int64{4}, now); err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%+v: %v, %v", tt.slice, got, err)
		}
	}
	if got, err := tb.store.Awaited(t.Context(), tb.resource, time.Time{}, now); err != nil || !slices.Equal(got, []int64{1, 4, 5, 6}) {
		t.Errorf("awaited: %v, %v", got, err)
	}
	if got, err := tb.store.Unwritten(t.Context(), tb.resource, []int64{1, 2, 9}, now); err != nil || !slices.Equal(got, []int64{1}) {
		t.Errorf("unwritten: %v, %v", got, err)
	}
	if got, err := tb.store.Live(t.Context(), tb.resource, []int64{2, 3, 9}); err != nil || !slices.Equal(got, []int64{3}) {
		t.Errorf("live: %v, %v", got, err)
	}
	if err := tb.lease.AddCandidates(t.Context(), []int64{1, 2, 9}); err != nil {
		t.Fatal(err)
	}
	if got, err := tb.lease.OpenCandidates(t.Context(), 10); err != nil || !slices.Equal(got, []int64{1}) {
		t.Errorf("candidates: %v, %v", got, err)
	}
}

func TestTotals(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "time_entries")
	before, err := tb.store.Settled(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	entry := func(id int64, values map[string]any) catalog.Record { return tb.record(id, values) }
	records := []catalog.Record{
		entry(1, map[string]any{"project_id": "7", "start_time": "2026-02-28T23:59:59Z", "duration": "60"}),
		entry(2, map[string]any{"project_id": "7", "date": "2026-02-01", "duration": "30"}),
		entry(3, map[string]any{"project_id": "8", "date": "2026-03-01", "duration": "1"}),
		entry(4, map[string]any{"project_id": nil, "duration": nil}),
		entry(5, map[string]any{"project_id": "8", "date": "2026-03-02", "duration": "100"}),
	}
	tb.merge(records...)
	sum := &sink.Sum{Amount: "duration", When: []string{"start_time", "date"}, By: "project_id", Except: []int64{5}}
	got, err := tb.store.Totals(t.Context(), tb.resource, sum, time.Time{}, before)
	if err != nil {
		t.Fatal(err)
	}
	want := []sink.Total{{Amount: "0"}, {Month: "2026-02", By: "7", Amount: "90"}, {Month: "2026-03", By: "8", Amount: "1"}}
	if got.Rows != 5 || !got.Written || !slices.Equal(got.Totals, want) {
		t.Errorf("%+v", got)
	}
	later, err := tb.store.Settled(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got, err = tb.store.Totals(t.Context(), tb.resource, nil, time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), later)
	if err != nil || got.Rows != 2 || got.Written || got.Totals != nil {
		t.Errorf("%+v, %v", got, err)
	}
}
