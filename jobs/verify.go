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

// verification is one verification of one table while it lasts.
type verification struct {
	*Syncer
	req   VerifyRequest
	out   Verified
	first *run // reads everything and writes nothing
	check *check

	whole    bool // every row of Paymo was compared
	searched bool // and every row of the warehouse looked for
}

// Verify reads a table from Paymo and compares it with the warehouse: rows, values, and
// the sums that people care about. What differs is read once more, under the table's
// lease, and counts as pending if it changed since the comparison began. Nothing is
// written, unless a repair is asked for: then what differs goes through the ordinary
// merge and sweep.
//
// It waits for the rate limit, and for another process that has the table. With an error,
// which says why the comparison could not be made, the verdict is VerdictUnproven.
func (s *Syncer) Verify(ctx context.Context, req VerifyRequest) (Verified, error) {
	started := time.Now()
	if req.Waiting == nil {
		req.Waiting = func(error, time.Duration) {}
	}
	v := &verification{Syncer: s, req: req, out: Verified{
		Table: req.Resource.Table, Paymo: Unknown, Warehouse: Unknown, Rows: []RowDifference{}, Sums: []SumDifference{},
	}}
	ctx, span := s.startTable(ctx, "verify", req.Resource.Table)
	defer span.End()
	err := v.compare(ctx)
	if err != nil {
		v.out.Reason = err.Error()
		v.whole = false
	}
	v.tidyCounts(ctx)
	v.out.judge(err)
	v.out.Took = time.Since(started)
	v.out.describe(span)
	conclude(span, err)
	return v.out, err
}

// compare reads everything once, and what differs once more.
func (v *verification) compare(ctx context.Context) error {
	ready, err := v.begin(ctx)
	if err != nil || !ready {
		return err
	}
	err = v.readAll(ctx)
	v.spent(v.first)
	if err != nil {
		return v.unread(err)
	}
	r := v.first
	v.out.Reason = r.doubt().Sentence
	v.out.Paymo = Count(v.check.counted)
	v.whole = v.out.Reason == ""
	v.searched = r.everything() && !r.progress.Rejected
	totals, err := v.totals(ctx)
	if err != nil {
		return err
	}
	suspects := suspects{differ: v.check.different()}
	if !r.unproven().some() {
		suspects.extra = v.check.extra()
	}
	if !suspects.none() {
		if err := v.readAgain(ctx, suspects); err != nil {
			return err
		}
	}
	if n := len(v.check.unusable); n > 0 && v.out.Reason == "" {
		v.out.Reason = unusable(n)
	}
	return v.sum(ctx, totals)
}

// tidyCounts takes the counts for unknown that tell nothing, and counts the rows of the
// warehouse where the comparison did not come to that.
func (v *verification) tidyCounts(ctx context.Context) {
	v.out.Omitted = v.out.Found() - int64(len(v.out.Rows))
	if !v.whole {
		v.out.Paymo = Unknown
	}
	for _, count := range []struct {
		rows  *Count
		known bool
	}{{&v.out.Missing, v.whole}, {&v.out.Different, v.whole}, {&v.out.Extra, v.whole && v.searched}} {
		if *count.rows == 0 && !count.known {
			*count.rows = Unknown
		}
	}
	if v.out.Warehouse != Unknown || ctx.Err() != nil && v.check == nil {
		return
	}
	var since, settled time.Time
	if v.check != nil {
		since, settled = v.check.since, v.check.settled
	}
	counting, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	if totals, err := v.Store.Totals(counting, v.req.Resource, nil, since, settled); err == nil {
		v.out.Warehouse = Count(totals.Rows)
	}
}

func unusable(n int) string {
	if n == 1 {
		return "1 record of Paymo cannot become a row: it is in quarantine"
	}
	return fmt.Sprintf("%d records of Paymo cannot become rows: they are in quarantine", n)
}

