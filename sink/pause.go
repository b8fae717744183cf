package sink

import (
	"context"
	"fmt"
	"time"
)

// CausePaused is the cause of a table that an operator paused.
const CausePaused = "paused"

// Pause stops the syncs of a table, until they are resumed. What it was and how far it
// was read stays as it is. It reports whether the table was not paused before.
//
// A sync that is under way ends first.
func (s *Store) Pause(ctx context.Context, table string) (changed bool, err error) {
	tag, err := s.pool.Exec(ctx, `
		INSERT INTO paymosync.checkpoints AS c (account, table_name, paused_at)
		VALUES ($1, $2, clock_timestamp())
		ON CONFLICT (account, table_name) DO UPDATE SET
			paused_at = EXCLUDED.paused_at
		WHERE c.paused_at IS NULL`, s.account, table)
	if err != nil {
		return false, fmt.Errorf("pause %s: %w", table, err)
	}
	return tag.RowsAffected() == 1, nil
}

// Resume lets the syncs of a table go on. It reports whether the table was paused.
func (s *Store) Resume(ctx context.Context, table string) (changed bool, err error) {
	tag, err := s.pool.Exec(ctx, `
		UPDATE paymosync.checkpoints
		SET paused_at = NULL,
			resumed_at = clock_timestamp()
		WHERE account = $1 AND table_name = $2 AND paused_at IS NOT NULL`, s.account, table)
	if err != nil {
		return false, fmt.Errorf("resume %s: %w", table, err)
	}
	return tag.RowsAffected() == 1, nil
}

// PausedReason says in words since when a table is paused, and what it was before.
func PausedReason(cp Checkpoint) string {
	text := fmt.Sprintf("paused by an operator since %s; before that it was %s", cp.PausedAt.UTC().Format(time.RFC3339), cp.State)
	if cp.Reason != "" {
		text += ": " + cp.Reason
	}
	return text
}
