package jobs_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/paymo/paymotest"
	"github.com/paymosync/paymosync/sink"
	"github.com/paymosync/paymosync/sink/sinktest"
)

// drawStep draws what happens next.
func (s *sequence) drawStep() (what string, do func()) {
	table := draw(s.random, s.tables...)
	mode := draw(s.random, jobs.Incremental, jobs.Full)
	one := func() { _ = s.doSync(s.t.Context(), s.syncer, table, mode, false) }
	all := func() { s.syncAll(mode) }
	sync, of := one, table
	if s.random.IntN(4) == 0 {
		sync, of = all, "all"
	}
	switch n := s.random.IntN(100); {
	case n < 20:
		return "people work", s.work
	case n < 35:
		return fmt.Sprintf("%s of %s", mode, of), sync
	case n < 45:
		return fmt.Sprintf("%s of %s while people work", mode, of), func() { s.whileWorking(sync) }
	case n < 53:
		requests := s.random.IntN(5)
		return fmt.Sprintf("%s of %s, interrupted after %d requests", mode, table, requests), func() { s.interrupt(table, mode, requests) }
	case n < 62:
		statements := s.random.IntN(60)
		return fmt.Sprintf("%s of %s, killed after %d statements", mode, table, statements), func() { s.kill(table, mode, statements) }
	case n < 88:
		fault := s.drawFault(table)
		return fmt.Sprintf("%s of %s under %+v", mode, of, fault), func() {
			s.disturb(table)
			s.under(fault, sync)
		}
	case n < 94:
		role := draw(s.random, "Employee", "Guest", "Project Manager")
		return fmt.Sprintf("%s of %s as %s", mode, of, role), func() { s.demoted(role, sync) }
	}
	return "two at once", s.twoAtOnce
}

// work lets people work for a while.
func (s *sequence) work() {
	for range 1 + s.random.IntN(40) {
		s.operate()
		s.clock.Add(s.random.Int64N(int64(20 * time.Second)))
	}
}

// disturb gives the next sync of the table something to do: people work, and rows of it
// are deleted and changed, now and then many of them.
func (s *sequence) disturb(table string) {
	if s.random.IntN(4) == 0 {
		return
	}
	s.work()
	most := draw(s.random, 0, 1, 1, 3, 100)
	served := s.objects(table)
	for _, id := range slices.Sorted(maps.Keys(served)) {
		admin := table == "users" && served[id]["type"] == jobs.AdminRole // the key's user may be one of them
		if most > 0 && !admin && s.random.IntN(3) > 0 {
			if n, err := s.fake.Delete(table, id); err == nil {
				s.note("   deleted %s %d, %d objects", table, id, n)
			}
			most--
		}
	}
	for range 3 {
		if id, field, err := s.fake.MutateField(s.random, table); err == nil {
			s.note("   quietly changed %s %d: %s", table, id, field)
		}
	}
}

// operate does what a person may do in Paymo.
func (s *sequence) operate() {
	op := s.fake.RandomOp(s.random)
	s.note("   %s", op)
	if op.Kind == paymotest.OpRestore { // with what went along
		s.restored[op.Table] = true
		for _, table := range s.tables {
			s.restored[table] = true
		}
	}
}

// whileWorking syncs while people work between its requests.
func (s *sequence) whileWorking(sync func()) {
	s.working = true
	s.restart()
	sync()
	s.working = false
	s.restart()
}

// busyTransport lets people work before requests.
type busyTransport struct {
	http.RoundTripper
	mu   sync.Mutex
	work func()
}

func (b *busyTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	b.mu.Lock()
	b.work()
	b.mu.Unlock()
	return b.RoundTripper.RoundTrip(req)
}

// interrupt ends a sync's context when so many requests were made.
func (s *sequence) interrupt(table string, mode jobs.Mode, requests int) {
	ctx, cancel := context.WithCancel(s.t.Context())
	defer cancel()
	syncer := s.newSyncer("worker-1", s.settings, func(c *paymo.Config, _ *jobs.SyncerConfig) {
		c.Transport = &cancelAfter{RoundTripper: c.Transport, left: 2 + requests, cancel: cancel} // two ask whose key it is
	})
	_ = s.doSync(ctx, syncer, table, mode, false)
}

