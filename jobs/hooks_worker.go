package jobs

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/paymosync/paymosync/paymo"
)

// keepHooksEvery is how often is looked whether the hooks are as they should be, and
// whether changes wait that nobody looks after.
const keepHooksEvery = time.Minute

// KeepHooksArgs asks for a look at the hooks.
type KeepHooksArgs struct {
	Account string `json:"account" river:"unique"`
}

// Kind is the job's name in the queue.
func (KeepHooksArgs) Kind() string { return "keep_hooks" }

// InsertOpts has one look at a time. One that fails is not repeated: the next one follows.
func (KeepHooksArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{MaxAttempts: 1, Queue: upkeepQueue, UniqueOpts: unfinished()}
}

// KeepHooksWorker keeps the hooks at Paymo.
type KeepHooksWorker struct {
	river.WorkerDefaults[KeepHooksArgs]
	Keeper *HookKeeper
}

// Work looks once.
func (w *KeepHooksWorker) Work(ctx context.Context, job *river.Job[KeepHooksArgs]) error {
	if w.Keeper == nil {
		return nil
	}
	err := w.look(ctx, job.Args.Account)
	if held(err) {
		return nil // another process is at it
	}
	if _, limited := errors.AsType[*paymo.RateLimitError](err); err != nil && !limited && ctx.Err() == nil {
		w.Keeper.Syncer.Log.WarnContext(ctx, "the hooks at Paymo cannot be kept", "error", err)
	}
	return toQueue(ctx, Outcome{}, err)
}

// look says that the hooks are listened to, has changes brought that nobody looks after, and
// makes the hooks what they should be, where that is due.
func (w *KeepHooksWorker) look(ctx context.Context, account string) error {
	store := w.Keeper.Syncer.Store
	client, err := river.ClientFromContextSafely[pgx.Tx](ctx)
	if err != nil {
		return err
	}
	if err := store.Listen(ctx); err != nil {
		return err
	}
	now, err := store.Now(ctx)
	if err != nil {
		return err
	}
	urgent, old, err := store.WaitingTables(ctx, now.Add(-confirmAfter))
	if err != nil {
		return err
	}
	if err := askForChanges(ctx, client, account, urgent, old); err != nil {
		return err
	}
	if due, err := w.Keeper.due(ctx); err != nil || !due {
		return err
	}
	actions, err := w.Keeper.Keep(ctx)
	for _, action := range actions {
		if action.Did != HookKept {
			w.Keeper.Syncer.Log.InfoContext(ctx, "hook", "did", action.Did, "id", action.ID, "table", action.Table, "event", action.Event)
		}
	}
	return err
}
