package sink

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// The kinds of change.
const (
	Changed = "changed" // an object was made or changed
	Gone    = "gone"    // an object was deleted
)

// Change is an object that Paymo told of, and that it was not asked for since.
type Change struct {
	Table      string
	ID         int64
	Kind       string
	HappenedAt time.Time // the first that waits, as far as is known: it is told of in whole seconds
	NewestAt   time.Time // when the version was made that was told of last, by Paymo's clock; zero: it did not say
	Times      int       // how often it was told of: when that grows, there is more to it

	Lag time.Duration // from when it happened to when it was in the table, once it is there
}

// NoteChanges notes that Paymo told of the changes, and returns each once, however often
// it did: they wait from now on.
func (s *Store) NoteChanges(ctx context.Context, changes []Change) ([]Change, error) {
	tables, ids, kinds := make([]string, len(changes)), make([]int64, len(changes)), make([]string, len(changes))
	times, newest := make([]time.Time, len(changes)), make([]time.Time, len(changes))
	for i, change := range changes {
		tables[i], ids[i], kinds[i], times[i], newest[i] = change.Table, change.ID, change.Kind, change.HappenedAt, change.NewestAt
		if newest[i].IsZero() {
			newest[i] = unknownVersion()
		}
	}
	// In one order, so that two who note the same do not wait for each other.
	rows, err := s.pool.Query(ctx, `
		WITH heard AS (
			SELECT h.table_name, h.row_id, h.kind, min(h.happened_at) AS happened_at, max(h.newest_at) AS newest_at
			FROM unnest($2::text[], $3::bigint[], $4::text[], $5::timestamptz[], $6::timestamptz[]) AS h (table_name, row_id, kind, happened_at, newest_at)
			GROUP BY h.table_name, h.row_id, h.kind
			ORDER BY h.table_name, h.row_id, h.kind
		), noted AS (
			INSERT INTO paymosync.changes AS c (account, table_name, row_id, kind, happened_at, newest_at)
			SELECT $1, table_name, row_id, kind, least(happened_at, clock_timestamp()), newest_at
			FROM heard
			ON CONFLICT (account, table_name, row_id, kind) DO UPDATE SET
				times = c.times % 1000000000 + 1,
				happened_at = CASE WHEN c.merged_at IS NULL THEN least(c.happened_at, EXCLUDED.happened_at) ELSE EXCLUDED.happened_at END,
				newest_at = greatest(c.newest_at, EXCLUDED.newest_at),
				heard_at = EXCLUDED.heard_at,
				claimed_until = '-infinity',
				merged_at = NULL,
				settled_at = NULL
			RETURNING c.table_name, c.row_id, c.kind, c.happened_at, c.newest_at, c.times
		), listened AS (
			UPDATE paymosync.hooks AS h
			SET heard_at = clock_timestamp()
			FROM (
				SELECT hook_id
				FROM paymosync.hooks
				WHERE account = $1 AND table_name IN (SELECT table_name FROM noted)
				ORDER BY hook_id
				FOR NO KEY UPDATE
			) AS n
			WHERE h.account = $1 AND h.hook_id = n.hook_id
		)
		SELECT table_name, row_id, kind, happened_at, newest_at, times, interval '0'
		FROM noted`, s.account, tables, ids, kinds, times, newest)
	if err == nil {
		var noted []Change
		if noted, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Change]); err == nil {
			return noted, nil
		}
	}
	return nil, fmt.Errorf("note the changes that Paymo told of: %w", err)
}

// unknownVersion stands for a version that no row of a table is known to be beyond.
func unknownVersion() time.Time { return time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) }

// AnsweredBy reports whether a row of that version is what was told of, or beyond.
func (c Change) AnsweredBy(updated time.Time) bool {
	return updated.IsZero() || !c.NewestAt.Before(unknownVersion()) || !updated.Before(c.NewestAt)
}

// Claim is which changes are claimed.
type Claim struct {
	Table  string
	Urgent bool          // only where one waits that the table does not have
	Before time.Time     // only those that were told of until then; zero: all
	Limit  int           // at most so many, all of one kind
	Term   time.Duration // for how long nobody else gets them; they wait again after it, unless they were settled
}

// ClaimChanges gives the caller changes that wait: those that the table does not have, and
// then those that wait longest.
func (s *Store) ClaimChanges(ctx context.Context, claim Claim) ([]Change, error) {
	rows, err := s.pool.Query(ctx, `
		WITH waiting AS (
			SELECT *
			FROM paymosync.changes
			WHERE account = $1 AND table_name = $2 AND settled_at IS NULL AND claimed_until <= clock_timestamp()
				AND ($5::timestamptz IS NULL OR heard_at <= $5)
		), first AS (
			SELECT kind
			FROM waiting
			WHERE merged_at IS NULL OR NOT $6
			ORDER BY merged_at IS NOT NULL, heard_at
			LIMIT 1
		), taken AS (
			SELECT c.row_id, c.kind
			FROM paymosync.changes AS c
			JOIN waiting AS w USING (account, table_name, row_id, kind)
			JOIN first AS f ON f.kind = c.kind
			WHERE c.settled_at IS NULL AND c.claimed_until <= clock_timestamp() -- as it is when it is locked
				AND (NOT $6 OR c.kind = 'changed' OR c.merged_at IS NULL)
			ORDER BY c.merged_at IS NOT NULL, c.heard_at, c.row_id
			LIMIT $3
			FOR UPDATE OF c SKIP LOCKED
		)
		UPDATE paymosync.changes AS c
		SET claimed_until = clock_timestamp() + $4::interval
		FROM taken AS t
		WHERE c.account = $1 AND c.table_name = $2 AND (c.row_id, c.kind) = (t.row_id, t.kind)
		RETURNING c.table_name, c.row_id, c.kind, c.happened_at, c.newest_at, c.times, interval '0'`,
		s.account, claim.Table, claim.Limit, claim.Term, orNull(claim.Before), claim.Urgent)
	if err == nil {
		var changes []Change
		if changes, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Change]); err == nil {
			return changes, nil
		}
	}
	return nil, fmt.Errorf("claim the changes of %s: %w", claim.Table, err)
}

// Superseded are those of the changes that the table is beyond: its row is newer than what
// was told, or was not there to be deleted. They need no reading.
func (s *Store) Superseded(ctx context.Context, changes []Change) ([]Change, error) {
	if len(changes) == 0 {
		return nil, nil
	}
	beyond := "t.id IS NULL OR t._deleted_at IS NOT NULL"
	if changes[0].Kind == Changed {
		beyond = "t._deleted_at IS NULL AND t.updated_on > n.newest_at"
	}
	ids, newest := make([]int64, len(changes)), make([]time.Time, len(changes))
	for i, change := range changes {
		ids[i], newest[i] = change.ID, change.NewestAt
	}
	rows, err := s.pool.Query(ctx, `
		SELECT n.place
		FROM unnest($1::bigint[], $2::timestamptz[]) WITH ORDINALITY AS n (id, newest_at, place)
		LEFT JOIN `+s.name(changes[0].Table)+` AS t
			ON t.id = n.id
		WHERE `+beyond+`
		ORDER BY n.place`, ids, newest)
	if err == nil {
		var superseded []Change
		var place int
		if _, err = pgx.ForEachRow(rows, []any{&place}, func() error {
			superseded = append(superseded, changes[place-1])
			return nil
		}); err == nil {
			return superseded, nil
		}
	}
	return nil, fmt.Errorf("look for what the table %s is beyond: %w", changes[0].Table, err)
}

// UnclaimChanges lets the changes wait for anybody again.
func (s *Store) UnclaimChanges(ctx context.Context, changes []Change) error {
	return s.eachChange(ctx, "give back", changes, `SET claimed_until = '-infinity'`)
}

// SettleChanges ends the changes of which there is nothing to write.
func (s *Store) SettleChanges(ctx context.Context, changes []Change) error {
	return s.eachChange(ctx, "settle", changes, settled)
}

// DeferChanges has the changes wait for a later look, which are in the table as far as is
// known.
func (s *Store) DeferChanges(ctx context.Context, changes []Change) error {
	return s.eachChange(ctx, "defer", changes, deferred)
}

// What becomes of a change that is in its table: merged where it is known from what Paymo
// told alone, settled where it was asked for, and deferred where it is asked for again.
const (
	merged   = `SET merged_at = coalesce(c.merged_at, clock_timestamp())`
	deferred = merged + `, claimed_until = '-infinity'`
	settled  = deferred + `, settled_at = clock_timestamp()`
)

func (s *Store) eachChange(ctx context.Context, what string, changes []Change, set string) error {
	if len(changes) == 0 {
		return nil
	}
	var batch pgx.Batch
	s.queueChanges(&batch, changes, set)
	if err := s.pool.SendBatch(ctx, &batch).Close(); err != nil {
		return fmt.Errorf("%s changes: %w", what, err)
	}
	return nil
}

