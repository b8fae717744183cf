package sink

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// maxDues is how many requests are remembered. What needs more is a limit that we do
// not reach.
const maxDues = 1000

// Budget is the rate budget of the account's key, kept in PostgreSQL so that all
// processes that use the key share it. It paces requests evenly, by the limit that
// Paymo's headers tell, and lets no more than the limit go in any period, also where
// they went faster before the limit was known. Safe for concurrent use.
type Budget struct{ store *Store }

// Budget is the account's rate budget.
func (s *Store) Budget() *Budget { return &Budget{store: s} }

// Take reserves the next request and returns how long to wait before sending it.
// When that is more than most, nothing is reserved and ok is false.
func (b *Budget) Take(ctx context.Context, most time.Duration) (wait time.Duration, ok bool, err error) {
	for {
		wait, ok, err = b.take(ctx, most)
		if !errors.Is(err, pgx.ErrNoRows) {
			break
		}
		if _, err = b.store.pool.Exec(ctx, `
			INSERT INTO paymosync.budgets (account)
			VALUES ($1)
			ON CONFLICT DO NOTHING`, b.store.account); err != nil {
			break
		}
	}
	if err != nil {
		return 0, false, fmt.Errorf("reserve a request in the rate budget: %w", err)
	}
	return wait, ok, nil
}

// blockedUntil is until when b, a budget, must stay away. More than a period, or than
// the longest stay that a server may ask for, is what a clock left behind that was
// set back.
const blockedUntil = `CASE
				WHEN b.blocked_until <= clock_timestamp() + greatest(2 * b.period, interval '1 hour 5 minutes') THEN b.blocked_until
				ELSE '-infinity'
			END`

// take reserves in one statement, so that the row is locked for a moment only. Dues
// that lie far ahead are what a clock left behind that was set back, too.
func (b *Budget) take(ctx context.Context, most time.Duration) (wait time.Duration, ok bool, err error) {
	err = b.store.pool.QueryRow(ctx, `
		WITH known AS (
			SELECT rate_limit, period, `+blockedUntil+` AS blocked_until, array(
					SELECT due
					FROM unnest(dues) AS due
					WHERE due <= clock_timestamp() + greatest(2 * period, interval '1 minute')
					ORDER BY due
				) AS dues
			FROM paymosync.budgets AS b
			WHERE account = $1
			FOR UPDATE
		), next AS (
			SELECT rate_limit, dues, greatest(
					clock_timestamp(),
					blocked_until,
					CASE WHEN rate_limit > 0 THEN dues[cardinality(dues)] + period / rate_limit END,
					CASE WHEN rate_limit > 0 THEN dues[cardinality(dues) - rate_limit + 1] + period END
				) AS due
			FROM known
		), reserved AS (
			UPDATE paymosync.budgets AS b
			SET dues = (next.dues || next.due)[greatest(1, cardinality(next.dues) + 2 - least($3, greatest(next.rate_limit, 20))):]
			FROM next
			WHERE b.account = $1 AND next.due <= clock_timestamp() + $2
			RETURNING true AS ok
		)
		SELECT greatest(next.due - clock_timestamp(), '0'), coalesce(reserved.ok, false)
		FROM next
		LEFT JOIN reserved ON true`, b.store.account, most, maxDues).Scan(&wait, &ok)
	return wait, ok, err
}

// Observe tells what a response said: limit requests a period (0: no headers), the
// least remaining (-1: unknown) and, after a 429, how long to stay away.
//
// Two hundredths are added to the period, because requests sent in step arrive out
// of step. Where fewer remain than our own requests explain, others use the key too:
// with nothing remaining we stay away for a period.
func (b *Budget) Observe(ctx context.Context, limit int, period time.Duration, remaining int, retryAfter time.Duration) error {
	if limit <= 0 && retryAfter <= 0 {
		return nil
	}
	_, err := b.store.pool.Exec(ctx, `
		WITH sent AS (
			SELECT due, max(due) OVER () AS last
			FROM paymosync.budgets, unnest(dues) AS due
			WHERE account = $1 AND due <= clock_timestamp()
		), others AS (
			SELECT $2 > 0 AND $4 = 0 AND count(*) < least($2, $6) AS spend
			FROM sent
			WHERE due > last - $3::interval
		), heard AS (
			SELECT greatest(
					clock_timestamp() + $5,
					CASE WHEN others.spend THEN clock_timestamp() + $3 END
				) AS stay
			FROM others
		)
		UPDATE paymosync.budgets AS b
		SET rate_limit = CASE WHEN $2 > 0 THEN $2 ELSE b.rate_limit END,
			period = CASE WHEN $2 > 0 THEN $3 * 1.02 ELSE b.period END,
			blocked_until = CASE WHEN heard.stay > clock_timestamp() THEN greatest(`+blockedUntil+`, heard.stay) ELSE b.blocked_until END
		FROM heard
		WHERE b.account = $1
			AND ($2 > 0 AND (b.rate_limit <> $2 OR b.period <> $3 * 1.02)
				OR heard.stay > clock_timestamp())`,
		b.store.account, limit, period, remaining, retryAfter, maxDues)
	if err != nil {
		return fmt.Errorf("note what the rate headers said: %w", err)
	}
	return nil
}
