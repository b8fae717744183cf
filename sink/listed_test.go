package sink_test

import (
	"maps"
	"testing"
	"time"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// Rows that no list brings do not count where lists are cut or checked.
func TestListed(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "files")
	file := func(id int64, project any, updated string) catalog.Record {
		return tb.record(id, map[string]any{"project_id": project, "updated_on": updated})
	}
	tb.merge(file(1, nil, at("10:00:00")), file(2, "7", at("10:00:00")), file(3, "7", at("11:00:00")), file(4, "8", at("12:00:00")),
		file(5, nil, at("13:00:00")), file(6, "8", at("09:00:00")))
	exec(t, tb.pool, `UPDATE paymo.files SET _deleted_at = now() WHERE id = 6`)
	ctx := t.Context()
	if e, err := tb.store.Extent(ctx, tb.resource); err != nil || e != (sink.Extent{Rows: 3, MinID: 2, MaxID: 4}) {
		t.Errorf("%+v, %v", e, err)
	}
	cuts, err := tb.store.Cuts(ctx, tb.resource, 1)
	wantIDs(t, "cuts", cuts, err, 3, 4)
	since, err := time.Parse(time.RFC3339, at("10:00:00"))
	tb.must(err)
	newest, err := tb.store.Boundary(ctx, tb.resource, since, tb.now(), 2)
	wantIDs(t, "boundary", newest, err, 4, 3)
	asked := tb.now()
	tb.merge(file(7, "8", at("14:00:00")))
	newest, err = tb.store.Boundary(ctx, tb.resource, since, asked, 2)
	wantIDs(t, "boundary of before", newest, err, 4, 3)
	exec(t, tb.pool, `DELETE FROM paymo.files WHERE id = 7`)

	// What is listed whole, or by windows, is all there.
	for _, name := range []string{"tasks", "time_entries"} {
		other := openTable(t, tb.pool, tb.store, name)
		other.merge(other.record(1, map[string]any{"updated_on": at("10:00:00")}), other.record(2, map[string]any{"updated_on": at("10:00:00")}))
		if e, err := tb.store.Extent(ctx, other.resource); err != nil || e != (sink.Extent{Rows: 2, MinID: 1, MaxID: 2}) {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
		cuts, err := tb.store.Cuts(ctx, other.resource, 1)
		wantIDs(t, name, cuts, err, 2)
		newest, err := tb.store.Boundary(ctx, other.resource, since, tb.now(), 9)
		wantIDs(t, name, newest, err, 2, 1)
	}
}

func TestChanged(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "projects")
	tb.merge(tb.record(1, nil), tb.record(2, nil), tb.record(3, nil))
	since, never := tb.now(), time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
	tb.merge(tb.record(4, nil), tb.record(2, map[string]any{"name": "changed"}), tb.record(1, nil), tb.record(5, nil))
	exec(t, tb.pool, `UPDATE paymo.projects SET _deleted_at = now() WHERE id = 5`)
	got, err := tb.store.Changed(t.Context(), "projects", since, never)
	wantIDs(t, "since", got, err, 2, 4)
	got, err = tb.store.Changed(t.Context(), "projects", time.Time{}, never)
	wantIDs(t, "ever", got, err, 1, 2, 3, 4)
	exec(t, tb.pool, `UPDATE paymo.projects SET _synced_at = $1 WHERE id = 3`, since)
	got, err = tb.store.Changed(t.Context(), "projects", since, never)
	wantIDs(t, "at the time itself", got, err, 2, 3, 4)
	exec(t, tb.pool, `UPDATE paymo.projects SET updated_on = $1 WHERE id = 1`, never)
	got, err = tb.store.Changed(t.Context(), "projects", since, never)
	wantIDs(t, "moved at the time itself", got, err, 1, 2, 3, 4)
}

func TestFamily(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "comments")
	comment := func(id int64, thread any) catalog.Record { return tb.record(id, map[string]any{"thread_id": thread}) }
	tb.merge(comment(1, "7"), comment(2, "7"), comment(3, "8"), comment(4, "9"), comment(5, nil), comment(6, "7"))
	exec(t, tb.pool, `UPDATE paymo.comments SET _deleted_at = now() WHERE id IN (4, 6)`)
	got, err := tb.store.Family(t.Context(), tb.resource, "thread_id", []int64{7, 8, 9, 10})
	if err != nil || !maps.Equal(got, map[int64]int{7: 2, 8: 1}) {
		t.Errorf("%v, %v", got, err)
	}
	if got, err = tb.store.Family(t.Context(), tb.resource, "thread_id", nil); err != nil || len(got) != 0 {
		t.Errorf("of no parents: %v, %v", got, err)
	}
}
