package sink

import (
	"context"
	"fmt"
	"time"
)

// Lag is how soon what Paymo told of in the last hour was in the tables.
type Lag struct {
	Changes int           // objects that changed, each once
	Median  time.Duration // from when they happened to when they were in their tables
	Most    time.Duration // the same for 95 of 100
	Waiting int           // that their tables do not have yet
	Oldest  time.Duration // since when the first of those waits
}

// Lag reads how soon what Paymo told of is in the tables.
func (s *Store) Lag(ctx context.Context) (Lag, error) {
	var t Lag
	err := s.pool.QueryRow(ctx, `
		WITH recent AS (
			SELECT happened_at, heard_at, merged_at, settled_at, greatest(merged_at - happened_at, '0') AS lag
			FROM paymosync.changes
			WHERE account = $1 AND (heard_at > clock_timestamp() - interval '1 hour' OR settled_at IS NULL)
		)
		SELECT count(*) FILTER (WHERE merged_at > clock_timestamp() - interval '1 hour'),
			coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY lag) FILTER (WHERE merged_at > clock_timestamp() - interval '1 hour'), '0'),
			coalesce(percentile_cont(0.95) WITHIN GROUP (ORDER BY lag) FILTER (WHERE merged_at > clock_timestamp() - interval '1 hour'), '0'),
			count(*) FILTER (WHERE merged_at IS NULL AND settled_at IS NULL),
			coalesce(clock_timestamp() - min(heard_at) FILTER (WHERE merged_at IS NULL AND settled_at IS NULL), '0')
		FROM recent`, s.account).Scan(&t.Changes, &t.Median, &t.Most, &t.Waiting, &t.Oldest)
	if err != nil {
		return Lag{}, fmt.Errorf("read what Paymo told of: %w", err)
	}
	return t, nil
}
