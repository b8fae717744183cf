package sinktest

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Written tells of each table of the database, those of the bookkeeping and the queue
// included, and of its sequences, by whom its rows were written and what they hold: two
// that are equal have nothing written between them.
func Written(t testing.TB, pool *pgxpool.Pool) map[string]string {
	t.Helper()
	rows, err := pool.Query(t.Context(), `
		SELECT format('%I.%I', table_schema, table_name)
		FROM information_schema.tables
		WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')`)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	queries := map[string]string{
		"sequences": `SELECT string_agg(schemaname || '.' || sequencename || ' ' || coalesce(last_value::text, ''), ',' ORDER BY 1) FROM pg_sequences`,
	}
	for _, table := range tables {
		queries[table] = `SELECT count(*) || coalesce(md5(string_agg(ctid || ' ' || xmin || ' ' || xmax || t::text, ',' ORDER BY ctid)), '') FROM ` + table + ` AS t`
	}
	written := map[string]string{}
	for name, sql := range queries {
		var found string
		if err := pool.QueryRow(t.Context(), sql).Scan(&found); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		written[name] = found
	}
	return written
}
