package sink

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// mergeSQL is the statement that merges a page into one table.
//
// Its parameters are: $1 whether volatile columns count as a difference, $2 when
// the page was requested, $3 until when incrementals should have brought what
// changed (or null), $4 until when an updated_on can be true (a newer one in the table
// holds nothing up), then a text array for each column, and one each for the
// columns that are absent (an array literal of positions, or null), _extra and
// _issues. Its one row is: rows inserted, rows updated, records that came late, live
// rows of which a column was emptied, ids of rows that differ but are newer
// in the table than the page, or bear a newer updated_on. A row that was written later
// than now shows that the clock was set back, not that it is newer.
type mergeSQL struct {
	text    string
	copy    string // writes rows that are all new: see encodeRows
	table   string
	columns []catalog.Column
}

func newMergeSQL(schema string, r *catalog.Resource) mergeSQL {
	columns := r.Stored()
	var in, casts, merged, insert, update, steady, steadyNow, volatile, volatileNow []string
	for i, c := range columns {
		name := quote(c.Name)
		in = append(in, fmt.Sprintf("$%d::text[]", i+5))
		cast := "p." + name
		if c.Kind != catalog.Text {
			cast += "::" + c.Kind.SQLType() + " AS " + name
		}
		casts = append(casts, cast)
		insert = append(insert, name)
		if c.Name == "id" {
			continue
		}
		merged = append(merged, fmt.Sprintf("CASE WHEN %d = ANY (p._absent) THEN t.%s ELSE p.%s END AS %s", i, name, name, name))
		update = append(update, fmt.Sprintf("%s = EXCLUDED.%s", name, name))
		if c.Has(catalog.Volatile) {
			volatile, volatileNow = append(volatile, "m."+name), append(volatileNow, "t."+name)
		} else {
			steady, steadyNow = append(steady, "m."+name), append(steadyNow, "t."+name)
		}
	}
	in = append(in, fmt.Sprintf("$%d::text[]", len(columns)+5), fmt.Sprintf("$%d::text[]", len(columns)+6), fmt.Sprintf("$%d::text[]", len(columns)+7))
	casts = append(casts, "p._absent::integer[] AS _absent", "p._extra::jsonb AS _extra", "p._issues::jsonb AS _issues")
	blanks := emptied(slices.Concat(steady, volatile), slices.Concat(steadyNow, volatileNow))
	steady, steadyNow = append(steady, "p._extra", "p._issues"), append(steadyNow, "t._extra", "t._issues")

	differs := []string{
		"t.id IS NULL",
		"t._deleted_at IS NOT NULL",
		fmt.Sprintf("(%s)\n\t\t\tIS DISTINCT FROM (%s)", strings.Join(steady, ", "), strings.Join(steadyNow, ", ")),
	}
	if len(volatile) > 0 {
		differs = append(differs, fmt.Sprintf("$1::boolean AND ROW (%s) IS DISTINCT FROM ROW (%s)",
			strings.Join(volatile, ", "), strings.Join(volatileNow, ", ")))
	} else {
		differs = append(differs, "$1::boolean AND false")
	}

	made := ""
	if _, ok := r.Column("created_on"); ok {
		made = " AND coalesce(m.created_on <= $3::timestamptz, true)"
	}
	names := strings.Join(insert, ", ")
	table := pgx.Identifier{schema, r.Table}.Sanitize()
	// Each row is looked up by itself: a planner that joins may read the whole table for a
	// page, and does so as long as nobody has analysed the table.
	text := `WITH page AS MATERIALIZED (
	SELECT ` + strings.Join(casts, ",\n\t\t") + `
	FROM unnest(
		` + strings.Join(in, ", ") + `
	) AS p (` + names + `, _absent, _extra, _issues)
), changed AS (
	SELECT p.id, m.*, p._extra, p._issues,
		t.id IS NULL OR t._deleted_at IS NULL AND coalesce(m.updated_on > t.updated_on, false)
			OR (t._deleted_at IS NOT NULL OR NOT coalesce(m.updated_on < t.updated_on AND t.updated_on <= $4::timestamptz, false))
				AND ($2::timestamptz > t._synced_at OR t._synced_at > statement_timestamp()) AS _wins,
		m.updated_on <= $3::timestamptz
			AND (t.id IS NULL` + made + ` OR t._deleted_at IS NULL AND m.updated_on > t.updated_on) AS _late,
		t.id IS NOT NULL AND t._deleted_at IS NULL
			AND ` + blanks + ` AS _blanks,
		$2::timestamptz > 'epoch' AND t._synced_at > $2::timestamptz AND t._synced_at <= statement_timestamp()
			AND t._deleted_at IS NULL AND coalesce(m.updated_on < t.updated_on, false) AS _overtaken
	FROM page AS p
	LEFT JOIN LATERAL (
		SELECT *
		FROM ` + table + `
		WHERE id = p.id
		OFFSET 0
	) AS t ON true
	CROSS JOIN LATERAL (
		SELECT ` + strings.Join(merged, ",\n\t\t\t") + `
	) AS m
	WHERE ` + strings.Join(differs, "\n\t\tOR ") + `
), written AS (
	INSERT INTO ` + table + ` AS t (` + names + `, _synced_at, _extra, _issues)
	SELECT ` + names + `, statement_timestamp(), _extra, _issues
	FROM changed
	WHERE _wins
	ON CONFLICT (id) DO UPDATE SET
		` + strings.Join(update, ",\n\t\t") + `,
		_synced_at = EXCLUDED._synced_at,
		_deleted_at = NULL,
		_extra = EXCLUDED._extra,
		_issues = EXCLUDED._issues
	RETURNING xmax = 0 AS inserted
)
SELECT w.inserted, w.updated, c.late, c.blanked, c.stale
FROM (
	SELECT count(*) FILTER (WHERE inserted) AS inserted,
		count(*) FILTER (WHERE NOT inserted) AS updated
	FROM written
) AS w
CROSS JOIN (
	SELECT count(*) FILTER (WHERE _late) AS late,
		count(*) FILTER (WHERE _wins AND _blanks) AS blanked,
		array_agg(id) FILTER (WHERE NOT _wins AND NOT coalesce(_overtaken, false)) AS stale
	FROM changed
) AS c`
	return mergeSQL{text: text, copy: copySQL(table, columns), table: table, columns: columns}
}

// emptied is the condition that one of the columns has a value now and is to have none.
func emptied(columns, now []string) string {
	conditions := make([]string, len(columns))
	for i := range columns {
		conditions[i] = columns[i] + " IS NULL AND " + now[i] + " IS NOT NULL"
	}
	return "(" + strings.Join(conditions, "\n\t\t\t\tOR ") + ")"
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }
