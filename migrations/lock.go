package migrations

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// lockKey is the advisory lock of a database's migrations.
const lockKey = 0x7061796d6f73796e // "paymosyn"

const lockInterval = 100 * time.Millisecond

// lock waits until no other process migrates the database; release ends the lock.
// goose and River lock nothing that the other would see, River not even itself: of
// four of its migrators at once, three fail.
//
// The lock lasts as long as a transaction, rather than a session, so that it also
// holds behind a pooler that gives each transaction another session. Its connection
// leaves the pool, so that a pool of one is enough for the work.
func lock(ctx context.Context, pool *pgxpool.Pool) (release func(), err error) {
	pooled, err := pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect for the migrations' lock: %w", err)
	}
	conn := pooled.Hijack()
	release = func() {
		// Closing ends the transaction, and with it the lock, also when ctx has ended.
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = conn.Close(closing)
	}
	if err := wait(ctx, conn); err != nil {
		release()
		return nil, fmt.Errorf("wait for another process's migrations to end: %w", err)
	}
	return release, nil
}

// wait asks again and again rather than in a blocking call, which would keep a
// snapshot open while another process may be building an index.
func wait(ctx context.Context, conn *pgx.Conn) error {
	if _, err := conn.Exec(ctx, `BEGIN`); err != nil {
		return err
	}
	// The transaction is idle while the migrations run; limits on that must not end it.
	// By name from pg_settings, because transaction_timeout is new in PostgreSQL 17.
	if _, err := conn.Exec(ctx, `
SELECT set_config(name, '0', true)
FROM pg_settings
WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout')`); err != nil {
		return err
	}
	again := time.NewTicker(lockInterval)
	defer again.Stop()
	for {
		var locked bool
		if err := conn.QueryRow(ctx, `SELECT pg_try_advisory_xact_lock($1)`, int64(lockKey)).Scan(&locked); err != nil {
			return err
		}
		if locked {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-again.C:
		}
	}
}
