package sink_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

func TestCheckpointRoundTrip(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "tasks")
	empty, err := tb.lease.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !empty.Cursor.IsZero() || empty.Progress != nil || empty.State != sink.StateUnavailable || empty.Reason != "not synced yet" || empty.Capabilities == nil {
		t.Errorf("before the first sync: %+v", empty)
	}
	moment := time.Date(2026, 3, 4, 5, 6, 7, 123456000, time.UTC)
	want := sink.Checkpoint{
		Cursor: moment, FullAt: moment.Add(time.Hour), FreshAsOf: moment.Add(2 * time.Hour),
		ParentsAt:    moment.Add(3 * time.Hour),
		Denied:       []int64{3, 4},
		ReadAt:       moment.Add(4 * time.Hour),
		Progress:     json.RawMessage(`{"page": 3}`),
		Backfill:     json.RawMessage(`{"from": "2026-01-01"}`),
		Capabilities: map[string]sink.Capability{"updated_on filter": {Since: moment.Truncate(time.Second), Reason: "ignored"}},
		LongestReply: 300, PageCap: 1000, Layout: "abc", State: sink.StateDegraded, Reason: "words",
	}
	if err := tb.lease.SaveCheckpoint(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	got, err := tb.store.Checkpoint(t.Context(), "tasks")
	if err != nil {
		t.Fatal(err)
	}
	got.Cursor, got.FullAt, got.FreshAsOf, got.ParentsAt = got.Cursor.UTC(), got.FullAt.UTC(), got.FreshAsOf.UTC(), got.ParentsAt.UTC()
	got.ReadAt = got.ReadAt.UTC()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if err := tb.lease.SaveCheckpoint(t.Context(), sink.Checkpoint{State: sink.StateOK}); err != nil {
		t.Fatal(err)
	}
	if got, err = tb.lease.Checkpoint(t.Context()); err != nil || !got.Cursor.IsZero() || got.Progress != nil || got.Backfill != nil || !got.ParentsAt.IsZero() || len(got.Capabilities) != 0 {
		t.Errorf("emptied: %+v, %v", got, err)
	}

	// Forgotten, the rows stay, and what is known of them.
	tb.merge(tb.record(1, map[string]any{"name": "one"}))
	if err := tb.lease.SaveCheckpoint(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	if err := tb.lease.ResetCheckpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err = tb.lease.Checkpoint(t.Context())
	if err != nil || !got.Cursor.IsZero() || !got.FullAt.IsZero() || !got.ParentsAt.IsZero() || got.Progress != nil || got.Backfill != nil || len(got.Capabilities) != 0 || got.LongestReply+got.PageCap != 0 || got.Layout != "" {
		t.Errorf("reset: %+v, %v", got, err)
	}
	if got.State != want.State || got.Reason != want.Reason || !got.FreshAsOf.Equal(want.FreshAsOf) {
		t.Errorf("reset forgot the state: %+v", got)
	}
	tb.want(1, `name`, `{"name":"one"}`)
}

func TestLedger(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "tasks") // starts a run
	ctx := t.Context()
	state := func(id int64) string {
		run, err := tb.store.Run(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		return run.State
	}
	// The run that the next one meets unfinished was of a process that is gone.
	second, err := tb.lease.StartRun(ctx, "incremental", "schedule")
	if err != nil {
		t.Fatal(err)
	}
	if state(tb.run) != sink.RunInterrupted || state(second) != sink.RunRunning {
		t.Errorf("%s and %s", state(tb.run), state(second))
	}
	// It can be gone on with, and then the other one is what was interrupted.
	if again, err := tb.lease.ResumeRun(ctx, tb.run, "full", "schedule"); err != nil || again != tb.run {
		t.Fatalf("run %d is gone on with as %d, %v", tb.run, again, err)
	}
	if state(tb.run) != sink.RunRunning || state(second) != sink.RunInterrupted {
		t.Errorf("%s and %s", state(tb.run), state(second))
	}

	tb.merge(tb.record(1, map[string]any{"name": "one"}), tb.record(2, nil))
	page := tb.page(tb.record(1, map[string]any{"name": "uno"}), tb.record(2, nil))
	page.Cost = sink.Cost{Requests: 2, Waited: 1500 * time.Millisecond, Bytes: 100}
	page.Stripped, page.Dropped = 3, 4
	tb.apply(page)
	cp := sink.Checkpoint{State: sink.StateDegraded, Reason: "because"}
	if err := tb.lease.EndRun(ctx, tb.run, sink.Ending{State: sink.StateDegraded, Sentence: "because", Cause: "quarantine"}, sink.Cost{Requests: 1, Bytes: 5}, cp); err != nil {
		t.Fatal(err)
	}
	run, err := tb.store.Run(ctx, tb.run)
	if err != nil {
		t.Fatal(err)
	}
	if run.FinishedAt == nil || run.FinishedAt.Before(run.StartedAt) {
		t.Errorf("it ran from %s to %v", run.StartedAt, run.FinishedAt)
	}
	want := sink.Run{
		ID: tb.run, Table: "tasks", Mode: "full", Reason: "manual", StartedAt: run.StartedAt, FinishedAt: run.FinishedAt,
		State: sink.StateDegraded, Sentence: "because", Cause: "quarantine", Inserted: 2, Updated: 1, Unchanged: 1, Stripped: 3, Dropped: 4, Requests: 3, WaitedMS: 1500, Bytes: 105,
	}
	if run != want {
		t.Errorf("%+v, want %+v", run, want)
	}
	// What has ended is not gone on with.
	third, err := tb.lease.ResumeRun(ctx, tb.run, "repair", "schedule")
	if err != nil || third == tb.run || third == second {
		t.Errorf("run %d, %v", third, err)
	}
	if state(tb.run) != sink.StateDegraded {
		t.Errorf("the ended run is %s", state(tb.run))
	}
	// One that hands itself back goes on running.
	if err := tb.lease.EndRun(ctx, third, sink.Ending{State: sink.RunRunning, Sentence: "goes on"}, sink.Cost{}, cp); err != nil {
		t.Fatal(err)
	}
	if run, err = tb.store.Run(ctx, third); err != nil || run.State != sink.RunRunning || run.FinishedAt != nil {
		t.Errorf("%+v, %v", run, err)
	}
	if _, err := tb.store.Run(ctx, 12345); err == nil {
		t.Error("there is a run that never was")
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "tasks")
	tb.merge(tb.record(1, nil), tb.record(2, nil), tb.record(3, nil))
	exec(t, tb.pool, `UPDATE paymo.tasks SET _deleted_at = now() WHERE id = 3`)
	moment := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	cp := sink.Checkpoint{State: sink.StateOK, FreshAsOf: moment, FullAt: moment, Progress: json.RawMessage(`{}`)}
	if err := tb.lease.EndRun(t.Context(), tb.run, sink.Ending{State: sink.StateOK}, sink.Cost{}, cp); err != nil {
		t.Fatal(err)
	}
	statuses, err := tb.store.Status(t.Context(), []*catalog.Resource{lookup(t, "users"), tb.resource}, 1)
	if err != nil || len(statuses) != 2 {
		t.Fatal(statuses, err)
	}
	users, tasks := statuses[0], statuses[1]
	if users.State != sink.StateUnavailable || users.Reason != "not synced yet" || users.LastRun() != nil || users.FullAt != nil || users.Rows != 0 || users.Unfinished {
		t.Errorf("%+v", users)
	}
	if tasks.State != sink.StateOK || tasks.Rows != 2 || !tasks.FreshAsOf.Equal(moment) || !tasks.FullAt.Equal(moment) || !tasks.Unfinished || tasks.LastRun() == nil || tasks.LastRun().ID != tb.run {
		t.Errorf("%+v", tasks)
	}
	// The same for people who ask in SQL.
	if state := value[string](t, tb.pool, `SELECT state FROM paymo._sync_status WHERE "table" = 'tasks'`); state != sink.StateOK {
		t.Errorf("the view says %s", state)
	}
}

func TestExtentBoundaryAndIDs(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "tasks")
	if extent, err := tb.store.Extent(t.Context(), tb.resource); err != nil || extent != (sink.Extent{}) {
		t.Errorf("of nothing: %+v, %v", extent, err)
	}
	updated := func(clock string) map[string]any { return map[string]any{"updated_on": at(clock)} }
	tb.merge(tb.record(5, updated("10:00:00")), tb.record(6, updated("12:00:00")), tb.record(7, updated("11:00:00")),
		tb.record(8, nil), tb.record(9, updated("12:00:00")))
	exec(t, tb.pool, `UPDATE paymo.tasks SET _deleted_at = now() WHERE id = 9`)
	if extent, err := tb.store.Extent(t.Context(), tb.resource); err != nil || extent != (sink.Extent{Rows: 4, MinID: 5, MaxID: 8}) {
		t.Errorf("%+v, %v", extent, err)
	}
	since := time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC)
	for limit, want := range map[int][]int64{1: {6}, 5: {6, 7, 5}} {
		if got, err := tb.store.Boundary(t.Context(), tb.resource, since, tb.now(), limit); err != nil || !slices.Equal(got, want) {
			t.Errorf("the %d newest: %v, %v", limit, got, err)
		}
	}
	for rows, want := range map[int64][]int64{1: {6, 7, 8}, 2: {7}, 3: {8}, 4: nil} {
		if got, err := tb.store.Cuts(t.Context(), tb.resource, rows); err != nil || !slices.Equal(got, want) {
			t.Errorf("cut at every %d rows: %v, %v", rows, got, err)
		}
	}
	if got, err := tb.store.IDs(t.Context(), "tasks"); err != nil || !slices.Equal(got, []int64{5, 6, 7, 8}) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestIdentity(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	ctx := t.Context()
	if _, ok, err := store.Identity(ctx); ok || err != nil {
		t.Fatal(ok, err)
	}
	pin := func(want bool, identity sink.Identity) {
		t.Helper()
		if ok, err := store.PinIdentity(ctx, identity); err != nil || ok != want {
			t.Errorf("pin %+v: %t, %v", identity, ok, err)
		}
	}
	admin := sink.Identity{BaseURL: "https://a", CompanyID: 0, UserID: 1, Role: "Admin", Scheme: "raw"}
	pin(true, admin)
	pin(true, sink.Identity{BaseURL: "https://a", CompanyID: 7, UserID: 2, Role: "Admin", Scheme: "basic"}) // learned later
	pin(true, admin)                                                                                        // hidden again: stays
	got, ok, err := store.Identity(ctx)
	if err != nil || !ok || got.CompanyID != 7 || got.UserID != 1 || got.Scheme != "raw" || got.CheckedAt.IsZero() {
		t.Errorf("%+v, %t, %v", got, ok, err)
	}
	pin(false, sink.Identity{BaseURL: "https://a", CompanyID: 8, UserID: 3, Role: "Admin", Scheme: "raw"})
	pin(false, sink.Identity{BaseURL: "https://b", CompanyID: 7, UserID: 3, Role: "Admin", Scheme: "raw"})
	if after, _, err := store.Identity(ctx); err != nil || after != got {
		t.Errorf("a refused pin changed it to %+v, %v", after, err)
	}
}
