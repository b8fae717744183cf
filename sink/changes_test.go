package sink_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
	"github.com/paymosync/paymosync/sink/sinktest"
)

// note notes that Paymo told of objects of a table, of each the same, and returns them by id.
func note(t testing.TB, store *sink.Store, table, kind string, happened time.Time, ids ...int64) []sink.Change {
	t.Helper()
	var told []sink.Change
	for _, id := range ids {
		told = append(told, sink.Change{Table: table, ID: id, Kind: kind, HappenedAt: happened, NewestAt: happened})
	}
	noted, err := store.NoteChanges(t.Context(), told)
	if err != nil {
		t.Fatal(err)
	}
	byID(noted)
	return noted
}

func byID(changes []sink.Change) {
	slices.SortFunc(changes, func(a, b sink.Change) int { return int(a.ID - b.ID) })
}

// claim claims changes and returns them by id.
func claim(t testing.TB, store *sink.Store, c sink.Claim) []sink.Change {
	t.Helper()
	if c.Limit == 0 {
		c.Limit = 100
	}
	if c.Term == 0 {
		c.Term = time.Minute
	}
	changes, err := store.ClaimChanges(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	byID(changes)
	return changes
}

// wantChanges holds changes against the ids that they are to be of, and their kind.
func wantChanges(t testing.TB, what string, got []sink.Change, kind string, ids ...int64) {
	t.Helper()
	var have []int64
	for _, change := range got {
		have = append(have, change.ID)
		if change.Kind != kind {
			t.Errorf("%s: %+v, want %s", what, change, kind)
		}
	}
	if !slices.Equal(have, ids) {
		t.Errorf("%s: %v, want %v", what, have, ids)
	}
}

// unsettled are the objects of changes that wait, whoever looks after them.
func unsettled(t testing.TB, tb *table) []int64 {
	t.Helper()
	return value[[]int64](t, tb.pool, `SELECT coalesce(array_agg(row_id ORDER BY row_id, kind), '{}') FROM paymosync.changes WHERE settled_at IS NULL`)
}

// However often an object is told of, it waits once, from the first that its table lacks
// until the last.
func TestNoteChanges(t *testing.T) {
	t.Parallel()
	pool := sinktest.Database(t)
	store := sink.New(pool, sinktest.Warehouse, catalog.DefaultAccount)
	hour := func(n int) time.Time { return time.Date(2026, 3, 4, n, 0, 0, 0, time.UTC) }
	noted, err := store.NoteChanges(t.Context(), []sink.Change{
		{Table: "tasks", ID: 1, Kind: sink.Changed, HappenedAt: hour(5), NewestAt: hour(5)},
		{Table: "tasks", ID: 1, Kind: sink.Changed, HappenedAt: hour(3), NewestAt: hour(3)},
		{Table: "tasks", ID: 1, Kind: sink.Changed, HappenedAt: hour(4), NewestAt: hour(4)},
		{Table: "tasks", ID: 1, Kind: sink.Gone, HappenedAt: hour(6), NewestAt: hour(6)},
		{Table: "users", ID: 1, Kind: sink.Changed, HappenedAt: hour(7), NewestAt: hour(7)},
	})
	if err != nil || len(noted) != 3 {
		t.Fatal(noted, err)
	}
	for _, change := range noted {
		want := map[string][2]time.Time{"tasks changed": {hour(3), hour(5)}, "tasks gone": {hour(6), hour(6)}, "users changed": {hour(7), hour(7)}}[change.Table+" "+change.Kind]
		if !change.HappenedAt.Equal(want[0]) || !change.NewestAt.Equal(want[1]) || change.Times != 1 || change.ID != 1 {
			t.Errorf("%+v, want %v", change, want)
		}
	}
	// What came earlier is the first, whenever it is told.
	for i, test := range []struct{ told, first, last int }{{4, 3, 5}, {2, 2, 5}, {9, 2, 9}} {
		got := note(t, store, "tasks", sink.Changed, hour(test.told), 1)
		if len(got) != 1 || got[0].Times != i+2 || !got[0].HappenedAt.Equal(hour(test.first)) || !got[0].NewestAt.Equal(hour(test.last)) {
			t.Errorf("after %d: %+v", test.told, got)
		}
	}
	// Once the table has it the next one is the first.
	got := note(t, store, "tasks", sink.Changed, hour(9), 1)
	if err := store.SettleChanges(t.Context(), got); err != nil {
		t.Fatal(err)
	}
	if got = note(t, store, "tasks", sink.Changed, hour(10), 1); !got[0].HappenedAt.Equal(hour(10)) || got[0].Times != 6 {
		t.Errorf("after it was settled: %+v", got)
	}
	wantChanges(t, "what waits again", claim(t, store, sink.Claim{Table: "tasks", Limit: 1, Urgent: true, Before: time.Time{}}), sink.Gone, 1)
	// What is told of the future happened now, at the latest.
	if got = note(t, store, "tasks", sink.Changed, time.Now().Add(time.Hour), 2); got[0].HappenedAt.After(time.Now().Add(time.Minute)) {
		t.Errorf("of the future: %+v", got)
	}
	if got := note(t, store, "tasks", sink.Changed, hour(1)); len(got) != 0 {
		t.Errorf("of nothing: %+v", got)
	}
	// Another account's are its own.
	other := sink.New(pool, sinktest.Warehouse, "other")
	if got := note(t, other, "tasks", sink.Changed, hour(1), 1); got[0].Times != 1 {
		t.Errorf("another account's: %+v", got)
	}
	wantChanges(t, "another account's", claim(t, other, sink.Claim{Table: "tasks"}), sink.Changed, 1)
}

// Those who note the same objects, and those whose hooks they are, wait for each other and do
// not end in a deadlock.
func TestManyNoteChanges(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	tables := []string{"tasks", "users", "projects", "clients", "tasklists", "invoices"}
	for i, name := range tables {
		if err := store.KeepHook(t.Context(), sink.Hook{ID: int64(i + 1), Table: name, TargetURL: "https://x", SecretMark: "m"}); err != nil {
			t.Fatal(err)
		}
	}
	const rounds, noters = 30, 4
	var group sync.WaitGroup
	for noter := range noters {
		group.Go(func() {
			random := rand.New(rand.NewPCG(7, uint64(noter)))
			for range rounds {
				var told []sink.Change
				for id := range int64(10) {
					for _, name := range tables {
						told = append(told, sink.Change{Table: name, ID: id + 1, Kind: sink.Changed, HappenedAt: time.Now(), NewestAt: time.Now()})
					}
				}
				random.Shuffle(len(told), func(i, j int) { told[i], told[j] = told[j], told[i] })
				if noted, err := store.NoteChanges(t.Context(), told); err != nil || len(noted) != len(told) {
					t.Errorf("%d noted, %v", len(noted), err)
				}
				// Of its own objects: only the hooks are the others' too.
				for i := range told {
					told[i].ID += 1000 * int64(noter+1)
				}
				random.Shuffle(len(told), func(i, j int) { told[i], told[j] = told[j], told[i] })
				if _, err := store.NoteChanges(t.Context(), told[:2+random.IntN(10)]); err != nil {
					t.Error(err)
				}
				if err := store.Listen(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if got := note(t, store, "tasks", sink.Changed, time.Now(), 1); got[0].Times != rounds*noters+1 {
		t.Errorf("%+v", got)
	}
}

// Nor do those who note what others settle.
func TestManySettleChanges(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	var group sync.WaitGroup
	for settler := range 4 {
		group.Go(func() {
			random := rand.New(rand.NewPCG(7, uint64(settler)))
			for range 40 {
				var told []sink.Change
				for _, id := range random.Perm(40) {
					told = append(told, sink.Change{Table: "tasks", ID: int64(id) + 1, Kind: sink.Changed, HappenedAt: time.Now(), NewestAt: time.Now()})
				}
				noted, err := store.NoteChanges(t.Context(), told)
				if err != nil {
					t.Error(err)
				}
				random.Shuffle(len(noted), func(i, j int) { noted[i], noted[j] = noted[j], noted[i] })
				if err := store.SettleChanges(t.Context(), noted); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if got := note(t, store, "tasks", sink.Changed, time.Now(), 1); got[0].Times != 161 {
		t.Errorf("%+v", got)
	}
}

// A row that is newer needs no reading for what happened before it, and one that is not there
// none for its deletion.
func TestSuperseded(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "tasks")
	for id := range int64(4) {
		tb.merge(tb.record(id+1, map[string]any{"updated_on": at("10:00:00")}))
	}
	tb.merge(tb.record(5, nil))                                                 // says not when
	exec(t, tb.pool, `UPDATE paymo.tasks SET _deleted_at = now() WHERE id = 4`) // newer, and marked deleted
	noon := time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC)
	var changes []sink.Change
	for id, happened := range map[int64]time.Time{1: noon.Add(-time.Second), 2: noon, 3: noon.Add(time.Second), 4: noon.Add(-time.Second), 5: noon, 6: noon} {
		changes = append(changes, note(t, tb.store, "tasks", sink.Changed, happened, id)...)
	}
	got, err := tb.store.Superseded(t.Context(), changes)
	if err != nil {
		t.Fatal(err)
	}
	wantChanges(t, "changed", got, sink.Changed, 1)
	got, err = tb.store.Superseded(t.Context(), note(t, tb.store, "tasks", sink.Gone, noon, 1, 4, 6))
	if err != nil {
		t.Fatal(err)
	}
	byID(got)
	wantChanges(t, "gone", got, sink.Gone, 4, 6)
	// The last that was told counts.
	note(t, tb.store, "tasks", sink.Changed, noon.Add(time.Hour), 1)
	changes = note(t, tb.store, "tasks", sink.Changed, noon.Add(-time.Hour), 1)
	if got, err := tb.store.Superseded(t.Context(), changes); err != nil || len(got) > 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := tb.store.Superseded(t.Context(), nil); err != nil || len(got) > 0 {
		t.Errorf("of nothing: %+v, %v", got, err)
	}
}

// From what was told alone no row is made of what is marked deleted, or of what was told to
// be gone and looked at since.
func TestDeparted(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "tasks")
	for id := range int64(2) {
		tb.merge(tb.record(id+1, nil))
	}
	exec(t, tb.pool, `UPDATE paymo.tasks SET _deleted_at = now() WHERE id = 2`)
	depart := func(kind string, id int64, then func(context.Context, []sink.Change) error) {
		note(t, tb.store, "tasks", kind, time.Now(), id)
		if then == nil {
			return
		}
		if err := then(t.Context(), claim(t, tb.store, sink.Claim{Table: "tasks", Urgent: true})); err != nil {
			t.Fatal(err)
		}
	}
	var looking []sink.Change
	depart(sink.Gone, 3, func(_ context.Context, changes []sink.Change) error { looking = changes; return nil })
	depart(sink.Gone, 4, tb.store.DeferChanges)
	depart(sink.Gone, 5, tb.store.SettleChanges)
	depart(sink.Changed, 6, tb.store.DeferChanges)
	depart(sink.Gone, 7, nil) // nobody looked yet
	ids := []int64{1, 2, 3, 4, 5, 6, 7}
	if got, err := tb.store.Departed(t.Context(), "tasks", ids); err != nil || !slices.Equal(got, []int64{2, 3, 4}) {
		t.Errorf("departed %v, %v", got, err)
	}
	// Where a row came meanwhile those wait again, and whoever looks does not end it.
	if n, err := tb.store.LookAgain(t.Context(), "tasks", ids); err != nil || n != 2 {
		t.Errorf("%d are looked at again, %v", n, err)
	}
	if err := tb.store.DeferChanges(t.Context(), looking); err != nil {
		t.Fatal(err)
	}
	wantChanges(t, "again", claim(t, tb.store, sink.Claim{Table: "tasks", Urgent: true}), sink.Gone, 3, 4, 7)
}

// What was told of a day ago is forgotten, whatever became of it.
func TestPruneChanges(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "tasks")
	note(t, tb.store, "tasks", sink.Changed, time.Now(), 1, 2, 3, 4)
	note(t, sink.New(tb.pool, sinktest.Warehouse, "other"), "tasks", sink.Changed, time.Now(), 1)
	if err := tb.store.SettleChanges(t.Context(), claim(t, tb.store, sink.Claim{Table: "tasks", Limit: 2})); err != nil {
		t.Fatal(err)
	}
	exec(t, tb.pool, `UPDATE paymosync.changes SET heard_at = heard_at - interval '25 hours' WHERE row_id IN (1, 3)`)
	if _, err := tb.store.Prune(t.Context(), sink.Retention{}); err != nil {
		t.Fatal(err)
	}
	if got := value[string](t, tb.pool, `SELECT string_agg(account || row_id, ' ' ORDER BY account, row_id) FROM paymosync.changes`); got != "default2 default4 other1" {
		t.Errorf("kept %s", got)
	}
}
