package sink

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// The states of a run that no table has.
const (
	RunRunning     = "running"
	RunInterrupted = "interrupted" // its process ended before it did
)

// StartRun writes a run into the ledger and returns its id. Runs of the table that
// never ended are marked interrupted: whoever had the lease before is gone.
func (l *Lease) StartRun(ctx context.Context, mode, reason string) (int64, error) {
	return l.ResumeRun(ctx, 0, mode, reason)
}

// ResumeRun goes on with a run that was interrupted, or starts one where that run
// has ended.
func (l *Lease) ResumeRun(ctx context.Context, run int64, mode, reason string) (int64, error) {
	err := l.transact(ctx, "start a run of", func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			UPDATE paymosync.runs
			SET state = 'interrupted',
				sentence = 'its process ended before it did',
				finished_at = clock_timestamp()
			WHERE account = $1 AND table_name = $2 AND state = 'running' AND id <> $3`, l.store.account, l.table, run)
		if err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `
			UPDATE paymosync.runs
			SET state = 'running',
				sentence = '',
				cause = '',
				finished_at = NULL
			WHERE id = $1 AND state IN ('running', 'interrupted')`, run)
		if err != nil || tag.RowsAffected() == 1 {
			return err
		}
		return tx.QueryRow(ctx, `
			INSERT INTO paymosync.runs (account, table_name, mode, reason)
			VALUES ($1, $2, $3, $4)
			RETURNING id`, l.store.account, l.table, mode, reason).Scan(&run)
	})
	return run, err
}

// Ending is how a run ends, or is left for later.
type Ending struct {
	State    string
	Sentence string  // the state in words
	Cause    string  // what the sentence is about, as a name; "" for a run that is well
	Reread   *Reread // what was read again of what Paymo told of; nil: nothing
}

// EndRun ends the run in the ledger and saves the table's checkpoint with it. A run
// that ends as running or interrupted can be gone on with. The cost is what was
// spent since the last page.
func (l *Lease) EndRun(ctx context.Context, run int64, ending Ending, cost Cost, cp Checkpoint) error {
	var batch pgx.Batch
	l.saveCheckpoint(&batch, cp)
	l.countRun(&batch, run, tally{cost: cost})
	batch.Queue(`
		UPDATE paymosync.runs
		SET state = $2,
			sentence = $3,
			cause = $4,
			finished_at = CASE WHEN $2 = 'running' THEN NULL ELSE clock_timestamp() END
		WHERE id = $1`, run, ending.State, ending.Sentence, ending.Cause)
	if ending.Reread != nil {
		l.settleReread(&batch, *ending.Reread)
	}
	return l.transactBatch(ctx, "end the run of", &batch)
}

// tally is what a run's counts grow by.
type tally struct {
	result     Result
	tombstoned int64
	stripped   int
	dropped    int
	cost       Cost
}

func (l *Lease) countRun(batch *pgx.Batch, run int64, t tally) {
	batch.Queue(`
		UPDATE paymosync.runs
		SET inserted = inserted + $2,
			updated = updated + $3,
			unchanged = unchanged + $4,
			quarantined = quarantined + $5,
			late = late + $6,
			tombstoned = tombstoned + $7,
			stripped = stripped + $8,
			dropped = dropped + $9,
			requests = requests + $10,
			waited_ms = waited_ms + $11,
			bytes = bytes + $12
		WHERE id = $1`,
		run, t.result.Inserted, t.result.Updated, t.result.Unchanged, t.result.Quarantined, t.result.Late,
		t.tombstoned, t.stripped, t.dropped, t.cost.Requests, t.cost.Waited.Milliseconds(), t.cost.Bytes)
}
