package sink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// The states of a table.
const (
	StateOK          = "ok"          // its rows are Paymo's
	StateDegraded    = "degraded"    // its rows are kept, but something is not as it should be
	StateFailing     = "failing"     // it could not be read
	StateUnavailable = "unavailable" // Paymo does not serve it to this key: not in the plan, or not permitted
	StatePaused      = "paused"      // an operator stopped its sync
)

// Unsynced is the reason of a table that no sync has read yet.
const Unsynced = "not synced yet"

// Capability is something learned of the server for one table.
type Capability struct {
	Works  bool      `json:"works"`
	Since  time.Time `json:"since"`
	Reason string    `json:"reason"`
	Cause  string    `json:"cause,omitempty"` // what the reason is about, as a name
}

// Checkpoint is where the sync of a table stands. It is saved in the transactions
// of the pages that it describes.
type Checkpoint struct {
	Cursor       time.Time       // incrementals ask for updated_on at or after it; zero: none yet
	Progress     json.RawMessage // an unfinished run's remaining work; nil between runs
	Backfill     json.RawMessage // an unfinished backfill's remaining work; nil between backfills
	FullAt       time.Time       // when the last complete full began
	FreshAsOf    time.Time       // every change that the reads can see before it is in
	ParentsAt    time.Time       // parents whose rows were written at or after it, by the database's clock, are read again
	Denied       []int64         // parents whose rows Paymo denied
	ReadAt       time.Time       // when the last run that read the table to its end began
	Capabilities map[string]Capability
	LongestReply int    // rows of the longest list that was found to be complete since the last full began
	PageCap      int    // rows at which the server was found to cut lists; 0: not found yet
	Layout       string // Store.Layout at the last complete full
	State        string
	Reason       string
	Cause        string    // what the reason is about, as a name; "" when the table is ok
	PausedAt     time.Time // since when its syncs are paused, zero: they are not; saving a checkpoint leaves it as it is
	ResumedAt    time.Time // when they went on for the last time; left as it is, too
}

// Checkpoint reads the table's checkpoint; a table that was never synced has an
// empty one.
func (l *Lease) Checkpoint(ctx context.Context) (Checkpoint, error) {
	return l.store.Checkpoint(ctx, l.table)
}

// Checkpoint reads a table's checkpoint without its lease.
func (s *Store) Checkpoint(ctx context.Context, table string) (Checkpoint, error) {
	cp, _, err := s.checkpoint(ctx, table)
	return cp, err
}

// checkpoint reads a table's checkpoint, and whether it tells of the table in this
// store's schema: not so while another schema was the last to be read whole.
func (s *Store) checkpoint(ctx context.Context, table string) (cp Checkpoint, ours bool, err error) {
	cp = Checkpoint{State: StateUnavailable, Reason: Unsynced, Capabilities: map[string]Capability{}}
	var cursor, fullAt, fresh, parentsAt, readAt, pausedAt, resumedAt *time.Time
	err = s.pool.QueryRow(ctx, `
		SELECT cursor, progress, backfill, full_at, fresh_as_of, parents_at, denied_parents, read_at, capabilities, longest_reply, page_cap, layout,
			state, reason, cause, paused_at, resumed_at, schema_name IN ('', $3)
		FROM paymosync.checkpoints
		WHERE account = $1 AND table_name = $2`, s.account, table, s.schema).
		Scan(&cursor, &cp.Progress, &cp.Backfill, &fullAt, &fresh, &parentsAt, &cp.Denied, &readAt, &cp.Capabilities, &cp.LongestReply, &cp.PageCap, &cp.Layout,
			&cp.State, &cp.Reason, &cp.Cause, &pausedAt, &resumedAt, &ours)
	if errors.Is(err, pgx.ErrNoRows) {
		return cp, true, nil
	}
	if err != nil {
		return Checkpoint{}, false, fmt.Errorf("read the checkpoint of %s: %w", table, err)
	}
	for _, t := range []struct {
		from *time.Time
		to   *time.Time
	}{{cursor, &cp.Cursor}, {fullAt, &cp.FullAt}, {fresh, &cp.FreshAsOf}, {parentsAt, &cp.ParentsAt}, {readAt, &cp.ReadAt}, {pausedAt, &cp.PausedAt}, {resumedAt, &cp.ResumedAt}} {
		if t.from != nil {
			*t.to = *t.from
		}
	}
	return cp, ours, nil
}

