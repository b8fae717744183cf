package jobs_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
	"github.com/paymosync/paymosync/sink/sinktest"
)

// clock is a clock of the test's own, which the database goes by too: its sessions find a
// clock_timestamp before PostgreSQL's.
type clock struct {
	t    testing.TB
	pool *pgxpool.Pool
	now  time.Time
}

func newClock(t testing.TB) *clock {
	t.Helper()
	config := sinktest.Database(t).Config()
	config.ConnConfig.RuntimeParams["search_path"] = "clock, pg_catalog"
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	c := &clock{t: t, pool: pool, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	for _, statement := range []string{
		`CREATE SCHEMA clock`,
		`CREATE TABLE clock.hand AS SELECT 'epoch'::timestamptz AS now`,
		`CREATE FUNCTION clock.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS 'SELECT now FROM clock.hand'`,
	} {
		if _, err := pool.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	c.pass(0)
	return c
}

// pass lets time pass.
func (c *clock) pass(d time.Duration) {
	c.t.Helper()
	c.now = c.now.Add(d)
	if _, err := c.pool.Exec(c.t.Context(), `UPDATE clock.hand SET now = $1`, c.now); err != nil {
		c.t.Fatal(err)
	}
}

// The budget within one process and the one in PostgreSQL keep the same rules: whatever
// is asked of them and told to them, they answer alike.
func TestBudgetsAgree(t *testing.T) {
	t.Parallel()
	for i, share := range []int{100, 80, 50, 25, 50} {
		seed := rand.Uint64()
		if i == 4 {
			seed = 4294068454410876296 // a bulk request is blocked before a limit is known
		}
		clock := newClock(t)
		pacer := &paymo.Pacer{Share: share, Now: func() time.Time { return clock.now }}
		shared := sink.New(clock.pool, sinktest.Warehouse, catalog.DefaultAccount).Budget(share)
		game := &budgetGame{
			clock: clock, random: rand.New(rand.NewPCG(seed, 0)),
			scheduled: [2]paymo.Budget{pacer, shared}, bulk: [2]paymo.Budget{pacer.Bulk(), shared.Bulk()},
		}
		game.take(0)
		for step := range 400 {
			if game.step(); t.Failed() {
				t.Fatalf("share %d %%, seed %d, step %d", share, seed, step)
			}
		}
	}
}

// budgetGame plays the same moves with two budgets. All its times are such that no pace
// has parts of a microsecond, of which PostgreSQL knows nothing.
type budgetGame struct {
	*clock
	random          *rand.Rand
	scheduled, bulk [2]paymo.Budget
	limit           int
	period          time.Duration
}

func (g *budgetGame) step() {
	g.t.Helper()
	switch move := g.random.IntN(10); {
	case move < 2:
		g.pass(g.upTo(8 * time.Second))
	case move < 3:
		g.pass(g.upTo(200 * time.Millisecond))
	case move < 8:
		g.take([]time.Duration{0, 5 * time.Second, 30 * time.Second}[g.random.IntN(3)])
	default:
		g.observe()
	}
}

func (g *budgetGame) upTo(most time.Duration) time.Duration {
	return time.Duration(g.random.Int64N(int64(most/time.Microsecond))) * time.Microsecond
}

func (g *budgetGame) take(most time.Duration) {
	g.t.Helper()
	budgets, kind := g.scheduled, "scheduled"
	if g.random.IntN(2) == 0 {
		budgets, kind = g.bulk, "bulk"
	}
	var wait [2]time.Duration
	var ok [2]bool
	for i, budget := range budgets {
		var err error
		if wait[i], ok[i], err = budget.Take(g.t.Context(), most); err != nil {
			g.t.Fatal(err)
		}
	}
	if wait[0] != wait[1] || ok[0] != ok[1] {
		g.t.Errorf("a %s request that waits for %s at the most: %s, %t in the process, %s, %t in PostgreSQL",
			kind, most, wait[0], ok[0], wait[1], ok[1])
	}
}

// observe tells of what Paymo might answer: mostly of the limit that it told before.
func (g *budgetGame) observe() {
	g.t.Helper()
	if g.limit == 0 || g.random.IntN(8) == 0 {
		g.limit = []int{1, 2, 4, 5, 10}[g.random.IntN(5)]
		g.period = []time.Duration{time.Second, 5 * time.Second, 20 * time.Second}[g.random.IntN(3)]
	}
	limit, period, stay := g.limit, g.period, time.Duration(0)
	if g.random.IntN(8) == 0 {
		limit, period = 0, 0
	}
	if g.random.IntN(8) == 0 {
		stay = time.Duration(1+g.random.IntN(20)) * time.Second
	}
	remaining := g.random.IntN(4) - 1
	for _, budget := range g.scheduled {
		if err := budget.Observe(g.t.Context(), limit, period, remaining, stay); err != nil {
			g.t.Fatal(err)
		}
	}
}
