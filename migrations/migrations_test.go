package migrations_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/paymosync/paymosync/migrations"
	"github.com/paymosync/paymosync/sink/sinktest"
)

func TestMain(m *testing.M) { sinktest.Main(m) }

func TestUpAppliesEverythingOnce(t *testing.T) {
	t.Parallel()
	pool := sinktest.Empty(t)

	before, err := migrations.Status(t.Context(), pool, "paymo")
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range before {
		if !step.Pending() {
			t.Errorf("%s is applied in an empty database", step)
		}
	}
	if n := schemas(t, pool); n != 0 {
		t.Errorf("Status created %d schemas", n)
	}

	applied, err := migrations.Up(t.Context(), pool, "paymo")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, a := range applied {
		names = append(names, a.String())
	}
	var want []string
	for _, step := range before {
		want = append(want, step.String())
	}
	if got, want := strings.Join(names, "\n"), strings.Join(want, "\n"); got != want {
		t.Errorf("applied:\n%s\nwant:\n%s", got, want)
	}
	if names[0] != "paymosync 00001_bookkeeping" {
		t.Errorf("the first is %s", names[0])
	}

	after, err := migrations.Status(t.Context(), pool, "paymo")
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range after {
		if step.Pending() {
			t.Errorf("%s is still pending", step)
		}
	}
	if again, err := migrations.Up(t.Context(), pool, "paymo"); err != nil || len(again) != 0 {
		t.Errorf("again: %v, %v", again, err)
	}
}

