package sink_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/paymosync/paymosync/sink"
)

// What was told again since it was claimed is not ended by those who claimed it before: they
// may have asked too early.
func TestToldAgainWhileClaimed(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "tasks")
	note(t, tb.store, "tasks", sink.Changed, time.Now(), 1, 2)
	claimed := claim(t, tb.store, sink.Claim{Table: "tasks"})
	wantChanges(t, "claimed", claimed, sink.Changed, 1, 2)
	note(t, tb.store, "tasks", sink.Changed, time.Now(), 1)
	page := tb.page(tb.record(1, nil), tb.record(2, nil))
	page.Settles = slices.Clone(claimed)
	tb.apply(page)
	if got := unsettled(t, tb); !slices.Equal(got, []int64{1}) {
		t.Errorf("%v wait, want 1", got)
	}
	if page.Settles[0].Lag != 0 || page.Settles[1].Lag <= 0 {
		t.Errorf("settled %+v", page.Settles)
	}
	// It waits for anybody, at once, and those who claimed it before do not keep it.
	if err := tb.store.SettleChanges(t.Context(), claimed); err != nil {
		t.Fatal(err)
	}
	again := claim(t, tb.store, sink.Claim{Table: "tasks", Urgent: true})
	wantChanges(t, "claimed again", again, sink.Changed, 1)
	if err := tb.store.UnclaimChanges(t.Context(), claimed); err != nil {
		t.Fatal(err)
	}
	wantChanges(t, "while it is claimed", claim(t, tb.store, sink.Claim{Table: "tasks"}), sink.Changed)
	if err := tb.store.SettleChanges(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	if got := unsettled(t, tb); len(got) != 0 {
		t.Errorf("%v wait", got)
	}
}

// A claim is one table's, of one kind, not larger than it may be, and ends with its term.
func TestClaimChanges(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "tasks")
	store := tb.store
	note(t, store, "tasks", sink.Gone, time.Now(), 1)
	early := tb.now()
	note(t, store, "tasks", sink.Changed, time.Now(), 2, 3, 4, 5)
	note(t, store, "users", sink.Changed, time.Now(), 9)

	wantChanges(t, "told of before", claim(t, store, sink.Claim{Table: "tasks", Before: early}), sink.Gone, 1)
	wantChanges(t, "told of before, again", claim(t, store, sink.Claim{Table: "tasks", Before: early}), sink.Changed)
	first := claim(t, store, sink.Claim{Table: "tasks", Limit: 3})
	wantChanges(t, "three of them", first, sink.Changed, 2, 3, 4)
	wantChanges(t, "the rest", claim(t, store, sink.Claim{Table: "tasks", Term: 200 * time.Millisecond}), sink.Changed, 5)
	wantChanges(t, "nothing", claim(t, store, sink.Claim{Table: "tasks"}), sink.Changed)
	if tables := urgent(t, store); !slices.Equal(tables, []string{"users"}) && !slices.Equal(tables, []string{"tasks", "users"}) {
		t.Errorf("%v wait", tables)
	}
	if err := store.UnclaimChanges(t.Context(), first[1:2]); err != nil {
		t.Fatal(err)
	}
	wantChanges(t, "what was given back", claim(t, store, sink.Claim{Table: "tasks", Limit: 1, Before: time.Time{}}), sink.Changed, 3)
	eventually(t, "the term is over", func() bool {
		got := claim(t, store, sink.Claim{Table: "tasks"})
		if len(got) == 0 {
			return false
		}
		wantChanges(t, "after the term", got, sink.Changed, 5)
		return true
	})
	if tables := urgent(t, store); !slices.Equal(tables, []string{"users"}) {
		t.Errorf("%v wait", tables)
	}
	if _, err := store.ClaimChanges(t.Context(), sink.Claim{Table: "users", Limit: 5, Term: time.Minute}); err != nil {
		t.Error(err)
	}
	if tables := urgent(t, store); len(tables) > 0 {
		t.Errorf("%v wait", tables)
	}
}

// urgent are the tables that do not have a change.
func urgent(t *testing.T, store *sink.Store) []string {
	t.Helper()
	tables, old, err := store.WaitingTables(t.Context(), time.Unix(0, 0))
	if err != nil || len(old) > 0 {
		t.Errorf("%v waited for long, %v", old, err)
	}
	return tables
}

