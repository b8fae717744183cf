package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink/sinktest"
)

// table is the table that is filled.
const table = "paymo.time_entries"

// databases are those of a PostgreSQL server of the benchmark's own.
type databases struct {
	server *sinktest.Server
	psql   string
	pid    int // of the server's first process
}

func startDatabases(ctx context.Context) (*databases, error) {
	bin, err := sinktest.FindBinaries()
	if err != nil {
		return nil, err
	}
	psql, err := exec.LookPath(filepath.Join(bin, "psql"))
	if err != nil {
		if psql, err = exec.LookPath("psql"); err != nil {
			return nil, fmt.Errorf("measure \\copy: %w", err)
		}
	}
	server, err := sinktest.Start(ctx, sinktest.Options{Bin: bin, Durable: true})
	if err != nil {
		return nil, err
	}
	d := &databases{server: server, psql: psql}
	var pid string
	if err := d.ask(ctx, "postgres", "SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)", &pid); err != nil {
		return nil, errors.Join(err, server.Stop())
	}
	d.pid, err = strconv.Atoi(pid)
	return d, err
}

// url is the address of a database.
func (d *databases) url(name string) string {
	u, err := url.Parse(d.server.URL())
	if err != nil {
		return d.server.URL()
	}
	u.Path = "/" + name
	return u.String()
}

// do runs statements in a database.
func (d *databases) do(ctx context.Context, name string, statements ...string) error {
	conn, err := pgx.Connect(ctx, d.url(name))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// ask reads one value from a database.
func (d *databases) ask(ctx context.Context, name, query string, value any) error {
	conn, err := pgx.Connect(ctx, d.url(name))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	return conn.QueryRow(ctx, query).Scan(value)
}

// copyOf makes a database anew, as a copy of another.
func (d *databases) copyOf(ctx context.Context, name, template string) error {
	return d.do(ctx, "postgres", "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)", "CREATE DATABASE "+name+" TEMPLATE "+template)
}

// dropIndexes leaves the table its primary key alone.
func (d *databases) dropIndexes(ctx context.Context, name string) error {
	return d.do(ctx, name, `
		DO $$
		DECLARE
			index regclass;
		BEGIN
			FOR index IN SELECT indexrelid FROM pg_index WHERE indrelid = '`+table+`'::regclass AND NOT indisprimary LOOP
				EXECUTE 'DROP INDEX ' || index;
			END LOOP;
		END $$`)
}

// settle does now what the server would do at some time, so that it does not while
// something is measured.
func (d *databases) settle(ctx context.Context, name string) error {
	return d.do(ctx, name, "VACUUM (ANALYZE)", "CHECKPOINT")
}

// written is how much WAL the server has written so far.
func (d *databases) written(ctx context.Context) (bytes int64, err error) {
	return bytes, d.ask(ctx, "postgres", "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint", &bytes)
}

// content tells tables apart that do not hold the same rows, whenever they were synced.
func (d *databases) content(ctx context.Context, name string) (content string, err error) {
	entries, _ := catalog.Lookup("time_entries")
	columns := []string{"_deleted_at", "_extra", "_issues"}
	for _, column := range entries.Stored() {
		columns = append(columns, pgx.Identifier{column.Name}.Sanitize())
	}
	query := "SELECT count(*) || ' rows, sum ' || coalesce(sum(hashtextextended((" + strings.Join(columns, ", ") + ")::text, 0)), 0) FROM " + table
	return content, d.ask(ctx, name, query, &content)
}

// about says what the server is and how it is set.
func (d *databases) about(ctx context.Context) (about string, err error) {
	return about, d.ask(ctx, "postgres", `
		SELECT 'PostgreSQL ' || split_part(current_setting('server_version'), ' ', 1) || ' with its default settings: ' ||
			string_agg(name || ' ' || current_setting(name), ', ' ORDER BY name)
		FROM pg_settings
		WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers', 'max_wal_size', 'autovacuum')`, &about)
}

// usage is what the server has spent so far.
type usage struct {
	wal int64
	cpu time.Duration
}

func (d *databases) usage(ctx context.Context) (usage, error) {
	wal, err := d.written(ctx)
	return usage{wal: wal, cpu: settled(ctx, func() time.Duration { return familyTime(d.pid) })}, err
}
