package migrations_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
	"github.com/paymosync/paymosync/sink/sinktest"
)

// The migrated database is what the catalogue says, so that neither changes alone.
func TestWarehouseIsTheCatalogue(t *testing.T) {
	t.Parallel()
	pool := sinktest.Database(t)
	var tables []string
	for _, r := range catalog.All() {
		tables = append(tables, r.Table)
		t.Run(r.Table, func(t *testing.T) {
			t.Parallel()
			want := []string{"table commented"}
			for _, c := range r.Stored() {
				null := "null"
				if c.Name == "id" {
					null = "not null"
				}
				want = append(want, fmt.Sprintf("%s %s %s commented", c.Name, sqlName(c.Kind), null))
			}
			want = append(want,
				"_synced_at timestamp with time zone not null commented",
				"_deleted_at timestamp with time zone null commented",
				"_extra jsonb null commented",
				"_issues jsonb null commented",
				r.Table+"_pkey primary key (id)",
			)
			var indexes []string
			for _, c := range sink.Indexed(r) {
				indexes = append(indexes, fmt.Sprintf("%s_%s (%s)", r.Table, c, c))
			}
			slices.Sort(indexes)
			want = append(want, indexes...)
			if got, want := strings.Join(describe(t, pool, r.Table), "\n"), strings.Join(want, "\n"); got != want {
				t.Errorf("the table is\n%s\nand the catalogue says\n%s\nwrite a migration, or mend the catalogue", got, want)
			}
		})
	}
	rows, _ := pool.Query(t.Context(), `SELECT tablename::text FROM pg_tables WHERE schemaname = $1`, sinktest.Warehouse)
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	slices.Sort(tables)
	if !slices.Equal(got, tables) {
		t.Errorf("tables %v, in the catalogue %v", got, tables)
	}
}

// describe tells a table: its comment, its columns in order, its key, its other indexes.
func describe(t *testing.T, pool *pgxpool.Pool, table string) []string {
	t.Helper()
	rows, _ := pool.Query(t.Context(), `
SELECT line
FROM (
    SELECT 1 AS part, 0 AS position,
        'table ' || CASE WHEN obj_description(t.oid, 'pg_class') <> '' THEN 'commented' ELSE 'without a comment' END AS line
    FROM pg_class AS t
    WHERE t.oid = $1::regclass
    UNION ALL
    SELECT 2, a.attnum,
        concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod),
            CASE WHEN a.attnotnull THEN 'not null' ELSE 'null' END,
            CASE WHEN col_description(a.attrelid, a.attnum) <> '' THEN 'commented' ELSE 'without a comment' END)
    FROM pg_attribute AS a
    WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT CASE WHEN i.indisprimary THEN 3 ELSE 4 END, 0,
        n.relname || CASE WHEN i.indisprimary THEN ' primary key' WHEN i.indisunique THEN ' unique' ELSE '' END
            || ' (' || array_to_string(ARRAY(
                SELECT a.attname FROM unnest(i.indkey::smallint[]) AS k JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k
            ), ', ') || ')' || coalesce(' WHERE ' || pg_get_expr(i.indpred, i.indrelid), '')
    FROM pg_index AS i
    JOIN pg_class AS n ON n.oid = i.indexrelid
    WHERE i.indrelid = $1::regclass
) AS lines
ORDER BY part, position, line COLLATE "C"`, pgx.Identifier{sinktest.Warehouse, table}.Sanitize())
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// sqlName is the type's name as PostgreSQL tells it.
func sqlName(k catalog.Kind) string {
	if k == catalog.Datetime {
		return "timestamp with time zone"
	}
	return k.SQLType()
}

// A role that may read the warehouse, and nothing else, reads the state of its tables.
func TestAnalystsReadSyncStatus(t *testing.T) {
	t.Parallel()
	pool := sinktest.Database(t)
	exec(t, pool, `
INSERT INTO paymosync.checkpoints (account, table_name, state, reason, fresh_as_of, full_at)
VALUES ('default', 'clients', 'degraded', 'the listing is unstable', '2026-01-02 03:04:05+00', '2026-01-01 03:04:05+00'),
    ('another', 'users', 'ok', '', now(), now()),
    ('default', 'no such table', 'ok', '', now(), now())`)
	role := newRole(t, pool)
	exec(t, pool, fmt.Sprintf(`GRANT USAGE ON SCHEMA paymo TO %[1]s; GRANT SELECT ON ALL TABLES IN SCHEMA paymo TO %[1]s`, role))
	analyst := as(t, pool, role)

	rows, _ := analyst.Query(t.Context(), `
SELECT concat_ws(' | ', "table", state, reason, fresh_as_of AT TIME ZONE 'UTC', last_full AT TIME ZONE 'UTC')
FROM paymo._sync_status
ORDER BY "table"`)
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, r := range catalog.All() {
		line := r.Table + " | unavailable | not synced yet"
		if r.Table == "clients" {
			line = "clients | degraded | the listing is unstable | 2026-01-02 03:04:05 | 2026-01-01 03:04:05"
		}
		want = append(want, line)
	}
	slices.Sort(want)
	slices.Sort(got)
	if got, want := strings.Join(got, "\n"), strings.Join(want, "\n"); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if _, err := analyst.Exec(t.Context(), `SELECT FROM paymosync.checkpoints`); err == nil {
		t.Error("the analyst reads the bookkeeping itself")
	}
}

// The bookkeeping's Down takes back its Up; the warehouse's refuses.
func TestDown(t *testing.T) {
	t.Parallel()
	pool := sinktest.Database(t)
	down := func(path string) error {
		text, err := fs.ReadFile(os.DirFS("."), path)
		if err != nil {
			t.Fatal(err)
		}
		_, sql, _ := strings.Cut(string(text), "-- +goose Down")
		sql = strings.NewReplacer("{{schema}}", "paymo", "{{schema_literal}}", "'paymo'").Replace(sql)
		return pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
			_, err := tx.Exec(context.WithoutCancel(t.Context()), sql)
			return err
		})
	}
	contains(t, down("warehouse/00001_tables.sql"), "the tables of the warehouse are not taken down")
	if err := errors.Join(down("warehouse/00003_sync_status_paused.sql"), down("warehouse/00002_sync_status.sql"),
		down("paymosync/00005_webhooks.sql"), down("paymosync/00004_priorities.sql"), down("paymosync/00003_operations.sql"), down("paymosync/00002_deletions.sql"), down("paymosync/00001_bookkeeping.sql")); err != nil {
		t.Fatal(err)
	}
	var left string
	err := pool.QueryRow(t.Context(), `SELECT coalesce(string_agg(relname, ', '), '') FROM pg_class WHERE relnamespace = 'paymosync'::regnamespace AND relkind = 'r' AND relname <> 'migrations'`).Scan(&left)
	if err != nil || left != "" {
		t.Errorf("left: %s, %v", left, err)
	}
}
