package sink_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
	"github.com/paymosync/paymosync/sink/sinktest"
)

// tripConn counts how often it was written to after it had been read from: round trips.
type tripConn struct {
	net.Conn
	answered atomic.Bool
	trips    *atomic.Int64
}

func (c *tripConn) Write(p []byte) (int, error) {
	if c.answered.CompareAndSwap(true, false) {
		c.trips.Add(1)
	}
	return c.Conn.Write(p)
}

func (c *tripConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.answered.Store(n > 0)
	return n, err
}

// countTrips is a pool of one connection to the same database, and its round trips.
func countTrips(t testing.TB, pool *pgxpool.Pool) (*pgxpool.Pool, *atomic.Int64) {
	t.Helper()
	var trips atomic.Int64
	config := pool.Config()
	config.MaxConns = 1
	config.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &tripConn{Conn: conn, trips: &trips}, nil
	}
	counted, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(counted.Close)
	return counted, &trips
}

// A page that brings little is merged in few round trips: to begin, to lock and look, to
// merge, to save, and to commit.
func TestRoundTripsOfAPage(t *testing.T) {
	t.Parallel()
	pool, trips := countTrips(t, sinktest.Database(t))
	tb := openTable(t, pool, sink.New(pool, sinktest.Warehouse, catalog.DefaultAccount), "time_entries")
	little := tb.fresh(1, 3)
	tb.merge(little...) // prepares the statements
	for name, records := range map[string][]catalog.Record{
		"nothing changed": little,
		"three new rows":  tb.fresh(10, 3),
		"a known page":    tb.fresh(1000, 1000),
	} {
		page := tb.page(records...)
		tb.apply(page)
		before := trips.Load()
		tb.apply(page)
		took := trips.Load() - before
		t.Logf("%s: %d round trips", name, took)
		if took > 5 {
			t.Errorf("%s: %d round trips, want 5 at most", name, took)
		}
	}
	before := trips.Load()
	if err := tb.lease.SaveCheckpoint(t.Context(), sink.Checkpoint{State: sink.StateOK}); err != nil {
		t.Fatal(err)
	}
	if took := trips.Load() - before; took > 3 {
		t.Errorf("saving a checkpoint took %d round trips, want 3 at most", took)
	}
}
