package sink_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
	"github.com/paymosync/paymosync/sink/sinktest"
)

// shortTerm is a term that a test can outlast.
const shortTerm = 1500 * time.Millisecond

func newShortStore(pool *pgxpool.Pool, term time.Duration) *sink.Store {
	store := sink.New(pool, sinktest.Warehouse, catalog.DefaultAccount)
	store.SetLeaseTerm(term)
	return store
}

// A page that waits for its table for longer than a term, as during a VACUUM FULL or
// the making of an index, keeps the lease all the while and is written in the end.
func TestLongTransactionKeepsTheLease(t *testing.T) {
	t.Parallel()
	pool := sinktest.Database(t)
	store := newShortStore(pool, shortTerm)
	resource := lookup(t, "clients")
	locker, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer locker.Rollback(context.WithoutCancel(t.Context()))
	if _, err := locker.Exec(t.Context(), `LOCK TABLE paymo.clients IN SHARE MODE`); err != nil {
		t.Fatal(err)
	}
	err = store.WithLease(t.Context(), "clients", "the waiting one", func(ctx context.Context, lease *sink.Lease) error {
		run, err := lease.StartRun(ctx, "full", "manual")
		if err != nil {
			return err
		}
		written := make(chan error, 1)
		go func() {
			_, err := lease.Apply(ctx, sink.Page{
				Run: run, Resource: resource, Records: []catalog.Record{newRecord(t, resource, 1, nil)},
				RequestedAt: time.Now(), Checkpoint: sink.Checkpoint{State: sink.StateOK},
			})
			written <- err
		}()
		eventually(t, "the term is over for two more terms", func() bool {
			return value[bool](t, pool, `SELECT expires_at < clock_timestamp() - 2 * $1::interval FROM paymosync.leases`, shortTerm)
		})
		// Another one is told at once, and by whom.
		var held *sink.HeldError
		err = store.WithLease(t.Context(), "clients", "the next one", func(context.Context, *sink.Lease) error { return nil })
		if !errors.As(err, &held) || held.Owner != "the waiting one" {
			t.Errorf("another one got %v", err)
		}
		if err := locker.Rollback(ctx); err != nil {
			return err
		}
		if err := <-written; err != nil {
			return err
		}
		// The transaction renewed the lease, so that there is no gap after it.
		err = store.WithLease(t.Context(), "clients", "the next one", func(context.Context, *sink.Lease) error { return nil })
		if !errors.As(err, &held) || held.For <= 0 {
			t.Errorf("after the page another one got %v", err)
		}
		return lease.SaveCheckpoint(ctx, sink.Checkpoint{State: sink.StateOK})
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := value[int](t, pool, `SELECT count(*) FROM paymo.clients`); n != 1 {
		t.Errorf("%d rows were written", n)
	}
}

// A transaction that fails after a long time leaves the lease to its owner, if nobody
// took it over.
func TestLongTransactionFails(t *testing.T) {
	t.Parallel()
	pool := sinktest.Database(t)
	store := newShortStore(pool, shortTerm)
	broken := errors.New("broken")
	err := store.WithLease(t.Context(), "clients", "a", func(ctx context.Context, lease *sink.Lease) error {
		err := lease.Transact(ctx, func(tx pgx.Tx) error {
			eventually(t, "the term is over", func() bool {
				var over bool
				err := tx.QueryRow(ctx, `SELECT expires_at < clock_timestamp() - $1::interval FROM paymosync.leases`, shortTerm).Scan(&over)
				return err != nil || over
			})
			return broken
		})
		if !errors.Is(err, broken) {
			t.Error(err)
		}
		eventually(t, "the lease is renewed", func() bool {
			return value[bool](t, pool, `SELECT expires_at > clock_timestamp() FROM paymosync.leases`)
		})
		return lease.SaveCheckpoint(ctx, sink.Checkpoint{State: sink.StateOK})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A process that was paused within a transaction, or whose host is gone, does not keep
// the table for itself: the transaction is ended, and what it wrote is not committed.
func TestSilentTransactionIsTakenOver(t *testing.T) {
	t.Parallel()
	pool := sinktest.Database(t)
	silent, store := newShortStore(pool, shortTerm), newShortStore(pool, 15*time.Second)
	taken := errors.New("taken over")
	err := silent.WithLease(t.Context(), "clients", "the silent one", func(ctx context.Context, lease *sink.Lease) error {
		err := lease.Transact(context.WithoutCancel(ctx), func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, `INSERT INTO paymo.clients (id, _synced_at) VALUES (1, now())`); err != nil {
				return err
			}
			refused := false
			eventually(t, "the table is taken over", func() bool {
				err := store.WithLease(t.Context(), "clients", "the next one", func(ctx context.Context, next *sink.Lease) error {
					if err := next.SaveCheckpoint(ctx, sink.Checkpoint{State: sink.StateOK}); err != nil {
						return err
					}
					return taken
				})
				var held *sink.HeldError
				switch {
				case errors.As(err, &held):
					refused = true
				case !errors.Is(err, taken):
					t.Error(err)
				}
				return errors.Is(err, taken)
			})
			if !refused {
				t.Error("it was taken over while the transaction was open")
			}
			return nil
		})
		if err == nil || !sink.Temporary(err) {
			t.Errorf("the silent one's transaction ended with %v", err)
		}
		return err
	})
	if err == nil {
		t.Error("the silent one was not told")
	}
	if n := value[int](t, pool, `SELECT count(*) FROM paymo.clients`); n != 0 {
		t.Errorf("%d rows of the silent one were written", n)
	}
	if owner := value[string](t, pool, `SELECT owner FROM paymosync.leases`); owner != "the next one" {
		t.Errorf("the lease is of %s", owner)
	}
}
