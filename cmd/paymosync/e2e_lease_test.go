package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/paymo/paymotest"
	"github.com/paymosync/paymosync/sink/sinktest"
)

// slow makes every request take a while, so that what runs at once meets.
func slow(w *world, delay time.Duration) {
	w.paymo.AddFault(paymotest.Fault{Kind: paymotest.FaultSlow, Delay: delay})
}

// Two syncs at once end well, and no table has two writers.
func TestProgramTwoSyncsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, agency())
	slow(w, 50*time.Millisecond)
	children := []*child{w.start("sync", "--full"), w.start("sync", "--full")}
	for _, c := range children {
		c.wait().mustExit(exitOK)
	}
	w.mustHaveOneWriter()
	if got, want := value[int](w, `SELECT count(*) FROM paymosync.runs WHERE state = 'ok'`), 2*len(catalog.All()); got != want {
		t.Errorf("%d runs were ok, want %d", got, want)
	}
	w.mustEqual()
}

// Three first syncs at once on an empty database: one migrates it, all end well.
func TestProgramFirstStartsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorldOn(t, agency(), sinktest.Empty(t))
	children := []*child{w.start("sync"), w.start("sync"), w.start("sync")}
	for _, c := range children {
		c.wait().mustExit(exitOK)
	}
	w.mustHaveOneWriter()
	w.mustEqual()
}

// Syncs beside a service that syncs all the time.
func TestProgramSyncBesideServe(t *testing.T) {
	t.Parallel()
	w := newWorld(t, agency()).with("SYNC_SCHEDULE", "@every 1s")
	slow(w, 20*time.Millisecond)
	service := w.start("serve")
	w.awaitReady(30 * time.Second)
	for range 3 {
		w.paymo.Work(20)
		w.run("sync").mustExit(exitOK)
	}
	w.awaitFresh(30 * time.Second)
	service.mustStop()
	w.mustHaveOneWriter()
	if n := len(w.ledger(`r.state <> 'ok'`)); n > 0 {
		t.Errorf("%d runs were not ok", n)
	}
	if n := value[int](w, `SELECT count(*) FROM paymosync.runs WHERE reason = 'schedule'`); n < len(catalog.All()) {
		t.Errorf("the service made %d runs", n)
	}
	w.bury()
	w.mustEqual()
}

// awaitFresh waits until every table has a run that began from now on and ended. One that
// comes with its parents is as fresh as they are, so its run began when theirs had ended.
func (w *world) awaitFresh(limit time.Duration) {
	w.t.Helper()
	now := value[time.Time](w, `SELECT clock_timestamp()`)
	tables, parents := []string{}, []*string{}
	for _, r := range catalog.All() {
		var parent *string
		if comesWithParents(r) {
			parent = &r.Embedded.Parent
		}
		tables, parents = append(tables, r.Table), append(parents, parent)
	}
	within(w.t, limit, "every table is synced once more", func() error {
		fresh := value[int](w, `
			SELECT count(DISTINCT r.table_name)
			FROM paymosync.runs AS r
			JOIN unnest($2::text[], $3::text[]) AS t (name, parent) ON t.name = r.table_name
			WHERE r.started_at > $1 AND r.state = 'ok' AND (t.parent IS NULL OR EXISTS (
				SELECT FROM paymosync.runs AS p
				WHERE p.table_name = t.parent AND p.started_at > $1 AND p.state = 'ok' AND p.finished_at < r.started_at))`, now, tables, parents)
		if want := len(tables); fresh < want {
			return fmt.Errorf("%d tables of %d", fresh, want)
		}
		return nil
	})
}
