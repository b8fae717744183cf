package sink

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// How long a lease outlives its owner, and how often the owner renews it. Between
// them lie two more tries.
const (
	leaseTerm  = 15 * time.Second
	leaseRenew = 5 * time.Second
)

// ErrLeaseLost means that another process took the table over: this one's lease
// had expired. Nothing that it did afterwards was committed.
var ErrLeaseLost = errors.New("lost the lease on the table to another process")

// HeldError means that another process has the table's lease.
type HeldError struct {
	Table string
	Owner string
	For   time.Duration // until the lease ends, if its owner does not renew it
}

func (e *HeldError) Error() string {
	return fmt.Sprintf("table %s is being synced by %s", e.Table, e.Owner)
}

// Lease is the right to write one table. Its fence is checked by every transaction
// that writes, so a process that was paused past its term cannot do harm.
type Lease struct {
	store *Store
	table string
	owner string
	fence int64
}

// WithLease acquires the table's lease, does the work and gives the lease back. The
// work's context ends with ErrLeaseLost as its cause when the lease is lost. When
// another process has the lease, the error is a *HeldError.
func (s *Store) WithLease(ctx context.Context, table, owner string, work func(context.Context, *Lease) error) error {
	lease, err := s.acquire(ctx, table, owner)
	if err != nil {
		return err
	}
	working, lost := context.WithCancelCause(ctx)
	defer lost(nil)
	renewing, stop := context.WithCancel(working)
	renewed := make(chan struct{})
	go func() {
		defer close(renewed)
		lease.renewUntil(renewing, lost)
	}()

	err = work(working, lease)
	stop()
	<-renewed
	if errors.Is(context.Cause(working), ErrLeaseLost) {
		return fmt.Errorf("sync %s: %w", table, ErrLeaseLost)
	}
	// The lease is given back even when the caller was interrupted.
	releasing, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaseRenew)
	defer cancel()
	if releaseErr := lease.release(releasing); err == nil && releaseErr != nil && ctx.Err() == nil {
		err = releaseErr
	}
	return err
}

func (s *Store) acquire(ctx context.Context, table, owner string) (*Lease, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("acquire the lease on %s: %w", table, err)
	}
	// A caller who is interrupted now would not learn that it has the lease, and would
	// leave it behind for a whole term.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaseRenew)
	defer cancel()
	lease := &Lease{store: s, table: table, owner: owner}
	err := s.pool.QueryRow(ctx, `
		INSERT INTO paymosync.leases AS l (account, table_name, owner, fence, expires_at)
		VALUES ($1, $2, $3, 1, clock_timestamp() + $4)
		ON CONFLICT (account, table_name) DO UPDATE SET
			owner = EXCLUDED.owner,
			fence = l.fence + 1,
			expires_at = clock_timestamp() + $4
		WHERE l.expires_at <= clock_timestamp()
		RETURNING fence`, s.account, table, owner, leaseTerm).Scan(&lease.fence)
	if err == nil {
		return lease, nil
	}
	if !errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("acquire the lease on %s: %w", table, err)
	}
	held := &HeldError{Table: table}
	err = s.pool.QueryRow(ctx, `
		SELECT owner, greatest(expires_at - clock_timestamp(), '0')
		FROM paymosync.leases
		WHERE account = $1 AND table_name = $2`, s.account, table).Scan(&held.Owner, &held.For)
	if err != nil {
		return nil, fmt.Errorf("read the lease on %s: %w", table, err)
	}
	return nil, held
}

// renewUntil renews the lease until ctx ends; when it cannot be kept it says so.
func (l *Lease) renewUntil(ctx context.Context, lost context.CancelCauseFunc) {
	ticker := time.NewTicker(leaseRenew)
	defer ticker.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		trying, cancel := context.WithTimeout(ctx, leaseRenew)
		tag, err := l.store.pool.Exec(trying, `
			UPDATE paymosync.leases
			SET expires_at = clock_timestamp() + $4
			WHERE account = $1 AND table_name = $2 AND fence = $3`, l.store.account, l.table, l.fence, leaseTerm)
		cancel()
		switch {
		case err == nil && tag.RowsAffected() == 1:
			last = time.Now()
		case err == nil, time.Since(last) > leaseTerm:
			lost(ErrLeaseLost)
			return
		}
	}
}

// release ends the term at once; the fence stays, so that it only ever grows.
func (l *Lease) release(ctx context.Context) error {
	_, err := l.store.pool.Exec(ctx, `
		UPDATE paymosync.leases
		SET expires_at = clock_timestamp()
		WHERE account = $1 AND table_name = $2 AND fence = $3`, l.store.account, l.table, l.fence)
	if err != nil {
		return fmt.Errorf("release the lease on %s: %w", l.table, err)
	}
	return nil
}

// transact does the work in one transaction that holds the lease's row: nobody can
// take the table over before it ends.
func (l *Lease) transact(ctx context.Context, what string, work func(pgx.Tx) error) error {
	err := pgx.BeginFunc(ctx, l.store.pool, func(tx pgx.Tx) error {
		var one int
		err := tx.QueryRow(ctx, `
			SELECT 1
			FROM paymosync.leases
			WHERE account = $1 AND table_name = $2 AND fence = $3
			FOR SHARE`, l.store.account, l.table, l.fence).Scan(&one)
		if errors.Is(err, pgx.ErrNoRows) {
			return ErrLeaseLost
		}
		if err != nil {
			return err
		}
		return work(tx)
	})
	if err != nil {
		return fmt.Errorf("%s %s: %w", what, l.table, err)
	}
	return nil
}