// SaveCheckpoint saves the table's checkpoint by itself, for what no page goes with.
func (l *Lease) SaveCheckpoint(ctx context.Context, cp Checkpoint) error {
	var batch pgx.Batch
	l.saveCheckpoint(&batch, cp)
	return l.transactBatch(ctx, "save the checkpoint of", &batch)
}

// ResetCheckpoint forgets how far the table was read; its rows stay, and so does what
// is known of their state. The next sync is a full.
func (l *Lease) ResetCheckpoint(ctx context.Context) error {
	return l.transact(ctx, "reset the checkpoint of", func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			UPDATE paymosync.checkpoints
			SET cursor = NULL,
				progress = NULL,
				backfill = NULL,
				full_at = NULL,
				parents_at = NULL,
				denied_parents = '{}',
				read_at = NULL,
				capabilities = '{}',
				longest_reply = 0,
				page_cap = 0,
				layout = ''
			WHERE account = $1 AND table_name = $2`, l.store.account, l.table)
		return err
	})
}

// Rewind has incrementals of all tables begin at the time again, where they are beyond it:
// what was read since is in doubt.
func (s *Store) Rewind(ctx context.Context, to time.Time) error {
	_, err := s.pool.Exec(ctx, `
		UPDATE paymosync.checkpoints
		SET cursor = CASE WHEN cursor > $2 THEN $2 ELSE cursor END,
			fresh_as_of = CASE WHEN fresh_as_of > $2 THEN $2 ELSE fresh_as_of END,
			parents_at = CASE WHEN parents_at > $2 THEN $2 ELSE parents_at END
		WHERE account = $1`, s.account, to)
	if err != nil {
		return fmt.Errorf("read again what was read since %s: %w", to.Format(time.RFC3339), err)
	}
	return nil
}

// saveCheckpoint saves the checkpoint. It tells of another schema's table until this
// one was read whole, which is when the layout or one of the times moves.
func (l *Lease) saveCheckpoint(batch *pgx.Batch, cp Checkpoint) {
	if cp.Capabilities == nil {
		cp.Capabilities = map[string]Capability{}
	}
	batch.Queue(`
		INSERT INTO paymosync.checkpoints AS c
			(account, table_name, cursor, progress, full_at, fresh_as_of, capabilities, longest_reply, page_cap, layout, state, reason, schema_name,
				backfill, parents_at, denied_parents, read_at, cause)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, coalesce($16::bigint[], '{}'), $17, $18)
		ON CONFLICT (account, table_name) DO UPDATE SET
			cursor = EXCLUDED.cursor,
			progress = EXCLUDED.progress,
			backfill = EXCLUDED.backfill,
			full_at = EXCLUDED.full_at,
			fresh_as_of = EXCLUDED.fresh_as_of,
			parents_at = EXCLUDED.parents_at,
			denied_parents = EXCLUDED.denied_parents,
			read_at = EXCLUDED.read_at,
			capabilities = EXCLUDED.capabilities,
			longest_reply = EXCLUDED.longest_reply,
			page_cap = EXCLUDED.page_cap,
			layout = EXCLUDED.layout,
			state = EXCLUDED.state,
			reason = EXCLUDED.reason,
			cause = EXCLUDED.cause,
			schema_name = CASE
				WHEN c.schema_name = ''
					OR (c.full_at, c.fresh_as_of, c.layout) IS DISTINCT FROM (EXCLUDED.full_at, EXCLUDED.fresh_as_of, EXCLUDED.layout)
				THEN EXCLUDED.schema_name
				ELSE c.schema_name
			END`,
		l.store.account, l.table, orNull(cp.Cursor), cp.Progress, orNull(cp.FullAt), orNull(cp.FreshAsOf),
		cp.Capabilities, cp.LongestReply, cp.PageCap, cp.Layout, cp.State, cp.Reason, l.store.schema,
		cp.Backfill, orNull(cp.ParentsAt), cp.Denied, orNull(cp.ReadAt), cp.Cause)
}

// orNull is nil for the zero time.
func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
