package jobs_test

import (
	"testing"

	"github.com/paymosync/paymosync/jobs"
)

// The first full makes every table equal to Paymo, and a second sync of either kind
// finds nothing to write.
func TestFirstFullEqualsPaymo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	for _, table := range readable() {
		outcome := w.mustSync(table, jobs.Incremental)
		if outcome.Mode != jobs.Full {
			t.Errorf("%s: the first sync is %s", table, outcome.Mode)
		}
		if got, want := outcome.Inserted, int64(w.fake.Count(table)); got != want || want == 0 {
			t.Errorf("%s: %d rows inserted of %d", table, got, want)
		}
		w.mustEqual(table)

		before := w.fingerprint(table)
		for _, mode := range []jobs.Mode{jobs.Incremental, jobs.Full} {
			again := w.mustSync(table, mode)
			if again.Mode != mode {
				t.Errorf("%s: asked for %s, got %s", table, mode, again.Mode)
			}
			if again.Inserted != 0 || again.Updated != 0 {
				t.Errorf("%s: the second sync (%s) wrote %d and %d rows", table, mode, again.Inserted, again.Updated)
			}
		}
		if w.fingerprint(table) != before {
			t.Errorf("%s: a sync without changes wrote rows", table)
		}
	}
}
