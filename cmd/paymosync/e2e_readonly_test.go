package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// setReadOnly makes the world's database one that takes no writes, or takes that back, for
// whoever connects from now on: everybody has to.
func (w *world) setReadOnly(on bool) {
	w.t.Helper()
	database := pgx.Identifier{w.pool.Config().ConnConfig.Database}.Sanitize()
	sql := `ALTER DATABASE ` + database + ` RESET default_transaction_read_only`
	if on {
		sql = `ALTER DATABASE ` + database + ` SET default_transaction_read_only = on`
	}
	conn, err := w.pool.Acquire(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	defer conn.Release()
	for _, statement := range []string{
		`SET default_transaction_read_only = off`, sql,
		`SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'paymosync'`,
	} {
		if _, err := conn.Exec(w.t.Context(), statement); err != nil {
			w.t.Fatalf("%s: %v", statement, err)
		}
	}
}

// A database that takes no writes for a while, as one that was failed over to does, is
// named as what is the matter; nothing is lost, and the service goes on by itself.
func TestProgramReadOnlyDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t, agency()).with("SYNC_SCHEDULE", "@every 1s", "SYNC_TABLES", "clients")
	w.run("sync").mustExit(exitOK)
	w.setReadOnly(true)
	w.run("sync").mustExit(exitUnwell).mustSay("read-only")
	w.setReadOnly(false)

	service := w.start("serve")
	w.follow()
	w.setReadOnly(true)
	within(t, 60*time.Second, "the service says what is the matter", func() error {
		if !strings.Contains(service.out.String()+service.err.String(), "read-only") {
			return errors.New("it does not")
		}
		return nil
	})
	if _, err := w.paymo.Put("clients", map[string]any{"name": "of the meantime", "active": true}); err != nil {
		t.Fatal(err)
	}
	w.setReadOnly(false)
	lag := w.follow()
	service.mustStop()
	t.Logf("a change was in %v after the database took writes again", lag)
	w.run("sync", "--full").mustExit(exitOK)
	if n := value[int](w, `SELECT count(*) FROM paymo.clients WHERE name = 'of the meantime' AND _deleted_at IS NULL`); n != 1 {
		t.Errorf("%d rows of the client that came meanwhile", n)
	}
}
