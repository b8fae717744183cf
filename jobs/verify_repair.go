package jobs

import (
	"context"

	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// mend merges records that differ, and returns those that differ still.
func (a *again) mend(ctx context.Context, reply reply, records []catalog.Record) (left map[int64]bool, err error) {
	page := &paymo.Page{Records: records, Unknown: reply.page.Unknown, Dropped: reply.page.Dropped, Stripped: reply.page.Stripped}
	a.run.force = true
	_, err = a.run.merge(ctx, page, reply.at, nil, a.run.checkpoint)
	a.run.force = false
	if err != nil {
		return nil, err
	}
	differences, err := a.Store.Compare(ctx, a.req.Resource, records, false)
	if err != nil {
		return nil, err
	}
	left = make(map[int64]bool, len(differences))
	for _, d := range differences {
		left[d.ID] = true
	}
	return left, nil
}

// sweep marks deleted what is gone from Paymo, if a repair is asked for: by the way that a
// full takes, with its confirmation and its guard.
func (a *again) sweep(ctx context.Context) error {
	left := map[int64]bool{}
	if a.req.Repair && len(a.gone) > 0 {
		still, err := a.bury(ctx)
		if err != nil {
			return err
		}
		for _, id := range still {
			left[id] = true
		}
	}
	for _, id := range a.gone {
		a.show(RowDifference{ID: id, Kind: RowExtra, Repaired: a.req.Repair && !left[id]})
	}
	return nil
}

// bury marks rows deleted and returns those that could not be. A sync of the table that is
// under way has candidates of its own, and is left to them.
func (a *again) bury(ctx context.Context) (left []int64, err error) {
	r := a.run
	tally, err := r.lease.Candidates(ctx, r.resource)
	if err != nil {
		return nil, err
	}
	if r.checkpoint.Progress != nil && tally != (sink.Candidates{}) {
		a.out.Reason = "a sync of the table is under way, and looks for deleted rows itself: let it end, then verify again"
		return a.gone, nil
	}
	if err := r.lease.ForgetCandidates(ctx); err != nil {
		return nil, err
	}
	if err := r.lease.AddCandidates(ctx, a.gone); err != nil {
		return nil, err
	}
	err = a.patiently(ctx, func() error {
		if err := r.confirm(ctx); err != nil {
			return err
		}
		if err := r.reidentify(ctx); err != nil || !r.seesAll() {
			return err
		}
		return r.settleCandidates(ctx)
	})
	if err != nil {
		return nil, err
	}
	if err := r.lease.ForgetCandidates(ctx); err != nil {
		return nil, err
	}
	left, err = a.Store.Live(ctx, r.resource, a.gone)
	if len(left) > 0 && a.out.Reason == "" {
		a.out.Reason = r.progress.Swept.Doubt.Sentence
	}
	return left, err
}
