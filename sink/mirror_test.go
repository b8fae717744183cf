package sink_test

import (
	"slices"
	"testing"
	"time"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
	"github.com/paymosync/paymosync/sink/sinktest"
)

// Rows are read as Paymo's list of them would bring them.
func TestMirror(t *testing.T) {
	t.Parallel()
	pool := sinktest.Database(t)
	store := sink.New(pool, sinktest.Warehouse, catalog.DefaultAccount)
	if _, err := pool.Exec(t.Context(), `
		INSERT INTO paymo.time_entries (id, user_id, start_time, date, updated_on, _synced_at, _deleted_at)
		SELECT n, n % 3, '2026-01-01 00:00Z'::timestamptz + n * interval '1 day', NULL::date, '2026-02-01 00:00Z'::timestamptz + n * interval '1 second', now(), CASE WHEN n = 6 THEN now() END
		FROM generate_series(1, 9) AS n
		UNION ALL
		SELECT 20, 1, NULL, '2026-01-03', '2026-02-01 00:00Z'::timestamptz, now(), NULL`); err != nil {
		t.Fatal(err)
	}
	entries, _ := catalog.Lookup("time_entries")
	updated := time.Date(2026, 2, 1, 0, 0, 5, 0, time.UTC).Unix()
	for _, tt := range []struct {
		what  string
		asked sink.Mirror
		want  []int64
	}{
		{"all", sink.Mirror{Limit: 99}, []int64{1, 2, 3, 4, 5, 7, 8, 9, 20}},
		{"a page", sink.Mirror{Limit: 2, Offset: 2}, []int64{3, 4}},
		{"a range", sink.Mirror{Limit: 99, Conditions: []sink.MirrorCondition{{Column: "id", Op: ">=", Values: []int64{4}}, {Column: "id", Op: "<", Values: []int64{8}}}}, []int64{4, 5, 7}},
		{"changes", sink.Mirror{Limit: 99, Conditions: []sink.MirrorCondition{{Column: "updated_on", Op: ">=", Values: []int64{updated}}}}, []int64{5, 7, 8, 9}},
		{"parents", sink.Mirror{Limit: 99, Conditions: []sink.MirrorCondition{{Column: "user_id", Op: "=", Values: []int64{0, 2}}}}, []int64{2, 3, 5, 8, 9}},
		{"null", sink.Mirror{Limit: 99, Conditions: []sink.MirrorCondition{{Column: "date", Op: "null"}}}, []int64{1, 2, 3, 4, 5, 7, 8, 9}},
		{"a window", sink.Mirror{Limit: 99, From: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 1, 4, 0, 0, 0, 0, time.UTC)}, []int64{1, 2, 20}},
	} {
		rows, err := store.Mirror(t.Context(), entries, tt.asked)
		ids := make([]int64, len(rows))
		for i, row := range rows {
			ids[i] = row.ID
		}
		if !slices.Equal(ids, tt.want) || err != nil {
			t.Errorf("%s: %v, %v; want %v", tt.what, ids, err, tt.want)
		}
	}
	for _, wrong := range []sink.MirrorCondition{{Column: "nothing", Op: "null"}, {Column: "id", Op: "like", Values: []int64{1}}, {Column: "id", Op: "="}} {
		if rows, err := store.Mirror(t.Context(), entries, sink.Mirror{Limit: 1, Conditions: []sink.MirrorCondition{wrong}}); err == nil {
			t.Errorf("%+v brings %v", wrong, rows)
		}
	}
	if gap, err := store.Gap(t.Context(), entries); gap != 2 || err != nil {
		t.Errorf("the gap is %d, %v", gap, err)
	}
	clients, _ := catalog.Lookup("clients")
	if gap, err := store.Gap(t.Context(), clients); gap != 0 || err != nil {
		t.Errorf("the gap of no rows is %d, %v", gap, err)
	}
}