// Reread is what a sync read that Paymo had told of before.
type Reread struct {
	Told    time.Time // until when
	Changed time.Time // of objects that changed at or after it; zero: of all
}

// settleReread ends the changes that are in the table and that the sync read again.
func (l *Lease) settleReread(batch *pgx.Batch, read Reread) {
	batch.Queue(`
		WITH reread AS (
			SELECT row_id, kind
			FROM paymosync.changes
			WHERE account = $1 AND table_name = $2 AND kind = 'changed'
				AND merged_at IS NOT NULL AND settled_at IS NULL AND heard_at < $3 AND newest_at >= $4
			ORDER BY row_id
			FOR NO KEY UPDATE
		)
		UPDATE paymosync.changes AS c
		SET settled_at = clock_timestamp(),
			claimed_until = '-infinity'
		FROM reread AS r
		WHERE c.account = $1 AND c.table_name = $2 AND (c.row_id, c.kind) = (r.row_id, r.kind)`,
		l.store.account, l.table, read.Told, read.Changed)
}

// settle ends the changes in the transaction of what they brought.
func (l *Lease) settle(batch *pgx.Batch, changes []Change, but ...int64) {
	l.store.queueChanges(batch, changes, settled, but...)
}

// tell notes in the transaction that brought them that the table has the changes; not those
// that it refused as stale.
func (l *Lease) tell(batch *pgx.Batch, changes []Change, stale []int64) {
	l.store.queueChanges(batch, changes, merged, stale...)
}

// queueChanges changes those that were not told of again since they were claimed, but some.
// Those that are in the table with it get their lag.
func (s *Store) queueChanges(batch *pgx.Batch, changes []Change, set string, but ...int64) {
	if len(changes) == 0 {
		return
	}
	ids, times := make([]int64, len(changes)), make([]int, len(changes))
	for i, change := range changes {
		ids[i] = change.ID
		if !slices.Contains(but, change.ID) {
			times[i] = change.Times // else it is none's
		}
	}
	// In the order of those who note them, so that neither waits for the other.
	batch.Queue(`
		WITH mine AS (
			SELECT c.row_id, c.times, n.place
			FROM paymosync.changes AS c
			JOIN unnest($4::bigint[], $5::integer[]) WITH ORDINALITY AS n (row_id, times, place)
				ON (c.row_id, c.times) = (n.row_id, n.times)
			WHERE c.account = $1 AND c.table_name = $2 AND c.kind = $3
			ORDER BY c.row_id
			FOR NO KEY UPDATE OF c
		)
		UPDATE paymosync.changes AS c
		`+set+`
		FROM mine AS n
		WHERE c.account = $1 AND c.table_name = $2 AND c.kind = $3
			AND (c.row_id, c.times) = (n.row_id, n.times)
		RETURNING n.place, CASE WHEN c.merged_at >= statement_timestamp() THEN greatest(c.merged_at - c.happened_at, '0') END`, s.account, changes[0].Table, changes[0].Kind, ids, times).
		Query(func(rows pgx.Rows) error {
			var place int
			var lag *time.Duration
			_, err := pgx.ForEachRow(rows, []any{&place, &lag}, func() error {
				if lag != nil {
					changes[place-1].Lag = *lag
				}
				return nil
			})
			return err
		})
}

// WaitingTables are the tables of which changes wait that nobody looks after: those that do
// not have one yet, and those that have one of which Paymo told before the time.
func (s *Store) WaitingTables(ctx context.Context, before time.Time) (urgent, old []string, err error) {
	rows, err := s.pool.Query(ctx, `
		SELECT table_name, bool_or(merged_at IS NULL), bool_or(merged_at IS NOT NULL AND heard_at <= $2)
		FROM paymosync.changes
		WHERE account = $1 AND settled_at IS NULL AND claimed_until <= clock_timestamp()
		GROUP BY table_name
		ORDER BY table_name`, s.account, before)
	if err == nil {
		var table string
		var isUrgent, isOld bool
		if _, err = pgx.ForEachRow(rows, []any{&table, &isUrgent, &isOld}, func() error {
			if isUrgent {
				urgent = append(urgent, table)
			}
			if isOld {
				old = append(old, table)
			}
			return nil
		}); err == nil {
			return urgent, old, nil
		}
	}
	return nil, nil, fmt.Errorf("look for changes that wait: %w", err)
}
