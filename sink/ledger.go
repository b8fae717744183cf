package sink

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// runColumns are the columns of a Run, in its order.
const runColumns = `id, table_name, mode, reason, started_at, finished_at, state, sentence, cause,
			inserted, updated, unchanged, tombstoned, quarantined, late, stripped, dropped, requests, waited_ms, bytes`

// Run is one row of the ledger.
type Run struct {
	ID          int64
	Table       string
	Mode        string
	Reason      string
	StartedAt   time.Time
	FinishedAt  *time.Time
	State       string
	Sentence    string
	Cause       string // what the sentence is about, as a name
	Inserted    int64
	Updated     int64
	Unchanged   int64
	Tombstoned  int64
	Quarantined int64
	Late        int64 // records that an incremental should have brought
	Stripped    int64 // values without the U+0000 that they came with
	Dropped     int64 // unknown fields that smell of a secret
	Requests    int64
	WaitedMS    int64
	Bytes       int64
}

// Run reads one run of the ledger.
func (s *Store) Run(ctx context.Context, id int64) (Run, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT `+runColumns+`
		FROM paymosync.runs
		WHERE id = $1`, id)
	if err != nil {
		return Run{}, fmt.Errorf("read run %d: %w", id, err)
	}
	run, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Run])
	if err != nil {
		return Run{}, fmt.Errorf("read run %d: %w", id, err)
	}
	return run, nil
}

// Took is how long the run took, zero while it has not ended.
func (r Run) Took() time.Duration {
	if r.FinishedAt == nil {
		return 0
	}
	return r.FinishedAt.Sub(r.StartedAt)
}

// RunFilter chooses runs of the ledger. The zero value means the last runs of all tables.
type RunFilter struct {
	Table  string   // "": all
	States []string // none: all
	Busy   bool     // only runs that wrote a row or did not end well
	Limit  int      // 0: 50
}

// Runs reads runs of the ledger, the last ones first.
func (s *Store) Runs(ctx context.Context, filter RunFilter) ([]Run, error) {
	limit := filter.Limit
	if limit <= 0 {
		limit = 50
	}
	rows, err := s.pool.Query(ctx, `
		SELECT `+runColumns+`
		FROM paymosync.runs
		WHERE account = $1
			AND $2 IN ('', table_name)
			AND (cardinality($3::text[]) = 0 OR state = ANY ($3))
			AND (NOT $4 OR state <> 'ok' OR inserted + updated + tombstoned > 0)
		ORDER BY started_at DESC, id DESC
		LIMIT $5`, s.account, filter.Table, append([]string{}, filter.States...), filter.Busy, limit)
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	runs, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Run])
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	return runs, nil
}

// RecentRuns reads the last runs of each of the tables, at most so many of each, the last
// one first. Each table is asked for by itself, so that the index answers however long
// the ledger is.
func (s *Store) RecentRuns(ctx context.Context, tables []string, most int) (map[string][]Run, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT r.*
		FROM unnest($2::text[]) AS t (name)
		CROSS JOIN LATERAL (
			SELECT `+runColumns+`
			FROM paymosync.runs
			WHERE account = $1 AND table_name = t.name
			ORDER BY started_at DESC
			LIMIT $3
		) AS r
		ORDER BY r.table_name, r.started_at DESC`, s.account, tables, most)
	if err != nil {
		return nil, fmt.Errorf("read the last runs: %w", err)
	}
	runs, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Run])
	if err != nil {
		return nil, fmt.Errorf("read the last runs: %w", err)
	}
	recent := make(map[string][]Run, len(tables))
	for _, run := range runs {
		recent[run.Table] = append(recent[run.Table], run)
	}
	return recent, nil
}
