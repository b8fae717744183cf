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
	// What was told during the first full, or while the table was paused, is not in it.
	if !checkpoint.ReadAt.After(hook.SureSince) || !checkpoint.ReadAt.After(checkpoint.FullAt) || !checkpoint.ReadAt.After(checkpoint.ResumedAt) {
		return false
	}
	next := w.schedules[at].Heard.Next(checkpoint.ReadAt)
	return next.IsZero() || next.After(now)
}

// Missed says that a call of Paymo's was not taken: no table rests until it was synced. The
// other processes know it once the database can be reached.
func (s *Service) Missed() { s.changes.sync.missed.Store(true) }

func (w *SyncWorker) admitMissed(ctx context.Context) error {
	if !w.hooks || !w.missed.Swap(false) {
		return nil
	}
	err := w.Syncer.Store.Miss(ctx)
	if err != nil {
		w.missed.Store(true)
	}
	return err
}

// beginHearing is when a sync begins that is held against the table's hook; zero where
// there is none.
func (w *SyncWorker) beginHearing(ctx context.Context, resource *catalog.Resource) (time.Time, error) {
	if !w.hooks || resource.Model == "" {
		return time.Time{}, nil
	}
	return w.Syncer.Store.Now(ctx)
}
