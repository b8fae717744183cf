package sink_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
	"github.com/paymosync/paymosync/sink/sinktest"
)

func newBudget(t testing.TB) (*sink.Budget, *pgxpool.Pool) {
	t.Helper()
	pool := sinktest.Database(t)
	return sink.New(pool, sinktest.Warehouse, catalog.DefaultAccount).Budget(100), pool
}

func take(t testing.TB, budget *sink.Budget, most time.Duration) (wait time.Duration, ok bool) {
	t.Helper()
	wait, ok, err := budget.Take(t.Context(), most)
	if err != nil {
		t.Fatal(err)
	}
	return wait, ok
}

func observe(t testing.TB, budget *sink.Budget, limit int, period time.Duration, remaining int, retryAfter time.Duration) {
	t.Helper()
	if err := budget.Observe(t.Context(), limit, period, remaining, retryAfter); err != nil {
		t.Fatal(err)
	}
}

// Several processes share the budget: whatever they do at once, the requests are due
// one pace apart, so that no window of a period holds more than the limit.
func TestBudgetIsShared(t *testing.T) {
	t.Parallel()
	_, pool := newBudget(t)
	const limit, period = 5, 5 * time.Second
	first := sink.New(pool, sinktest.Warehouse, catalog.DefaultAccount).Budget(100)
	take(t, first, 0)
	observe(t, first, limit, period, limit-1, 0)

	var mu sync.Mutex
	var due []time.Time
	var group sync.WaitGroup
	for range 4 {
		budget := sink.New(pool, sinktest.Warehouse, catalog.DefaultAccount).Budget(100)
		group.Go(func() {
			for range 10 {
				wait, ok := take(t, budget, time.Hour)
				now := time.Now() // the wait counts from the answer on
				if !ok {
					t.Error("refused")
				}
				mu.Lock()
				due = append(due, now.Add(wait))
				mu.Unlock()
			}
		})
	}
	group.Wait()
	// What a server sees that counts in sliding windows, however the answers were delayed.
	const slack = 500 * time.Millisecond
	for i := range due {
		within := 0
		for j := range due {
			if d := due[j].Sub(due[i]); d >= 0 && d < period-slack {
				within++
			}
		}
		if within > limit {
			t.Errorf("%d requests within a period", within)
		}
	}
	earliest, latest := due[0], due[0]
	for _, d := range due {
		if d.Before(earliest) {
			earliest = d
		}
		if d.After(latest) {
			latest = d
		}
	}
	// And nothing of the budget is wasted: one and a fiftieth seconds a request.
	if span := latest.Sub(earliest); span > time.Duration(len(due))*1020*time.Millisecond {
		t.Errorf("%d requests take %s", len(due), span)
	}
}

func TestBudgetRefusesLongWaits(t *testing.T) {
	t.Parallel()
	budget, pool := newBudget(t)
	if wait, ok := take(t, budget, 0); wait != 0 || !ok {
		t.Errorf("the first request waits for %s, %t", wait, ok)
	}
	if wait, ok := take(t, budget, 0); wait != 0 || !ok {
		t.Errorf("without a known limit a request waits for %s, %t", wait, ok)
	}
	observe(t, budget, 1, time.Hour, 0, 0)
	take(t, budget, 2*time.Hour)
	before := value[time.Time](t, pool, `SELECT dues[cardinality(dues)] FROM paymosync.budgets`)
	for range 3 {
		wait, ok := take(t, budget, time.Minute)
		if ok || wait < 30*time.Minute {
			t.Errorf("wait %s, %t", wait, ok)
		}
	}
	if after := value[time.Time](t, pool, `SELECT dues[cardinality(dues)] FROM paymosync.budgets`); !after.Equal(before) {
		t.Errorf("a refusal reserved something: %s", after.Sub(before))
	}
}

func TestBudgetStaysAwayAfter429(t *testing.T) {
	t.Parallel()
	budget, pool := newBudget(t)
	take(t, budget, 0)
	observe(t, budget, 0, 0, -1, 10*time.Second)
	wait, ok := take(t, budget, 5*time.Second)
	if ok || wait < 8*time.Second || wait > 10*time.Second {
		t.Errorf("wait %s, %t", wait, ok)
	}
	// A shorter one does not end a longer one.
	observe(t, budget, 0, 0, -1, time.Second)
	if wait, ok = take(t, budget, time.Minute); !ok || wait < 7*time.Second {
		t.Errorf("wait %s, %t", wait, ok)
	}
	exec(t, pool, `UPDATE paymosync.budgets SET blocked_until = clock_timestamp(), dues = '{}'`)
	if wait, ok = take(t, budget, time.Second); !ok {
		t.Errorf("after it: wait %s, %t", wait, ok)
	}
}

