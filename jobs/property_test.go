package jobs_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/paymo/paymotest"
	"github.com/paymosync/paymosync/sink"
	"github.com/paymosync/paymosync/sink/sinktest"
)

// Whatever happens in a company and to the syncs of it, in whatever order: no sync marks
// a row deleted that is there, or empties a column that is not empty, or says that all is
// well of a table that lacks rows; and two fulls at the end make every table equal.
//
// A sequence is drawn from its seed alone, but for what two syncs do at the same time.
func TestSoakSequences(t *testing.T) {
	t.Parallel()
	first, count, budget := uint64(time.Now().UnixNano()), 1000, 20*time.Second
	switch text := os.Getenv("PAYMOSYNC_SEED"); {
	case text != "":
		var err error
		if first, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("PAYMOSYNC_SEED: %v", err)
		}
		count = 1
	case os.Getenv("PAYMOSYNC_SOAK") != "":
		budget = 24 * time.Hour
	case testing.Short():
		budget = 3 * time.Second
	}
	began := time.Now()
	var next, ran atomic.Int64
	t.Cleanup(func() { t.Logf("%d sequences, from seed %d on", ran.Load(), first) })
	const together = 3
	for worker := range together {
		t.Run(fmt.Sprint("worker ", worker), func(t *testing.T) {
			t.Parallel()
			pool := sinktest.Database(t)
			for n := next.Add(1) - 1; n < int64(count) && (n < together || time.Since(began) < budget); n = next.Add(1) - 1 {
				seed := first + uint64(n)
				ran.Add(1)
				t.Run(fmt.Sprint(seed), func(t *testing.T) { newSequence(t, pool, seed).play() })
			}
		})
	}
}

// sequence is a company and what is done to it and to its syncs.
type sequence struct {
	*world
	random   *rand.Rand
	company  paymotest.Config
	clock    atomic.Int64    // of the company, UNIX nanoseconds
	tables   []string        // that are synced, parents first
	tainted  map[string]bool // read under a fault since the last full that was not
	restored map[string]bool // rows that came back during the step
	steps    int
	log      []string
	fault    *paymotest.Fault // what is armed
	working  bool             // operations happen while tables are read
}

// newSequence draws a company and empties the warehouse for it.
func newSequence(t *testing.T, pool *pgxpool.Pool, seed uint64) *sequence {
	t.Helper()
	s := &sequence{random: rand.New(rand.NewPCG(seed, 1)), tainted: map[string]bool{}, restored: map[string]bool{}}
	t.Cleanup(func() {
		if t.Failed() || os.Getenv("PAYMOSYNC_SEED") != "" {
			for _, line := range s.log {
				t.Log(line)
			}
			t.Logf("repeat it with PAYMOSYNC_SEED=%d go test ./jobs -count=1 -run TestSoakSequences", seed)
		}
	})
	s.clock.Store(time.Now().UnixNano())
	s.company = paymotest.Config{
		Seed:     seed,
		Users:    4 + s.random.IntN(3),
		Clients:  2 + s.random.IntN(3),
		Projects: 2 + s.random.IntN(4),
		Tasks:    5 + s.random.IntN(15),
		Entries:  5 + s.random.IntN(40),
		Invoices: 2 + s.random.IntN(6),
		Now:      func() time.Time { return time.Unix(0, s.clock.Load()) },
		Order:    draw(s.random, paymotest.Ascending, paymotest.Descending, paymotest.Shuffled),
		Scopes:   draw(s.random, paymotest.ScopesAny, paymotest.ScopesIn, paymotest.ScopesAny, paymotest.ScopesIn, paymotest.ScopesEqual, paymotest.ScopesOpen, paymotest.ScopesNone),
		Cap:      draw(s.random, 0, 0, 0, 0, 15, 30),
		BulkOpen: s.random.IntN(4) == 0,
	}
	if s.random.IntN(6) == 0 { // so many that a sweep looks at few of them, and the guard may stop it
		s.company.Tasks, s.company.Entries = 60+s.random.IntN(120), 60+s.random.IntN(300)
	}
	s.log = append(s.log, fmt.Sprintf("company: order %s, scopes %s, %d users, %d projects, %d tasks, %d entries, %d invoices",
		s.company.Order, s.company.Scopes, s.company.Users, s.company.Projects, s.company.Tasks, s.company.Entries, s.company.Invoices))
	s.tables = s.drawTables()
	s.log = append(s.log, fmt.Sprintf("tables: %v", s.tables))
	s.world = &world{t: t, fake: paymotest.New(s.company), pool: pool}
	server := httptest.NewServer(s.fake)
	t.Cleanup(server.Close)
	s.url = server.URL
	s.empty()
	s.restart()
	return s
}

