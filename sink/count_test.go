package sink_test

import (
	"testing"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// A table that somebody has locked, or dropped, hides neither itself nor the others, and
// what was counted serves until a run has written.
func TestStatusOfALockedTable(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "tasks")
	ctx := t.Context()
	tb.merge(tb.record(1, nil), tb.record(2, nil))
	tables := []*catalog.Resource{lookup(t, "users"), lookup(t, "clients"), tb.resource}
	status := func(store *sink.Store) []sink.TableStatus {
		t.Helper()
		statuses, err := store.Status(ctx, tables, 1)
		if err != nil {
			t.Fatal(err)
		}
		return statuses
	}
	if got := status(tb.store)[2]; got.Rows != 2 || got.Estimated {
		t.Errorf("%+v", got)
	}
	tb.merge(tb.record(3, nil))
	if got := status(tb.store)[2]; got.Rows != 3 {
		t.Errorf("a run has written, and it has %d rows", got.Rows)
	}

	exec(t, tb.pool, `DROP TABLE paymo.users CASCADE`)
	tx, err := tb.pool.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(ctx) }()
	if _, err := tx.Exec(ctx, `LOCK TABLE paymo.tasks IN ACCESS EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	fresh := sink.New(tb.pool, "paymo", catalog.DefaultAccount)
	got := status(fresh)
	if got[0].State != sink.StateFailing || got[0].Cause != sink.CauseTableMissing {
		t.Errorf("dropped: %+v", got[0])
	}
	if got[1].Estimated || got[1].State != sink.StateUnavailable {
		t.Errorf("beside them: %+v", got[1])
	}
	if !got[2].Estimated {
		t.Errorf("locked: %+v", got[2])
	}
	if got := status(tb.store)[2]; got.Rows != 3 || got.Estimated {
		t.Errorf("counted before it was locked: %+v", got)
	}
}
