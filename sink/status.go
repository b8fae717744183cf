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
	State        string // paused when an operator paused it, whatever it was before
	Reason       string
	Cause        string     // what the reason is about, as a name; "" when the table is ok
	PausedAt     *time.Time // since when its syncs are paused
	ResumedAt    *time.Time // when they went on for the last time
	Rows         int64      // tombstoned ones left out
	Estimated    bool       // Rows is PostgreSQL's estimate: counting takes too long, or is held up
	FreshAsOf    *time.Time
	FullAt       *time.Time
	Capabilities map[string]Capability
	Unfinished   bool  // a run was begun and has still to read something
	Recent       []Run // its last runs, the last one first
	Quarantined  int64 // records in quarantine
	Drifted      int64 // fields that Paymo sends and that have no column
}

// LastRun is the table's last run, nil when there was none.
func (t TableStatus) LastRun() *Run {
	if len(t.Recent) == 0 {
		return nil
	}
	return &t.Recent[0]
}

// elsewhere is said of a table whose checkpoint tells of another schema's; the view
// _sync_status says the same.
const elsewhere = "another schema was synced last, not this one"

// The causes that the bookkeeping itself knows, beside CausePaused.
const (
	CauseElsewhere    = "other_schema"  // the checkpoint tells of another schema's table
	CauseTableMissing = "table_missing" // somebody dropped it
)

// Status reads where each of the tables stands, with so many of its last runs.
func (s *Store) Status(ctx context.Context, resources []*catalog.Resource, runs int) ([]TableStatus, error) {
	tables := make([]string, 0, len(resources))
	for _, r := range resources {
		tables = append(tables, r.Table)
	}
	recent, err := s.RecentRuns(ctx, tables, runs)
	if err != nil {
		return nil, err
	}
	quarantined, err := s.countByTable(ctx, "quarantine")
	if err != nil {
		return nil, err
	}
	drifted, err := s.countByTable(ctx, "drift")
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
			cp.State, cp.Reason, cp.Cause = StateUnavailable, elsewhere, CauseElsewhere
			cp.FreshAsOf, cp.FullAt = time.Time{}, time.Time{}
		}
		if !cp.PausedAt.IsZero() {
			cp.State, cp.Reason, cp.Cause = StatePaused, PausedReason(cp), CausePaused
		}
		status := TableStatus{
			Table: r.Table, State: cp.State, Reason: cp.Reason, Cause: cp.Cause, PausedAt: orNull(cp.PausedAt), ResumedAt: orNull(cp.ResumedAt),
			Recent: recent[r.Table], Quarantined: quarantined[r.Table], Drifted: drifted[r.Table],
			FreshAsOf: orNull(cp.FreshAsOf), FullAt: orNull(cp.FullAt),
			Capabilities: cp.Capabilities, Unfinished: cp.Progress != nil,
		}
		status.Rows, status.Estimated, err = s.count(ctx, r.Table, status.LastRun())
		switch {
		case Missing(err): // which is no reason not to tell of the others
			status.State, status.Reason, status.Cause = StateFailing, fmt.Sprintf("the warehouse has no table %s.%s", s.schema, r.Table), CauseTableMissing
		case err != nil:
			return nil, err
		}
		statuses = append(statuses, status)
	}
	return statuses, nil
}

// countByTable counts the rows of a bookkeeping table by the table that they are about.
func (s *Store) countByTable(ctx context.Context, name string) (map[string]int64, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT table_name, count(*)
		FROM `+pgx.Identifier{"paymosync", name}.Sanitize()+`
		WHERE account = $1
		GROUP BY table_name`, s.account)
	if err != nil {
		return nil, fmt.Errorf("count what is in %s: %w", name, err)
	}
	counts := map[string]int64{}
	var table string
	var n int64
	if _, err := pgx.ForEachRow(rows, []any{&table, &n}, func() error { counts[table] = n; return nil }); err != nil {
		return nil, fmt.Errorf("count what is in %s: %w", name, err)
	}
	return counts, nil
}
