package main

import (
	"strings"
	"testing"
	"time"

	"github.com/paymosync/paymosync/jobs"
)

// examplePlan is a plan with every kind of table.
func examplePlan() jobs.Plan {
	list := jobs.PlannedRequest{Method: "GET", Path: "/api/clients", Where: "updated_on>=2026-11-27T20:14:00Z"}
	entries := jobs.TablePlan{
		Table: "time_entries", Mode: jobs.Full, Why: "a full is due", Listing: "id ranges", Requests: 616, Bound: jobs.About,
		Because: "it is counted from the 1000000 rows of the warehouse", Takes: 628 * time.Second,
	}
	for range entries.Requests {
		entries.Planned = append(entries.Planned, jobs.PlannedRequest{Method: "GET", Path: "/api/entries", Where: "id>=1 and id<9"})
	}
	return jobs.Plan{
		Identity: []jobs.PlannedRequest{{Method: "GET", Path: "/api/me"}, {Method: "GET", Path: "/api/company"}},
		Asked:    11,
		Tables: []jobs.TablePlan{
			{Table: "company", Mode: jobs.Incremental, Why: "it is one object", Listing: "single", Requests: 1, Bound: jobs.Exactly, Because: "it is one request", Takes: 1020 * time.Millisecond,
				Planned: []jobs.PlannedRequest{{Method: "GET", Path: "/api/company"}}},
			{Table: "clients", Mode: jobs.Incremental, Why: "what changed since 2026-11-27T20:14:00Z is read", Listing: "id ranges", Requests: 1, Bound: jobs.AtLeast,
				Because: "it is so many where nothing has changed in Paymo", Takes: 1020 * time.Millisecond, Planned: []jobs.PlannedRequest{list}},
			{Table: "invoices", Why: "paused by an operator since 2026-11-27T20:14:00Z; before that it was ok", Bound: jobs.Exactly, Because: "it is paused"},
			entries,
		},
		Requests: 640, Bound: jobs.About, Takes: 652 * time.Second,
		Pace: jobs.Pace{Limit: 5, Share: 80, Period: 5 * time.Second, Left: 3, Wait: 800 * time.Millisecond},
	}
}

func TestPlanPage(t *testing.T) {
	t.Parallel()
	mustBeGolden(t, "plan", planPage(examplePlan(), planOptions{}, look{}))
	mustBeGolden(t, "plan_narrow", planPage(examplePlan(), planOptions{}, look{width: 70}))
	one := examplePlan()
	one.Tables = one.Tables[3:]
	mustBeGolden(t, "plan_one", planPage(one, planOptions{one: true}, look{width: 100}))
	all := planPage(one, planOptions{requests: true}, look{})
	if n := strings.Count(all, "GET /api/entries where"); n != 616 {
		t.Errorf("%d of 616 requests are listed", n)
	}
}

// The sentences about the budget, and about a plan that asks nothing.
func TestPlanTotals(t *testing.T) {
	t.Parallel()
	for want, pace := range map[string]jobs.Pace{
		"Paymo has not told its limit yet, and this one is assumed":                {Limit: 5, Share: 80, Period: 5 * time.Second, Assumed: true, Left: -1},
		"Paymo asked to be left alone until 2026-11-27T20:14:00Z, which is in 12s": {Limit: 5, Share: 80, Period: 5 * time.Second, BlockedUntil: time.Date(2026, 11, 27, 20, 14, 0, 0, time.UTC), Wait: 12 * time.Second},
		"4 of 4 are left at the moment":                                            {Limit: 5, Share: 80, Period: 5 * time.Second, Left: 4},
		"0 of 4 are left at the moment, and the next one may go in 0.8s":           {Limit: 5, Share: 80, Period: 5 * time.Second, Wait: 800 * time.Millisecond},
	} {
		if got := budgetNow(pace); got != want {
			t.Errorf("%+v: %s", pace, got)
		}
	}
	if got := planTotals(jobs.Plan{Bound: jobs.Exactly}, look{}); got != "Nothing would be asked of Paymo.\n" {
		t.Error(got)
	}
}