// begin prepares the first reading. It reports false where there is nothing to compare.
func (v *verification) begin(ctx context.Context) (ready bool, err error) {
	resource := v.req.Resource
	checkpoint, err := v.Store.Checkpoint(ctx, resource.Table)
	if err != nil {
		return false, err
	}
	if checkpoint.State == sink.StateUnavailable && checkpoint.Reason == sink.Unsynced {
		v.out.Reason = "not synced yet: sync it first"
		return false, nil
	}
	now, err := v.Store.Now(ctx)
	if err != nil {
		return false, err
	}
	settled, err := v.Store.Settled(ctx)
	if err != nil {
		return false, err
	}
	v.check = &check{began: now, settled: settled, since: v.req.Since, unusable: map[uint64]struct{}{}, sums: newSums(resource)}
	v.first = &run{
		Syncer: v.Syncer, resource: resource, checkpoint: checkpoint, check: v.check, begun: time.Now(),
		progress: &Progress{Mode: Full, StartedAt: now, Layout: v.layout(resource)},
		outcome:  Outcome{Table: resource.Table},
	}
	switch first := resource.Listings[0]; {
	case v.check.since.IsZero(), resource.Window != "":
	case first == catalog.Single || first == catalog.WithParent || !v.first.works(filterUpdated):
		v.check.since = time.Time{} // it is read whole in any case
	default:
		v.first.progress.Since = v.check.since
	}
	if resource.Window != "" {
		v.check.since = v.first.windowSince()
		if !v.check.since.IsZero() {
			v.out.From = v.check.since.Format(time.DateOnly)
		}
	}
	return true, v.first.awaitParents(ctx)
}

// readAll reads the table to its end, as a full does. What the rate limit interrupts is
// gone on with from the last page that was compared.
func (v *verification) readAll(ctx context.Context) error {
	r := v.first
	for done := false; !done; {
		reached := r.progress.text()
		err := v.patiently(ctx, func() (err error) {
			done, err = r.advance(ctx)
			if _, wait := RetryIn(err); wait {
				r.progress = parseProgress(reached, r.progress.Layout, r.progress.StartedAt)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// advance reads the next slice of a run that is planned on the way. It reports whether
// that was the last one.
func (r *run) advance(ctx context.Context) (done bool, err error) {
	if r.progress.Listing == 0 {
		if err := r.identify(ctx, 0); err != nil {
			return false, err
		}
		if err := r.plan(ctx); err != nil {
			return false, err
		}
	}
	if !r.done() {
		if err := r.page(ctx, r.next(), r.step); err != nil {
			return false, err
		}
	}
	return r.done(), nil
}

// patiently does the work again for as long as only waiting is needed.
func (v *verification) patiently(ctx context.Context, work func() error) error {
	for {
		err := work()
		wait, ok := RetryIn(err)
		if !ok {
			return err
		}
		v.req.Waiting(err, wait)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
			v.out.Waited += wait
		}
	}
}

// unread judges an error of the first reading: a table that Paymo never served to this
// key is unavailable.
func (v *verification) unread(err error) error {
	r := v.first
	var api *paymo.APIError
	if !errors.As(err, &api) || !api.Denied() && !api.NotFound() || !r.lists(api.Path) {
		return err
	}
	v.out.Reason = fmt.Sprintf("Paymo answers %d: not in the plan, or not permitted to this key (%s)", api.Status, api.Message)
	if r.checkpoint.FullAt.IsZero() {
		v.out.Verdict = VerdictUnavailable
	}
	return nil
}

// spent counts what a run's requests took.
func (v *verification) spent(r *run) {
	v.out.Requests += r.outcome.Requests
	v.out.Waited += r.outcome.Waited
}

// totals reads what the warehouse holds.
func (v *verification) totals(ctx context.Context) (sink.Totals, error) {
	var of *sink.Sum
	if v.check.sums != nil {
		sum := v.check.sums.of
		sum.Except = v.check.sums.silent
		of = &sum
	}
	totals, err := v.Store.Totals(ctx, v.req.Resource, of, v.check.since, v.check.settled)
	if err == nil {
		v.out.Warehouse = Count(totals.Rows)
	}
	return totals, err
}

// sum compares counts and sums, those of the warehouse after a repair anew. Where a row
// changed meanwhile they are of different moments.
func (v *verification) sum(ctx context.Context, totals sink.Totals) error {
	switch {
	case v.out.Reason != "":
		v.out.Unsummed = "not everything is proven"
		return nil
	case v.out.Pending > 0 || totals.Written:
		v.out.Unsummed = "the table changed meanwhile"
		return nil
	case v.check.sums != nil && len(v.check.sums.silent) > mostSilent:
		v.out.Unsummed = "Paymo leaves out what is summed"
		return nil
	}
	if v.out.Repaired > 0 {
		var err error
		if totals, err = v.totals(ctx); err != nil {
			return err
		}
	}
	if totals.Rows != v.check.counted {
		v.out.Sums = append(v.out.Sums, SumDifference{What: "rows", Paymo: fmt.Sprint(v.check.counted), Warehouse: fmt.Sprint(totals.Rows)})
	}
	if v.check.sums != nil {
		v.out.Sums = append(v.out.Sums, v.check.sums.disagree(totals.Totals)...)
	}
	return nil
}
