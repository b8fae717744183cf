package sink

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

// leaseTerm is how long a lease outlives its owner. The owner renews it three times
// in a term.
const leaseTerm = 15 * time.Second

// A transaction of an owner who was interrupted may linger on the server for a moment
// after the lease was given back. Only one that lasts longer is somebody's work.
const (
	lingers   = time.Second
	lingering = 20 * time.Millisecond // from one look to the next
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
// that writes, so a process that was paused past its term cannot do harm. While such
// a transaction is open it is the lease, however long it takes: nobody can take the
// table over before it ends.
type Lease struct {
	store *Store
	table string
	owner string
	fence int64
	visit bool // it is none's: see Store.Visit
	hold  hold
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
	releasing, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaseTerm/3)
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
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaseTerm/3)
	defer cancel()
	for began := time.Now(); ; {
		lease := &Lease{store: s, table: table, owner: owner, hold: hold{since: time.Now()}}
		err := s.takeOver(ctx, lease)
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
		// Where its term is over, its row is locked.
		if err == nil && held.For == 0 && (time.Since(began) < lingers || s.endSilent(ctx, table)) {
			<-time.After(lingering)
			continue
		}
		if err == nil {
			return nil, held
		}
		if !errors.Is(err, pgx.ErrNoRows) {
			return nil, fmt.Errorf("read the lease on %s: %w", table, err)
		}
		// The table never had a lease.
		if _, err := s.pool.Exec(ctx, `
			INSERT INTO paymosync.leases (account, table_name, owner, fence, expires_at)
			VALUES ($1, $2, $3, 0, 'epoch')
			ON CONFLICT DO NOTHING`, s.account, table, owner); err != nil {
			return nil, fmt.Errorf("acquire the lease on %s: %w", table, err)
		}
	}
}

// takeOver takes a lease whose term is over. One whose row is locked is held by a
// transaction that may take long, so it is not waited for.
func (s *Store) takeOver(ctx context.Context, lease *Lease) error {
	return s.pool.QueryRow(ctx, `
		WITH free AS (
			SELECT account, table_name
			FROM paymosync.leases
			WHERE account = $1 AND table_name = $2 AND expires_at <= clock_timestamp()
			FOR UPDATE SKIP LOCKED
		)
		UPDATE paymosync.leases AS l
		SET owner = $3,
			fence = l.fence + 1,
			expires_at = clock_timestamp() + $4
		FROM free
		WHERE l.account = free.account AND l.table_name = free.table_name
		RETURNING l.fence`, s.account, lease.table, lease.owner, s.leaseTerm).Scan(&lease.fence)
}

// endSilent ends the transaction that has the row of a lease locked, where the server has
// waited for the rest of a message for a term: its process was paused, or is cut off. The
// server by itself ends only those that are silent between messages. It reports false
// where there is none, or it is of a role whose transactions ours may not end.
func (s *Store) endSilent(ctx context.Context, table string) (ended bool) {
	err := s.pool.QueryRow(ctx, `
		SELECT coalesce(bool_or(pg_terminate_backend(a.pid)), false)
		FROM paymosync.leases AS l
		JOIN pg_locks AS k ON k.locktype = 'transactionid' AND k.transactionid = l.xmax AND k.granted
		JOIN pg_stat_activity AS a ON a.pid = k.pid
		WHERE l.account = $1 AND l.table_name = $2
			AND a.state = 'active' AND a.wait_event = 'ClientRead'
			AND a.state_change < clock_timestamp() - $3::interval`, s.account, table, s.leaseTerm).Scan(&ended)
	return err == nil && ended
}

// release ends the term at once, and the fence with it: a statement of ours that reaches
// the server late, because we were interrupted, neither renews nor locks anything.
func (l *Lease) release(ctx context.Context) error {
	_, err := l.store.pool.Exec(ctx, `
		UPDATE paymosync.leases
		SET expires_at = clock_timestamp(),
			fence = fence + 1
		WHERE account = $1 AND table_name = $2 AND fence = $3`, l.store.account, l.table, l.fence)
	if err != nil {
		return fmt.Errorf("release the lease on %s: %w", l.table, err)
	}
	return nil
}

// transact does the work in one transaction that holds the lease's row: nobody can
// take the table over before it ends. One that takes long renews the lease itself,
// because its row is locked for everybody else.
func (l *Lease) transact(ctx context.Context, what string, work func(pgx.Tx) error) error {
	return l.transactAfter(ctx, what, &pgx.Batch{}, work)
}

// transactBatch does in one transaction what takes no more than statements.
func (l *Lease) transactBatch(ctx context.Context, what string, batch *pgx.Batch) error {
	return l.transactAfter(ctx, what, batch, func(pgx.Tx) error { return nil })
}

// transactAfter is transact for work that begins with statements: they are sent along
// with the one that locks the lease's row.
func (l *Lease) transactAfter(ctx context.Context, what string, first *pgx.Batch, work func(pgx.Tx) error) error {
	var renewed time.Time
	ended := func() {}
	err := pgx.BeginFunc(ctx, l.store.pool, func(tx pgx.Tx) error {
		ended = l.hold.lock() // a moment early: what goes along with the lock may take long
		locked := time.Now()
		left, err := l.lock(ctx, tx, first)
		if err != nil {
			return err
		}
		if err := work(tx); err != nil {
			return err
		}
		if l.visit || left-time.Since(locked) > l.store.leaseTerm*2/3 {
			return nil
		}
		renewed = time.Now()
		_, err = l.renew(ctx, tx)
		return err
	})
	if err == nil {
		l.hold.renew(renewed)
	}
	ended()
	if err != nil {
		return fmt.Errorf("%s %s: %w", what, l.table, err)
	}
	return nil
}

// lock locks the lease's row until the transaction ends and returns how much of the
// term is left. The lock must not outlive a process that was paused or whose host is
// gone: the server ends a transaction that it hears nothing of for a term, and one whose
// host does not answer; see also endSilent. What the statements that go along have done is
// rolled back when the lease was lost.
func (l *Lease) lock(ctx context.Context, tx pgx.Tx, along *pgx.Batch) (left time.Duration, err error) {
	silence := strconv.FormatInt(l.store.leaseTerm.Milliseconds(), 10)
	probe := strconv.Itoa(max(1, int(l.store.leaseTerm.Seconds())/3))
	var batch pgx.Batch
	batch.Queue(`
		SELECT expires_at - clock_timestamp(),
			set_config('idle_in_transaction_session_timeout', $4, true)
				|| set_config('tcp_keepalives_idle', $5, true)
				|| set_config('tcp_keepalives_interval', $5, true)
				|| set_config('tcp_keepalives_count', '2', true)
		FROM paymosync.leases
		WHERE account = $1 AND table_name = $2 AND (fence = $3 OR $6)
		FOR NO KEY UPDATE`, l.store.account, l.table, l.fence, silence, probe, l.visit).QueryRow(func(row pgx.Row) error {
		err := row.Scan(&left, nil)
		if errors.Is(err, pgx.ErrNoRows) {
			return ErrLeaseLost
		}
		return err
	})
	batch.QueuedQueries = append(batch.QueuedQueries, along.QueuedQueries...)
	return left, tx.SendBatch(ctx, &batch).Close()
}
