package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink/sinktest"
)

// probe asks the service's health checks.
func (w *world) probe(path string) (status int, report map[string]string, err error) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, "http://"+w.variables["HTTP_ADDR"]+path, nil)
	if err != nil {
		return 0, nil, err
	}
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}).Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	return res.StatusCode, report, json.NewDecoder(res.Body).Decode(&report)
}

// awaitReady waits until the service is ready.
func (w *world) awaitReady(limit time.Duration) {
	w.t.Helper()
	within(w.t, limit, "the service is ready", func() error {
		status, report, err := w.probe("/readyz")
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("%d %v", status, report)
		}
		return err
	})
}

// mustStop stops a service: it must end well within its time.
func (c *child) mustStop() result {
	c.t.Helper()
	asked := time.Now()
	c.signal(syscall.SIGTERM)
	r := c.waitFor(time.Minute).mustExit(exitOK).mustSay("stopped")
	if took := time.Since(asked); took > 20*time.Second {
		c.t.Errorf("the service took %v to stop", took)
	}
	return r
}

// A service whose database and Vault are down comes up, says what it waits for, and
// works when they are there; when the database goes and comes back, too.
func TestProgramServeWaits(t *testing.T) {
	t.Parallel()
	vault := startStoppableVault(t)
	w := newVaultWorld(t, vault, agency(), map[string]any{"token_ttl": "1h"}).with("SYNC_SCHEDULE", "@every 2s")
	g := newGate(w)
	vault.Stop(t)
	w.run("healthcheck").mustExit(exitUnwell).mustSay("ask the service")

	service := w.start("serve")
	within(t, 10*time.Second, "the service lives and is not ready", func() error {
		if status, _, err := w.probe("/livez"); err != nil || status != http.StatusOK {
			return fmt.Errorf("livez: %d, %w", status, err)
		}
		status, report, err := w.probe("/readyz")
		switch {
		case err != nil:
			return err
		case status != http.StatusServiceUnavailable || report["status"] != "not ready":
			return fmt.Errorf("readyz: %d %v", status, report)
		case !strings.Contains(report["database"], "refused") || !strings.Contains(report["vault"], "refused"):
			return fmt.Errorf("readyz: %v", report)
		}
		return nil
	})
	w.run("healthcheck").mustExit(exitUnwell).mustSay("the service is not ready", "refused")
	within(t, 10*time.Second, "the log says so", func() error { return says(service, "not ready, trying again") })

	g.open()
	w.awaitReady(20 * time.Second)
	w.run("healthcheck").mustExit(exitOK).mustSay(`"status":"ready"`)
	within(t, 20*time.Second, "jobs say that they wait for Vault", func() error { return says(service, "no token for vault") })
	vault.Start(t)
	w.awaitFresh(50 * time.Second)
	w.mustEqual()

	g.close()
	within(t, 20*time.Second, "the service is not ready", func() error {
		status, report, err := w.probe("/readyz")
		if err == nil && status != http.StatusServiceUnavailable {
			err = fmt.Errorf("%d %v", status, report)
		}
		return err
	})
	w.paymo.Work(30)
	g.open()
	w.awaitReady(20 * time.Second)
	w.awaitFresh(5 * time.Minute) // a job whose end could not be noted is rescued after three
	service.mustStop()
	w.bury()
	w.mustEqual()
}

// A sync whose database goes away ends and says so; the next one mends it.
func TestProgramSyncLosesDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t, agency())
	g := newGate(w)
	w.run("sync").mustExit(exitUnwell).mustSay("connect", "refused")
	g.open()
	slow(w, 100*time.Millisecond)
	c := w.start("sync")
	within(t, 20*time.Second, "the first tables are in", func() error {
		if n := value[int](w, `SELECT count(*) FROM paymosync.runs WHERE state = 'ok'`); n < 3 {
			return fmt.Errorf("%d tables", n)
		}
		return nil
	})
	g.close()
	c.waitFor(30*time.Second).mustExit(exitUnwell).mustSay("failing, ", "refused")
	if n := value[int](w, `SELECT count(*) FROM paymosync.checkpoints WHERE state = 'ok'`); n >= len(catalog.All()) {
		t.Errorf("all %d tables were synced without a database", n)
	}
	g.open()
	w.run("sync").mustExit(exitOK)
	w.mustEqual()
}

// says reports whether the log of a program holds a text.
func says(c *child, text string) error {
	if !c.running() {
		return fmt.Errorf("it ended: %s", c.err.String())
	}
	if !strings.Contains(c.err.String(), text) {
		return fmt.Errorf("it does not say %q", text)
	}
	return nil
}

// A service whose database lacks migrations that it may not apply ends, and says what
// to do; migrate does it.
func TestProgramMigrate(t *testing.T) {
	t.Parallel()
	w := newWorldOn(t, agency(), sinktest.Empty(t)).with("MIGRATE_ON_START", "false")
	w.run("migrate", "status").mustExit(exitOK).mustSay(" pending\n", "tables", "bookkeeping")
	for _, command := range []string{"serve", "sync", "status"} {
		w.run(command).mustExit(exitUnwell).mustSay("the database lacks", "run paymosync migrate up")
	}
	if n := value[int](w, `SELECT count(*) FROM pg_namespace WHERE nspname IN ('paymo', 'paymosync', 'river')`); n != 0 {
		t.Errorf("%d schemas were made without being asked for", n)
	}
	w.run("migrate", "up").mustExit(exitOK).mustSay("applied")
	w.run("migrate", "up").mustExit(exitOK).mustSay("nothing to apply")
	if r := w.run("migrate", "status").mustExit(exitOK); strings.Contains(r.out, " pending\n") {
		t.Errorf("something is pending:\n%s", r.out)
	}
	w.run("sync").mustExit(exitOK)
	w.mustEqual()
}

// A service whose connection to the database is cut while it asks something as it starts
// does not give up.
func TestProgramServeStartsOverCuts(t *testing.T) {
	t.Parallel()
	w := newWorldOn(t, agency(), open(t, ownServer(t).URL())).with("SYNC_TABLES", "clients") // to be migrated
	g := newGate(w)
	g.open()
	// It is held where it waits for another process's migrations.
	tx, err := w.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(context.WithoutCancel(t.Context()))
	if _, err := tx.Exec(t.Context(), `SELECT pg_advisory_xact_lock($1)`, int64(0x7061796d6f73796e)); err != nil {
		t.Fatal(err)
	}
	service := w.start("serve")
	within(t, 20*time.Second, "the service waits", func() error {
		if n := value[int](w, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_try_advisory_xact_lock%' AND pid <> pg_backend_pid()`); n == 0 {
			return fmt.Errorf("it does not")
		}
		return nil
	})
	g.close()
	within(t, 20*time.Second, "the service says that it tries again", func() error {
		if said := service.out.String() + service.err.String(); !strings.Contains(said, "not ready, trying again") {
			return fmt.Errorf("it says %s", said)
		}
		return nil
	})
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	g.open()
	w.awaitReady(30 * time.Second)
	service.mustStop()
}
