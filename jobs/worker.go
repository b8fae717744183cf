package jobs

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// SyncWorker works sync jobs with a Syncer.
type SyncWorker struct {
	river.WorkerDefaults[SyncArgs]
	Syncer *Syncer
	Tables []*catalog.Resource // those that are synced: ones that come with their parents follow them
	clock  *queueClock
	client *river.Client[pgx.Tx] // of the queue; set before it starts

	schedules []TableSchedule
	hooks     bool        // there are some, which syncs are held against
	missed    atomic.Bool // calls may not have been taken, and the others do not know it
}

// Work syncs the table that the job names.
func (w *SyncWorker) Work(ctx context.Context, job *river.Job[SyncArgs]) error {
	resource, ok := catalog.Lookup(job.Args.Table)
	if !ok || !resource.Readable() {
		return river.JobCancel(fmt.Errorf("there is no table %q to sync", job.Args.Table))
	}
	if err := w.admitMissed(ctx); err != nil {
		return err
	}
	if w.rests(ctx, job.Args) {
		return river.RecordOutput(ctx, "its hook tells of its changes")
	}
	began, err := w.beginHearing(ctx, resource)
	if err != nil {
		return err
	}
	outcome, err := w.Syncer.Sync(ctx, Request{
		Resource: resource,
		Mode:     job.Args.Mode,
		Reason:   job.Args.Reason,
		Work:     jobWork,
	})
	if outcome.Inserted+outcome.Updated+outcome.Tombstoned > 0 {
		w.follow(ctx, job.Args)
	}
	if err := river.RecordOutput(ctx, outcome); err != nil {
		return err
	}
	if err == nil && !began.IsZero() && !outcome.Unfinished {
		err = w.Syncer.Store.HearSync(ctx, resource.Table, began)
	}
	if err == nil && w.behind(ctx, resource, outcome) {
		return river.JobSnooze(0)
	}
	return toQueue(ctx, outcome, err)
}

// behind reports whether rows with which those of the table come were written while it
// was synced: the job that should have followed them was taken for this one.
func (w *SyncWorker) behind(ctx context.Context, resource *catalog.Resource, outcome Outcome) bool {
	if outcome.Unfinished || outcome.State != sink.StateOK || resource.Listings[0] != catalog.WithParent {
		return false
	}
	checkpoint, err := w.Syncer.Store.Checkpoint(ctx, resource.Table)
	if err != nil {
		return false
	}
	written, err := w.Syncer.Store.WrittenSince(ctx, resource.Embedded.Parent, checkpoint.ParentsAt)
	return err == nil && written // else its next sync brings the same rows
}

// follow asks for the tables whose rows come with those of the table that was written.
// Where that fails, their next scheduled sync brings the same rows.
func (w *SyncWorker) follow(ctx context.Context, written SyncArgs) {
	var err error
	for _, child := range w.Tables {
		if err != nil {
			break
		}
		if child.Listings[0] == catalog.WithParent && child.Embedded.Parent == written.Table {
			_, err = w.client.Insert(ctx, SyncArgs{Account: written.Account, Table: child.Table, Mode: Incremental, Reason: ReasonParent}, nil)
		}
	}
	if err != nil && ctx.Err() == nil {
		w.Syncer.Log.WarnContext(ctx, "the rows that come with others follow at their next sync", "table", written.Table, "error", err)
	}
}

// Timeout is above the time after which a job hands itself back.
func (w *SyncWorker) Timeout(*river.Job[SyncArgs]) time.Duration { return jobTimeout }

// NextRetry spaces the few attempts over some minutes.
func (w *SyncWorker) NextRetry(job *river.Job[SyncArgs]) time.Time {
	return w.clock.Now().Add(time.Duration(job.Attempt*job.Attempt) * 5 * time.Second)
}
