package sink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// shownText is how much of a value a Difference quotes.
const shownText = 200

// Difference is a row that is not what its record makes of it.
type Difference struct {
	ID       int64
	Missing  bool      // the table has no such row
	Deleted  bool      // the row is marked deleted
	SyncedAt time.Time // when the row was written last; zero: there is none, or that is still to come
	Columns  []ColumnDifference
	Refused  string // why PostgreSQL refuses the record, "" where it does not
}

// ColumnDifference is a column with two values, each as text, cut after some hundred
// characters; nil is null.
type ColumnDifference struct {
	Name      string  `json:"name"`
	Warehouse *string `json:"warehouse"`
	Paymo     *string `json:"paymo"`
}

// Compare holds the records against the resource's table and returns those that are not
// as a merge of all their columns, volatile ones too, would leave them. What a record
// says nothing of makes no difference. Only with details does it name the columns. It
// writes nothing.
func (s *Store) Compare(ctx context.Context, r *catalog.Resource, records []catalog.Record, details bool) ([]Difference, error) {
	records = newest(records)
	if len(records) == 0 {
		return nil, nil
	}
	found, err := s.compare(ctx, r, records, details)
	if err == nil {
		return found, nil
	}
	problem, refused := refusal(err)
	switch {
	case !refused:
		return nil, fmt.Errorf("compare with %s: %w", r.Table, err)
	case len(records) == 1:
		return []Difference{{ID: records[0].ID, Refused: problem}}, nil
	}
	half := len(records) / 2
	first, err := s.Compare(ctx, r, records[:half], details)
	if err != nil {
		return nil, err
	}
	second, err := s.Compare(ctx, r, records[half:], details)
	return append(first, second...), err
}

func (s *Store) compare(ctx context.Context, r *catalog.Resource, records []catalog.Record, details bool) ([]Difference, error) {
	columns := r.Stored()
	values := append([][]byte{[]byte(strconv.FormatBool(details))}, encodeColumns(records, len(columns))...)
	oids := slices.Repeat([]uint32{pgtype.TextArrayOID}, len(values))
	formats := slices.Repeat([]int16{pgx.BinaryFormatCode}, len(values))
	oids[0], formats[0] = pgtype.BoolOID, pgx.TextFormatCode
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	reply := conn.Conn().PgConn().ExecParams(ctx, compareSQL(s.name(r.Table), columns), values, oids, formats, nil).Read()
	if reply.Err != nil {
		return nil, reply.Err
	}
	found := make([]Difference, 0, len(reply.Rows))
	for _, row := range reply.Rows {
		difference, err := parseDifference(row)
		if err != nil {
			return nil, err
		}
		found = append(found, difference)
	}
	return found, nil
}

// compareSQL compares as the merge does. Its parameters are whether to name the columns,
// then those of encodeColumns. Its rows are: id, whether there is a row, whether it is
// marked deleted, when it was written in microseconds, and a JSON array of the columns
// that differ.
func compareSQL(table string, columns []catalog.Column) string {
	var in, casts, names, merged, theirs, ours, named []string
	for i, c := range columns {
		name := quote(c.Name)
		in = append(in, fmt.Sprintf("$%d::text[]", i+2))
		names = append(names, name)
		casts = append(casts, fmt.Sprintf("p.%s::%s AS %s", name, c.Kind.SQLType(), name))
		if c.Name == "id" {
			continue
		}
		merged = append(merged, fmt.Sprintf("CASE WHEN %d = ANY (p._absent) THEN t.%s ELSE p.%s END AS %s", i, name, name, name))
		theirs, ours = append(theirs, "m."+name), append(ours, "t."+name)
		named = append(named, fmt.Sprintf("('%s', t.%s::text, m.%s::text, t.%s IS DISTINCT FROM m.%s)", c.Name, name, name, name, name))
	}
	for i := range 3 {
		in = append(in, fmt.Sprintf("$%d::text[]", len(columns)+2+i))
	}
	for _, name := range []string{"_extra", "_issues"} {
		merged = append(merged, "p."+name)
		theirs, ours = append(theirs, "m."+name), append(ours, "t."+name)
		named = append(named, fmt.Sprintf("('%s', t.%s::text, m.%s::text, t.%s IS DISTINCT FROM m.%s)", name, name, name, name, name))
	}
	shown := strconv.Itoa(shownText)
	return `WITH page AS MATERIALIZED (
	SELECT ` + strings.Join(casts, ",\n\t\t") + `,
		p._absent::integer[] AS _absent, p._extra::jsonb AS _extra, p._issues::jsonb AS _issues
	FROM unnest(
		` + strings.Join(in, ", ") + `
	) AS p (` + strings.Join(names, ", ") + `, _absent, _extra, _issues)
)
SELECT p.id, t.id IS NOT NULL, t._deleted_at IS NOT NULL,
	CASE WHEN t._synced_at <= clock_timestamp() THEN (extract(epoch FROM t._synced_at) * 1000000)::bigint END,
	CASE WHEN $1::boolean AND t.id IS NOT NULL THEN (
		SELECT json_agg(json_build_array(c.name, left(c.ours, ` + shown + `), left(c.theirs, ` + shown + `)))
		FROM (VALUES
			` + strings.Join(named, ",\n\t\t\t") + `
		) AS c (name, ours, theirs, differs)
		WHERE c.differs
	) END
FROM page AS p
LEFT JOIN LATERAL (
	SELECT *
	FROM ` + table + `
	WHERE id = p.id
	OFFSET 0
) AS t ON true
CROSS JOIN LATERAL (
	SELECT ` + strings.Join(merged, ",\n\t\t") + `
) AS m
WHERE t.id IS NULL
	OR t._deleted_at IS NOT NULL
	OR ROW (` + strings.Join(theirs, ", ") + `)
		IS DISTINCT FROM ROW (` + strings.Join(ours, ", ") + `)
ORDER BY p.id`
}

