package jobs

import (
	"context"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// SyncWorker works sync jobs with a Syncer.
type SyncWorker struct {
	river.WorkerDefaults[SyncArgs]
	Syncer *Syncer
}

// Work syncs the table that the job names.
func (w *SyncWorker) Work(ctx context.Context, job *river.Job[SyncArgs]) error {
	resource, ok := catalog.Lookup(job.Args.Table)
	if !ok || !resource.Readable() {
		return river.JobCancel(fmt.Errorf("there is no table %q to sync", job.Args.Table))
	}
	outcome, err := w.Syncer.Sync(ctx, Request{
		Resource: resource,
		Mode:     job.Args.Mode,
		Reason:   job.Args.Reason,
		Work:     jobWork,
	})
	if err := river.RecordOutput(ctx, outcome); err != nil {
		return err
	}
	return toQueue(ctx, outcome, err)
}

// Timeout is above the time after which a job hands itself back.
func (w *SyncWorker) Timeout(*river.Job[SyncArgs]) time.Duration { return jobTimeout }

// NextRetry spaces the few attempts over some minutes.
func (w *SyncWorker) NextRetry(job *river.Job[SyncArgs]) time.Time {
	return time.Now().Add(time.Duration(job.Attempt*job.Attempt) * 5 * time.Second)
}
