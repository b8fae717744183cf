package sink

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// Mirror asks for rows of a table as a list of Paymo would bring them.
type Mirror struct {
	Conditions []MirrorCondition
	From, To   time.Time // only rows about a time at or after the one and before the other; zero: open
	OrNull     bool      // also rows whose column for their parent is null, where Paymo need not tell it
	Limit      int
	Offset     int
}

// MirrorCondition is one comparison of a column with numbers; moments are UNIX seconds.
type MirrorCondition struct {
	Column string
	Op     string // ">=", "<", "=" for any of the values, "null"
	Values []int64
}

// MirrorRow is a row as Paymo would send it, with no more fields than a listing is judged
// by.
type MirrorRow struct {
	ID     int64
	Owner  int64 // by the resource's own scope, 0: none
	Object json.RawMessage
}

// Mirror reads live rows of a table, by their ids, least first. It writes nothing.
func (s *Store) Mirror(ctx context.Context, r *catalog.Resource, m Mirror) ([]MirrorRow, error) {
	var d demands
	d.add("t._deleted_at IS NULL")
	for _, c := range m.Conditions {
		if err := d.compare(r, c, m.OrNull); err != nil {
			return nil, err
		}
	}
	if !m.From.IsZero() {
		d.add(about(r) + " >= " + d.parameter(m.From))
	}
	if !m.To.IsZero() {
		d.add(about(r) + " < " + d.parameter(m.To))
	}
	owner := "NULL::bigint"
	if column := r.OwnerScope(); column != "" {
		owner = "t." + quote(column)
	}
	query := `
		SELECT t.id, coalesce(` + owner + `, 0), json_build_object(` + mirrored(r) + `)
		FROM ` + s.name(r.Table) + ` AS t
		` + d.where() + `
		ORDER BY t.id
		LIMIT ` + d.parameter(m.Limit) + `
		OFFSET ` + d.parameter(m.Offset)
	rows, err := s.pool.Query(ctx, query, d.parameters...)
	if err != nil {
		return nil, fmt.Errorf("read %s as Paymo would list them: %w", r.Table, err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[MirrorRow])
	if err != nil {
		return nil, fmt.Errorf("read %s as Paymo would list them: %w", r.Table, err)
	}
	return found, nil
}

// compare demands what one comparison does.
func (d *demands) compare(r *catalog.Resource, c MirrorCondition, orNull bool) error {
	column, ok := r.Column(c.Column)
	if !ok || len(c.Values) == 0 && c.Op != "null" {
		return fmt.Errorf("read %s as Paymo would list them: there is no telling by %s", r.Table, c.Column)
	}
	name := "t." + quote(column.Name)
	switch c.Op {
	case "null":
		d.add(name + " IS NULL")
	case "=":
		equal := name + " = ANY (" + d.parameter(c.Values) + ")"
		if orNull && column.Name == r.OwnerScope() && column.Has(catalog.Undocumented) {
			equal = "(" + equal + " OR " + name + " IS NULL)"
		}
		d.add(equal)
	case ">=", "<":
		value := d.parameter(c.Values[0])
		if column.Kind == catalog.Datetime {
			value = "to_timestamp(" + value + "::bigint)"
		}
		d.add(name + " " + c.Op + " " + value)
	default:
		return fmt.Errorf("read %s as Paymo would list them: there is no comparison %s", r.Table, c.Op)
	}
	return nil
}

// mirrored are the members of an object that a listing is judged by.
func mirrored(r *catalog.Resource) string {
	names := append([]string{"id", "created_on", "updated_on", r.OwnerScope()}, r.When...)
	slices.Sort(names)
	var members []string
	for _, name := range slices.Compact(names) {
		if _, ok := r.Column(name); ok {
			members = append(members, "'"+name+"', t."+quote(name))
		}
	}
	return strings.Join(members, ", ")
}

// Gap is how far the ids of a table's live rows lie from one to the next, on average and
// without the widest ones, 0 where there are too few to tell. Of a table that is read in
// part these are the parts that were not read.
func (s *Store) Gap(ctx context.Context, r *catalog.Resource) (int64, error) {
	var gap float64
	err := s.pool.QueryRow(ctx, `
		WITH gaps AS (
			SELECT t.id - lag(t.id) OVER (ORDER BY t.id) AS gap
			FROM `+s.name(r.Table)+` AS t
			WHERE t._deleted_at IS NULL
		)
		SELECT coalesce(avg(gap)::float8, 0)
		FROM gaps
		WHERE gap <= (SELECT percentile_disc(0.99) WITHIN GROUP (ORDER BY gap) FROM gaps)`).Scan(&gap)
	if err != nil {
		return 0, fmt.Errorf("read how dense %s is: %w", r.Table, err)
	}
	return int64(gap + 0.5), nil
}
