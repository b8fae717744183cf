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
	Limit        int           // requests a period; 0: Paymo has not told yet
	Period       time.Duration // with some room
	Left         int           // requests that could be sent at once; -1: not known
	Wait         time.Duration // until the next request may be sent
	BlockedUntil time.Time     // no request before it; zero: none is held back
}

// State reads what is known of the rate budget. It reserves nothing.
func (b *Budget) State(ctx context.Context) (BudgetState, error) {
	state := BudgetState{Left: -1}
	var spent int
	var blocked *time.Time
	var now time.Time
	err := b.store.pool.QueryRow(ctx, `
		SELECT now, rate_limit, period,
			(SELECT count(*) FROM unnest(dues) AS due WHERE due > b.now - b.period),
			greatest('0', dues[cardinality(dues)] + CASE WHEN rate_limit > 0 THEN period / rate_limit ELSE '0' END - now),
			nullif(greatest(`+blockedUntil+`, now), now)
		FROM (SELECT *, clock_timestamp() AS now FROM paymosync.budgets WHERE account = $1) AS b`, b.store.account).
		Scan(&now, &state.Limit, &state.Period, &spent, &state.Wait, &blocked)
	if errors.Is(err, pgx.ErrNoRows) {
		return state, nil
	}
	if err != nil {
		return BudgetState{}, fmt.Errorf("read the rate budget: %w", err)
	}
	if state.Limit > 0 {
		state.Left = max(0, state.Limit-spent)
	}
	if blocked != nil {
		state.BlockedUntil, state.Left, state.Wait = *blocked, 0, max(state.Wait, blocked.Sub(now))
	}
	return state, nil
}
