package sink

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// field is a field of a table's records.
type field struct{ table, name string }

// recordedLife is how long a process does not record an unknown field again.
const recordedLife = 12 * time.Hour

// drift remembers when a process has recorded which unknown fields, so that each costs
// few writes a day. Safe for concurrent use.
type drift struct {
	mu    sync.Mutex
	known map[field]time.Time
}

// fresh are the unknown fields that are still to be recorded.
func (d *drift) fresh(table string, unknown map[string]string) map[string]string {
	if len(unknown) == 0 {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	fresh := make(map[string]string)
	for name, kind := range unknown {
		if time.Since(d.known[field{table, name}]) > recordedLife {
			fresh[name] = kind
		}
	}
	return fresh
}

// recorded notes that the fields' record was committed.
func (d *drift) recorded(table string, fields map[string]string) {
	if len(fields) == 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.known == nil {
		d.known = make(map[field]time.Time)
	}
	for name := range fields {
		d.known[field{table, name}] = time.Now()
	}
}

// recordDrift records unknown fields. One that is known from before is touched twice a
// day at most.
func (l *Lease) recordDrift(batch *pgx.Batch, fields map[string]string) {
	if len(fields) == 0 {
		return
	}
	names := slices.Sorted(maps.Keys(fields))
	types := make([]string, 0, len(names))
	for _, name := range names {
		types = append(types, fields[name])
	}
	batch.Queue(`
		INSERT INTO paymosync.drift AS d (account, table_name, field, type)
		SELECT $1, $2, u.field, u.type
		FROM unnest($3::text[], $4::text[]) AS u (field, type)
		ON CONFLICT (account, table_name, field) DO UPDATE SET
			type = EXCLUDED.type,
			last_seen = EXCLUDED.last_seen
		WHERE d.last_seen < EXCLUDED.last_seen - interval '12 hours'`,
		l.store.account, l.table, names, types)
}

// DriftField is a field that Paymo sends and the catalogue does not know.
type DriftField struct {
	Table     string
	Field     string
	Type      string // of JSON
	FirstSeen time.Time
	LastSeen  time.Time // to a day
}

// Drift reads which unknown fields were met, by table and name.
func (s *Store) Drift(ctx context.Context) ([]DriftField, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT table_name, field, type, first_seen, last_seen
		FROM paymosync.drift
		WHERE account = $1
		ORDER BY table_name, field`, s.account)
	if err != nil {
		return nil, fmt.Errorf("read the unknown fields: %w", err)
	}
	fields, err := pgx.CollectRows(rows, pgx.RowToStructByPos[DriftField])
	if err != nil {
		return nil, fmt.Errorf("read the unknown fields: %w", err)
	}
	return fields, nil
}

// DroppedFields counts what was dropped of a table because its name smells of a secret.
type DroppedFields struct {
	Table  string
	Values int64 // of all runs of the ledger; what is read again counts again
}

// Dropped reads from the ledger of which tables fields were dropped, by table.
func (s *Store) Dropped(ctx context.Context) ([]DroppedFields, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT table_name, sum(dropped)::bigint
		FROM paymosync.runs
		WHERE account = $1 AND dropped > 0
		GROUP BY table_name
		ORDER BY table_name`, s.account)
	if err != nil {
		return nil, fmt.Errorf("read the dropped fields: %w", err)
	}
	dropped, err := pgx.CollectRows(rows, pgx.RowToStructByPos[DroppedFields])
	if err != nil {
		return nil, fmt.Errorf("read the dropped fields: %w", err)
	}
	return dropped, nil
}

// IssueField is a column with values that would not convert.
type IssueField struct {
	Table string
	Field string
	Rows  int64 // live ones
}

// Issues reads which columns of the resources' tables have values that would not
// convert, in the order of the resources and then by name.
func (s *Store) Issues(ctx context.Context, resources []*catalog.Resource) ([]IssueField, error) {
	var issues []IssueField
	for _, r := range resources {
		rows, err := s.pool.Query(ctx, `
			SELECT $1::text, field, count(*)
			FROM `+s.name(r.Table)+` AS t
			CROSS JOIN LATERAL jsonb_object_keys(t._issues) AS field
			WHERE t._issues IS NOT NULL AND t._deleted_at IS NULL
			GROUP BY field
			ORDER BY field`, r.Table)
		if err != nil {
			return nil, fmt.Errorf("read the issues of %s: %w", r.Table, err)
		}
		fields, err := pgx.CollectRows(rows, pgx.RowToStructByPos[IssueField])
		if err != nil {
			return nil, fmt.Errorf("read the issues of %s: %w", r.Table, err)
		}
		issues = append(issues, fields...)
	}
	return issues, nil
}