func parseDifference(row [][]byte) (Difference, error) {
	if len(row) != 5 {
		return Difference{}, errors.New("the comparison did not answer with its five columns")
	}
	id, err := strconv.ParseInt(string(row[0]), 10, 64)
	if err != nil {
		return Difference{}, err
	}
	d := Difference{ID: id, Missing: string(row[1]) == "f", Deleted: string(row[2]) == "t"}
	if row[3] != nil {
		micros, err := strconv.ParseInt(string(row[3]), 10, 64)
		if err != nil {
			return Difference{}, err
		}
		d.SyncedAt = time.UnixMicro(micros)
	}
	if row[4] != nil {
		var columns [][3]*string
		if err := json.Unmarshal(row[4], &columns); err != nil {
			return Difference{}, err
		}
		for _, c := range columns {
			d.Columns = append(d.Columns, ColumnDifference{Name: *c[0], Warehouse: c[1], Paymo: c[2]})
		}
	}
	return d, nil
}

// Lacking are the ids of the slice's live rows that are not among those given and were
// not written after the time: rows that a page of the slice, requested then, should have
// brought. A slice without bounds of its own has none.
func (s *Store) Lacking(ctx context.Context, r *catalog.Resource, slice Slice, ids []int64, requestedAt time.Time) ([]int64, error) {
	if slice.Rest {
		return nil, nil
	}
	var d demands
	if err := d.of(r, slice); err != nil {
		return nil, err
	}
	d.add("t._synced_at <= " + d.parameter(requestedAt))
	where := d.where()
	return s.ids(ctx, "read which rows are lacking in "+r.Table, `
		SELECT t.id
		FROM `+s.name(r.Table)+` AS t
		`+where+`
		EXCEPT
		SELECT unnest(`+d.parameter(ids)+`::bigint[])
		ORDER BY id`, d.parameters...)
}

// Awaited are the ids of the live rows, written at the time or earlier, that lists bring
// whatever slices they are read in: of those that are about an earlier time than since
// (zero: none) not.
func (s *Store) Awaited(ctx context.Context, r *catalog.Resource, since, written time.Time) ([]int64, error) {
	return s.Lacking(ctx, r, Slice{Since: since}, nil, written)
}

// Orphaned are the ids of the live rows, written at the time or earlier, whose column is
// null or names a row that the parent table lacks or has tombstoned; with an empty parent,
// those whose column is null.
func (s *Store) Orphaned(ctx context.Context, r *catalog.Resource, column, parent string, written time.Time) ([]int64, error) {
	if _, ok := r.Column(column); !ok {
		return nil, fmt.Errorf("look for orphans in %s: no column %s", r.Table, column)
	}
	orphaned := "t." + quote(column) + " IS NULL"
	if parent != "" {
		orphaned = `NOT EXISTS (
			SELECT
			FROM ` + s.name(parent) + ` AS p
			WHERE p.id = t.` + quote(column) + ` AND p._deleted_at IS NULL
		)`
	}
	return s.ids(ctx, "look for orphans in "+r.Table, `
		SELECT t.id
		FROM `+s.name(r.Table)+` AS t
		WHERE t._deleted_at IS NULL AND t._synced_at <= $1 AND `+orphaned+`
		ORDER BY t.id`, written)
}

// Unwritten are those of the ids whose rows are live and were not written after the time.
func (s *Store) Unwritten(ctx context.Context, r *catalog.Resource, ids []int64, since time.Time) ([]int64, error) {
	return s.ids(ctx, "read rows of "+r.Table, `
		SELECT id
		FROM `+s.name(r.Table)+`
		WHERE id = ANY ($1) AND _deleted_at IS NULL AND (_synced_at <= $2 OR _synced_at > statement_timestamp())
		ORDER BY id`, ids, since)
}

// Live are those of the ids whose rows are live.
func (s *Store) Live(ctx context.Context, r *catalog.Resource, ids []int64) ([]int64, error) {
	return s.ids(ctx, "read rows of "+r.Table, `
		SELECT id
		FROM `+s.name(r.Table)+`
		WHERE id = ANY ($1) AND _deleted_at IS NULL
		ORDER BY id`, ids)
}

// AddCandidates makes candidates of the rows with these ids that are live.
func (l *Lease) AddCandidates(ctx context.Context, ids []int64) error {
	return l.transact(ctx, "add candidates to", func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			INSERT INTO paymosync.candidates (account, table_name, row_id)
			SELECT $1::text, $2::text, t.id
			FROM `+l.store.name(l.table)+` AS t
			WHERE t.id = ANY ($3) AND t._deleted_at IS NULL
			ON CONFLICT DO NOTHING`, l.store.account, l.table, ids)
		return err
	})
}
