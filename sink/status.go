package sink

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// TableStatus is where a table stands, for people.
type TableStatus struct {
	Table        string
	State        string
	Reason       string
	Rows         int64 // tombstoned ones left out
	FreshAsOf    *time.Time
	FullAt       *time.Time
	Capabilities map[string]Capability
	Unfinished   bool // a run was begun and has still to read something
	LastRun      *Run
}

// Status reads where each of the tables stands.
func (s *Store) Status(ctx context.Context, resources []*catalog.Resource) ([]TableStatus, error) {
	latest, err := s.latestRuns(ctx)
	if err != nil {
		return nil, err
	}
	statuses := make([]TableStatus, 0, len(resources))
	for _, r := range resources {
		cp, err := s.Checkpoint(ctx, r.Table)
		if err != nil {
			return nil, err
		}
		status := TableStatus{
			Table: r.Table, State: cp.State, Reason: cp.Reason,
			FreshAsOf: orNull(cp.FreshAsOf), FullAt: orNull(cp.FullAt),
			Capabilities: cp.Capabilities, Unfinished: cp.Progress != nil,
		}
		if run, ok := latest[r.Table]; ok {
			status.LastRun = &run
		}
		err = s.pool.QueryRow(ctx, `
			SELECT count(*)
			FROM `+pgx.Identifier{s.schema, r.Table}.Sanitize()+`
			WHERE _deleted_at IS NULL`).Scan(&status.Rows)
		if err != nil {
			return nil, fmt.Errorf("count the rows of %s: %w", r.Table, err)
		}
		statuses = append(statuses, status)
	}
	return statuses, nil
}

func (s *Store) latestRuns(ctx context.Context) (map[string]Run, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT DISTINCT ON (table_name) id, table_name, mode, reason, started_at, finished_at, state, sentence,
			inserted, updated, unchanged, tombstoned, quarantined, requests, waited_ms, bytes
		FROM paymosync.runs
		WHERE account = $1
		ORDER BY table_name, started_at DESC`, s.account)
	if err != nil {
		return nil, fmt.Errorf("read the last runs: %w", err)
	}
	runs, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Run])
	if err != nil {
		return nil, fmt.Errorf("read the last runs: %w", err)
	}
	latest := make(map[string]Run, len(runs))
	for _, run := range runs {
		latest[run.Table] = run
	}
	return latest, nil
}
