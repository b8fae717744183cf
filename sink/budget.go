package sink

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// The rules are those of paymo.Pacer, which keeps a budget within one process.
//
// Of each account fewRemembered requests are remembered, or as many as the limit is, but
// no more than maxRemembered: what needs more is a limit that we do not reach.
const (
	fewRemembered = 20
	maxRemembered = 1000
)

// Bulk requests leave the next turn to others while others were seen within so many turns,
// but get one of so many turns at the least.
const (
	othersSeen = 2
	bulkTurns  = 10
)

// Budget is the rate budget of the account's key, kept in PostgreSQL so that all
// processes that use the key share it. It paces requests evenly, by our share of the limit
// that Paymo's headers tell, and lets no more than that go in any period, also where
// they went faster before the limit was known. Safe for concurrent use.
type Budget struct {
	store *Store
	share int
	bulk  bool
}

// Budget is the account's rate budget, of which so many hundredths of Paymo's limit are
// used; 0 is all of it.
func (s *Store) Budget(share int) *Budget {
	if share == 0 {
		share = 100
	}
	return &Budget{store: s, share: share}
}

// Bulk is the same budget for what reads a lot and can wait. Its requests reserve no more
// than the next turn, and while others take turns none ahead of time, so that the others
// go first; but some turns are theirs whatever others want.
func (b *Budget) Bulk() *Budget { return &Budget{store: b.store, share: b.share, bulk: true} }

// Take reserves the next request and returns how long to wait before sending it. When ok
// is false nothing is reserved: the request would have to wait for more than most, or
// others go first. After the wait it may be asked for again.
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

// believable is how far ahead a request may be due: what lies further is what a clock left
// behind that was set back.
const believable = `clock_timestamp() + greatest(2 * b.period, interval '1 minute')`

// blockedUntil is until when b, a budget, must stay away. More than a period, or than
// the longest stay that a server may ask for, is what a clock left behind that was
// set back.
const blockedUntil = `CASE
				WHEN b.blocked_until <= clock_timestamp() + greatest(2 * b.period, interval '1 hour 5 minutes') THEN b.blocked_until
				ELSE '-infinity'
			END`

// take reserves in one statement, so that the row is locked for a moment only.
func (b *Budget) take(ctx context.Context, most time.Duration) (wait time.Duration, ok bool, err error) {
	err = b.store.pool.QueryRow(ctx, `
		WITH known AS (
			SELECT rate_limit, period, `+blockedUntil+` AS blocked_until,
				(rate_limit * $3 + 99) / 100 AS ours,
				period * 100 / nullif(rate_limit * $3, 0) AS pace,
				CASE WHEN scheduled_due <= `+believable+` THEN scheduled_due END AS scheduled_due,
				CASE WHEN bulk_due <= `+believable+` THEN bulk_due END AS bulk_due,
				array(
					SELECT due
					FROM unnest(dues) AS due
					WHERE due <= `+believable+`
					ORDER BY due
				) AS dues
			FROM paymosync.budgets AS b
			WHERE account = $1
			FOR UPDATE
		), locked AS (
			SELECT *, clock_timestamp() AS now
			FROM known
		), next AS (
			SELECT now, rate_limit, dues, greatest(
					now,
					blocked_until,
					dues[cardinality(dues)] + pace,
					dues[cardinality(dues) - ours + 1] + period
				) AS due,
				CASE
					WHEN NOT $4 OR pace IS NULL OR bulk_due IS NULL OR bulk_due < now - $5 * pace THEN NULL
					WHEN scheduled_due >= now - $6 * pace THEN '0'
					ELSE least(pace, $2)
				END AS early
			FROM locked
		), reserved AS (
			UPDATE paymosync.budgets AS b
			SET dues = (next.dues || next.due)[greatest(1, cardinality(next.dues) + 2 - least($7, greatest(next.rate_limit, $8))):],
				scheduled_due = CASE WHEN $4 THEN b.scheduled_due ELSE next.due END,
				bulk_due = CASE WHEN $4 THEN next.due ELSE b.bulk_due END
			FROM next
			WHERE b.account = $1 AND next.due <= next.now + coalesce(next.early, $2)
			RETURNING true AS ok
		)
		SELECT coalesce(reserved.ok, false),
			greatest('0', next.due - clock_timestamp() - CASE WHEN reserved.ok THEN '0' ELSE coalesce(next.early, '0') END)
		FROM next
		LEFT JOIN reserved ON true`,
		b.store.account, most, b.share, b.bulk, bulkTurns, othersSeen, maxRemembered, fewRemembered).Scan(&ok, &wait)
	return wait, ok, err
}

// Observe tells what a response said: limit requests a period (0: no headers), the
// least remaining (-1: unknown) and, after a 429, how long to stay away.
//
// Two hundredths are added to the period, because requests sent in step arrive out
// of step. Where nothing remains and we did not use up our share, others use the key for
// more than theirs: we stay away for a period.
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
			SELECT $2 > 0 AND $4 = 0 AND count(*) < least(($2 * $7 + 99) / 100, $6) AS spend
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
		b.store.account, limit, period, remaining, retryAfter, maxRemembered, b.share)
	if err != nil {
		return fmt.Errorf("note what the rate headers said: %w", err)
	}
	return nil
}
