package main

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/vault/api"
	"github.com/jackc/pgx/v5"
)

// rolesWorld is a world on a server of its own, with the roles of the README: DATABASE_URL
// is the writer's, and migrate up has run as the migrator.
func rolesWorld(t *testing.T) *world {
	t.Helper()
	address := ownServer(t).URL()
	w := newWorldOn(t, agency(), open(t, address))
	do := func(statement string) {
		t.Helper()
		if _, err := w.pool.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	do(fences(readFile(t, "README.md"), "pgsql")[0])
	for _, role := range []string{"migrator", "writer", "reader"} {
		do(`ALTER ROLE paymosync_` + role + ` LOGIN PASSWORD 'secret'`)
	}
	w.with("DATABASE_URL", withUser(t, address, "paymosync_migrator", "secret")).run("migrate", "up").mustExit(exitOK)
	return w.with("DATABASE_URL", withUser(t, address, "paymosync_writer", "secret"), "MIGRATE_ON_START", "false")
}

// The writer of the README does all the work and can change no table; the reader sees the
// warehouse and nothing else.
func TestProgramLeastRights(t *testing.T) {
	t.Parallel()
	w := rolesWorld(t).with("SYNC_SCHEDULE", "@every 2s")
	service := w.start("serve")
	w.awaitReady(20 * time.Second)
	w.awaitFresh(50 * time.Second)
	service.mustStop()
	for _, command := range [][]string{
		{"sync"}, {"sync", "--full"}, {"backfill", "--from", "2026-01-01", "time_entries"}, {"verify"}, {"verify", "--repair", "clients"},
		{"status"}, {"runs"}, {"pause", "tasks"}, {"resume", "tasks"}, {"reset", "clients"}, {"check"},
	} {
		w.run(command...).mustExit(exitOK)
	}
	w.mustEqual()
	for user, refused := range map[string][]string{
		"paymosync_writer": {
			`CREATE TABLE paymo.x ()`, `ALTER TABLE paymo.clients ADD x text`, `DROP TABLE paymosync.runs`, `TRUNCATE paymo.clients`, `CREATE SCHEMA x`,
		},
		"paymosync_reader": {
			`UPDATE paymo.clients SET name = ''`, `DELETE FROM paymo.clients`, `SELECT FROM paymosync.checkpoints`, `SELECT FROM river.river_job`, `CREATE TABLE paymo.x ()`,
		},
	} {
		pool := open(t, withUser(t, w.variables["DATABASE_URL"], user, "secret"))
		for _, query := range []string{`SELECT FROM paymo._sync_status`, `SELECT FROM paymo.time_entries`} {
			if tag, err := pool.Exec(t.Context(), query); err != nil || tag.RowsAffected() == 0 {
				t.Errorf("%s: %s: %v, %v", user, query, tag, err)
			}
		}
		for _, statement := range refused {
			if _, err := pool.Exec(t.Context(), statement); err == nil || !strings.Contains(err.Error(), "42501") {
				t.Errorf("%s: %s: %v", user, statement, err)
			}
		}
	}
}

// The service works with users that Vault makes for a few seconds, and drops. Each is
// renewed and replaced under load; Vault is away for a while, too. No run learns of it.
func TestSoakDatabaseCredentials(t *testing.T) {
	t.Parallel()
	length, ttl, oldest := 40*time.Second, "6s", "15s"
	if soak() {
		length, ttl, oldest = 10*time.Minute, "30s", "75s"
	}
	vault := startStoppableVault(t)
	w := rolesWorld(t).with("SYNC_SCHEDULE", "@every 2s", "FULL_SYNC_SCHEDULE", "@every 15s")
	role := vault.databaseRole(t, w.pool.Config().ConnString(), ttl, oldest)
	w = withVault(w, vault, map[string]any{"token_ttl": "1h"})
	w = w.with("VAULT_TOKEN", vault.token, "VAULT_ROLE_ID", "", "VAULT_SECRET_ID", "", "VAULT_AUTH_MOUNT", "",
		"DATABASE_URL", withUser(t, w.variables["DATABASE_URL"], "nobody", "x"), "DATABASE_CREDENTIALS", "vault://"+role)

	service := w.start("serve")
	w.awaitReady(30 * time.Second)
	ctx, stop := context.WithCancel(context.Background())
	var working sync.WaitGroup
	working.Go(func() { w.paymo.Live(ctx, 20) })
	t.Cleanup(func() { stop(); working.Wait() })
	w.awaitFresh(60 * time.Second)
	began := time.Now()
	users := map[string]bool{}
	for away := false; time.Since(began) < length; {
		for _, user := range w.vaultUsers() {
			users[user] = true
		}
		if !away && time.Since(began) > length/2 {
			away = true
			vault.Stop(t)
			vault.Start(t)
		}
		sleep(t.Context(), 200*time.Millisecond)
	}
	stop()
	working.Wait()
	w.awaitFresh(60 * time.Second)
	service.mustStop()
	t.Logf("%d users, %d runs", len(users), value[int](w, `SELECT count(*) FROM paymosync.runs`))
	if len(users) < 3 {
		t.Errorf("only the users %v were seen: they were not replaced", users)
	}
	if wrong := w.ledger(`r.state NOT IN ('ok', 'interrupted')`); len(wrong) > 0 {
		t.Errorf("runs that did not end well:\n%v", wrong)
	}
	if wrong := value[[]string](w, `
		SELECT coalesce(array_agg(DISTINCT errors::text), '{}') FROM river.river_job WHERE errors IS NOT NULL`); len(wrong) > 0 {
		t.Errorf("jobs that failed: %v", wrong)
	}
	within(t, 10*time.Second, "the users are given back", func() error {
		if left := w.vaultUsers(); len(left) > 0 {
			return fmt.Errorf("%v are left", left)
		}
		return nil
	})
	if owned := value[int](w, `SELECT count(*) FROM pg_class AS c JOIN pg_roles AS r ON r.oid = c.relowner WHERE r.rolname LIKE 'v-%'`); owned > 0 {
		t.Errorf("%d objects belong to users of Vault", owned)
	}
	w.run("sync", "--full").mustExit(exitOK)
	w.mustEqual()
}

// vaultUsers are those that Vault has made and not dropped.
func (w *world) vaultUsers() []string {
	return value[[]string](w, `SELECT coalesce(array_agg(rolname::text), '{}') FROM pg_roles WHERE rolname LIKE 'v-%'`)
}

// databaseRole has the Vault make users as the README says, and returns the path of them.
func (s *vaultServer) databaseRole(t *testing.T, address, ttl, oldest string) string {
	t.Helper()
	mount := unique(t)
	if err := s.admin.Sys().Mount(mount, &api.MountInput{Type: "database"}); err != nil {
		t.Fatal(err)
	}
	settings, err := pgx.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.User = nil
	s.write(t, mount+"/config/warehouse", map[string]any{
		"plugin_name": "postgresql-database-plugin", "allowed_roles": "*", "username": settings.User, "password": settings.Password,
		"connection_url": strings.Replace(u.String(), "://", "://{{username}}:{{password}}@", 1),
	})
	s.write(t, mount+"/roles/paymosync", map[string]any{
		"db_name": "warehouse", "default_ttl": ttl, "max_ttl": oldest,
		"creation_statements": fences(readFile(t, "README.md"), "pgsql")[1],
	})
	return mount + "/creds/paymosync"
}
