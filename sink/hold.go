package sink

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// hold is what a process knows of its hold on a lease. Safe for concurrent use.
type hold struct {
	mu     sync.Mutex
	locked int       // open transactions that have the lease's row locked
	since  time.Time // when the term began, at the latest
}

// lock notes that a transaction has the lease's row locked, until ended is called.
func (h *hold) lock() (ended func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.locked++
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.locked--
	}
}

// renew notes that the term began anew, at the latest when that was asked for.
func (h *hold) renew(asked time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if asked.After(h.since) {
		h.since = asked
	}
}

// isLocked reports whether a transaction has the lease's row locked: the lease is ours
// then, and nothing else can renew it.
func (h *hold) isLocked() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.locked > 0
}

// isOver reports whether the lease may be another's by now.
func (h *hold) isOver(term time.Duration) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.locked == 0 && time.Since(h.since) > term
}

// renewUntil renews the lease until ctx ends; when it cannot be kept it says so.
func (l *Lease) renewUntil(ctx context.Context, lost context.CancelCauseFunc) {
	interval := l.store.leaseTerm / 3
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if l.hold.isLocked() {
			continue
		}
		asked := time.Now()
		trying, cancel := context.WithTimeout(ctx, interval)
		kept, err := l.renew(trying, l.store.pool)
		cancel()
		switch {
		case err == nil && kept:
			l.hold.renew(asked)
		case err == nil, l.hold.isOver(l.store.leaseTerm):
			lost(ErrLeaseLost)
			return
		}
	}
}

// execer is a pool or a transaction.
type execer interface {
	Exec(ctx context.Context, sql string, arguments ...any) (pgconn.CommandTag, error)
}

// renew begins the term anew; kept is false when the lease is another's.
func (l *Lease) renew(ctx context.Context, db execer) (kept bool, err error) {
	tag, err := db.Exec(ctx, `
		UPDATE paymosync.leases
		SET expires_at = clock_timestamp() + $4
		WHERE account = $1 AND table_name = $2 AND fence = $3`, l.store.account, l.table, l.fence, l.store.leaseTerm)
	return err == nil && tag.RowsAffected() == 1, err
}
