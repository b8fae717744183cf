package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/paymo/paymotest"
)

// Where Paymo is slower than the schedule, jobs do not pile up: there is at most one
// for a table and mode.
func TestProgramJobsDoNotPileUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, paymotest.Config{Seed: 7, Entries: 300}).with("SYNC_SCHEDULE", "@every 1s", "FULL_SYNC_SCHEDULE", "@every 3s")
	slow(w, 250*time.Millisecond)
	service := w.start("serve")
	w.awaitReady(30 * time.Second)
	most := 0
	within(t, 40*time.Second, "every table was synced twice", func() error {
		active := value[[]string](w, `
			SELECT coalesce(array_agg(args ->> 'table' || ' ' || (args ->> 'mode')), '{}')
			FROM river.river_job
			WHERE kind = 'sync' AND finalized_at IS NULL`)
		most = max(most, len(active))
		seen := map[string]bool{}
		for _, job := range active {
			if seen[job] {
				t.Fatalf("two jobs for %s: %v", job, active)
			}
			seen[job] = true
		}
		if n := value[int](w, `SELECT count(*) FROM (SELECT FROM paymosync.runs WHERE state = 'ok' GROUP BY table_name HAVING count(*) > 1) AS twice`); n < len(catalog.All()) {
			return fmt.Errorf("%d tables were", n)
		}
		return nil
	})
	service.mustStop()
	if want := 2 * len(catalog.All()); most > want {
		t.Errorf("%d jobs at once, want %d at most", most, want)
	}
	t.Logf("%d jobs at once at most", most)
	if n := value[int](w, `SELECT count(*) FROM river.river_job WHERE kind = 'sync' AND errors IS NOT NULL`); n > 0 {
		t.Errorf("%d jobs met an error", n)
	}
	w.mustHaveOneWriter()
	w.mustEqual()
}
