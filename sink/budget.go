package sink

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Budget is the rate budget of the account's key, kept in PostgreSQL so that all
// processes that use the key share it. It paces requests evenly, by the limit that
// Paymo's headers tell. Safe for concurrent use.
type Budget struct{ store *Store }

// Budget is the account's rate budget.
func (s *Store) Budget() *Budget { return &Budget{store: s} }

// Take reserves the next request and returns how long to wait before sending it.
// When that is more than most, nothing is reserved and ok is false.
func (b *Budget) Take(ctx context.Context, most time.Duration) (wait time.Duration, ok bool, err error) {
	err = b.store.pool.QueryRow(ctx, `
		INSERT INTO paymosync.budgets AS b (account, next_at)
		VALUES ($1, clock_timestamp())
		ON CONFLICT (account) DO UPDATE SET
			next_at = greatest(b.next_at, b.blocked_until, clock_timestamp()) + b.pace,
			recent = array(
				SELECT due
				FROM unnest(b.recent || greatest(b.next_at, b.blocked_until, clock_timestamp())) AS due
				WHERE b.rate_limit > 0 AND due > clock_timestamp() - b.period
			)
		WHERE greatest(b.next_at, b.blocked_until) <= clock_timestamp() + $2
		RETURNING greatest(b.next_at - b.pace - clock_timestamp(), '0')`, b.store.account, most).Scan(&wait)
	if err == nil {
		return wait, true, nil
	}
	if !errors.Is(err, pgx.ErrNoRows) {
		return 0, false, fmt.Errorf("reserve a request in the rate budget: %w", err)
	}
	err = b.store.pool.QueryRow(ctx, `
		SELECT greatest(greatest(next_at, blocked_until) - clock_timestamp(), '0')
		FROM paymosync.budgets
		WHERE account = $1`, b.store.account).Scan(&wait)
	if err != nil {
		return 0, false, fmt.Errorf("read the rate budget: %w", err)
	}
	return wait, false, nil
}

// Observe tells what a response said: limit requests a period (0: no headers), the
// least remaining (-1: unknown) and, after a 429, how long to stay away.
//
// Two hundredths are added to the even pace, because requests sent in step arrive
// out of step. Where fewer remain than our own requests explain, others use the key
// too: with nothing remaining we stay away for a period.
func (b *Budget) Observe(ctx context.Context, limit int, period time.Duration, remaining int, retryAfter time.Duration) error {
	if limit <= 0 && retryAfter <= 0 {
		return nil
	}
	pace := time.Duration(0)
	if limit > 0 {
		pace = period / time.Duration(limit) * 102 / 100
	}
	_, err := b.store.pool.Exec(ctx, `
		UPDATE paymosync.budgets
		SET rate_limit = CASE WHEN $2 > 0 THEN $2 ELSE rate_limit END,
			period = CASE WHEN $2 > 0 THEN $3 ELSE period END,
			pace = CASE WHEN $2 > 0 THEN $4 ELSE pace END,
			next_at = CASE
				WHEN $5 = 0 AND cardinality(recent) < $2 THEN greatest(next_at, clock_timestamp() + $3)
				ELSE next_at
			END,
			blocked_until = greatest(blocked_until, clock_timestamp() + $6)
		WHERE account = $1
			AND (rate_limit <> $2 AND $2 > 0
				OR period <> $3 AND $2 > 0
				OR $5 = 0 AND cardinality(recent) < $2
				OR $6 > interval '0')`,
		b.store.account, limit, period, pace, remaining, retryAfter)
	if err != nil {
		return fmt.Errorf("note what the rate headers said: %w", err)
	}
	return nil
}