// kill has a process die: after so many statements nothing of it reaches the database
// any more, and the lease that it leaves behind has to expire.
func (s *sequence) kill(table string, mode jobs.Mode, statements int) {
	config := s.pool.Config().Copy()
	config.ConnConfig.Tracer = &mortal{left: statements}
	pool, err := pgxpool.NewWithConfig(s.t.Context(), config)
	if err != nil {
		s.t.Fatal(err)
	}
	store := sink.New(pool, sinktest.Warehouse, catalog.DefaultAccount)
	syncer := s.newSyncer("worker-1", s.settings, func(client *paymo.Config, config *jobs.SyncerConfig) {
		client.Budget, config.Store = store.Budget(100), store
	})
	_ = s.doSync(s.t.Context(), syncer, table, mode, false)
	pool.Close()
	exec(s.world, `UPDATE paymosync.leases SET expires_at = 'epoch'`)
}

// mortal lets some statements through and then none.
type mortal struct {
	mu   sync.Mutex
	left int
}

func (m *mortal) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.left--; m.left >= 0 {
		return ctx
	}
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return ctx
}

func (m *mortal) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// drawFault draws a fault of the server, for the table or for all.
func (s *sequence) drawFault(table string) paymotest.Fault {
	f := paymotest.Fault{
		Kind: draw(s.random, paymotest.FaultStatus, paymotest.FaultStatus, paymotest.FaultHTML, paymotest.FaultRedirect, paymotest.FaultCut,
			paymotest.FaultTruncate, paymotest.FaultEmpty, paymotest.FaultEmpty, paymotest.FaultCutList, paymotest.FaultIgnorePaging,
			paymotest.FaultPageCap, paymotest.FaultIgnoreFilter, paymotest.FaultIgnoreFilter, paymotest.FaultBreakFilter, paymotest.FaultBreakFilter,
			paymotest.FaultRotate, paymotest.FaultDuplicate, paymotest.FaultMove, paymotest.FaultForget, paymotest.FaultStale,
			paymotest.FaultEmptyNested, paymotest.FaultWrongKey, paymotest.FaultBadID, paymotest.FaultNoID, paymotest.FaultWrongType,
			paymotest.FaultNUL, paymotest.FaultHuge),
		Table: draw(s.random, table, table, table, ""),
		Skip:  draw(s.random, 0, 0, 0, 1, 2, 3),
		Count: draw(s.random, 0, 0, 1, 2, 3),
	}
	r := resource(s.t, table)
	switch f.Kind {
	case paymotest.FaultStatus:
		f.N = draw(s.random, http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusInternalServerError, http.StatusBadGateway)
	case paymotest.FaultIgnoreFilter, paymotest.FaultBreakFilter:
		f.Field = draw(s.random, "updated_on", "id", "id")
		if r.Scope.Filter != "" && s.random.IntN(3) == 0 {
			f.Field = r.Scope.Filter
		}
		if r.Window != "" && s.random.IntN(3) == 0 {
			f.Field = r.Window
		}
	case paymotest.FaultCutList, paymotest.FaultPageCap, paymotest.FaultRotate, paymotest.FaultMove:
		f.N = 1 + s.random.IntN(12)
	case paymotest.FaultForget:
		f.N = 2 + s.random.IntN(6)
	}
	return f
}

// under syncs under a fault.
func (s *sequence) under(fault paymotest.Fault, sync func()) {
	s.fake.AddFault(fault)
	s.fault = &fault
	sync()
	s.calm()
}

// demoted syncs with a key that lost its rights: to the process it is news, or it learns
// so when it starts.
func (s *sequence) demoted(role string, sync func()) {
	s.fault = &paymotest.Fault{Kind: "role"}
	s.fake.SetRole(paymotest.DefaultKey, role)
	if s.random.IntN(2) == 0 {
		s.restart()
	}
	sync()
	s.calm()
}

// twoAtOnce has two processes sync a few tables at the same time.
func (s *sequence) twoAtOnce() {
	before := map[string]looks{}
	for _, table := range s.tables {
		before[table] = s.look(table)
	}
	const each = 6
	var both sync.WaitGroup
	said := make([][]string, 2)
	for i := range said {
		syncer := s.newSyncer(fmt.Sprint("worker-", i+1), s.settings)
		var requests []jobs.Request
		for range each {
			requests = append(requests, jobs.Request{
				Resource: resource(s.t, draw(s.random, s.tables...)), Mode: draw(s.random, jobs.Incremental, jobs.Full), Reason: jobs.ReasonManual,
			})
		}
		both.Go(func() {
			for _, request := range requests {
				outcome, err := syncer.Sync(s.t.Context(), request)
				said[i] = append(said[i], fmt.Sprintf("   worker-%d: %s: %s", i+1, request.Resource.Table, told(outcome, err)))
			}
		})
	}
	both.Wait()
	for _, lines := range said {
		s.log = append(s.log, lines...)
	}
	for _, table := range s.tables {
		s.compare(table, before[table], s.look(table))
	}
}
