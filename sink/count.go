package sink

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// countLimit is how long counting the rows of a table may take before PostgreSQL's
// estimate has to do, and countLife for how long a number serves while no run writes.
const (
	countLimit = 2 * time.Second
	countLife  = 10 * time.Minute
)

// counted is how many rows a table had.
type counted struct {
	rows      int64
	estimated bool
	at        time.Time
	written   [4]int64 // by the table's last run until then, and which that was
}

// counts remembers how many rows tables have: whoever looks may look often, and counting
// reads the whole table. Safe for concurrent use.
type counts struct {
	mu    sync.Mutex
	known map[string]counted
}

// get is what is known of a table, while it holds.
func (c *counts) get(table string, written [4]int64) (counted, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known, ok := c.known[table]
	fresh := time.Since(known.at) < countLife && (known.written == written || known.estimated)
	return known, ok && fresh
}

func (c *counts) put(table string, n counted) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil {
		c.known = make(map[string]counted)
	}
	c.known[table] = n
}

// count is the number of a table's live rows. It is counted anew when a run has written
// since, and after a while. Where that takes too long, or is held up by whoever has the
// table locked, it is PostgreSQL's estimate.
func (s *Store) count(ctx context.Context, table string, last *Run) (rows int64, estimated bool, err error) {
	var written [4]int64
	if last != nil {
		written = [4]int64{last.ID, last.Inserted, last.Updated, last.Tombstoned}
	}
	if known, ok := s.counts.get(table, written); ok {
		return known.rows, known.estimated, nil
	}
	n := counted{written: written, at: time.Now()}
	limited, cancel := context.WithTimeout(ctx, countLimit)
	defer cancel()
	err = s.pool.QueryRow(limited, `
		SELECT count(*)
		FROM `+s.name(table)+`
		WHERE _deleted_at IS NULL`).Scan(&n.rows)
	if err != nil && ctx.Err() == nil && (limited.Err() != nil || denied(err)) {
		n.estimated = true
		err = s.pool.QueryRow(ctx, `
			SELECT greatest(0, reltuples)::bigint
			FROM pg_catalog.pg_class
			WHERE oid = to_regclass($1)`, s.name(table)).Scan(&n.rows)
	}
	if err != nil {
		return 0, false, fmt.Errorf("count the rows of %s: %w", table, err)
	}
	s.counts.put(table, n)
	return n.rows, n.estimated, nil
}
