package sink

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// SetLeaseTerm makes leases shorter than is good for anything but a test.
func (s *Store) SetLeaseTerm(term time.Duration) { s.leaseTerm = term }

// Transact is the transaction in which everything is written that needs the lease.
func (l *Lease) Transact(ctx context.Context, work func(pgx.Tx) error) error {
	return l.transact(ctx, "test", work)
}

// Renew renews the lease as it is done in the background while there is work.
func (l *Lease) Renew(ctx context.Context) (kept bool, err error) {
	return l.renew(ctx, l.store.pool)
}
