package sink_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// visit visits the table.
func (tb *table) visit() *sink.Lease {
	tb.t.Helper()
	return tb.store.Visit(tb.resource.Table)
}

// told is a page of what Paymo told, which was not asked.
func (tb *table) told(tells []sink.Change, records ...catalog.Record) sink.Page {
	return sink.Page{Resource: tb.resource, Records: records, RequestedAt: time.Unix(0, 0), Unknown: map[string]string{}, Tells: tells}
}

// A visit writes while another process syncs the table. It leaves the other's checkpoint and
// run as they are, and the lease its own.
func TestVisitWhileLeased(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "tasks")
	page := tb.page(tb.record(1, map[string]any{"name": "one", "updated_on": at("10:00:00")}))
	page.Checkpoint = sink.Checkpoint{State: sink.StateDegraded, Reason: "for the test", Cursor: tb.now()}
	tb.apply(page)
	kept := func() string {
		return value[string](t, tb.pool, `
			SELECT (SELECT row_to_json(c)::text FROM paymosync.checkpoints AS c)
				|| (SELECT row_to_json(r)::text FROM paymosync.runs AS r)
				|| (SELECT owner || fence FROM paymosync.leases)`)
	}
	before := kept()
	visit := tb.visit()
	page = tb.page(
		tb.record(1, map[string]any{"name": "uno", "updated_on": at("11:00:00")}),
		tb.record(2, map[string]any{"name": "two", "updated_on": at("11:00:00")}),
	)
	page.Run, page.Checkpoint = 0, sink.Checkpoint{}
	page.Rejects = []catalog.Reject{{Payload: `{"id": "x"}`, Problem: "for the test"}}
	result, err := visit.Apply(t.Context(), page)
	if err != nil {
		t.Fatal(err)
	}
	wantCounts(t, result, 1, 1, 0, 1)
	tb.want(1, `name`, `{"name":"uno"}`)
	tb.want(2, `name`, `{"name":"two"}`)
	if after := kept(); after != before {
		t.Errorf("it was\n%s\nand is\n%s", before, after)
	}
	if n := value[int](t, tb.pool, `SELECT count(*) FROM paymosync.quarantine`); n != 1 {
		t.Errorf("%d in quarantine", n)
	}
	// The other one goes on, and the newer version of each row stays.
	wantCounts(t, tb.merge(tb.record(1, map[string]any{"name": "one", "updated_on": at("10:00:00")})), 0, 0, 0, 0)
	tb.want(1, `name`, `{"name":"uno"}`)
}

// A table that nobody synced yet cannot be visited; of another one nobody is kept from
// syncing it: a visit holds no term.
func TestVisitOfNoLease(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	tasks := lookup(t, "tasks")
	page := sink.Page{Resource: tasks, Records: []catalog.Record{newRecord(t, tasks, 1, nil)}, RequestedAt: time.Now()}
	if _, err := store.Visit("tasks").Apply(t.Context(), page); !errors.Is(err, sink.ErrLeaseLost) {
		t.Error(err)
	}
	for range 2 {
		visit := store.Visit("tasks")
		// However often the lease is taken meanwhile, the visit is not over.
		for range 2 {
			if err := store.WithLease(t.Context(), "tasks", "another", func(context.Context, *sink.Lease) error { return nil }); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := visit.Apply(t.Context(), page); err != nil {
			t.Fatal(err)
		}
	}
}

// A visit waits for the page that is being written, and the next page for the visit.
func TestVisitWaits(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "tasks")
	inside, release, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- tb.lease.Transact(context.WithoutCancel(t.Context()), func(pgx.Tx) error {
			close(inside)
			<-release
			return nil
		})
	}()
	<-inside
	visited := make(chan error, 1)
	visit := tb.visit()
	go func() {
		_, err := visit.Apply(context.WithoutCancel(t.Context()), tb.told(nil, tb.record(1, nil)))
		visited <- err
	}()
	eventually(t, "the visit waits", func() bool {
		return value[bool](t, tb.pool, `
			SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')`)
	})
	tb.want(1, `id`, `none`)
	select {
	case err := <-visited:
		t.Errorf("the visit did not wait: %v", err)
		visited <- err
	default:
	}
	close(release)
	for _, end := range []chan error{ended, visited} {
		if err := <-end; err != nil {
			t.Error(err)
		}
	}
	tb.want(1, `id`, `{"id":1}`)

	// The other way round.
	inside, release = make(chan struct{}), make(chan struct{})
	go func() {
		ended <- visit.Transact(context.WithoutCancel(t.Context()), func(pgx.Tx) error {
			close(inside)
			<-release
			return nil
		})
	}()
	<-inside
	short, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := tb.lease.Apply(short, tb.page(tb.record(2, nil))); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the page did not wait: %v", err)
	}
	close(release)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	tb.merge(tb.record(2, nil))
}

