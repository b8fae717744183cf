package jobs

import (
	"context"
	"slices"
	"time"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// rests reports whether a scheduled incremental is left out: the table's hook tells of all
// its changes, and the schedule for that has no tick since the table was read. Where
// anything speaks against it, or cannot be known, the table is synced.
func (w *SyncWorker) rests(ctx context.Context, args SyncArgs) bool {
	at := slices.IndexFunc(w.schedules, func(t TableSchedule) bool { return t.Resource.Table == args.Table })
	if args.Reason != ReasonSchedule || args.Mode != Incremental || at < 0 || w.schedules[at].Heard == nil {
		return false
	}
	store := w.Syncer.Store
	hook, err := store.HookOf(ctx, args.Table)
	if err != nil || hook == nil {
		return false
	}
	checkpoint, err := store.Checkpoint(ctx, args.Table)
	if err != nil || checkpoint.State != sink.StateOK || checkpoint.ReadAt.IsZero() || checkpoint.Progress != nil {
		return false
	}
	now, err := store.Now(ctx)
	if err != nil || !works(*hook, now) {
		return false
	}
	if w.missed.Swap(false) {
		w.listens.Store(&now)
	}
	if since := w.listens.Load(); since == nil || !checkpoint.ReadAt.After(*since) || !checkpoint.ReadAt.After(hook.MadeAt) {
		return false // what happened before nobody may have heard
	}
	next := w.schedules[at].Heard.Next(checkpoint.ReadAt)
	return next.IsZero() || next.After(now)
}

// Missed says that a call of Paymo's was not taken: the next syncs look for what it told.
func (s *Service) Missed() { s.changes.sync.missed.Store(true) }

// beginHearing is when a sync begins that is held against the table's hook; zero where
// there is none.
func (w *SyncWorker) beginHearing(ctx context.Context, resource *catalog.Resource) (time.Time, error) {
	if !w.hooks || resource.Model == "" {
		return time.Time{}, nil
	}
	return w.Syncer.Store.Now(ctx)
}
