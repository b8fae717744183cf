package sink

import (
	"context"
	"fmt"
	"time"
)

// Retention is for how long bookkeeping is kept; 0: for ever.
type Retention struct {
	Runs       time.Duration // of the ledger, after they ended
	Quarantine time.Duration // of records that a later full did not meet again
}

// Pruned is how many rows were dropped.
type Pruned struct{ Runs, Quarantine int64 }

// pruneBatch is how many rows are dropped in one transaction, so that none lasts.
const pruneBatch = 5000

// Prune drops what is older than it is kept. The last run of every table stays, and so
// does one that an unfinished sync goes on with. Every batch is a transaction of its own:
// ended at any moment it has done a part of its work.
func (s *Store) Prune(ctx context.Context, keep Retention) (Pruned, error) {
	var pruned Pruned
	var err error
	if keep.Runs > 0 {
		pruned.Runs, err = s.pruneAll(ctx, "runs of the ledger", `
			DELETE FROM paymosync.runs
			WHERE id IN (
				SELECT r.id
				FROM paymosync.runs AS r
				WHERE r.account = $1
					AND r.started_at < clock_timestamp() - $2::interval
					AND r.finished_at < clock_timestamp() - $2::interval
					AND r.state <> 'running'
					AND EXISTS (
						SELECT 1
						FROM paymosync.runs AS later
						WHERE later.account = r.account AND later.table_name = r.table_name AND later.started_at > r.started_at
					)
				ORDER BY r.started_at
				LIMIT $3
			)`, keep.Runs)
	}
	if err == nil && keep.Quarantine > 0 {
		pruned.Quarantine, err = s.pruneAll(ctx, "records of the quarantine", `
			DELETE FROM paymosync.quarantine
			WHERE (account, table_name, hash) IN (
				SELECT q.account, q.table_name, q.hash
				FROM paymosync.quarantine AS q
				JOIN paymosync.checkpoints AS c USING (account, table_name)
				WHERE q.account = $1
					AND q.last_seen < clock_timestamp() - $2::interval
					AND c.full_at > q.last_seen
					AND c.paused_at IS NULL
				LIMIT $3
			)`, keep.Quarantine)
	}
	if err == nil {
		_, err = s.pruneAll(ctx, "changes", `
			DELETE FROM paymosync.changes
			WHERE ctid = ANY (ARRAY(
				SELECT ctid
				FROM paymosync.changes
				WHERE account = $1 AND heard_at < clock_timestamp() - $2::interval
				LIMIT $3
			))`, changesKept)
	}
	return pruned, err
}

// changesKept is for how long it is known which changes Paymo told of. What still waits
// then, the scheduled syncs have brought.
const changesKept = 24 * time.Hour

// pruneAll repeats a statement until it finds nothing more to drop.
func (s *Store) pruneAll(ctx context.Context, what, statement string, age time.Duration) (total int64, err error) {
	for {
		tag, err := s.pool.Exec(ctx, statement, s.account, age, pruneBatch)
		if err != nil {
			return total, fmt.Errorf("drop old %s: %w", what, err)
		}
		total += tag.RowsAffected()
		if tag.RowsAffected() < pruneBatch {
			return total, nil
		}
	}
}
