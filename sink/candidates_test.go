package sink_test

import (
	"slices"
	"testing"
	"time"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// candidates are the ids of the table's candidates.
func (tb *table) candidates() []int64 {
	tb.t.Helper()
	return value[[]int64](tb.t, tb.pool, `
		SELECT coalesce(array_agg(row_id ORDER BY row_id), '{}')
		FROM paymosync.candidates
		WHERE account = 'default' AND table_name = $1`, tb.resource.Table)
}

func (tb *table) wantCandidates(what string, ids ...int64) {
	tb.t.Helper()
	if got := tb.candidates(); !slices.Equal(got, ids) {
		tb.t.Errorf("%s: candidates %v, want %v", what, got, ids)
	}
}

// must fails the test when an error is not nil.
func (tb *table) must(err error) {
	tb.t.Helper()
	if err != nil {
		tb.t.Fatal(err)
	}
}

// sliced applies a page of a slice.
func (tb *table) sliced(slice sink.Slice, records ...catalog.Record) {
	tb.t.Helper()
	page := tb.page(records...)
	page.Slice = &slice
	tb.apply(page)
}

func TestSliceOfIDs(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "tasks")
	task := func(id int64) catalog.Record { return tb.record(id, map[string]any{"name": itoa(id)}) }
	for id := int64(10); id <= 50; id += 10 {
		tb.merge(task(id))
	}
	exec(t, tb.pool, `UPDATE paymo.tasks SET _deleted_at = now() WHERE id = 30`)
	for _, tt := range []struct {
		name  string
		slice sink.Slice
		page  []int64
		want  []int64
	}{
		{"half-open", sink.Slice{From: new(int64(20)), To: new(int64(50))}, []int64{}, []int64{20, 40}},
		{"open below", sink.Slice{To: new(int64(20))}, nil, []int64{10}},
		{"open above", sink.Slice{From: new(int64(40))}, []int64{40}, []int64{50}},
		{"open", sink.Slice{}, []int64{20, 10, 20}, []int64{40, 50}},
		{"nothing missing", sink.Slice{}, []int64{10, 20, 40, 50}, nil},
		{"the rest is another's", sink.Slice{Rest: true}, []int64{10}, nil},
		{"about a time that no row tells", sink.Slice{Since: time.Now().AddDate(-90, 0, 0)}, nil, nil},
	} {
		var records []catalog.Record
		for _, id := range tt.page {
			records = append(records, task(id))
		}
		tb.sliced(tt.slice, records...)
		tb.wantCandidates(tt.name, tt.want...)
		// Met again, by whatever page, they are none.
		tb.merge(task(10), task(20), task(40), task(50))
		tb.wantCandidates(tt.name + ", met again")
	}

	// The same twice, and a new row in the page.
	tb.sliced(sink.Slice{}, task(10), task(60))
	tb.sliced(sink.Slice{}, task(10), task(60))
	tb.wantCandidates("twice", 20, 40, 50)
	tb.must(tb.lease.ForgetCandidates(t.Context()))
	tb.wantCandidates("forgotten")

	// One that was written after the page was requested is not missing.
	page := tb.page(task(10))
	page.Slice = &sink.Slice{}
	tb.merge(tb.record(20, map[string]any{"name": "since"}), task(70))
	tb.apply(page)
	tb.wantCandidates("a late page", 40, 50, 60)

	// A record that PostgreSQL refuses was brought all the same.
	tb.must(tb.lease.ForgetCandidates(t.Context()))
	tb.sliced(sink.Slice{To: new(int64(30))}, task(10), tb.record(20, map[string]any{"billable": "maybe"}))
	tb.wantCandidates("refused")
}

func TestSliceOfParents(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "comments")
	comment := func(id int64, thread any) catalog.Record { return tb.record(id, map[string]any{"thread_id": thread}) }
	tb.merge(comment(1, "7"), comment(2, "7"), comment(3, "8"), comment(4, "9"), comment(5, nil))
	// 3 has moved to another thread.
	tb.sliced(sink.Slice{Column: "thread_id", Parents: []int64{7, 8}}, comment(2, "7"), comment(3, "9"))
	tb.wantCandidates("by threads", 1)
	tb.want(3, `thread_id`, `{"thread_id":9}`)
	tb.sliced(sink.Slice{Column: "thread_id"})
	tb.wantCandidates("of no parents", 1)
	// Lists by threads do not bring what has none.
	tb.sliced(sink.Slice{From: new(int64(2))})
	tb.wantCandidates("by ids", 1, 2, 3, 4)

	page := tb.page()
	page.Slice = &sink.Slice{Column: "thread", Parents: []int64{1}}
	if _, err := tb.lease.Apply(t.Context(), page); err == nil {
		t.Error("a slice by a column that is not there was taken")
	}
}

