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

// settleTime is how long the ledger may take to be told of an interrupted run.
const settleTime = 5 * time.Second

// end writes into the ledger what came of reading, and the table's state with it.
// It returns the error of reading, unless that only means that there is nothing to
// read or that the rest follows.
func (r *run) end(ctx context.Context, err error) error {
	o := &r.outcome
	var limited *paymo.RateLimitError
	var key *paymo.KeyError
	switch {
	case err == nil:
		return r.endRead(ctx)
	case errors.Is(err, sink.ErrLeaseLost):
		return err // another process has the table
	case errors.Is(err, errHandBack):
		o.Unfinished = true
		return r.pause(ctx, sink.Ending{State: sink.RunRunning, Sentence: "goes on"}, nil)
	case errors.As(err, &limited):
		o.Unfinished = true
		return r.pause(ctx, sink.Ending{State: sink.RunRunning, Sentence: err.Error(), Cause: string(CauseRateLimit)}, err)
	case ctx.Err() == nil && sink.Temporary(err):
		// The bookkeeping may be well where the table is not; else there is no telling.
		settling, cancel := context.WithTimeout(ctx, settleTime)
		defer cancel()
		_ = r.settle(settling, sink.StateFailing, failure(err), nil)
		return err
	case errors.As(err, &key) && temporary(err) && ctx.Err() == nil && r.work > 0:
		// The job comes back: one run for the whole wait, but the table says so.
		o.Unfinished, o.State, o.Reason, o.Cause = true, sink.StateFailing, "waiting: "+err.Error(), CauseVault
		r.checkpoint.State, r.checkpoint.Reason, r.checkpoint.Cause = o.State, o.Reason, string(o.Cause)
		return r.pause(ctx, sink.Ending{State: sink.RunRunning, Sentence: o.Reason, Cause: string(o.Cause)}, err)
	case ctx.Err() != nil:
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
		defer cancel()
		o.State, o.Reason = sink.RunInterrupted, "interrupted; what was read is kept, the rest follows"
		return r.pause(ctx, sink.Ending{State: sink.RunInterrupted, Sentence: o.Reason}, err)
	}
	return r.endUnread(ctx, err)
}

// endRead settles a table that was read to its end, and moves its checkpoint.
func (r *run) endRead(ctx context.Context) error {
	p := r.progress
	doubt := r.doubt()
	whole := !doubt.some() && r.everything()
	before := time.Time{}
	if whole && p.Mode == Full {
		before = p.StartedAt
	}
	kept, err := r.lease.ForgetQuarantine(ctx, before)
	if err != nil {
		return err
	}
	if !doubt.some() {
		doubt = r.stuck()
	}
	r.complete(&r.checkpoint)
	if !doubt.some() && r.sweeps() {
		doubt = p.Swept.Doubt
	}
	if !doubt.some() {
		doubt = p.Blank
	}
	if whole && p.Late > 0 {
		r.strikeOff(filterUpdated, fmt.Sprintf("a full found %s that it had left out", rows(p.Late)))
		if !doubt.some() {
			doubt = doubtf(CauseLate, "late rows: the full found %s that incrementals should have brought; they are in now", rows(p.Late))
		}
	}
	r.keepDoubt(doubt)
	if !doubt.some() {
		if doubt, err = r.doubtedParents(ctx); err != nil {
			return err
		}
	}
	if earlier := r.checkpoint.Capabilities[WholeListing]; !doubt.some() && !r.works(WholeListing) {
		doubt = Doubt{orOther(Cause(earlier.Cause)), earlier.Reason}
	}
	if !doubt.some() && kept > 0 {
		doubt = r.quarantined(kept)
	}
	if doubt.some() {
		return r.settle(ctx, sink.StateDegraded, doubt, nil)
	}
	return r.settle(ctx, sink.StateOK, Doubt{Sentence: r.remark()}, nil)
}

func rows(n int64) string {
	if n == 1 {
		return "1 row"
	}
	return fmt.Sprintf("%d rows", n)
}

// endUnread settles a table that could not be read. One that Paymo never served to
// this key is unavailable; where it used to be served, its rows are kept with a
// doubt.
func (r *run) endUnread(ctx context.Context, err error) error {
	var api *paymo.APIError
	denied := errors.As(err, &api) && (api.Denied() || api.NotFound()) && r.lists(api.Path)
	switch {
	case denied && r.checkpoint.FullAt.IsZero():
		r.forget(&r.checkpoint)
		return r.settle(ctx, sink.StateUnavailable,
			doubtf(CauseNotServed, "Paymo answers %d: not in the plan, or not permitted to this key (%s)", api.Status, api.Message), nil)
	case denied:
		r.forget(&r.checkpoint)
		return r.settle(ctx, sink.StateDegraded,
			doubtf(CauseWithdrawn, "Paymo answers %d where it used to answer: not in the plan any more, or not permitted to this key; the rows are kept (%s)", api.Status, api.Message), nil)
	}
	var role *RoleError
	var identity *IdentityError
	if r.progress.Seen == 0 || errors.As(err, &role) || errors.As(err, &identity) { // what another key was shown is not gone on with
		r.forget(&r.checkpoint)
	}
	if errors.As(err, &role) { // all tables were rewound
		rewound, failed := r.lease.Checkpoint(ctx)
		if failed != nil {
			return errors.Join(err, failed)
		}
		r.checkpoint.Cursor, r.checkpoint.FreshAsOf, r.checkpoint.ParentsAt = rewound.Cursor, rewound.FreshAsOf, rewound.ParentsAt
	}
	return r.settle(ctx, sink.StateFailing, failure(err), err)
}

// lists reports whether the path is where the rows are listed.
func (r *run) lists(path string) bool {
	if r.progress.Listing == catalog.WithParent {
		parent, ok := catalog.Lookup(r.parent())
		return ok && path == parent.Path
	}
	return path == r.resource.Path
}

// settle ends the run in the ledger with the state that the table has from now on. A
// backfill leaves the table's state as it was.
func (r *run) settle(ctx context.Context, state string, why Doubt, err error) error {
	r.outcome.State, r.outcome.Reason, r.outcome.Cause = state, why.Sentence, why.Cause
	if r.progress.Mode != Backfill { // which tells of a part of the table
		r.checkpoint.State, r.checkpoint.Reason, r.checkpoint.Cause = state, why.Sentence, string(why.Cause)
	}
	ending := sink.Ending{State: state, Sentence: why.Sentence, Cause: string(why.Cause), Reread: r.reread()}
	saveErr := r.lease.EndRun(ctx, r.progress.Run, ending, r.spent, r.checkpoint)
	r.spent = sink.Cost{}
	return errors.Join(err, saveErr)
}

// reread is what was read again of what Paymo told of. Rows that come with their parents
// are read where those changed, and hot windows leave the others out.
func (r *run) reread() *sink.Reread {
	p := r.progress
	if r.outcome.State != sink.StateOK || r.resource.Model == "" || p.Mode != Full && p.Mode != Incremental || p.Listing == catalog.WithParent || p.Hot {
		return nil
	}
	return &sink.Reread{Told: p.StartedAt, Changed: p.Since}
}

// pause leaves the run for later; the table keeps the state it had. The progress is
// that of the last page that was committed: the run's own may be ahead of it.
func (r *run) pause(ctx context.Context, ending sink.Ending, err error) error {
	saveErr := r.lease.EndRun(ctx, r.progress.Run, ending, r.spent, r.checkpoint)
	r.spent = sink.Cost{}
	return errors.Join(err, saveErr)
}
