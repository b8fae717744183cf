package sink

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// isListed is the condition that lists bring a row of t: those of a resource that is
// listed by its parents alone do not bring rows without one.
func isListed(r *catalog.Resource) string {
	if r.Strict == "" || r.Window != "" || r.OwnerScope() == "" {
		return "true"
	}
	return "t." + quote(r.OwnerScope()) + " IS NOT NULL"
}

// about is the time that a row of t is about, null for none. A date begins in UTC.
func about(r *catalog.Resource) string {
	times := make([]string, 0, len(r.When))
	for _, name := range r.When {
		value := "t." + quote(name)
		if c, _ := r.Column(name); c.Kind == catalog.Date {
			value += "::timestamp AT TIME ZONE 'UTC'"
		}
		times = append(times, value)
	}
	if len(times) == 0 {
		return "NULL::timestamptz"
	}
	return "coalesce(" + strings.Join(times, ", ") + ")"
}

// demands are the conditions of a query on a table t, with its parameters.
type demands struct {
	conditions []string
	parameters []any
}

// parameter adds a parameter and is its name.
func (d *demands) parameter(value any) string {
	d.parameters = append(d.parameters, value)
	return "$" + strconv.Itoa(len(d.parameters))
}

// add demands one more condition.
func (d *demands) add(condition string) { d.conditions = append(d.conditions, condition) }

// where is the WHERE clause.
func (d *demands) where() string { return "WHERE " + strings.Join(d.conditions, " AND ") }

// Extent is what lists bring of a table, as far as the table has it and it is live: it
// tells a reader of the whole how to cut its slices.
type Extent struct {
	Rows  int64
	MinID int64
	MaxID int64
}

// Extent reads what lists bring of a table.
func (s *Store) Extent(ctx context.Context, r *catalog.Resource) (Extent, error) {
	var e Extent
	err := s.pool.QueryRow(ctx, `
		SELECT count(*), coalesce(min(t.id), 0), coalesce(max(t.id), 0)
		FROM `+s.name(r.Table)+` AS t
		WHERE t._deleted_at IS NULL AND `+isListed(r)).Scan(&e.Rows, &e.MinID, &e.MaxID)
	if err != nil {
		return Extent{}, fmt.Errorf("read the extent of %s: %w", r.Table, err)
	}
	return e, nil
}

// Cuts are the ids of live rows that lists bring, least first, that part them into
// pieces of so many rows; the least id is none.
func (s *Store) Cuts(ctx context.Context, r *catalog.Resource, rows int64) ([]int64, error) {
	return s.ids(ctx, "read where to cut "+r.Table, `
		SELECT id
		FROM (
			SELECT t.id, row_number() OVER (ORDER BY t.id) - 1 AS n
			FROM `+s.name(r.Table)+` AS t
			WHERE t._deleted_at IS NULL AND `+isListed(r)+`
		) AS numbered
		WHERE n > 0 AND n % $1 = 0
		ORDER BY id`, rows)
}

// Boundary are the ids of the live rows that lists bring with the newest updated_on, at
// or after since, newest first and at most limit: a filter by since must find them again,
// where it was asked at the time by the database's clock. Rows that were written since then,
// from what Paymo told, may be newer than its answer.
func (s *Store) Boundary(ctx context.Context, r *catalog.Resource, since, asked time.Time, limit int) ([]int64, error) {
	return s.ids(ctx, "read the newest rows of "+r.Table, `
		SELECT t.id
		FROM `+s.name(r.Table)+` AS t
		WHERE t._deleted_at IS NULL AND t.updated_on >= $1 AND t._synced_at <= $2 AND `+isListed(r)+`
		ORDER BY t.updated_on DESC, t.id DESC
		LIMIT $3`, since, asked, limit)
}

// Changed are the ids of a table's live rows that were written at or after the one time,
// by the database's clock, or changed at or after the other, by Paymo's, least first.
func (s *Store) Changed(ctx context.Context, table string, since, moved time.Time) ([]int64, error) {
	return s.ids(ctx, "read what changed in "+table, `
		SELECT id
		FROM `+s.name(table)+`
		WHERE _deleted_at IS NULL AND (_synced_at >= $1 OR updated_on >= $2)
		ORDER BY id`, since, moved)
}

// Family counts the live rows of each of the parents: those whose column holds it. A
// parent without any is not in the map.
func (s *Store) Family(ctx context.Context, r *catalog.Resource, column string, parents []int64) (map[int64]int, error) {
	family := make(map[int64]int, len(parents))
	rows, err := s.pool.Query(ctx, `
		SELECT t.`+quote(column)+`, count(*)
		FROM `+s.name(r.Table)+` AS t
		WHERE t._deleted_at IS NULL AND t.`+quote(column)+` = ANY ($1)
		GROUP BY 1`, parents)
	if err != nil {
		return nil, fmt.Errorf("count the children in %s: %w", r.Table, err)
	}
	var parent int64
	var children int
	if _, err := pgx.ForEachRow(rows, []any{&parent, &children}, func() error {
		family[parent] = children
		return nil
	}); err != nil {
		return nil, fmt.Errorf("count the children in %s: %w", r.Table, err)
	}
	return family, nil
}

// ids reads ids with a query.
func (s *Store) ids(ctx context.Context, what, query string, parameters ...any) ([]int64, error) {
	rows, err := s.pool.Query(ctx, query, parameters...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return ids, nil
}

// Valued counts those of the rows that are live and have a value in the column.
func (s *Store) Valued(ctx context.Context, r *catalog.Resource, column string, ids []int64) (int, error) {
	var n int
	err := s.pool.QueryRow(ctx, `
		SELECT count(*)
		FROM `+s.name(r.Table)+`
		WHERE id = ANY ($1) AND _deleted_at IS NULL AND `+quote(column)+` IS NOT NULL`, ids).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count the values of %s.%s: %w", r.Table, column, err)
	}
	return n, nil
}
