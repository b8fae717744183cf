package jobs

import (
	"context"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// guardFloor and guardShare are how many rows may be marked deleted in one run without
// an explanation: the floor, or this share of the table's rows.
const (
	guardFloor = 50
	guardShare = 10
)

// Swept is what a run has found out about rows that its listing did not bring.
type Swept struct {
	Bare     bool  `json:"bare,omitempty"`     // some are gone on Paymo's word alone
	Singly   int   `json:"singly,omitempty"`   // rows that were asked for one by one
	Unlisted int64 `json:"unlisted,omitempty"` // rows that Paymo has, and that the listing lacked
	Doubt    Doubt `json:"doubt,omitzero"`     // what is left undecided
}

// expect prepares a listing for the sweep: candidates of an earlier one are forgotten.
// Rows that the listing's slices do not speak of are candidates until they are seen.
func (r *run) expect(ctx context.Context) error {
	p := r.progress
	p.Swept = Swept{}
	if r.check != nil {
		return r.check.expect(ctx, r)
	}
	if !r.sweeps() {
		return nil
	}
	if err := r.lease.ForgetCandidates(ctx); err != nil || !r.everything() {
		return err
	}
	scope := r.resource.OwnerScope()
	switch {
	case r.eliminates():
		return r.lease.Expect(ctx, r.resource, r.windowSince())
	case p.Listing == catalog.ByParent, p.Listing == catalog.WithParent:
		_, err := r.lease.AddOrphans(ctx, r.resource, scope, r.parent())
		return err
	case p.Listing == catalog.ByID && r.scoped() && !r.resource.Scope.Optional:
		_, err := r.lease.AddOrphans(ctx, r.resource, scope, "")
		return err
	}
	return nil
}

// eliminates reports whether the slices of the listing do not tell which rows they speak
// of: only what none of them brought is missing.
func (r *run) eliminates() bool {
	switch r.progress.Listing {
	case catalog.ByPage, catalog.ByWindow:
		return true
	case catalog.ByParent:
		return r.resource.OwnerScope() == ""
	case catalog.WithParent:
		return r.resource.Embedded.Deep()
	}
	return false
}

// sweeps reports whether the run says of rows that they are not listed any more.
func (r *run) sweeps() bool {
	if r.check != nil || r.rehearsal != nil {
		return false
	}
	switch r.progress.Listing {
	case catalog.Single:
		return false
	case catalog.WithParent:
		return true
	}
	return r.everything()
}

// sweep marks the rows deleted that the listing did not bring and that are shown to be
// gone. Each is asked for by its id first; what turns out to exist is merged. Killed
// half-way it goes on with what is left to ask for.
func (r *run) sweep(ctx context.Context) error {
	if !r.sweeps() || r.unproven().some() {
		return nil
	}
	tally, err := r.lease.Candidates(ctx, r.resource)
	if err != nil || tally == (sink.Candidates{}) {
		return err
	}
	if !r.seesAll() {
		return r.forgo(ctx, tally)
	}
	return r.findGone(ctx, tally, r.sweepCandidates)
}

func (r *run) sweepCandidates(ctx context.Context, tally sink.Candidates) error {
	if tally.Open > guardFloor {
		if hopeless, err := r.sample(ctx, tally); err != nil || hopeless {
			return err
		}
	}
	if err := r.confirm(ctx); err != nil {
		return err
	}
	if !r.seesAll() {
		return r.forgo(ctx, tally)
	}
	return r.settleCandidates(ctx)
}

// incomplete says that the listing lacked so many rows which are there.
func (r *run) incomplete(n int64) Doubt {
	if r.progress.Listed == 0 {
		return doubtf(CauseEmptied, "Paymo lists no rows where the warehouse has %d; they are kept", n)
	}
	return doubtf(CauseIncomplete, "listing incomplete: it lacks %s of the warehouse, and Paymo has them when it is asked for them; they are kept", rows(n))
}

func undecided(n int64) Doubt {
	return doubtf(CauseUndecided, "%s of the warehouse are not listed, and Paymo does not say that they are gone; they are kept", rows(n))
}

// forgo leaves the candidates be: a lesser key is not shown what is there.
func (r *run) forgo(ctx context.Context, tally sink.Candidates) error {
	r.progress.Swept.Doubt = doubtf(CauseHidden, "%d rows are not listed any more; the key's role is %s, which sees a part of the account, so that none is marked deleted: "+
		"use an Admin's key, or set SWEEP_WITHOUT_ADMIN=true", tally.Open+tally.Gone+tally.Unsure, r.guard.role())
	return r.lease.ForgetCandidates(ctx)
}

// settleCandidates marks deleted what is gone, as far as the guard lets it.
func (r *run) settleCandidates(ctx context.Context) error {
	limit, err := r.guardLimit(ctx)
	if err != nil {
		return err
	}
	if err := r.explain(ctx, limit); err != nil {
		return err
	}
	tally, err := r.lease.Candidates(ctx, r.resource)
	if err != nil {
		return err
	}
	stopped := tally.Unexplained > limit && !r.accept
	if bare := r.progress.Swept.Bare && tally.Gone > 0 && !r.accept; bare {
		r.progress.Swept.Doubt = r.bareDoubt(tally)
		return nil
	}
	n, err := r.lease.Sweep(ctx, r.resource, r.progress.Run, !stopped)
	if err != nil {
		return err
	}
	r.outcome.Tombstoned += n
	r.progress.Swept.Doubt = r.sweepDoubt(tally, stopped)
	return nil
}

// guardLimit is how many rows may go without an explanation.
func (r *run) guardLimit(ctx context.Context) (int64, error) {
	extent, err := r.Store.Extent(ctx, r.resource)
	return max(guardFloor, extent.Rows/guardShare), err
}

// mostSuspects is how many owners are asked about, those of the most rows first.
const mostSuspects = 50

// explain looks, where more rows are gone than the guard lets go, for the rows that took
// them along: Paymo is asked for those that the warehouse does not know to be deleted.
func (r *run) explain(ctx context.Context, limit int64) error {
	for _, name := range r.resource.Owners {
		column, _ := r.resource.Column(name)
		owner, ok := catalog.Lookup(column.Ref)
		if !ok {
			continue
		}
		tally, err := r.lease.Candidates(ctx, r.resource)
		if err != nil || tally.Unexplained <= limit {
			return err
		}
		suspects, err := r.lease.SuspectOwners(ctx, r.resource, name, mostSuspects)
		if err != nil {
			return err
		}
		v, err := r.lookupSingly(ctx, owner, suspects)
		if err != nil {
			return err
		}
		if v.bare || len(v.gone) == 0 {
			continue
		}
		if err := r.lease.Explain(ctx, r.resource, name, v.gone); err != nil {
			return err
		}
	}
	return nil
}

// sweepDoubt says what the sweep leaves undecided, none when nothing.
func (r *run) sweepDoubt(tally sink.Candidates, stopped bool) Doubt {
	table := r.resource.Table
	switch swept := r.progress.Swept; {
	case stopped:
		return doubtf(CauseGuard, "guard stopped: %d rows are gone from Paymo and no deleted parent explains it; "+
			"they are kept: if that is right, run paymosync sync --full --accept-deletes %s %s", tally.Unexplained, table, table)
	case tally.Unsure > 0:
		return undecided(tally.Unsure)
	case swept.Unlisted > 0:
		return r.incomplete(swept.Unlisted)
	}
	return Doubt{}
}

// bareDoubt says that nothing but Paymo's word shows that rows are gone.
func (r *run) bareDoubt(tally sink.Candidates) Doubt {
	return doubtf(CauseGuard, "guard stopped: Paymo lists no rows and answers that none of %d exists, and nothing shows that it still serves the table; "+
		"they are kept: if that is right, run paymosync sync --full --accept-deletes %s %s", tally.Gone, r.resource.Table, r.resource.Table)
}

// seesAll reports whether the key is shown every row: to another one, rows that it may
// not see any more look like deleted ones.
func (r *run) seesAll() bool { return r.SweepWithoutAdmin || r.guard.role() == AdminRole }
