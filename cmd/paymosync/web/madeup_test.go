package web_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// Overviews that are made up, for pages of every kind.

// noon is when they are of.
func noon() time.Time { return time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC) }

// empty is an installation that was never synced.
func empty() jobs.Overview {
	o := jobs.Overview{
		At: noon(), Account: jobs.AccountOverview{Name: catalog.DefaultAccount},
		Budget: sink.BudgetState{Share: 80, Left: -1}, Queue: map[string]int64{"available": 31, "running": 4},
	}
	for _, r := range catalog.All() {
		o.Tables = append(o.Tables, jobs.TableOverview{
			TableStatus: sink.TableStatus{Table: r.Table, State: sink.StateUnavailable, Reason: sink.Unsynced},
			Cause:       jobs.CauseUnsynced, Advice: jobs.Advice(r.Table, jobs.CauseUnsynced), NextRun: noon().Add(4 * time.Minute),
		})
	}
	return o
}

// healthy is one where all is as it should be.
func healthy() jobs.Overview {
	rng := rand.New(rand.NewPCG(1, 2))
	o := empty()
	o.Account.Pinned = true
	o.Account.Identity = sink.Identity{
		BaseURL: "https://app.paymoapp.com", CompanyID: 4470017, UserID: 4100006, Role: jobs.AdminRole, Scheme: "raw", CheckedAt: noon().Add(-7 * time.Minute),
	}
	o.Budget = sink.BudgetState{Limit: 5, Share: 80, Period: 5 * time.Second, Left: 4}
	o.Queue = map[string]int64{"available": 0, "running": 0, "scheduled": 0, "retryable": 0, "pending": 0}
	for i := range o.Tables {
		t := &o.Tables[i]
		t.State, t.Reason, t.Cause, t.Advice = sink.StateOK, "", "", ""
		t.Rows = int64(rng.IntN(1 << (4 + rng.IntN(14))))
		t.FreshAsOf, t.FullAt = new(noon().Add(-time.Duration(400+rng.IntN(300))*time.Second)), new(noon().Add(-8*time.Hour))
		for n := range 20 {
			began := noon().Add(-time.Duration(7+15*n) * time.Minute)
			run := sink.Run{
				ID: int64(i*20 + n), Table: t.Table, Mode: string(jobs.Incremental), Reason: jobs.ReasonSchedule, State: sink.StateOK, StartedAt: began,
				FinishedAt: new(began.Add(time.Duration(300+rng.IntN(2000)) * time.Millisecond)), Requests: int64(1 + rng.IntN(3)), Unchanged: int64(rng.IntN(40)),
			}
			if rng.IntN(3) == 0 {
				run.Inserted, run.Updated = int64(rng.IntN(40)), int64(rng.IntN(12))
			}
			if n == 19 {
				run.Mode, run.Inserted, run.FinishedAt = string(jobs.Full), t.Rows, new(began.Add(time.Duration(4+rng.IntN(90))*time.Second))
			}
			t.Recent = append(t.Recent, run)
		}
		if i < 30 {
			o.Latest = append(o.Latest, t.Recent[0])
		}
	}
	return o
}

// hooked has hooks by which Paymo tells of changes.
func hooked(o jobs.Overview, lag sink.Lag, silent ...string) jobs.Overview {
	for _, t := range o.Tables {
		if resource, ok := catalog.Lookup(t.Table); ok && resource.Model != "" {
			o.Hooks.Own = append(o.Hooks.Own, sink.Hook{ID: int64(len(o.Hooks.Own)), Table: t.Table})
		}
	}
	o.Hooks.Lag, o.Hooks.Silent = lag, silent
	return o
}

// spoil has a table of an overview fail, or whatever the state is, by its last runs.
func spoil(o *jobs.Overview, i int, state string, cause jobs.Cause, reason string, runs int) {
	t := &o.Tables[i]
	t.State, t.Cause, t.Reason, t.Advice = state, cause, reason, jobs.Advice(t.Table, cause)
	for n := range min(runs, len(t.Recent)) {
		run := &t.Recent[n]
		run.State, run.Sentence, run.Cause = state, reason, string(cause)
		if state == sink.StateFailing {
			run.Inserted, run.Updated, run.Unchanged = 0, 0, 0
			t.Failed = n + 1
		}
	}
	if i < len(o.Latest) {
		o.Latest[i] = t.Recent[0]
	}
}

