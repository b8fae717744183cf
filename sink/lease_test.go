package sink_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
	"github.com/paymosync/paymosync/sink/sinktest"
)

func newStore(t testing.TB) *sink.Store {
	t.Helper()
	return sink.New(sinktest.Database(t), sinktest.Warehouse, catalog.DefaultAccount)
}

func TestLeaseIsHeldByOne(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	err := store.WithLease(t.Context(), "tasks", "host a, process 1", func(ctx context.Context, _ *sink.Lease) error {
		var held *sink.HeldError
		err := store.WithLease(ctx, "tasks", "host b", func(context.Context, *sink.Lease) error {
			t.Error("two have the lease")
			return nil
		})
		if !errors.As(err, &held) || held.Table != "tasks" || held.Owner != "host a, process 1" || held.For <= 0 || held.For > 15*time.Second {
			t.Errorf("the second one got %v (%+v)", err, held)
		}
		// Another table, and another account's, are free.
		other := 0
		count := func(context.Context, *sink.Lease) error { other++; return nil }
		if err := store.WithLease(ctx, "users", "host b", count); err != nil {
			t.Error(err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// Given back, it is free at once.
	if err := store.WithLease(t.Context(), "tasks", "host b", func(context.Context, *sink.Lease) error { return nil }); err != nil {
		t.Error(err)
	}
}

func TestLeaseReturnsTheWorksError(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	broken := errors.New("broken")
	if err := store.WithLease(t.Context(), "tasks", "a", func(context.Context, *sink.Lease) error { return broken }); !errors.Is(err, broken) {
		t.Error(err)
	}
	// Given back even by one that was interrupted.
	ctx, cancel := context.WithCancel(t.Context())
	err := store.WithLease(ctx, "tasks", "a", func(ctx context.Context, _ *sink.Lease) error {
		cancel()
		return ctx.Err()
	})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := store.WithLease(t.Context(), "tasks", "b", func(context.Context, *sink.Lease) error { return nil }); err != nil {
		t.Error(err)
	}
	if err := store.WithLease(ctx, "tasks", "a", func(context.Context, *sink.Lease) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("one that is interrupted already got %v", err)
	}
}

// What a process writes after its lease was taken over is not committed, and it
// learns so.
func TestLostLeaseWritesNothing(t *testing.T) {
	t.Parallel()
	pool := sinktest.Database(t)
	store := sink.New(pool, sinktest.Warehouse, catalog.DefaultAccount)
	resource := lookup(t, "tasks")
	fence := func() int64 { return value[int64](t, pool, `SELECT fence FROM paymosync.leases`) }
	err := store.WithLease(t.Context(), "tasks", "the paused one", func(ctx context.Context, lease *sink.Lease) error {
		run, err := lease.StartRun(ctx, "full", "manual")
		if err != nil {
			return err
		}
		before := fence()
		exec(t, pool, `UPDATE paymosync.leases SET expires_at = clock_timestamp()`)
		err = store.WithLease(context.WithoutCancel(ctx), "tasks", "the next one", func(ctx context.Context, next *sink.Lease) error {
			if fence() != before+1 {
				t.Errorf("the fence went from %d to %d", before, fence())
			}
			page := sink.Page{
				Run: run, Resource: resource, Records: []catalog.Record{newRecord(t, resource, 1, nil)}, RequestedAt: time.Now(), Checkpoint: sink.Checkpoint{State: sink.StateOK},
				Slice: &sink.Slice{}, Unknown: map[string]string{"mood": "string"},
			}
			exec(t, pool, `INSERT INTO paymosync.candidates (account, table_name, row_id) VALUES ('default', 'tasks', 1)`)
			// The tests' own context: the paused one does not know yet.
			for name, write := range map[string]func() error{
				"apply":      func() error { _, err := lease.Apply(t.Context(), page); return err },
				"checkpoint": func() error { return lease.SaveCheckpoint(t.Context(), page.Checkpoint) },
				"reset":      func() error { return lease.ResetCheckpoint(t.Context()) },
				"quarantine": func() error { _, err := lease.ForgetQuarantine(t.Context(), time.Now()); return err },
				"release":    func() error { return lease.Release(t.Context(), "abc") },
				"forget":     func() error { return lease.ForgetCandidates(t.Context()) },
				"expect":     func() error { return lease.Expect(t.Context(), resource, time.Time{}) },
				"orphans": func() error {
					_, err := lease.AddOrphans(t.Context(), resource, "project_id", "projects")
					return err
				},
				"candidates": func() error { _, err := lease.Candidates(t.Context(), resource); return err },
				"open":       func() error { _, err := lease.OpenCandidates(t.Context(), 9); return err },
				"judge": func() error {
					return lease.Judge(t.Context(), run, []int64{1}, nil, time.Now(), sink.Cost{Requests: 1}, sink.Checkpoint{State: sink.StateOK})
				},
				"suspects": func() error {
					_, err := lease.SuspectOwners(t.Context(), resource, "project_id", 9)
					return err
				},
				"explain":   func() error { return lease.Explain(t.Context(), resource, "project_id", []int64{1}) },
				"sweep":     func() error { _, err := lease.Sweep(t.Context(), resource, run, true); return err },
				"sentinels": func() error { _, err := lease.Sentinels(t.Context(), resource, 9); return err },
				"start":     func() error { _, err := lease.StartRun(t.Context(), "full", "manual"); return err },
				"end": func() error {
					return lease.EndRun(t.Context(), run, sink.Ending{State: sink.StateOK}, sink.Cost{}, page.Checkpoint)
				},
			} {
				if err := write(); !errors.Is(err, sink.ErrLeaseLost) {
					t.Errorf("%s: %v", name, err)
				}
			}
			if n := value[int](t, pool, `
				SELECT (SELECT count(*) FROM paymo.tasks) + (SELECT count(*) FROM paymosync.checkpoints) + (SELECT count(*) FROM paymosync.drift)`); n != 0 {
				t.Errorf("%d rows were written", n)
			}
			if n := value[int](t, pool, `SELECT count(*) FROM paymosync.candidates WHERE verdict IS NULL`); n != 1 {
				t.Errorf("%d candidates are as they were", n)
			}
			_, err := next.Apply(ctx, page)
			return err
		})
		if err != nil {
			t.Error(err)
		}
		// Renewal finds out, and the work ends with the reason.
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Second):
			t.Error("the work was not told")
		}
		if cause := context.Cause(ctx); !errors.Is(cause, sink.ErrLeaseLost) {
			t.Errorf("the work ended because of %v", cause)
		}
		return ctx.Err()
	})
	if !errors.Is(err, sink.ErrLeaseLost) {
		t.Errorf("the paused one ends with %v", err)
	}
	if n := value[int](t, pool, `SELECT count(*) FROM paymo.tasks`); n != 1 {
		t.Errorf("%d rows in the end", n)
	}
	// It gave nothing back that was not its own.
	if owner := value[string](t, pool, `SELECT owner FROM paymosync.leases`); owner != "the next one" {
		t.Errorf("the lease is of %s", owner)
	}
}

// A lease is renewed while the work goes on.
func TestLeaseIsRenewed(t *testing.T) {
	t.Parallel()
	pool := sinktest.Database(t)
	store := sink.New(pool, sinktest.Warehouse, catalog.DefaultAccount)
	err := store.WithLease(t.Context(), "tasks", "a", func(ctx context.Context, _ *sink.Lease) error {
		exec(t, pool, `UPDATE paymosync.leases SET expires_at = clock_timestamp() + interval '8 seconds'`)
		eventually(t, "the lease is renewed", func() bool {
			return value[bool](t, pool, `SELECT expires_at > clock_timestamp() + interval '10 seconds' FROM paymosync.leases`)
		})
		return ctx.Err()
	})
	if err != nil {
		t.Error(err)
	}
}

func TestOneOfManyAcquires(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	for round := range 5 {
		var acquired, held atomic.Int32
		release := make(chan struct{})
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				err := store.WithLease(t.Context(), "tasks", "one of many", func(context.Context, *sink.Lease) error {
					acquired.Add(1)
					<-release
					return nil
				})
				var other *sink.HeldError
				switch {
				case errors.As(err, &other):
					held.Add(1)
				case err != nil:
					t.Error(err)
				}
			})
		}
		eventually(t, "seven are refused", func() bool { return held.Load() == 7 || acquired.Load() > 1 })
		close(release)
		group.Wait()
		if acquired.Load() != 1 {
			t.Errorf("round %d: %d acquired the lease", round, acquired.Load())
		}
	}
}

