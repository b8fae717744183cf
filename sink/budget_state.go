package sink

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// BudgetState is what is known of the rate budget at one moment.
type BudgetState struct {
	Limit        int           // requests a period that Paymo allows; 0: it has not told yet
	Share        int           // percentage of the limit that is used
	Period       time.Duration // with some room
	Left         int           // requests of our share that the last period left; -1: not known
	Wait         time.Duration // until the next request may be sent
	BlockedUntil time.Time     // no request before it; zero: none is held back
}

// Ours is how many requests of a period our share is, a part of one counted as one.
func (s BudgetState) Ours() int { return (s.Limit*s.Share + 99) / 100 }

// State reads what is known of the rate budget. It reserves nothing.
func (b *Budget) State(ctx context.Context) (BudgetState, error) {
	state := BudgetState{Left: -1, Share: b.share}
	var spent int
	var blocked *time.Time
	var now time.Time
	err := b.store.pool.QueryRow(ctx, `
		SELECT now, rate_limit, period,
			(SELECT count(*) FROM unnest(dues) AS due WHERE due > b.now - b.period),
			greatest('0', dues[cardinality(dues)] + coalesce(period * 100 / nullif(rate_limit * $2, 0), '0') - now),
			nullif(greatest(`+blockedUntil+`, now), now)
		FROM (SELECT *, clock_timestamp() AS now FROM paymosync.budgets WHERE account = $1) AS b`, b.store.account, b.share).
		Scan(&now, &state.Limit, &state.Period, &spent, &state.Wait, &blocked)
	if errors.Is(err, pgx.ErrNoRows) {
		return state, nil
	}
	if err != nil {
		return BudgetState{}, fmt.Errorf("read the rate budget: %w", err)
	}
	if state.Limit > 0 {
		state.Left = max(0, state.Ours()-spent)
	}
	if blocked != nil {
		state.BlockedUntil, state.Left, state.Wait = *blocked, 0, max(state.Wait, blocked.Sub(now))
	}
	return state, nil
}