// degraded is one with a trouble of every kind.
func degraded() jobs.Overview {
	o := healthy()
	o.Account.Role = "Project Manager"
	o.Budget = sink.BudgetState{Limit: 5, Share: 80, Period: 5 * time.Second, BlockedUntil: noon().Add(42 * time.Second)}
	o.Queue = map[string]int64{"available": 2, "running": 1, "scheduled": 1, "retryable": 3}
	spoil(&o, 4, sink.StateFailing, jobs.CauseServer, "GET /api/"+o.Tables[4].Table+": 500 Internal Server Error after 3 attempts", 4)
	o.Tables[4].FreshAsOf = new(noon().Add(-70 * time.Minute))
	for i := 8; i < 14; i++ {
		spoil(&o, i, sink.StateFailing, jobs.CauseRejected, "GET /api/"+o.Tables[i].Table+": 400 Bad Request: Unknown field or reference: `updated_on`", 2)
	}
	spoil(&o, 16, sink.StateDegraded, jobs.CauseGuard, "1,204 rows are gone from Paymo and no deleted parent explains it; 60 were marked, the rest waits", 20)
	spoil(&o, 18, sink.StateDegraded, jobs.CauseQuarantine, "3 records cannot become rows: the first has no id", 1)
	o.Tables[18].Quarantined, o.Tables[18].Drifted = 3, 2
	spoil(&o, 20, sink.StateUnavailable, jobs.CauseNotServed, "not in the plan, or not permitted to this key (403)", 20)
	o.Tables[20].FreshAsOf, o.Tables[20].Rows = nil, 0
	spoil(&o, 22, sink.StatePaused, jobs.CausePaused, "paused by an operator since 2026-11-26T17:40:00Z; before that it was ok", 0)
	o.Tables[22].PausedAt, o.Tables[22].NextRun = new(noon().Add(-18*time.Hour)), time.Time{}
	o = hooked(o, sink.Lag{Changes: 1204, Median: 80 * time.Millisecond, Most: 2400 * time.Millisecond, Waiting: 3, Oldest: 9 * time.Second}, "time_entries")
	run := &o.Tables[1].Recent[0]
	run.State, run.FinishedAt, run.StartedAt, run.Mode = sink.RunRunning, nil, noon().Add(-12*time.Second), string(jobs.Full)
	o.Latest[1] = *run
	return o
}

// huge is one of large numbers and long words.
func huge() jobs.Overview {
	o := healthy()
	long := strings.Repeat("a reason that does not end, ", 18)
	o.Account.BaseURL = "https://" + strings.Repeat("very-long-name.", 12) + "example.com"
	o.Queue = map[string]int64{"available": 1_000_000_000}
	o = hooked(o, sink.Lag{Changes: 1_000_000_000, Most: 99 * time.Hour, Waiting: 1_000_000_000, Oldest: 999 * time.Hour}, "time_entries", "tasks", "invoices")
	for i := range o.Tables {
		t := &o.Tables[i]
		t.Rows = 1_000_000_000 + int64(i)
		for n := range t.Recent {
			t.Recent[n].Inserted, t.Recent[n].Unchanged, t.Recent[n].Requests = 1_234_567_890, 9_876_543_210, 12_345_678
			t.Recent[n].FinishedAt = new(t.Recent[n].StartedAt.Add(123 * time.Hour))
		}
		if i < len(o.Latest) {
			o.Latest[i] = t.Recent[0]
		}
		if i%2 == 0 {
			spoil(&o, i, sink.StateDegraded, jobs.CauseIncomplete, fmt.Sprintf("%d: %s%s", i, long, strings.Repeat("x", 120)), 20)
		}
	}
	return o
}

// script is what a page must show, and never run.
const script = `"><script>alert('1')</script><img src=x onerror=alert(1)>`

// hostile is one whose every word would like to be a page's code.
func hostile() jobs.Overview {
	o := degraded()
	o.Account.Name, o.Account.Role, o.Account.BaseURL = script, script, "javascript:alert(1)//"+script
	for i := range o.Tables {
		t := &o.Tables[i]
		t.Reason, t.Advice = script, script
		for n := range t.Recent {
			t.Recent[n].Mode, t.Recent[n].Reason, t.Recent[n].Sentence = script, script, script
		}
	}
	o.Tables[0].Table, o.Tables[0].State = script, script
	for i := range o.Latest {
		o.Latest[i].Table, o.Latest[i].Mode, o.Latest[i].Reason, o.Latest[i].Sentence, o.Latest[i].State = script, script, script, script, script
	}
	return o
}
