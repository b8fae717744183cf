package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/paymosync/paymosync/sink"
)

// What runs prints, in a pipe and on terminals of usual widths.
func TestLedgerPage(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ended := func(d time.Duration) *time.Time { t := now.Add(d); return &t }
	runs := []sink.Run{
		{Table: "time_entries", Mode: "full", Reason: "schedule", State: sink.RunRunning, Sentence: "goes on", StartedAt: now.Add(-95 * time.Second), Inserted: 1234567, Requests: 1700, WaitedMS: 81500},
		{Table: "project_template_tasklists", Mode: "incremental", Reason: "parent", State: sink.StateOK, StartedAt: now.Add(-3 * time.Minute), FinishedAt: ended(-179 * time.Second), Updated: 2, Unchanged: 40, Requests: 1},
		{
			Table: "tasks", Mode: "incremental", Reason: "schedule", State: sink.StateDegraded, Cause: "listing_incomplete", StartedAt: now.Add(-4 * time.Minute), FinishedAt: ended(-230 * time.Second),
			Sentence: "listing incomplete: Paymo does not list 3 rows that it has when it is asked for them by their ids", Tombstoned: 12, Requests: 9,
		},
		{Table: "users", Mode: "backfill", Reason: "manual", State: sink.RunInterrupted, Sentence: "interrupted; what was read is kept, the rest follows", StartedAt: now.Add(-time.Hour), FinishedAt: ended(-59 * time.Minute), Requests: 3},
	}
	for _, width := range []int{0, 60, 100, 160} {
		mustBeGolden(t, fmt.Sprintf("runs/page-%d", width), ledgerPage(look{width: width}, runs, now))
	}
}
