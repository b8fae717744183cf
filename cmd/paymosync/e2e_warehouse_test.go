package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/paymosync/paymosync/sink/sinktest"
)

// apart is the world with a queue in a database of its own: the world's own is the
// warehouse.
func (w *world) apart(queue *pgxpool.Pool) *world {
	return w.with("WAREHOUSE_URL", w.pool.Config().ConnString(), "DATABASE_URL", queue.Config().ConnString())
}

// schemasOf lists the schemas that paymosync has made in a database.
func schemasOf(t *testing.T, pool *pgxpool.Pool) string {
	t.Helper()
	var names string
	err := pool.QueryRow(t.Context(), `
		SELECT coalesce(string_agg(nspname, ' ' ORDER BY nspname), '')
		FROM pg_namespace
		WHERE nspname IN ('paymo', 'paymosync', 'river')`).Scan(&names)
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// The warehouse on one server and the queue on another: each has what belongs there, the
// service says of both how they are, and works again when either was away.
func TestProgramWarehouseApart(t *testing.T) {
	t.Parallel()
	elsewhere := open(t, ownServer(t).URL())
	w := newWorldOn(t, agency(), sinktest.Empty(t)).apart(elsewhere).with("SYNC_SCHEDULE", "@every 2s")
	up := w.run("migrate", "up").mustExit(exitOK).mustSay("applied paymosync 00001", "applied river 00001", "applied warehouse 00001")
	if again := w.run("migrate", "up").mustExit(exitOK).mustSay("nothing to apply"); again.out == up.out {
		t.Error("it was applied twice")
	}
	w.run("migrate", "status").mustExit(exitOK).mustSay("bookkeeping", "river", "tables")
	if warehouse, queue := schemasOf(t, w.pool), schemasOf(t, elsewhere); warehouse != "paymo paymosync" || queue != "river" {
		t.Errorf("the warehouse has the schemas %s, the queue's database %s", warehouse, queue)
	}
	steps := w.steps(exitOK)
	if queue, warehouse := steps["postgresql"], steps["warehouse"]; !queue.OK || !warehouse.OK || queue.Found == warehouse.Found {
		t.Errorf("%+v\n%+v", queue, warehouse)
	}

	queue := newGateBefore(w, "DATABASE_URL")
	warehouse := newGateBefore(w, "WAREHOUSE_URL")
	service := w.start("serve")
	waits := func(key, other, says string) {
		t.Helper()
		within(t, 20*time.Second, "the service says that it has no "+key, func() error {
			status, report, err := w.probe("/readyz")
			if err == nil && (status != http.StatusServiceUnavailable || !strings.Contains(report[key], "refused") || !strings.Contains(report[other], says)) {
				err = fmt.Errorf("%d %v", status, report)
			}
			return err
		})
	}
	queue.open()
	waits("warehouse", "database", "not known")
	warehouse.open()
	w.awaitReady(20 * time.Second)
	w.awaitFresh(50 * time.Second)
	w.mustEqual()
	for _, gate := range []*gate{queue, warehouse} {
		key, other := "database", "warehouse"
		if gate == warehouse {
			key, other = other, key
		}
		gate.close()
		waits(key, other, "ok")
		w.paymo.Work(30)
		gate.open()
		w.awaitReady(20 * time.Second)
		w.awaitFresh(50 * time.Second)
	}
	w.run("status").mustSay("queue")
	service.mustStop()
	w.bury()
	w.mustEqual()
}

// What only works with the rows asks for the warehouse alone, and leaves the queue alone.
func TestProgramWarehouseAlone(t *testing.T) {
	t.Parallel()
	w := newWorldOn(t, agency(), sinktest.Empty(t))
	w = w.with("WAREHOUSE_URL", w.variables["DATABASE_URL"], "DATABASE_URL", "")
	w.run("runs").mustExit(exitUnwell).mustSay("the database of WAREHOUSE_URL lacks", "paymosync migrate up")
	w.run("sync").mustExit(exitOK)
	w.mustEqual()
	w.run("status").mustExit(exitOK).mustSay("not known: DATABASE_URL is not set")
	for _, command := range [][]string{
		{"plan"}, {"verify", "clients"}, {"runs"}, {"pause", "tasks"}, {"resume", "tasks"}, {"drift"}, {"quarantine", "list"},
		{"quarantine", "replay", "--all"}, {"reset", "tasks"}, {"backfill", "--from", "2026-01-01", "clients"}, {"migrate", "status"},
	} {
		w.run(command...).mustExit(exitOK)
	}
	w.run("alerts").mustExit(exitUnwell).mustSay("drift")
	if names := schemasOf(t, w.pool); names != "paymo paymosync" {
		t.Errorf("there are the schemas %s", names)
	}
	for _, command := range []string{"serve", "check"} {
		w.run(command).mustRefuse("DATABASE_URL")
	}

	// A queue that is out of reach keeps nobody from reading Paymo.
	away := w.with("DATABASE_URL", "postgres://nobody@127.0.0.1:1/nothing")
	away.run("sync").mustExit(exitOK)
	away.run("status").mustExit(exitUnwell).mustSay("127.0.0.1:1")
}

// A database that holds everything is not asked to change when its address is given for
// the warehouse, too.
func TestProgramWarehouseTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(t, agency())
	w.run("sync").mustExit(exitOK)
	before := w.written()
	same := w.with("WAREHOUSE_URL", w.variables["DATABASE_URL"])
	same.run("migrate", "up").mustExit(exitOK).mustSay("nothing to apply")
	same.run("sync").mustExit(exitOK)
	w.mustBeUntouched(before)
}