// What an interrupted owner sent before it gave the lease back, and reaches the server
// afterwards, does not keep the table from the next one.
func TestLateStatementsOfAnInterruptedOwner(t *testing.T) {
	t.Parallel()
	pool := sinktest.Database(t)
	store := sink.New(pool, sinktest.Warehouse, catalog.DefaultAccount)
	nothing := func(context.Context, *sink.Lease) error { return nil }
	acquire := func() {
		t.Helper()
		if err := store.WithLease(t.Context(), "tasks", "the next one", nothing); err != nil {
			t.Error(err)
		}
	}
	var interrupted *sink.Lease
	if err := store.WithLease(t.Context(), "tasks", "the interrupted one", func(_ context.Context, lease *sink.Lease) error {
		interrupted = lease
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if kept, err := interrupted.Renew(t.Context()); kept || err != nil {
		t.Errorf("a late renewal: kept %t, %v", kept, err)
	}
	acquire()

	late, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := late.Exec(t.Context(), `SELECT FROM paymosync.leases FOR NO KEY UPDATE`); err != nil {
		t.Error(err)
	}
	gone := make(chan struct{})
	time.AfterFunc(200*time.Millisecond, func() {
		defer close(gone)
		_ = late.Rollback(context.WithoutCancel(t.Context()))
	})
	acquire()
	<-gone
}
