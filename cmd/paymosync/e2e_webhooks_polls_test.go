package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/paymosync/paymosync/paymo/paymotest"
)

// polls counts what the Paymo is asked within a while: of the tables that it tells of, and
// of the others that are listed by themselves.
func (w *told) polls(while time.Duration) (heard, others int64) {
	w.t.Helper()
	w.paymo.ResetLog()
	<-time.After(while)
	counts := w.paymo.Counts()
	for _, r := range toldTables() {
		heard += counts[r.Table].Requests // those for what comes with its rows, too
		delete(counts, r.Table)
	}
	for _, count := range counts {
		others += count.Requests
	}
	return heard, others
}

// Tables whose hooks tell of all their changes are hardly asked for any more, the others as
// before. When the hooks fall silent that ends, and when they are heard again it goes on.
func TestSoakWebhooksPolls(t *testing.T) {
	t.Parallel()
	const while = 12 * time.Second
	rest := 24 * time.Hour
	if soak() {
		rest = 80 * time.Second
	}
	w := newTold(t, paymotest.Config{Seed: 10, Entries: 200, Projects: 5, Tasks: 40})
	w.run("sync").mustExit(exitOK)
	service := w.serve("SYNC_SCHEDULE", "@every 3s", "SYNC_SCHEDULE_WITH_WEBHOOKS", "@every "+rest.String())
	// As if they had been there for a while: what is older than they are they need not tell.
	if _, err := w.pool.Exec(t.Context(), `UPDATE paymosync.hooks SET sure_since = sure_since - interval '10 minutes'`); err != nil {
		t.Fatal(err)
	}
	before, othersBefore := w.polls(while) // no hook was heard yet
	w.touch(1)
	w.heard()
	<-time.After(6 * time.Second)                                                            // those that are underway, and one more each
	if left := time.Until(time.Now().Truncate(rest).Add(rest)); left < while+3*time.Second { // a tick of the rest
		<-time.After(left + 6*time.Second)
	}
	w.hush()
	w.touch(5) // which is not told, and a sign at the first sync that begins a minute later
	hushed := time.Now()
	after, othersAfter := w.polls(while)
	t.Logf("in %v: %d requests for tables that Paymo tells of, then %d; %d for the others, then %d", while, before, after, othersBefore, othersAfter)
	if before < 15 || after > before/5 {
		t.Errorf("tables that Paymo tells of are asked for %d times in %v, and %d times before they were heard", after, while, before)
	}
	if othersAfter < othersBefore/2 {
		t.Errorf("the other tables are asked for %d times in %v, and %d times before", othersAfter, while, othersBefore)
	}

	if !soak() {
		service.mustStop()
		w.bury()
		w.mustEqual()
		return
	}
	within(t, 2*rest+time.Minute, "the hooks are silent", func() error {
		if n := value[int](w.world, `SELECT count(*) FROM paymosync.hooks WHERE silent_since IS NOT NULL`); n != 15 {
			return fmt.Errorf("%d are", n)
		}
		return nil
	})
	if err := w.differ(); err != nil {
		t.Errorf("they are silent, and what they did not tell is not there: %v", err)
	}
	again, _ := w.polls(while)
	t.Logf("%v after the last call they are silent, and %d requests follow in %v", time.Since(hushed)-while, again, while)
	if again < before/2 {
		t.Errorf("tables whose hooks are silent are asked for %d times in %v, and %d times before they were heard", again, while, before)
	}

	w.call() // what was not told comes now
	w.touch(1)
	within(t, time.Minute, "the hooks are heard again", func() error {
		if n := value[int](w.world, `SELECT count(*) FROM paymosync.hooks WHERE silent_since IS NOT NULL`); n > 0 {
			return fmt.Errorf("%d are silent", n)
		}
		return nil
	})
	<-time.After(4 * time.Second)
	if at, _ := w.polls(while); at > before/5 {
		t.Errorf("tables whose hooks are heard again are asked for %d times in %v, and %d times before they were heard", at, while, before)
	}
	// What happens is told, and Paymo is asked at the most where something is deleted.
	w.paymo.ResetLog()
	w.paymo.Work(100)
	w.settled(30 * time.Second)
	asked := int64(0)
	counts := w.paymo.Counts()
	for _, r := range toldTables() {
		asked += counts[r.Table].Requests
	}
	t.Logf("100 changes take %d requests", asked)
	if asked > 50 {
		t.Errorf("100 changes that were told take %d requests", asked)
	}
	service.mustStop()
	w.bury()
	w.mustEqual()
}
