package jobs_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/paymo/paymotest"
	"github.com/paymosync/paymosync/sink"
	"github.com/paymosync/paymosync/sink/sinktest"
)

// What the simulation takes for given; docs/requests.md says the same in words.
const (
	simulatedShare   = 80 // percent of Paymo's limit
	simulatedLatency = 300 * time.Millisecond
	simulatedSpeed   = 2_000_000 // bytes a second
	simulatedChanges = 20        // that a person makes a day
	workBegins       = 8 * time.Hour
	workEnds         = 18 * time.Hour
	everyTick        = 15 * time.Minute
	fullAt           = 4*time.Hour + 17*time.Minute
	handsBack        = 2 * time.Minute
)

// simulatedPace is the time from one request to the next: that of the share, and what
// the budget adds to a period.
const simulatedPace = paymotest.DefaultPeriod * 102 / 100 * 100 / (paymotest.DefaultRate * simulatedShare)

// simulated is a company of so many people, after three years of work.
func simulated(users int) paymotest.Config {
	return paymotest.Config{
		Seed: 11, Users: users, Clients: users, Projects: 4 * users, Tasks: 40 * users, Entries: 2000 * users,
		Rate: paymotest.DefaultRate, Period: paymotest.DefaultPeriod,
	}
}

// job is a sync that is due.
type job struct {
	table string
	mode  jobs.Mode
}

// simulation is a company at work, and the service that keeps up with it, on a virtual
// clock: that of the synctest bubble in which it runs. Jobs are worked one after another,
// so that it comes out the same each time.
type simulation struct {
	t        *testing.T
	fake     *paymotest.Server
	people   int
	changes  *changes
	sync     func(job) (more, wrote bool)
	queue    []job
	ticked   time.Time     // the last tick
	fulled   time.Time     // the last night's full
	requests atomic.Int64  // made so far
	fullTook time.Duration // of the jobs of the last full together
	spent    map[jobs.Mode]int
}

// simulate runs the work in a bubble, with a company that nobody has synced yet. It is
// six in the evening of a Monday.
func simulate(t *testing.T, users int, work func(*simulation)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		passUntil(time.Date(2026, 6, 1, 18, 0, 0, 0, time.UTC))
		s := &simulation{t: t, people: users, changes: newChanges(), spent: map[jobs.Mode]int{}}
		company := simulated(users)
		company.Changed = s.changes.note
		s.fake = paymotest.New(company)
		work(s)
	})
}

// passUntil lets the virtual clock go on to the time.
func passUntil(at time.Time) { <-time.After(time.Until(at)) }

