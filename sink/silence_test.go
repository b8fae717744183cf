package sink_test

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/paymosync/paymosync/sink"
	"github.com/paymosync/paymosync/sink/sinktest"
)

// muteConn falls silent in the middle of the next long message, and is not closed.
type muteConn struct {
	net.Conn
	armed, silent *atomic.Bool
	freed         <-chan struct{}
}

func (c *muteConn) Write(p []byte) (int, error) {
	if c.armed.Load() && len(p) > 20_000 && c.silent.CompareAndSwap(false, true) {
		_, _ = c.Conn.Write(p[:len(p)/2])
	}
	if c.silent.Load() {
		<-c.freed
		return 0, errors.New("cut off")
	}
	return c.Conn.Write(p)
}

// An owner that falls silent in the middle of a message, which the server waits for the
// rest of without an end, does not keep the table for itself.
func TestSilentMessageIsTakenOver(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int64{"copy": 1500, "merge": 150} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := sinktest.Database(t)
			var armed, silent atomic.Bool
			freed := make(chan struct{})
			config := pool.Config()
			config.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := new(net.Dialer).DialContext(ctx, network, address)
				return &muteConn{conn, &armed, &silent, freed}, err
			}
			mute, err := pgxpool.NewWithConfig(t.Context(), config)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(mute.Close)
			store := newShortStore(mute, shortTerm)
			ended := make(chan error, 1)
			go func() {
				ended <- store.WithLease(context.WithoutCancel(t.Context()), "time_entries", "the silent one", func(ctx context.Context, lease *sink.Lease) error {
					run, err := lease.StartRun(ctx, "full", "manual")
					if err != nil {
						return err
					}
					tb := &table{t: t, pool: mute, store: store, lease: lease, resource: lookup(t, "time_entries"), run: run}
					armed.Store(true)
					_, err = lease.Apply(context.WithoutCancel(ctx), tb.page(tb.fresh(1, size)...))
					return err
				})
			}()
			next := newShortStore(pool, shortTerm)
			refused := false
			eventually(t, "the table is taken over", func() bool {
				if !silent.Load() {
					return false
				}
				err := next.WithLease(t.Context(), "time_entries", "the next one", func(context.Context, *sink.Lease) error { return nil })
				if _, held := errors.AsType[*sink.HeldError](err); held {
					refused = true
				} else if err != nil {
					t.Error(err)
				}
				return err == nil
			})
			if !refused {
				t.Error("it was taken over at once")
			}
			close(freed)
			if err := <-ended; err == nil {
				t.Error("the silent one had its way")
			}
			if n := value[int](t, pool, `SELECT count(*) FROM paymo.time_entries`); n != 0 {
				t.Errorf("%d rows of the silent one", n)
			}
		})
	}
}

// The server asks after a host that does not answer any more within the lease's term.
func TestGoneHostsAreAskedFor(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	err := store.WithLease(t.Context(), "clients", "a", func(ctx context.Context, lease *sink.Lease) error {
		return lease.Transact(ctx, func(tx pgx.Tx) error {
			var found string
			err := tx.QueryRow(ctx, `
				SELECT concat_ws(' ', current_setting('tcp_keepalives_idle'), current_setting('tcp_keepalives_interval'), current_setting('tcp_keepalives_count'))`).Scan(&found)
			if found != "5 5 2" {
				t.Errorf("it waits %s", found)
			}
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}
