package sink_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// wantTally compares the counts of the table's candidates.
func (tb *table) wantTally(what string, want sink.Candidates) {
	tb.t.Helper()
	got, err := tb.lease.Candidates(tb.t.Context(), tb.resource)
	if err != nil || got != want {
		tb.t.Errorf("%s: %+v, %v, want %+v", what, got, err, want)
	}
}

// wantIDs compares ids that a method brings, in order.
func wantIDs(t *testing.T, what string, got []int64, err error, want ...int64) {
	t.Helper()
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%s: %v, %v, want %v", what, got, err, want)
	}
}

// newSwept is a table of live rows, all of them candidates.
func newSwept(t *testing.T, name string, records func(tb *table) []catalog.Record) *table {
	t.Helper()
	tb := newTable(t, name)
	tb.merge(records(tb)...)
	tb.must(tb.lease.Expect(t.Context(), tb.resource, time.Time{}))
	return tb
}

// judge judges candidates that were asked for just now.
func (tb *table) judge(gone, unsure []int64) {
	tb.t.Helper()
	tb.must(tb.lease.Judge(tb.t.Context(), tb.run, gone, unsure, tb.now(), sink.Cost{Requests: 1, Bytes: 10}, sink.Checkpoint{State: sink.StateOK}))
}

func (tb *table) sweep(unexplained bool, want int64) {
	tb.t.Helper()
	if n, err := tb.lease.Sweep(tb.t.Context(), tb.resource, tb.run, unexplained); err != nil || n != want {
		tb.t.Errorf("%d rows tombstoned, %v, want %d", n, err, want)
	}
}

func fiveUsers(tb *table) []catalog.Record {
	var records []catalog.Record
	for id := int64(1); id <= 5; id++ {
		records = append(records, tb.record(id, map[string]any{"name": itoa(id)}))
	}
	return records
}

func TestSweep(t *testing.T) {
	t.Parallel()
	tb := newSwept(t, "users", fiveUsers)
	ctx := t.Context()
	tb.wantTally("at first", sink.Candidates{Open: 5})
	open, err := tb.lease.OpenCandidates(ctx, 2)
	wantIDs(t, "open", open, err, 1, 2)
	tb.sweep(true, 0) // nothing is judged yet
	tb.wantTally("swept too early", sink.Candidates{Open: 5})

	tb.judge([]int64{1, 2, 77}, []int64{3})
	tb.wantTally("judged", sink.Candidates{Open: 2, Gone: 2, Unexplained: 2, Unsure: 1})
	open, err = tb.lease.OpenCandidates(ctx, 9)
	wantIDs(t, "still open", open, err, 4, 5)
	sentinels, err := tb.lease.Sentinels(ctx, tb.resource, 9)
	wantIDs(t, "sentinels", sentinels, err)

	tb.sweep(false, 0)
	before := tb.now()
	tb.sweep(true, 2)
	tb.wantTally("swept", sink.Candidates{Open: 2, Unsure: 1})
	tb.wantCandidates("swept", 3, 4, 5)
	swept := value[[]int64](t, tb.pool, `SELECT array_agg(id ORDER BY id) FROM paymo.users WHERE _deleted_at >= $1 AND _synced_at = _deleted_at`, before)
	wantIDs(t, "tombstoned", swept, nil, 1, 2)
	tb.sweep(true, 0)
	run, err := tb.store.Run(ctx, tb.run)
	if err != nil || run.Tombstoned != 2 || run.Requests != 1 || run.Bytes != 10 {
		t.Errorf("%+v, %v", run, err)
	}

	// A row that comes back loses its tombstone, and may be lost again.
	tb.merge(tb.record(1, map[string]any{"name": "1"}))
	tb.want(1, `_deleted_at`, `{"_deleted_at":null}`)
	sentinels, err = tb.lease.Sentinels(ctx, tb.resource, 9)
	wantIDs(t, "sentinels after all", sentinels, err, 1)
	tb.sliced(sink.Slice{To: new(int64(3))})
	tb.wantCandidates("missing again", 1, 3, 4, 5)
	tb.judge([]int64{1}, nil)
	tb.sweep(true, 1)
}

