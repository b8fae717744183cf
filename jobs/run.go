package jobs

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// errHandBack means that the work's time is over; the progress is saved.
var errHandBack = errors.New("the work's time is over, the rest is still to be read")

// run is one sync of one table while it lasts.
type run struct {
	*Syncer
	lease      *sink.Lease
	resource   *catalog.Resource
	checkpoint sink.Checkpoint
	progress   *Progress
	outcome    Outcome
	spent      sink.Cost  // not yet in the ledger
	accept     bool       // rows may go that nothing explains
	check      *check     // only compare; nil: merge
	rehearsal  *rehearsal // only see what is asked for; nil: a sync
	force      bool       // what is merged wins over newer rows
	living     []int64    // rows that are known to live, to ask for beside others; nil: the table tells
	work       time.Duration
	begun      time.Time
	span       trace.Span    // of the sync
	settles    []sink.Change // that the next page brings
	ahead      *ahead        // the next request, where it was sent already
	patient    bool          // it waits for its turn for longer than others
}

// read reads the table to its end, and finds out what became of the rows that it did not
// meet.
func (r *run) read(ctx context.Context) error {
	defer r.dropAhead()
	if err := r.identify(ctx, 0); err != nil {
		return err
	}
	if err := r.plan(ctx); err != nil {
		return err
	}
	if err := r.readTimers(ctx); err != nil {
		return err
	}
	for !r.done() {
		if err := r.page(ctx, r.next(), r.step); err != nil {
			return err
		}
		if r.overtime() && !r.done() {
			return errHandBack
		}
	}
	return r.sweep(ctx)
}

// overtime reports whether the work's time is over.
func (r *run) overtime() bool { return r.work > 0 && time.Since(r.begun) > r.work }

// apply merges a page and saves the progress in one transaction, and notes which rows of
// the slice it lacks. Rows that the table holds newer than the page are fetched again.
func (r *run) apply(ctx context.Context, page *paymo.Page, at time.Time, slice *sink.Slice) error {
	switch {
	case r.check != nil:
		return r.check.take(ctx, r, page, at, slice)
	case r.rehearsal != nil:
		return nil
	}
	next := r.checkpoint
	r.save(&next)
	result, err := r.merge(ctx, page, at, slice, next)
	if err != nil {
		return err
	}
	r.checkpoint = next // not before: it is saved again when the run ends, however it ends
	outdated := r.progress.Outdated
	if err := r.refetch(ctx, result.Stale, next); err != nil {
		return err
	}
	if result.Late > 0 || r.progress.Outdated > outdated { // known only now, and not to be lost
		r.save(&r.checkpoint)
		if err := r.lease.SaveCheckpoint(ctx, r.checkpoint); err != nil {
			return err
		}
	}
	left, known := r.left()
	r.Watch(r.resource.Table, Moment{
		Mode: r.progress.Mode, Rows: r.progress.Seen, Requests: r.outcome.Requests, Left: left, Known: known,
	})
	return nil
}

// refetch asks again for rows that the table holds newer than the page. Those that come
// in an older version once more are kept as they are, and counted: Paymo answers from an
// older state of its own, or the warehouse was written by somebody else.
func (r *run) refetch(ctx context.Context, ids []int64, checkpoint sink.Checkpoint) error {
	if len(ids) > guardFloor {
		r.progress.Outdated += int64(len(ids))
		return nil
	}
	for _, id := range ids {
		fresh, at, err := r.find(ctx, id)
		if err != nil {
			return err
		}
		if fresh == nil {
			continue
		}
		result, err := r.merge(ctx, fresh, at, nil, checkpoint)
		if err != nil {
			return err
		}
		r.progress.Outdated += int64(len(result.Stale))
	}
	return nil
}

// applyNothing saves the progress alone.
func (r *run) applyNothing(ctx context.Context) error {
	at, err := r.Store.Now(ctx)
	if err != nil {
		return err
	}
	return r.apply(ctx, &paymo.Page{}, at, nil)
}