func draw[T any](random *rand.Rand, from ...T) T { return from[random.IntN(len(from))] }

// drawTables are all tables, or a few of them with those on which they hang.
func (s *sequence) drawTables() []string {
	if s.random.IntN(3) == 0 {
		return readable()
	}
	wanted := map[string]bool{}
	var want func(table string)
	want = func(table string) {
		r, ok := catalog.Lookup(table)
		if !ok || wanted[table] {
			return
		}
		wanted[table] = r.Readable()
		for _, parent := range []string{r.Scope.Parent, r.Embedded.Parent} {
			want(parent)
		}
	}
	for range 4 {
		want(draw(s.random, readable()...))
	}
	return slices.DeleteFunc(readable(), func(table string) bool { return !wanted[table] })
}

// empty deletes what an earlier sequence left in the database.
func (s *sequence) empty() {
	s.t.Helper()
	for _, table := range query[[]string](s.world, `
		SELECT array_agg(format('%I.%I', schemaname, tablename)) FROM pg_tables
		WHERE schemaname IN ('paymo', 'paymosync') AND tablename NOT LIKE '%goose%'`) {
		exec(s.world, "DELETE FROM "+table)
	}
}

// restart makes a new process that syncs.
func (s *sequence) restart() {
	s.store = sink.New(s.pool, sinktest.Warehouse, catalog.DefaultAccount)
	s.syncer = s.newSyncer("worker-1", s.settings)
}

// settings are those of every process of the sequence.
func (s *sequence) settings(client *paymo.Config, _ *jobs.SyncerConfig) {
	client.MaxWait = 20 * time.Millisecond
	if s.working {
		client.Transport = &busyTransport{RoundTripper: client.Transport, work: s.operate}
	}
}

// play does the steps, and holds the tables against the company at the end.
func (s *sequence) play() {
	if s.random.IntN(3) > 0 {
		s.step("first load", func() { s.syncAll(jobs.Full) })
	}
	for range 4 + s.random.IntN(10) {
		s.clock.Add(s.random.Int64N(int64(10 * time.Minute)))
		what, do := s.drawStep()
		s.step(what, do)
	}
	s.step("settle", s.settle)
}

// step does one thing and stops the sequence where it showed a mistake.
func (s *sequence) step(what string, do func()) {
	s.steps++
	s.note("%d: %s", s.steps, what)
	do()
	clear(s.restored)
	if s.t.Failed() {
		s.t.FailNow()
	}
}

func (s *sequence) note(format string, arguments ...any) {
	s.log = append(s.log, fmt.Sprintf(format, arguments...))
}