// RoundTrip answers for the fake Paymo, in as long as Paymo might take.
func (s *simulation) RoundTrip(req *http.Request) (*http.Response, error) {
	s.requests.Add(1)
	recorder := httptest.NewRecorder()
	s.fake.ServeHTTP(recorder, req)
	took := simulatedLatency + time.Duration(recorder.Body.Len())*time.Second/simulatedSpeed
	select {
	case <-time.After(took):
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
	response := recorder.Result()
	response.Request = req
	return response, nil
}

// service makes the syncs those of paymosync, into the database. The pool that it returns
// is one of the bubble, to be closed.
func (s *simulation) service(database *pgxpool.Pool) *pgxpool.Pool {
	config := database.Config()
	config.HealthCheckPeriod = 24 * time.Hour
	pool, err := pgxpool.NewWithConfig(s.t.Context(), config)
	if err != nil {
		s.t.Fatal(err)
	}
	store := sink.New(pool, sinktest.Warehouse, catalog.DefaultAccount)
	client, err := paymo.New(paymo.Config{
		BaseURL:   "http://127.0.0.1:1",
		Key:       func(context.Context) (string, error) { return paymotest.DefaultKey, nil },
		Budget:    &paymo.Pacer{Share: simulatedShare},
		Transport: s,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	syncer := jobs.NewSyncer(jobs.SyncerConfig{
		Client: client, Store: store, BaseURL: "http://127.0.0.1:1", Owner: "simulation",
		Watch: func(table string, _ jobs.Moment) { s.look(pool, table) },
	})
	s.sync = func(j job) (more, wrote bool) {
		outcome, err := syncer.Sync(s.t.Context(), jobs.Request{Resource: resource(s.t, j.table), Mode: j.mode, Reason: jobs.ReasonManual, Work: handsBack})
		if err != nil || outcome.State != sink.StateOK && !outcome.Unfinished {
			s.t.Fatalf("sync %s (%s): %s: %s: %v", j.table, j.mode, outcome.State, outcome.Reason, err)
		}
		s.look(pool, j.table)
		return outcome.Unfinished, outcome.Inserted+outcome.Updated+outcome.Tombstoned > 0
	}
	return pool
}

// look finds out which changes of a table have come to the warehouse.
func (s *simulation) look(pool *pgxpool.Pool, table string) {
	ids := s.changes.ids(table)
	if len(ids) == 0 {
		return
	}
	rows, err := pool.Query(s.t.Context(), `SELECT id, updated_on FROM paymo.`+table+` WHERE id = ANY ($1)`, ids)
	if err != nil {
		s.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var version time.Time
		if err := rows.Scan(&id, &version); err != nil {
			s.t.Fatal(err)
		}
		s.changes.arrived(table, id, version)
	}
	if err := rows.Err(); err != nil {
		s.t.Fatal(err)
	}
}

// work lets people work, day by day, until the time.
func (s *simulation) work(until time.Time) {
	each := (workEnds - workBegins) / time.Duration(s.people*simulatedChanges)
	for {
		now := time.Now()
		today := now.Truncate(24 * time.Hour)
		next := now.Add(each)
		switch {
		case next.Before(today.Add(workBegins)):
			next = today.Add(workBegins)
		case next.After(today.Add(workEnds)):
			next = today.Add(24*time.Hour + workBegins)
		}
		if next.After(until) {
			return
		}
		passUntil(next)
		s.fake.Work(1)
	}
}

// load is the first load: every table once.
func (s *simulation) load() {
	s.enqueue(jobs.Full)
	for len(s.queue) > 0 {
		s.next()
	}
	s.ticked, s.fulled = time.Now(), time.Now()
}

// serve keeps to the schedule until the time.
func (s *simulation) serve(until time.Time) {
	for {
		now := time.Now()
		if tick := now.Truncate(everyTick); tick.After(s.ticked) {
			s.ticked = tick
			s.enqueue(jobs.Incremental)
		}
		if full := now.Truncate(24 * time.Hour).Add(fullAt); full.After(s.fulled) && !full.After(now) {
			s.fulled = full
			s.enqueue(jobs.Full)
			s.fullTook = 0
		}
		switch {
		case !now.Before(until):
			return
		case len(s.queue) > 0:
			s.next()
		default:
			wake := now.Truncate(everyTick).Add(everyTick)
			if full := now.Truncate(24 * time.Hour).Add(fullAt); full.After(now) && full.Before(wake) {
				wake = full
			}
			passUntil(wake)
		}
	}
}

// enqueue makes every table due, unless it is.
func (s *simulation) enqueue(mode jobs.Mode) {
	for _, table := range readable() {
		if due := (job{table, mode}); !slices.Contains(s.queue, due) {
			s.queue = append(s.queue, due)
		}
	}
}

// next works the next job. What was not read to its end goes on at once; what comes with
// rows that were written follows them.
func (s *simulation) next() {
	due, before, began := s.queue[0], s.requests.Load(), time.Now()
	s.queue = s.queue[1:]
	more, wrote := s.sync(due)
	if due.mode == jobs.Full {
		s.fullTook += time.Since(began)
	}
	s.spent[due.mode] += int(s.requests.Load() - before)
	if more {
		s.queue = append([]job{due}, s.queue...)
		return
	}
	for _, table := range readable() {
		r := resource(s.t, table)
		follows := job{table, jobs.Incremental}
		if wrote && r.Listings[0] == catalog.WithParent && r.Embedded.Parent == due.table && due.mode == jobs.Incremental && !slices.Contains(s.queue, follows) {
			s.queue = append(s.queue, follows)
		}
	}
}
