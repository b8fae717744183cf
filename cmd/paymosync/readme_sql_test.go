package main

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink/sinktest"
)

// Every query of the README runs on a warehouse that was just synced, and finds rows,
// but for those that say that they find none.
func TestReadmeQueries(t *testing.T) {
	t.Parallel()
	company := agency()
	company.Until = time.Now().UTC().Truncate(24 * time.Hour)
	w := newWorld(t, company)
	w.run("sync").mustExit(exitOK)
	blocks := fences(readFile(t, "README.md"), "sql")
	if len(blocks) < 8 {
		t.Errorf("found only %d blocks of SQL", len(blocks))
	}
	for _, block := range blocks {
		tx, err := w.pool.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		tryReadmeSQL(t, tx, block)
		if err := tx.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func tryReadmeSQL(t *testing.T, tx pgx.Tx, block string) {
	t.Helper()
	do := func(statement string) (rows int64) {
		t.Helper()
		tag, err := tx.Exec(t.Context(), statement)
		if err != nil {
			t.Fatalf("%v:\n%s", err, statement)
		}
		return tag.RowsAffected()
	}
	reader := regexp.MustCompile(`(?m)^GRANT .* TO (\w+);$`).FindStringSubmatch(block)
	if reader != nil {
		if do("SELECT FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolcreaterole)") == 0 {
			t.Logf("left out, because the role of TEST_DATABASE_URL may not create roles:\n%s", block)
			return
		}
		do("CREATE ROLE " + reader[1])
	}
	for statement := range strings.SplitSeq(strings.TrimSpace(block), ";\n") {
		comment, query, commented := strings.Cut(statement, "\n")
		if !commented || !strings.HasPrefix(comment, "--") {
			comment, query = "", statement
		}
		rows := do(query)
		if isQuery := strings.HasPrefix(query, "SELECT"); isQuery && (rows == 0) != strings.HasPrefix(comment, "-- no rows") {
			t.Errorf("it finds %d rows:\n%s", rows, statement)
		}
	}
	if reader == nil {
		return
	}
	// The reader sees the warehouse and nothing else.
	do("SET LOCAL ROLE " + reader[1])
	if do("SELECT FROM paymo._sync_status") == 0 || do("SELECT FROM paymo.time_entries") == 0 {
		t.Error("the reader of the README sees nothing")
	}
	if _, err := tx.Exec(t.Context(), "SELECT FROM paymosync.runs"); err == nil {
		t.Error("the reader of the README sees the bookkeeping")
	}
}

// The columns that the README gives to every table are in every table.
func TestReadmeColumns(t *testing.T) {
	t.Parallel()
	pool := sinktest.Database(t)
	named := regexp.MustCompile("(?m)^\\| `(_\\w+)` \\|").FindAllStringSubmatch(readFile(t, "README.md"), -1)
	var columns []string
	for _, match := range named {
		columns = append(columns, match[1])
	}
	for _, r := range catalog.All() {
		var found []string
		err := pool.QueryRow(t.Context(), `
			SELECT array_agg(column_name::text ORDER BY ordinal_position)
			FROM information_schema.columns
			WHERE table_schema = $1 AND table_name = $2 AND column_name LIKE '\_%'`, sinktest.Warehouse, r.Table).Scan(&found)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(columns, found); diff != "" {
			t.Fatalf("columns of every table, and those of %s (-README +database):\n%s", r.Table, diff)
		}
	}
}