// settle ends all troubles: two fulls make every table equal, whatever there was.
func (s *sequence) settle() {
	s.calm()
	s.reachable()
	settled := true
	for round := range 2 {
		for _, table := range s.tables {
			settled = settled && !s.unfinished(table) // what was read long ago is gone on with
			outcome, err := s.syncer.Sync(s.t.Context(), jobs.Request{
				Resource: resource(s.t, table), Mode: jobs.Full, Reason: jobs.ReasonManual, AcceptDeletes: true,
			})
			ok := err == nil && outcome.State == sink.StateOK
			if !ok || outcome.Inserted+outcome.Updated+outcome.Tombstoned > 0 {
				s.note("   full %d of %s: %s", round+1, table, told(outcome, err))
			}
			settled = settled && ok
			if round == 1 && !ok && s.fits(outcome) {
				s.t.Errorf("the last full of %s: %s", table, told(outcome, err))
			}
			if round == 1 && settled && outcome.Inserted+outcome.Updated+outcome.Tombstoned > 0 {
				s.t.Errorf("the last full of %s wrote rows, though the one before was well: %+v", table, outcome)
			}
		}
	}
	for _, table := range s.tables {
		r := resource(s.t, table)
		if s.status(table).State != sink.StateOK || hangs(r) && s.parentsShort(r) { // one of them says so, and an error was told
			continue
		}
		for _, difference := range s.differences(table) {
			s.t.Error(difference)
		}
	}
}

// fits reports whether a table can be read at all: one parent may have more rows than a
// reply can hold.
func (s *sequence) fits(outcome jobs.Outcome) bool {
	return s.company.Cap == 0 ||
		!contains(outcome.Reason, "have as many rows as one reply can hold") && !contains(outcome.Reason, "listing incomplete")
}

// calm ends faults and waits, and starts a new process with an Admin's key.
func (s *sequence) calm() {
	s.fake.ClearFaults()
	s.fault, s.working = nil, false
	s.fake.SetRole(paymotest.DefaultKey, jobs.AdminRole)
	exec(s.world, `UPDATE paymosync.budgets SET dues = '{}', blocked_until = '-infinity'`)
	exec(s.world, `UPDATE paymosync.leases SET expires_at = 'epoch'`)
	s.restart()
}

// reachable removes the rows that Paymo would not show in any list under its scopes.
func (s *sequence) reachable() {
	if s.company.Scopes != paymotest.ScopesIn && s.company.Scopes != paymotest.ScopesEqual {
		return
	}
	for id, file := range s.objects("files") {
		if file["project_id"] == nil {
			s.remove("files", id)
		}
	}
}

// told is an outcome in one line.
func told(outcome jobs.Outcome, err error) string {
	said := fmt.Sprintf("%s %s +%d ~%d -%d", outcome.Mode, outcome.State, outcome.Inserted, outcome.Updated, outcome.Tombstoned)
	if outcome.Reason != "" {
		said += ": " + outcome.Reason
	}
	if err != nil {
		said += fmt.Sprintf(" (%v)", err)
	}
	return said
}

// doSync syncs a table and holds what it did against the company.
func (s *sequence) doSync(ctx context.Context, syncer *jobs.Syncer, table string, mode jobs.Mode, fresh bool) error {
	before := s.look(table)
	resumed := s.unfinished(table)
	outcome, err := syncer.Sync(ctx, jobs.Request{Resource: resource(s.t, table), Mode: mode, Reason: jobs.ReasonManual})
	if err != nil || outcome.State != sink.StateOK || outcome.Inserted+outcome.Updated+outcome.Tombstoned > 0 || resumed {
		s.note("   %s of %s: %s, resumed %v", mode, table, told(outcome, err), resumed)
	}
	s.compare(table, before, s.look(table))
	if s.fault != nil {
		s.tainted[table] = true
	}
	if err == nil && outcome.State == sink.StateOK && !s.working {
		s.believe(table, outcome, before, resumed, fresh)
	}
	if err == nil && outcome.State != sink.StateOK && outcome.Reason == "" {
		s.t.Errorf("%s is %s without a reason", table, outcome.State)
	}
	return err
}

// syncAll syncs all tables, parents first.
func (s *sequence) syncAll(mode jobs.Mode) {
	for _, table := range s.tables {
		if err := s.doSync(s.t.Context(), s.syncer, table, mode, true); err != nil && s.fault == nil {
			s.note("   %s failed without a fault: %v", table, err)
		}
	}
}