// What the table has waits to be read again: by a sync that began later and reads what
// changed since, or else for a while.
func TestReread(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "tasks")
	store := tb.store
	now := time.Now()
	old := func(want ...string) {
		t.Helper()
		tables, old, err := store.WaitingTables(t.Context(), tb.now())
		if err != nil || len(tables) > 0 || !slices.Equal(old, want) {
			t.Errorf("%v and %v wait, %v; want %v to have waited for long", tables, old, err, want)
		}
	}
	note(t, store, "tasks", sink.Changed, now.Add(-time.Hour), 1)
	note(t, store, "tasks", sink.Changed, now.Add(-time.Minute), 2)
	exec(t, tb.pool, `UPDATE paymosync.changes SET merged_at = clock_timestamp()`)
	old("tasks")
	before := tb.now()
	note(t, store, "tasks", sink.Changed, now, 3)
	exec(t, tb.pool, `UPDATE paymosync.changes SET merged_at = clock_timestamp()`)
	note(t, store, "tasks", sink.Gone, now, 4)
	note(t, store, "tasks", sink.Changed, now, 5)

	read := func(read *sink.Reread, want ...int64) {
		t.Helper()
		run, err := tb.lease.StartRun(t.Context(), "incremental", "manual")
		if err != nil {
			t.Fatal(err)
		}
		if err := tb.lease.EndRun(t.Context(), run, sink.Ending{State: sink.StateOK, Reread: read}, sink.Cost{}, sink.Checkpoint{State: sink.StateOK}); err != nil {
			t.Fatal(err)
		}
		if got := unsettled(t, tb); !slices.Equal(got, want) {
			t.Errorf("after %+v %v wait, want %v", read, got, want)
		}
	}
	read(nil, 1, 2, 3, 4, 5)
	read(&sink.Reread{Told: before, Changed: now.Add(-2 * time.Minute)}, 1, 3, 4, 5)
	read(&sink.Reread{Told: before}, 3, 4, 5)
	read(&sink.Reread{Told: tb.now()}, 4, 5)
}

// What the table does not have is urgent. What it has goes along, in what room there is.
func TestClaimUrgentChanges(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "tasks")
	store := tb.store
	told := note(t, store, "tasks", sink.Changed, time.Now(), 1, 2, 3)
	page := tb.page(tb.record(1, nil), tb.record(2, nil), tb.record(3, nil))
	page.Tells = told
	tb.apply(page)
	wantChanges(t, "none is urgent", claim(t, store, sink.Claim{Table: "tasks", Urgent: true}), sink.Changed)
	note(t, store, "tasks", sink.Gone, time.Now(), 4)
	note(t, store, "tasks", sink.Changed, time.Now(), 5)
	wantChanges(t, "the first that is", claim(t, store, sink.Claim{Table: "tasks", Urgent: true}), sink.Gone, 4)
	wantChanges(t, "and what goes along", claim(t, store, sink.Claim{Table: "tasks", Urgent: true, Limit: 3}), sink.Changed, 1, 2, 5)
	wantChanges(t, "none is urgent any more", claim(t, store, sink.Claim{Table: "tasks", Urgent: true}), sink.Changed)
	wantChanges(t, "the rest waits", claim(t, store, sink.Claim{Table: "tasks"}), sink.Changed, 3)
}

// Of those who claim at once nobody gets what another one has.
func TestManyClaimChanges(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	var ids []int64
	for id := range int64(200) {
		ids = append(ids, id+1)
	}
	note(t, store, "tasks", sink.Changed, time.Now(), ids...)
	var mu sync.Mutex
	var got []int64
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for {
				changes, err := store.ClaimChanges(context.WithoutCancel(t.Context()), sink.Claim{Table: "tasks", Limit: 7, Term: time.Hour})
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				for _, change := range changes {
					got = append(got, change.ID)
				}
				done := len(got) >= len(ids)
				mu.Unlock()
				if done {
					return
				}
			}
		})
	}
	group.Wait()
	if slices.Sort(got); !slices.Equal(got, ids) {
		t.Errorf("claimed %v", got)
	}
}
