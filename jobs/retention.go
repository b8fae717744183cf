package jobs

import (
	"context"
	"log/slog"
	"time"

	"github.com/riverqueue/river"

	"github.com/paymosync/paymosync/sink"
)

// upkeepQueue is the queue of what is not a sync, so that neither waits for the other.
const upkeepQueue = "upkeep"

// pruneEvery is how often old bookkeeping is dropped.
const pruneEvery = 6 * time.Hour

// pruneTimeout is for a ledger that was never pruned.
const pruneTimeout = 2 * time.Minute

// PruneArgs asks for old bookkeeping to be dropped.
type PruneArgs struct {
	Account string `json:"account" river:"unique"`
}

// Kind is the job's name in the queue.
func (PruneArgs) Kind() string { return "prune" }

// InsertOpts has one of them at a time.
func (PruneArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{MaxAttempts: 3, Queue: upkeepQueue, UniqueOpts: unfinished()}
}

// PruneWorker drops bookkeeping that is older than it is kept.
type PruneWorker struct {
	river.WorkerDefaults[PruneArgs]
	Store *sink.Store
	Keep  sink.Retention
	Log   *slog.Logger
}

// Work drops what is too old. Cut short, it has done a part; the next one goes on.
func (w *PruneWorker) Work(ctx context.Context, _ *river.Job[PruneArgs]) error {
	pruned, err := w.Store.Prune(ctx, w.Keep)
	if pruned.Runs+pruned.Quarantine > 0 {
		w.Log.InfoContext(ctx, "dropped old bookkeeping", "runs", pruned.Runs, "quarantine", pruned.Quarantine)
	}
	return err
}

// Timeout is longer than River's default.
func (w *PruneWorker) Timeout(*river.Job[PruneArgs]) time.Duration { return pruneTimeout }
