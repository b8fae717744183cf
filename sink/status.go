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

// elsewhere is said of a table whose checkpoint tells of another schema's; the view
// _sync_status says the same.
const elsewhere = "another schema was synced last, not this one"

// Status reads where each of the tables stands.
func (s *Store) Status(ctx context.Context, resources []*catalog.Resource) ([]TableStatus, error) {
	latest, err := s.latestRuns(ctx, resources)
	if err != nil {
		return nil, err
	}
	statuses := make([]TableStatus, 0, len(resources))
	for _, r := range resources {
		cp, ours, err := s.checkpoint(ctx, r.Table)
		if err != nil {
			return nil, err
		}
		if !ours {
			cp.State, cp.Reason = StateUnavailable, elsewhere
			cp.FreshAsOf, cp.FullAt = time.Time{}, time.Time{}
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

// latestRuns are the tables' last runs. Each is asked for by itself, so that the index
// answers however long the ledger is.
func (s *Store) latestRuns(ctx context.Context, resources []*catalog.Resource) (map[string]Run, error) {
	tables := make([]string, 0, len(resources))
	for _, r := range resources {
		tables = append(tables, r.Table)
	}
	rows, err := s.pool.Query(ctx, `
		SELECT r.*
		FROM unnest($2::text[]) AS t (name)
		CROSS JOIN LATERAL (
			SELECT `+runColumns+`
			FROM paymosync.runs
			WHERE account = $1 AND table_name = t.name
			ORDER BY started_at DESC
			LIMIT 1
		) AS r`, s.account, tables)
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