// What is written after it was asked for is not swept, and neither is what is gone from
// the table anyway.
func TestSweepRaces(t *testing.T) {
	t.Parallel()
	tb := newSwept(t, "users", fiveUsers)
	asked := tb.now()
	tb.merge(tb.record(1, map[string]any{"name": "written since"}), tb.record(2, map[string]any{"name": "written since"}))
	exec(t, tb.pool, `INSERT INTO paymosync.candidates (account, table_name, row_id) VALUES ('default', 'users', 1), ('default', 'users', 2)`)
	exec(t, tb.pool, `UPDATE paymo.users SET _deleted_at = now(), _synced_at = now() WHERE id = 3`)
	exec(t, tb.pool, `DELETE FROM paymo.users WHERE id = 4`)
	tb.must(tb.lease.Judge(t.Context(), tb.run, []int64{1, 3, 4, 5}, []int64{2}, asked, sink.Cost{}, sink.Checkpoint{State: sink.StateOK}))
	tb.wantTally("judged", sink.Candidates{Gone: 1, Unexplained: 1, Unsure: 1})
	deleted := tb.row(3, `_deleted_at`)
	tb.sweep(true, 1)
	tb.wantCandidates("swept")
	tb.want(1, `name, _deleted_at`, `{"name":"written since","_deleted_at":null}`)
	tb.want(3, `_deleted_at`, deleted)
	if tb.row(5, `_deleted_at`) == `{"_deleted_at":null}` {
		t.Error("row 5 is live")
	}
}