// merge merges a page. One that empties columns is held back until it is known that the
// key did not lose its rights before it was asked for: to a lesser key prices are blank.
func (r *run) merge(ctx context.Context, page *paymo.Page, at time.Time, slice *sink.Slice, checkpoint sink.Checkpoint) (sink.Result, error) {
	write := sink.Page{
		Run:         r.progress.Run,
		Resource:    r.resource,
		Records:     page.Records,
		Rejects:     page.Rejects,
		RequestedAt: at,
		Clock:       clockOf(page),
		Volatile:    r.progress.Mode != Incremental,
		Force:       r.force,
		Slice:       slice,
		Unknown:     page.Unknown,
		Stripped:    page.Stripped,
		Dropped:     page.Dropped,
		LateBefore:  r.lateBefore(),
		Settles:     r.settles,
		Checkpoint:  checkpoint,
		Cost:        r.spent,
	}
	result, err := r.write(ctx, write)
	if errors.Is(err, sink.ErrBlanks) {
		if err := r.reidentify(ctx); err != nil {
			return sink.Result{}, err
		}
		if write.Records, err = r.keepBlanked(ctx, page.Records); err != nil {
			return sink.Result{}, err
		}
		write.MayBlank, write.Cost = true, r.spent
		result, err = r.write(ctx, write)
	}
	if err != nil {
		return sink.Result{}, err
	}
	r.spent, r.settles = sink.Cost{}, nil
	r.progress.Late += result.Late
	r.outcome.Inserted += result.Inserted
	r.outcome.Updated += result.Updated
	r.outcome.Unchanged += result.Unchanged
	r.outcome.Quarantined += result.Quarantined
	return result, nil
}

// clockOf is the latest time that Paymo's clock may have had at the page, zero when it
// did not tell.
func clockOf(page *paymo.Page) time.Time {
	if page.Date.IsZero() {
		return time.Time{}
	}
	return page.Date.Add(overlap)
}

// lateBefore is the time before which changes should have been brought by incrementals,
// zero where nothing can be said: nothing was read before, or not all of it could be.
func (r *run) lateBefore() time.Time {
	cp := r.checkpoint
	if r.progress.Mode != Full || cp.FullAt.IsZero() || cp.Cursor.IsZero() || cp.Layout != r.progress.Layout || r.progress.Excused || r.progress.Listing == catalog.WithParent {
		return time.Time{}
	}
	return cp.Cursor.Add(-time.Second)
}

// save puts the progress where runs of its mode look for it.
func (r *run) save(checkpoint *sink.Checkpoint) {
	switch r.progress.Mode {
	case Repair: // it does not go on with anything
	case Backfill:
		checkpoint.Backfill = r.progress.text()
	default:
		checkpoint.Progress = r.progress.text()
	}
}

// forget drops the progress: there is nothing to go on with.
func (r *run) forget(checkpoint *sink.Checkpoint) {
	if r.progress.Mode == Backfill {
		checkpoint.Backfill = nil
	} else {
		checkpoint.Progress = nil
	}
}

// complete moves the checkpoint over a listing that was read to its end, unless
// something speaks against its being whole. The cursor comes from the server alone:
// from what it sent and from its clock.
func (r *run) complete(checkpoint *sink.Checkpoint) {
	p := r.progress
	r.forget(checkpoint)
	if p.Mode == Backfill || r.unproven().some() {
		return
	}
	switch {
	case p.Listing == catalog.WithParent:
		checkpoint.FreshAsOf, checkpoint.ParentsAt = p.Parents.Fresh, p.Parents.Until
	case !p.Horizon.IsZero():
		checkpoint.FreshAsOf = p.Horizon
	}
	if !p.Horizon.IsZero() && !p.Newest.IsZero() && (p.Listing != catalog.WithParent || r.everything()) {
		checkpoint.Cursor = earlier(p.Newest, p.Horizon).Add(-overlap)
	}
	if p.Parents != nil {
		checkpoint.Denied = slices.Compact(slices.Sorted(slices.Values(p.Parents.Denied)))
	}
	if p.Mode == Full {
		checkpoint.FullAt = p.StartedAt
		checkpoint.Layout = p.Layout
	}
	checkpoint.ReadAt = p.StartedAt
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func (r *run) spend(cost sink.Cost) {
	r.spent.Requests += cost.Requests
	r.spent.Waited += cost.Waited
	r.spent.Bytes += cost.Bytes
	r.outcome.Requests += cost.Requests
	r.outcome.Waited += cost.Waited
	r.outcome.Bytes += cost.Bytes
}