func TestSliceOfATime(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "time_entries")
	exec(t, tb.pool, `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone = ''Pacific/Auckland''', current_database()); END $$`)
	tb.pool.Reset()
	tb.merge(
		tb.record(1, map[string]any{"start_time": "2026-03-04T23:59:59Z"}),
		tb.record(2, map[string]any{"start_time": "2026-03-05T00:00:00Z"}),
		tb.record(3, map[string]any{"date": "2026-03-04"}),
		tb.record(4, map[string]any{"date": "2026-03-05"}),
		tb.record(5, nil),
		tb.record(6, map[string]any{"start_time": "2026-03-01T00:00:00Z", "date": "2026-03-09"}),
	)
	since := time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC)
	tb.sliced(sink.Slice{Since: since})
	tb.wantCandidates("a slice", 2, 4)
	tb.must(tb.lease.ForgetCandidates(t.Context()))
	tb.must(tb.lease.Expect(t.Context(), tb.resource, since))
	tb.wantCandidates("expected", 2, 4)
	tb.must(tb.lease.Expect(t.Context(), tb.resource, time.Time{}))
	tb.wantCandidates("all expected", 1, 2, 3, 4, 5, 6)
	tb.sliced(sink.Slice{Rest: true}, tb.record(1, nil), tb.record(5, nil))
	tb.wantCandidates("struck off", 2, 3, 4, 6)
}

// Candidates are of one account and one table.
func TestCandidatesOfOthers(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "tasks")
	tb.merge(tb.record(1, nil), tb.record(2, nil))
	const others = `INSERT INTO paymosync.candidates (account, table_name, row_id, verdict, asked_at) VALUES
		('another', 'tasks', 1, 'gone', now()), ('default', 'users', 1, 'gone', now()), ('another', 'tasks', 9, NULL, NULL)`
	exec(t, tb.pool, others)
	ctx := t.Context()
	if ids, err := tb.lease.OpenCandidates(ctx, 10); err != nil || len(ids) != 0 {
		t.Errorf("open %v, %v", ids, err)
	}
	if c, err := tb.lease.Candidates(ctx, tb.resource); err != nil || c != (sink.Candidates{}) {
		t.Errorf("%+v, %v", c, err)
	}
	tb.must(tb.lease.Judge(ctx, tb.run, []int64{9}, []int64{1}, tb.now(), sink.Cost{}, sink.Checkpoint{State: sink.StateOK}))
	if n, err := tb.lease.Sweep(ctx, tb.resource, tb.run, true); err != nil || n != 0 {
		t.Errorf("swept %d, %v", n, err)
	}
	if ids, err := tb.lease.Sentinels(ctx, tb.resource, 10); err != nil || len(ids) != 2 {
		t.Errorf("sentinels %v, %v", ids, err)
	}
	tb.merge(tb.record(1, nil))
	tb.must(tb.lease.ForgetCandidates(ctx))
	if n := value[int](t, tb.pool, `SELECT count(*) FILTER (WHERE verdict = 'gone') * 10 + count(*) FROM paymosync.candidates`); n != 23 {
		t.Errorf("the others' are not as they were: %d", n)
	}
}

func TestOrphans(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "comments")
	exec(t, tb.pool, `INSERT INTO paymo.comment_threads (id, _synced_at, _deleted_at) VALUES (7, now(), NULL), (8, now(), now())`)
	comment := func(id int64, thread any) catalog.Record { return tb.record(id, map[string]any{"thread_id": thread}) }
	tb.merge(comment(1, "7"), comment(2, "8"), comment(3, "9"), comment(4, nil), comment(5, nil))
	exec(t, tb.pool, `UPDATE paymo.comments SET _deleted_at = now() WHERE id = 5`)
	for _, tt := range []struct {
		parent string
		added  int64
		want   []int64
	}{
		{"", 1, []int64{4}},
		{"comment_threads", 2, []int64{2, 3, 4}},
		{"comment_threads", 0, []int64{2, 3, 4}},
	} {
		if n, err := tb.lease.AddOrphans(t.Context(), tb.resource, "thread_id", tt.parent); err != nil || n != tt.added {
			t.Errorf("%d added, %v", n, err)
		}
		tb.wantCandidates("of "+tt.parent, tt.want...)
	}
	if _, err := tb.lease.AddOrphans(t.Context(), tb.resource, "thread", "comment_threads"); err == nil {
		t.Error("a column that is not there was taken")
	}
	tb.must(tb.lease.ForgetCandidates(t.Context()))
	tb.must(tb.lease.Expect(t.Context(), tb.resource, time.Time{}))
	tb.wantCandidates("lists do not bring those without a thread", 1, 2, 3)
}