// A sweep that is killed goes on where it was: what was judged stays so, whoever has the
// lease.
func TestSweepGoesOn(t *testing.T) {
	t.Parallel()
	pool := newStore(t)
	resource := lookup(t, "users")
	work := func(do func(ctx context.Context, lease *sink.Lease, run int64) error) {
		t.Helper()
		err := pool.WithLease(t.Context(), "users", "one after another", func(ctx context.Context, lease *sink.Lease) error {
			run, err := lease.ResumeRun(ctx, 1, "full", "manual")
			if err != nil {
				return err
			}
			return do(ctx, lease, run)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	work(func(ctx context.Context, lease *sink.Lease, run int64) error {
		page := sink.Page{Run: run, Resource: resource, RequestedAt: time.Now(), Checkpoint: sink.Checkpoint{State: sink.StateOK}}
		for id := int64(1); id <= 4; id++ {
			page.Records = append(page.Records, newRecord(t, resource, id, nil))
		}
		if _, err := lease.Apply(ctx, page); err != nil {
			return err
		}
		return lease.Expect(ctx, resource, time.Time{})
	})
	for {
		left := 0
		work(func(ctx context.Context, lease *sink.Lease, run int64) error {
			ids, err := lease.OpenCandidates(ctx, 1)
			if left = len(ids); err != nil || left == 0 {
				return err
			}
			now, err := pool.Now(ctx)
			if err != nil {
				return err
			}
			return lease.Judge(ctx, run, ids, nil, now, sink.Cost{Requests: 1}, sink.Checkpoint{State: sink.StateOK})
		})
		if left == 0 {
			break
		}
	}
	for _, want := range []int64{4, 0} {
		work(func(ctx context.Context, lease *sink.Lease, run int64) error {
			n, err := lease.Sweep(ctx, resource, run, true)
			if err != nil || n != want {
				t.Errorf("%d rows, %v", n, err)
			}
			return err
		})
	}
	run, err := pool.Run(t.Context(), 1)
	if err != nil || run.Tombstoned != 4 || run.Requests != 4 {
		t.Errorf("%+v, %v", run, err)
	}
}

// A deletion is explained by a row that owned the deleted one: one that is tombstoned,
// or one that was found to be gone.
func TestExplainedDeletions(t *testing.T) {
	t.Parallel()
	tb := newSwept(t, "tasks", func(tb *table) []catalog.Record {
		task := func(id int64, list, project any) catalog.Record {
			return tb.record(id, map[string]any{"tasklist_id": list, "project_id": project})
		}
		return []catalog.Record{
			task(1, "10", "100"), // its list is tombstoned
			task(2, "11", "101"), // its project is
			task(3, "11", "100"), // both live
			task(4, "12", "100"), // its list is not in the table
			task(5, "12", "100"),
			task(6, nil, nil),
			task(7, "11", "100"), // not gone
		}
	})
	ctx := t.Context()
	exec(t, tb.pool, `INSERT INTO paymo.tasklists (id, _synced_at, _deleted_at) VALUES (10, now(), now()), (11, now(), NULL)`)
	exec(t, tb.pool, `INSERT INTO paymo.projects (id, _synced_at, _deleted_at) VALUES (100, now(), NULL), (101, now(), now())`)
	tb.wantTally("not judged yet", sink.Candidates{Open: 7})
	suspects, err := tb.lease.SuspectOwners(ctx, tb.resource, "tasklist_id", 9)
	wantIDs(t, "suspects of nothing", suspects, err)
	tb.judge([]int64{1, 2, 3, 4, 5, 6}, nil)
	tb.wantTally("judged", sink.Candidates{Open: 1, Gone: 6, Unexplained: 4})

	suspects, err = tb.lease.SuspectOwners(ctx, tb.resource, "tasklist_id", 9)
	wantIDs(t, "lists", suspects, err, 12, 11)
	suspects, err = tb.lease.SuspectOwners(ctx, tb.resource, "tasklist_id", 1)
	wantIDs(t, "one list", suspects, err, 12)
	suspects, err = tb.lease.SuspectOwners(ctx, tb.resource, "project_id", 9)
	wantIDs(t, "projects", suspects, err, 100)
	for _, column := range []string{"name", "nothing"} {
		if _, err := tb.lease.SuspectOwners(ctx, tb.resource, column, 9); err == nil {
			t.Errorf("column %s holds owners", column)
		}
	}
	if err := tb.lease.Explain(ctx, tb.resource, "nothing", []int64{1}); err == nil {
		t.Error("a column that is not there explains")
	}

	tb.must(tb.lease.Explain(ctx, tb.resource, "tasklist_id", []int64{12}))
	tb.wantTally("explained", sink.Candidates{Open: 1, Gone: 6, Unexplained: 2})
	suspects, err = tb.lease.SuspectOwners(ctx, tb.resource, "tasklist_id", 9)
	wantIDs(t, "what is left", suspects, err, 11)
	tb.must(tb.lease.Explain(ctx, tb.resource, "tasklist_id", nil))

	tb.sweep(false, 4)
	tb.wantCandidates("without the unexplained", 3, 6, 7)
	tb.wantTally("without the unexplained", sink.Candidates{Open: 1, Gone: 2, Unexplained: 2})
	tb.sweep(true, 2)
	tb.wantCandidates("all", 7)
	if live := value[int](t, tb.pool, `SELECT count(*) FROM paymo.tasks WHERE _deleted_at IS NULL`); live != 1 {
		t.Errorf("%d rows are live", live)
	}
}

// Sentinels are rows that are known to live, of any table: the least and the greatest.
func TestSentinels(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "users")
	for _, record := range fiveUsers(tb) {
		tb.merge(record)
	}
	tb.merge(tb.record(2, map[string]any{"name": "zwei"}))
	exec(t, tb.pool, `INSERT INTO paymosync.candidates (account, table_name, row_id) VALUES ('default', 'users', 5)`)
	exec(t, tb.pool, `UPDATE paymo.users SET _deleted_at = now() WHERE id = 4`)
	got, err := tb.lease.Sentinels(t.Context(), tb.resource, 9)
	wantIDs(t, "all", got, err, 1, 2, 3)
	got, err = tb.lease.Sentinels(t.Context(), tb.resource, 2)
	wantIDs(t, "both ends", got, err, 1, 3)
	exec(t, tb.pool, `INSERT INTO paymo.clients (id, _synced_at) VALUES (5, now())`)
	got, err = tb.lease.Sentinels(t.Context(), lookup(t, "clients"), 9)
	wantIDs(t, "of another table", got, err, 5)
}