// What Paymo told is merged only where it is newer, and only what the table has then counts
// as merged: for the rest Paymo is asked.
func TestTells(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "tasks")
	for id := range int64(3) {
		tb.merge(tb.record(id+1, map[string]any{"name": "old", "updated_on": at("10:00:00")}))
	}
	happened := tb.now().Add(-3 * time.Second)
	tells := note(t, tb.store, "tasks", sink.Changed, happened, 1, 2, 3, 4, 5)
	page := tb.told(tells[:4:4],
		tb.record(1, map[string]any{"name": "older", "updated_on": at("09:59:59")}),
		tb.record(2, map[string]any{"name": "another", "updated_on": at("10:00:00")}), // which of them is newer?
		tb.record(3, map[string]any{"name": "newer", "updated_on": at("10:00:01")}),
		tb.record(4, map[string]any{"name": "new", "updated_on": at("10:00:01")}),
	)
	result, err := tb.visit().Apply(t.Context(), page)
	if err != nil {
		t.Fatal(err)
	}
	wantCounts(t, result, 1, 1, 0, 0)
	slices.Sort(result.Stale)
	if !slices.Equal(result.Stale, []int64{1, 2}) {
		t.Errorf("stale %v", result.Stale)
	}
	tb.want(1, `name`, `{"name":"old"}`)
	tb.want(2, `name`, `{"name":"old"}`)
	tb.want(3, `name`, `{"name":"newer"}`)
	if got := value[[]int64](t, tb.pool, `SELECT array_agg(row_id ORDER BY row_id) FROM paymosync.changes WHERE merged_at IS NOT NULL`); !slices.Equal(got, []int64{3, 4}) {
		t.Errorf("merged %v", got)
	}
	if got := unsettled(t, tb); len(got) != 5 {
		t.Errorf("%v wait, want all", got)
	}
	// The changes are the caller's: each is where it was, and those that are merged have a lag.
	wantChanges(t, "told", page.Tells, sink.Changed, 1, 2, 3, 4)
	for _, change := range page.Tells {
		if lagged := change.Lag >= 3*time.Second && change.Lag < time.Minute; lagged != (change.ID == 3 || change.ID == 4) {
			t.Errorf("%+v", change)
		}
	}
	// Told again it is the same, and that is no difference: it is merged already.
	again := note(t, tb.store, "tasks", sink.Changed, happened, 4)
	page = tb.told(again, tb.record(4, map[string]any{"name": "new", "updated_on": at("10:00:01")}))
	if result, err = tb.visit().Apply(t.Context(), page); err != nil || len(result.Stale) > 0 || result.Unchanged != 1 {
		t.Errorf("%+v, %v", result, err)
	}
	// When it is settled, it has its lag already.
	claimed := claim(t, tb.store, sink.Claim{Table: "tasks", Urgent: true})
	wantChanges(t, "claimed", claimed, sink.Changed, 1, 2, 3, 4, 5)
	if err := tb.store.SettleChanges(t.Context(), claimed); err != nil {
		t.Fatal(err)
	}
	for _, change := range claimed {
		if lagged := change.Lag >= 3*time.Second; lagged != (change.ID == 1 || change.ID == 2 || change.ID == 5) {
			t.Errorf("%+v", change)
		}
	}
}

// A change that happened after it was merged, as clocks differ, has a lag of nothing.
func TestLagIsNotNegative(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "tasks")
	changes := note(t, tb.store, "tasks", sink.Changed, time.Now(), 1)
	exec(t, tb.pool, `UPDATE paymosync.changes SET happened_at = clock_timestamp() + interval '1 minute'`)
	if err := tb.store.SettleChanges(t.Context(), changes); err != nil || changes[0].Lag != 0 {
		t.Errorf("%+v, %v", changes, err)
	}
}

// Rows are marked deleted that Paymo said to be gone, but none that was written after it was
// asked.
func TestBury(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "tasks")
	tb.merge(tb.record(1, nil), tb.record(2, nil), tb.record(3, nil), tb.record(4, nil))
	exec(t, tb.pool, `UPDATE paymo.tasks SET _deleted_at = '2026-01-01' WHERE id = 3`)
	changes := note(t, tb.store, "tasks", sink.Gone, time.Now(), 1, 2, 3, 9)
	asked := tb.now()
	tb.merge(tb.record(2, map[string]any{"name": "is back"}))
	note(t, tb.store, "tasks", sink.Gone, time.Now(), 9) // again
	n, err := tb.visit().Bury(t.Context(), []int64{1, 2, 3, 9}, asked, changes, false)
	if err != nil || n != 1 {
		t.Errorf("%d marked deleted, %v", n, err)
	}
	for id, row := range map[int64]string{1: `{"dead":true}`, 2: `{"dead":false}`, 3: `{"dead":true}`, 4: `{"dead":false}`, 9: `none`} {
		tb.want(id, `_deleted_at IS NOT NULL AS dead`, row)
	}
	tb.want(3, `_deleted_at::date AS day`, `{"day":"2026-01-01"}`)
	if got := unsettled(t, tb); !slices.Equal(got, []int64{9}) {
		t.Errorf("%v wait, want 9", got)
	}
	for _, change := range changes {
		if (change.Lag > 0) != (change.ID != 9) {
			t.Errorf("%+v", change)
		}
	}
	if n, err := tb.visit().Bury(t.Context(), nil, tb.now(), nil, false); err != nil || n != 0 {
		t.Errorf("of none: %d, %v", n, err)
	}
}