// A clock that was set back leaves a stay behind that ends days ahead: it stops nobody,
// and does not hide a stay that a server asks for now.
func TestBudgetForgetsAStayFarAhead(t *testing.T) {
	t.Parallel()
	budget, pool := newBudget(t)
	take(t, budget, 0)
	stay := func(length string) {
		t.Helper()
		exec(t, pool, `UPDATE paymosync.budgets SET dues = '{}', blocked_until = clock_timestamp() + $1::text::interval`, length)
	}
	stay("1 hour")
	if wait, ok := take(t, budget, 0); ok || wait < 59*time.Minute {
		t.Errorf("with an hour to stay away it waits for %s, %t", wait, ok)
	}
	stay("3 days")
	if wait, ok := take(t, budget, 0); !ok || wait != 0 {
		t.Errorf("with days to stay away it waits for %s, %t", wait, ok)
	}
	observe(t, budget, 0, 0, -1, 10*time.Second)
	if wait, ok := take(t, budget, 0); ok || wait < 8*time.Second || wait > 10*time.Second {
		t.Errorf("asked to stay away it waits for %s, %t", wait, ok)
	}
}

// With nothing remaining though we asked for little, others use the key: we stay away
// for a period.
func TestBudgetMakesWayForOthers(t *testing.T) {
	t.Parallel()
	budget, _ := newBudget(t)
	take(t, budget, 0)
	observe(t, budget, 5, 5*time.Second, 4, 0)
	if wait, _ := take(t, budget, time.Hour); wait > 1100*time.Millisecond {
		t.Errorf("the next one waits for %s", wait)
	}
	observe(t, budget, 5, 5*time.Second, 0, 0)
	if wait, _ := take(t, budget, time.Hour); wait < 4*time.Second || wait > 8*time.Second {
		t.Errorf("with nothing remaining it waits for %s", wait)
	}
}

// The limit follows the headers, and another account has a budget of its own.
func TestBudgetFollowsTheHeaders(t *testing.T) {
	t.Parallel()
	budget, pool := newBudget(t)
	take(t, budget, 0)
	observe(t, budget, 1, 10*time.Second, 1, 0)
	observe(t, budget, 10, 10*time.Second, 9, 0)
	pace := value[time.Duration](t, pool, `SELECT period / rate_limit FROM paymosync.budgets`)
	if pace != 1020*time.Millisecond {
		t.Errorf("the pace is %s", pace)
	}
	observe(t, budget, 0, 0, -1, 0) // a reply without headers changes nothing
	if again := value[time.Duration](t, pool, `SELECT period / rate_limit FROM paymosync.budgets`); again != pace {
		t.Errorf("the pace is %s", again)
	}
	other := sink.New(pool, sinktest.Warehouse, "another").Budget(100)
	if wait, ok := take(t, other, 0); wait != 0 || !ok {
		t.Errorf("another account waits for %s, %t", wait, ok)
	}
}

// What is known of the budget is told without a request being reserved.
func TestBudgetState(t *testing.T) {
	t.Parallel()
	budget, pool := newBudget(t)
	state := func() sink.BudgetState {
		t.Helper()
		state, err := budget.State(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return state
	}
	if got := state(); got != (sink.BudgetState{Share: 100, Left: -1}) {
		t.Errorf("before the first request: %+v", got)
	}
	take(t, budget, 0)
	if got := state(); got.Limit != 0 || got.Left != -1 || !got.BlockedUntil.IsZero() {
		t.Errorf("before a limit is known: %+v", got)
	}
	observe(t, budget, 5, time.Hour, 4, 0)
	if got := state(); got.Limit != 5 || got.Left != 4 || got.Period < time.Hour || got.Wait < 10*time.Minute || !got.BlockedUntil.IsZero() {
		t.Errorf("after a request: %+v", got)
	}
	before := value[string](t, pool, `SELECT b::text FROM paymosync.budgets AS b`)
	observe(t, budget, 0, 0, -1, 30*time.Minute)
	if got := state(); got.Left != 0 || got.BlockedUntil.Before(time.Now().Add(20*time.Minute)) || got.Wait < 20*time.Minute {
		t.Errorf("after a 429: %+v", got)
	}
	if after := value[string](t, pool, `SELECT b::text FROM paymosync.budgets AS b`); strings.Count(after, ",") != strings.Count(before, ",") {
		t.Errorf("looking reserved something: %s", after)
	}
}