func TestUpInParallel(t *testing.T) {
	t.Parallel()
	empty := sinktest.Empty(t)
	total := make([]int, 8)
	var group errgroup.Group
	for i := range total {
		group.Go(func() error {
			// A pool of one, because the work must not need a second connection of it.
			config := empty.Config()
			config.MaxConns, config.MinConns = 1, 0
			pool, err := pgxpool.NewWithConfig(t.Context(), config)
			if err != nil {
				return err
			}
			defer pool.Close()
			applied, err := migrations.Up(t.Context(), pool, "paymo")
			total[i] = len(applied)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	workers := 0
	for _, n := range total {
		if n > 0 {
			workers++
		}
	}
	if workers != 1 {
		t.Errorf("the migrators applied %v: one should have applied all", total)
	}
}

func TestUpWaitsNoLongerThanItsContext(t *testing.T) {
	t.Parallel()
	pool := sinktest.Empty(t)
	holder, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Rollback(context.WithoutCancel(t.Context()))
	if _, err := holder.Exec(t.Context(), `SELECT pg_advisory_xact_lock($1)`, int64(0x7061796d6f73796e)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		// Cancel when Up has been seen to ask for the lock.
		for asked := false; !asked && ctx.Err() == nil; {
			_ = pool.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'SELECT pg_try_advisory_xact_lock%')`).Scan(&asked)
		}
		cancel(nil)
	}()
	if _, err := migrations.Up(ctx, pool, "paymo"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if n := schemas(t, pool); n != 0 {
		t.Errorf("it created %d schemas without the lock", n)
	}
}

func TestUpTakesAnyNameAndSeveralWarehouses(t *testing.T) {
	t.Parallel()
	pool := sinktest.Empty(t)
	for _, name := range []string{"paymo", `Paymo's "other" {{schema}}.order`, strings.Repeat("ä", 31), "user"} {
		if _, err := migrations.Up(t.Context(), pool, name); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if pending, err := migrations.Pending(t.Context(), pool, name); err != nil || len(pending) > 0 {
			t.Errorf("%s: pending %v, %v", name, pending, err)
		}
		var tables, listed int
		err := pool.QueryRow(t.Context(), `SELECT count(*) FROM pg_tables WHERE schemaname = $1`, name).Scan(&tables)
		if err != nil {
			t.Fatal(err)
		}
		err = pool.QueryRow(t.Context(), `SELECT count(*) FROM `+pgx.Identifier{name, "_sync_status"}.Sanitize()).Scan(&listed)
		if err != nil {
			t.Fatal(err)
		}
		if tables != 35 || listed != 35 {
			t.Errorf("%s: %d tables, %d of them in _sync_status", name, tables, listed)
		}
	}
	for _, name := range []string{"", "paymosync", "river", "pg_catalog", "information_schema", strings.Repeat("x", 64), "a\x00b"} {
		if _, err := migrations.Up(t.Context(), pool, name); err == nil {
			t.Errorf("%q was taken", name)
		}
	}
}

func TestUpRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		setup string
		want  []string
	}{
		"a bookkeeping of a newer paymosync": {
			`INSERT INTO paymosync.migrations (set_name, version) VALUES ('paymosync', 99999)`,
			[]string{"newer paymosync", "migration 99999 of the paymosync set"},
		},
		"a warehouse of a newer paymosync": {
			`INSERT INTO paymosync.migrations (set_name, version) VALUES ('warehouse paymo', 99999)`,
			[]string{"newer paymosync", "migration 99999 of the warehouse set"},
		},
		"a queue of a newer River": {
			`INSERT INTO river.river_migration (line, version) VALUES ('main', 99999)`,
			[]string{"newer paymosync", "migration 99999 of the river set"},
		},
		"a warehouse that is gone": {
			`DROP SCHEMA paymo CASCADE`,
			[]string{`schema "paymo" is recorded as migrated but does not exist`, "DROP SCHEMA paymosync CASCADE"},
		},
		"a warehouse of somebody else": {
			`DROP SCHEMA paymosync CASCADE`,
			[]string{"apply warehouse 00001_tables", `schema "paymo" holds a table that paymosync has no record of making`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := sinktest.Database(t)
			if _, err := pool.Exec(t.Context(), c.setup); err != nil {
				t.Fatal(err)
			}
			_, err := migrations.Up(t.Context(), pool, sinktest.Warehouse)
			contains(t, err, c.want...)
			if strings.Contains(name, "newer") && !errors.Is(err, migrations.ErrNewer) {
				t.Errorf("%v is not ErrNewer", err)
			}
		})
	}
}

func TestUpNamesTheRightsItLacks(t *testing.T) {
	t.Parallel()
	pool := sinktest.Empty(t)
	role := newRole(t, pool)
	db := pool.Config().ConnConfig.Database

	_, err := migrations.Up(t.Context(), as(t, pool, role), "paymo")
	contains(t, err,
		fmt.Sprintf(`role "%s" lacks the right CREATE on database "%s", which schema "paymosync" needs`, role, db),
		fmt.Sprintf(`GRANT CREATE ON DATABASE "%s" TO "%s"`, db, role), `"river"`, `"paymo"`)

	// An administrator who keeps the right may make the schemas.
	for _, schema := range []string{"paymosync", "river", "paymo"} {
		exec(t, pool, fmt.Sprintf(`CREATE SCHEMA %s`, schema))
	}
	_, err = migrations.Up(t.Context(), as(t, pool, role), "paymo")
	contains(t, err, fmt.Sprintf(`GRANT USAGE, CREATE ON SCHEMA "river" TO "%s"`, role))
	for _, schema := range []string{"paymosync", "river", "paymo"} {
		exec(t, pool, fmt.Sprintf(`GRANT USAGE, CREATE ON SCHEMA %s TO %s`, schema, role))
	}
	if _, err = migrations.Up(t.Context(), as(t, pool, role), "paymo"); err != nil {
		t.Fatal(err)
	}

	other := newRole(t, sinktest.Empty(t))
	_, err = migrations.Up(t.Context(), as(t, pool, other), "paymo")
	contains(t, err, "permission denied", "connect as the role that owns the schemas")

	// Nothing pending: no right is needed that the work itself does not need.
	exec(t, pool, fmt.Sprintf(`REVOKE CREATE ON SCHEMA paymosync, river, paymo FROM %s`, role))
	if applied, err := migrations.Up(t.Context(), as(t, pool, role), "paymo"); err != nil || len(applied) > 0 {
		t.Errorf("with nothing pending: %v, %v", applied, err)
	}
}

// The rights are told before anything is done: what Up would stop at, and tables that
// belong to another role.
func TestRights(t *testing.T) {
	t.Parallel()
	pool := sinktest.Empty(t)
	role := newRole(t, pool)
	db := pool.Config().ConnConfig.Database
	limited := as(t, pool, role)
	rights := func() error { return migrations.Rights(t.Context(), limited, "paymo") }

	// Two of the three schemas are there, and the third may not be made.
	for _, schema := range []string{"paymosync", "paymo"} {
		exec(t, pool, fmt.Sprintf(`CREATE SCHEMA %s AUTHORIZATION %s`, schema, role))
	}
	err := rights()
	contains(t, err, fmt.Sprintf(`lacks the right CREATE on database "%s", which schema "river" needs`, db))
	if _, up := migrations.Up(t.Context(), limited, "paymo"); up == nil || up.Error() != err.Error() {
		t.Errorf("Up says %v, Rights says %v", up, err)
	}
	exec(t, pool, `CREATE SCHEMA river`)
	contains(t, rights(), fmt.Sprintf(`GRANT USAGE, CREATE ON SCHEMA "river" TO "%s"`, role))
	exec(t, pool, fmt.Sprintf(`ALTER SCHEMA river OWNER TO %s`, role))
	if err := rights(); err != nil {
		t.Error(err)
	}
	var tables int
	if err := pool.QueryRow(t.Context(), `SELECT count(*) FROM pg_tables WHERE schemaname IN ('paymosync', 'river', 'paymo')`).Scan(&tables); err != nil || tables > 0 {
		t.Errorf("Rights made %d tables, %v", tables, err)
	}

	// Another role has made the tables.
	if _, err := migrations.Up(t.Context(), pool, "paymo"); err != nil {
		t.Fatal(err)
	}
	exec(t, pool, fmt.Sprintf(`GRANT SELECT ON ALL TABLES IN SCHEMA paymosync, river, paymo TO %s`, role))
	contains(t, rights(), `every table of schema "paymosync"`, `every table of schema "river"`, `every table of schema "paymo"`)
	exec(t, pool, fmt.Sprintf(`GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA paymosync, river, paymo TO %s`, role))
	if err := rights(); err != nil {
		t.Error(err)
	}
}

func TestUpRefusesReadOnlySessions(t *testing.T) {
	t.Parallel()
	pool := sinktest.Empty(t)
	exec(t, pool, `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$`)
	pool.Reset()
	_, err := migrations.Up(t.Context(), pool, "paymo")
	contains(t, err, "are read-only", "default_transaction_read_only = off")
}

func schemas(t *testing.T, pool *pgxpool.Pool) (n int) {
	t.Helper()
	err := pool.QueryRow(t.Context(), `SELECT count(*) FROM pg_namespace WHERE nspname IN ('paymosync', 'river', 'paymo')`).Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func exec(t *testing.T, pool *pgxpool.Pool, statement string) {
	t.Helper()
	if _, err := pool.Exec(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func contains(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Error("no error")
		return
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("no %q in: %v", part, err)
		}
	}
}

// newRole makes a role that may log in and nothing else.
func newRole(t *testing.T, pool *pgxpool.Pool) string {
	t.Helper()
	role := strings.Replace(pool.Config().ConnConfig.Database, "paymosync_test_", "paymosync_role_", 1)
	exec(t, pool, fmt.Sprintf(`CREATE ROLE %s LOGIN PASSWORD 'secret'`, role))
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		for _, statement := range []string{`DROP OWNED BY %s CASCADE`, `DROP ROLE %s`} {
			if _, err := pool.Exec(ctx, fmt.Sprintf(statement, role)); err != nil {
				t.Error(err)
			}
		}
	})
	return role
}

// as connects to the pool's database as another role.
func as(t *testing.T, pool *pgxpool.Pool, role string) *pgxpool.Pool {
	t.Helper()
	config := pool.Config()
	config.ConnConfig.User, config.ConnConfig.Password = role, "secret"
	other, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(other.Close)
	return other
}
