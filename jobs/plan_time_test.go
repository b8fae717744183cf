package jobs_test

import (
	"testing"
	"time"

	"github.com/paymosync/paymosync/jobs"
)

// The time that is planned is the one that the budget makes requests wait.
func TestPlannedTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	before := w.planned(jobs.Full, "clients").Pace
	if !before.Assumed || before.Each() != 1020*time.Millisecond || before.Left != -1 || before.Wait != 0 {
		t.Errorf("before anything is known: %+v", before)
	}
	budget := w.store.Budget(100)
	take := func(n int) (wait time.Duration) {
		t.Helper()
		for range n {
			var ok bool
			var err error
			if wait, ok, err = budget.Take(t.Context(), 10*time.Hour); err != nil || !ok {
				t.Fatalf("take: %t, %v", ok, err)
			}
		}
		return wait
	}
	observe := func(limit int, period time.Duration, remaining int, stay time.Duration) {
		t.Helper()
		if err := budget.Observe(t.Context(), limit, period, remaining, stay); err != nil {
			t.Fatal(err)
		}
	}
	// The pace is so slow that what the test itself takes does not count. The budget looks
	// two periods ahead.
	hold := func(what string, requests int) jobs.Pace {
		t.Helper()
		pace := w.planned(jobs.Full, "clients").Pace
		if pace.Assumed || pace.String() != "5 requests per 30 min" {
			t.Errorf("%s: %s, %+v", what, pace, pace)
		}
		planned, waited := pace.Takes(requests), take(requests)
		if off := planned - waited; off < -time.Minute || off > time.Minute {
			t.Errorf("%s: %d requests take %s, %s are planned", what, requests, waited, planned)
		}
		return pace
	}
	take(1)
	observe(5, 30*time.Minute, 4, 0)
	if pace := hold("limited", 9); pace.Left != 4 {
		t.Errorf("%+v", pace)
	}
	exec(w, `UPDATE paymosync.budgets SET dues = '{}'`)
	observe(5, 30*time.Minute, 4, 30*time.Minute)
	if pace := hold("blocked", 5); pace.Left != 0 || pace.BlockedUntil.IsZero() || pace.Wait < 25*time.Minute {
		t.Errorf("%+v", pace)
	}
}

// Whose key it is, is asked again in a sync that takes long.
func TestPlannedIdentities(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small())
	exec(w, `INSERT INTO paymosync.budgets (account, rate_limit, period) VALUES ('default', 1, '200 seconds')`)
	plan := w.planned(jobs.Full, "company")
	// By the time that the one request of the table is answered the answer about the key is
	// old: it is asked for once more.
	if plan.Requests != 5 || plan.Asked != 2 || plan.Bound != jobs.About || plan.Takes.Round(time.Second) != 4*200*time.Second {
		t.Errorf("%+v", plan)
	}
	exec(w, `UPDATE paymosync.budgets SET rate_limit = 5, period = '25.5 seconds'`)
	plan = w.planned(jobs.Full, readable()...)
	if plan.Asked != 2 || plan.Takes != plan.Pace.Spend(plan.Requests) || plan.Takes < 5*time.Minute {
		t.Errorf("asked %d times in %s: %d requests", plan.Asked, plan.Takes, plan.Requests)
	}
}
