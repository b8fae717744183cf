// Package jobs is the sync itself: it plans what to read of a resource, reads it
// from Paymo, has it merged into the warehouse, and says what came of it. Syncer
// does this for one table and knows nothing of queues; the River workers beside it
// call it on schedule.
package jobs

import (
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// Mode is how much of a table a sync reads.
type Mode string

// The modes.
const (
	Incremental Mode = "incremental" // what changed since the cursor
	Full        Mode = "full"        // everything
	Backfill    Mode = "backfill"    // everything of a range of dates
)

// What asks for a run, for the ledger.
const (
	ReasonSchedule = "schedule"
	ReasonManual   = "manual"
	ReasonParent   = "parent" // the rows that it comes with have changed
)

// How long a job works before it hands itself back, and what follows from it: when it is
// interrupted, and when its process counts as hung. River's own rescue goes by the
// process's clock, so it is for what a clock that is hours off cannot make of it.
const (
	jobWork     = 2 * time.Minute
	jobTimeout  = jobWork + 30*time.Second
	jobRescue   = 3 * time.Minute
	riverRescue = 48 * time.Hour
)

// SyncArgs asks for one sync of one table. There is at most one such job for an
// account, table and mode that is not yet finished.
type SyncArgs struct {
	Account string `json:"account" river:"unique"`
	Table   string `json:"table" river:"unique"`
	Mode    Mode   `json:"mode" river:"unique"`
	Reason  string `json:"reason"`
}

// Kind is the job's name in the queue.
func (SyncArgs) Kind() string { return "sync" }

// InsertOpts makes the job unique while it is not finished. The default states
// include completed, which would block the next sync for a day.
func (SyncArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{
		MaxAttempts: 5,
		UniqueOpts:  unfinished(),
	}
}

// unfinished makes jobs unique by their arguments while they are not finished.
func unfinished() river.UniqueOpts {
	return river.UniqueOpts{
		ByArgs: true,
		ByState: []rivertype.JobState{
			rivertype.JobStateAvailable,
			rivertype.JobStatePending,
			rivertype.JobStateRetryable,
			rivertype.JobStateRunning,
			rivertype.JobStateScheduled,
		},
	}
}
