package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

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
	spent      sink.Cost // not yet in the ledger
	work       time.Duration
	begun      time.Time
}

// read reads the table to its end.
func (r *run) read(ctx context.Context) error {
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
		if err := r.step(ctx); err != nil {
			return err
		}
		if r.work > 0 && time.Since(r.begun) > r.work && !r.done() {
			return errHandBack
		}
	}
	return nil
}

// identify makes sure that the key, by its number, still opens the company that the
// account is pinned to, with the rights it had. Asked often, it asks Paymo seldom.
func (r *run) identify(ctx context.Context, key int) error {
	cost, err := r.guard.identify(ctx, r.Syncer, key)
	r.spend(cost)
	return err
}

// fetch makes one request. The time is the database's, before it was sent.
func (r *run) fetch(ctx context.Context, query paymo.Query) (*paymo.Page, time.Time, error) {
	page, at, err := r.ask(ctx, query)
	if errors.Is(err, errKeyReplaced) {
		page, at, err = r.ask(ctx, query)
	}
	if err != nil {
		return nil, time.Time{}, err
	}
	if err := makesSense(page); err != nil {
		return nil, time.Time{}, fmt.Errorf("list %s: %w", r.resource.Table, err)
	}
	for i := range page.Records {
		if updated := page.Records[i].Updated; updated.After(r.progress.Newest) {
			r.progress.Newest = updated
		}
	}
	if !r.progress.Heard {
		// Where the server does not tell its time, the first reply's newest row does:
		// it was there before.
		r.progress.Heard, r.progress.Horizon = true, page.Date
		if page.Date.IsZero() {
			r.progress.Horizon = r.progress.Newest
		}
	}
	r.progress.Seen += int64(page.Rows)
	return page, at, nil
}

func (r *run) ask(ctx context.Context, query paymo.Query) (*paymo.Page, time.Time, error) {
	return r.askFor(ctx, r.resource, query)
}

// askFor asks for rows of any resource.
func (r *run) askFor(ctx context.Context, resource *catalog.Resource, query paymo.Query) (*paymo.Page, time.Time, error) {
	at, err := r.Store.Now(ctx)
	if err != nil {
		return nil, time.Time{}, err
	}
	page, err := r.Client.List(ctx, resource, query)
	if page != nil {
		r.spend(sink.Cost{Requests: page.Requests, Waited: page.Waited, Bytes: page.Bytes})
	}
	if err == nil {
		// Before its rows are used: the key may have been replaced meanwhile.
		err = r.identify(ctx, page.Key)
	}
	return page, at, err
}

// find asks for one row by its id; nil when Paymo says that there is none. Where it denies
// the row, which is no evidence of anything, the page is without it.
func (r *run) find(ctx context.Context, id int64) (*paymo.Page, time.Time, error) {
	at, err := r.Store.Now(ctx)
	if err != nil {
		return nil, time.Time{}, err
	}
	page, err := r.Client.Get(ctx, r.resource, id)
	if page != nil {
		r.spend(sink.Cost{Requests: page.Requests, Waited: page.Waited, Bytes: page.Bytes})
	}
	var api *paymo.APIError
	switch {
	case errors.As(err, &api) && api.NotFound():
		return nil, at, nil
	case errors.As(err, &api) && api.Denied():
		return &paymo.Page{}, at, nil
	}
	if err == nil {
		err = r.identify(ctx, page.Key)
	}
	return page, at, err
}

// apply merges a page and saves the progress, or what completes the listing, in one
// transaction. Rows that the table holds newer than the page are fetched again.
func (r *run) apply(ctx context.Context, page *paymo.Page, at time.Time) error {
	next := r.checkpoint
	next.Progress = r.progress.text()
	if r.done() {
		r.complete(&next)
	}
	result, err := r.merge(ctx, page, at, next)
	if err != nil {
		return err
	}
	r.checkpoint = next // not before: it is saved again when the run ends, however it ends
	for _, id := range result.Stale {
		fresh, at, err := r.find(ctx, id)
		if err != nil {
			return err
		}
		if fresh == nil {
			continue
		}
		if _, err := r.merge(ctx, fresh, at, next); err != nil {
			return err
		}
	}
	left, known := r.left()
	r.Watch(r.resource.Table, Moment{
		Mode: r.progress.Mode, Rows: r.progress.Seen, Requests: r.outcome.Requests, Left: left, Known: known,
	})
	return nil
}

func (r *run) merge(ctx context.Context, page *paymo.Page, at time.Time, checkpoint sink.Checkpoint) (sink.Result, error) {
	result, err := r.lease.Apply(ctx, sink.Page{
		Run:         r.progress.Run,
		Resource:    r.resource,
		Records:     page.Records,
		Rejects:     page.Rejects,
		RequestedAt: at,
		Volatile:    r.progress.Mode == Full,
		Checkpoint:  checkpoint,
		Cost:        r.spent,
	})
	if err != nil {
		return sink.Result{}, err
	}
	r.spent = sink.Cost{}
	r.outcome.Inserted += result.Inserted
	r.outcome.Updated += result.Updated
	r.outcome.Unchanged += result.Unchanged
	r.outcome.Quarantined += result.Quarantined
	return result, nil
}

// complete moves the checkpoint over a listing that was read to its end, unless
// something speaks against its being whole. The cursor comes from the server alone:
// from what it sent and from its clock.
func (r *run) complete(checkpoint *sink.Checkpoint) {
	p := r.progress
	checkpoint.Progress = nil
	doubt := r.doubt()
	if doubt != "" && doubt != r.shrunk() { // rows that are gone from the list may be gone from Paymo
		return
	}
	if !p.Horizon.IsZero() {
		checkpoint.FreshAsOf = p.Horizon
		if !p.Newest.IsZero() {
			checkpoint.Cursor = earlier(p.Newest, p.Horizon).Add(-overlap)
		}
	}
	if p.Mode == Full && doubt == "" {
		checkpoint.FullAt = p.StartedAt
		checkpoint.Layout = p.Layout
	}
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
