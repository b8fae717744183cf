package jobs

import (
	"context"
	"fmt"
	"slices"

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
	Bare     bool   `json:"bare,omitempty"`     // some are gone on Paymo's word alone
	Singly   int    `json:"singly,omitempty"`   // rows that were asked for one by one
	Unlisted int64  `json:"unlisted,omitempty"` // rows that Paymo has, and that the listing lacked
	Doubt    string `json:"doubt,omitempty"`    // what is left undecided
}

// expect prepares a listing for the sweep: candidates of an earlier one are forgotten.
// Rows that the listing's slices do not speak of are candidates until they are seen.
func (r *run) expect(ctx context.Context) error {
	p := r.progress
	p.Swept = Swept{}
	if r.check != nil {
		return r.check.expect(ctx, r)
	}
	if !r.everything() {
		return nil
	}
	if err := r.lease.ForgetCandidates(ctx); err != nil {
		return err
	}
	scope := r.resource.OwnerScope()
	switch {
	case p.Listing == catalog.ByPage, p.Listing == catalog.ByWindow, p.Listing == catalog.ByParent && scope == "":
		return r.lease.Expect(ctx, r.resource, r.windowSince())
	case p.Listing == catalog.ByParent, p.Listing == catalog.WithParent:
		_, err := r.lease.AddOrphans(ctx, r.resource, scope, r.parent())
		return err
	case p.Listing == catalog.ByID && r.scoped():
		_, err := r.lease.AddOrphans(ctx, r.resource, scope, "")
		return err
	}
	return nil
}

// sweeps reports whether the run says of rows that they are not listed any more.
func (r *run) sweeps() bool {
	if r.check != nil {
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
	if !r.sweeps() || r.unproven() != "" {
		return nil
	}
	tally, err := r.lease.Candidates(ctx, r.resource)
	if err != nil || tally == (sink.Candidates{}) {
		return err
	}
	if !r.seesAll() {
		return r.forgo(ctx, tally)
	}
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

// sample asks for a few of many candidates before all of them are asked for. Where one
// exists the listing is to blame and not to be believed; where Paymo does not tell of
// any, asking on is in vain.
func (r *run) sample(ctx context.Context, tally sink.Candidates) (hopeless bool, err error) {
	ids, err := r.lease.OpenCandidates(ctx, mostIDs)
	if err != nil {
		return false, err
	}
	told := false
	for i := 0; i < len(ids); i += max(1, len(ids)/boundaryRows) {
		page, at, err := r.find(ctx, ids[i])
		switch {
		case err != nil:
			return false, err
		case page == nil:
			told = true
		case shows(page, ids[i]):
			r.progress.Doubt = r.incomplete(tally.Open)
			return true, r.apply(ctx, page, at, &sink.Slice{Rest: true})
		}
	}
	if !told {
		r.progress.Swept.Doubt = undecided(tally.Open)
	}
	return !told, nil
}

// incomplete says that the listing lacked so many rows which are there.
func (r *run) incomplete(n int64) string {
	if r.progress.Listed == 0 {
		return fmt.Sprintf("Paymo lists no rows where the warehouse has %d; they are kept", n)
	}
	return fmt.Sprintf("listing incomplete: it lacks %s of the warehouse, and Paymo has them when it is asked for them; they are kept", rows(n))
}

func undecided(n int64) string {
	return fmt.Sprintf("%s of the warehouse are not listed, and Paymo does not say that they are gone; they are kept", rows(n))
}

// forgo leaves the candidates be: a lesser key is not shown what is there.
func (r *run) forgo(ctx context.Context, tally sink.Candidates) error {
	if r.AcceptRole == "" {
		r.progress.Swept.Doubt = fmt.Sprintf("%d rows are not listed any more; the key's role is %s, which sees a part of the account, so that none is marked deleted: "+
			"use an Admin's key, or set SWEEP_WITHOUT_ADMIN=true", tally.Open+tally.Gone+tally.Unsure, r.guard.role())
	}
	return r.lease.ForgetCandidates(ctx)
}

// mostSingly is how many rows of a run are asked for one by one where nothing explains
// their deletion. A list may hide a row that is there, an archived one for instance, and
// an answer about the row alone does not.
const mostSingly = 200

// confirm asks for every candidate that has no verdict yet. To a key that lost its rights
// rows look gone: no verdict is kept, for this process or the next one, before it is known
// that the key has them still.
func (r *run) confirm(ctx context.Context) error {
	for {
		ids, err := r.lease.OpenCandidates(ctx, mostIDs)
		if err != nil || len(ids) == 0 {
			return err
		}
		asked, err := r.Store.Now(ctx)
		if err != nil {
			return err
		}
		v, err := r.ask(ctx, ids)
		if err != nil {
			return err
		}
		for _, found := range v.found {
			if err := r.meet(ctx, ids, found); err != nil {
				return err
			}
		}
		r.progress.Swept.Bare = r.progress.Swept.Bare || v.bare
		if err := r.reidentify(ctx); err != nil || !r.seesAll() {
			return err
		}
		if err := r.lease.Judge(ctx, r.progress.Run, v.gone, v.unsure, asked, r.spent); err != nil {
			return err
		}
		r.spent = sink.Cost{}
		if r.overtime() {
			return errHandBack
		}
	}
}

// ask asks for candidates by their ids: together those that went with a parent, and all
// where there are too many to ask for one by one and a few of them show that lists hide
// none.
func (r *run) ask(ctx context.Context, ids []int64) (verdict, error) {
	together, err := r.lease.Explained(ctx, r.resource, ids)
	if err != nil {
		return verdict{}, err
	}
	singly := slices.DeleteFunc(slices.Clone(ids), func(id int64) bool { return slices.Contains(together, id) })
	if r.progress.Swept.Singly >= mostSingly && r.works(filterIDs) {
		few := min(boundaryRows, len(singly))
		singly, together = singly[:few], append(together, singly[few:]...)
	}
	v, err := r.lookupSingly(ctx, r.resource, singly)
	if err != nil {
		return verdict{}, err
	}
	if r.progress.Swept.Singly += len(singly); len(v.found) > 1 && len(together) > 0 { // one is the sentinel
		r.strikeOff(filterIDs, "lists lack rows that are there")
	}
	more, err := r.lookup(ctx, r.resource, together)
	return v.and(more), err
}

// meet merges candidates that exist. One that neither changed nor moved should have been
// listed.
func (r *run) meet(ctx context.Context, candidates []int64, found reply) error {
	before := r.outcome.Unchanged
	if err := r.apply(ctx, found.page, found.at, &sink.Slice{Rest: true}); err != nil {
		return err
	}
	sentinels := slices.DeleteFunc(recordIDs(found.page), func(id int64) bool { return slices.Contains(candidates, id) })
	r.progress.Swept.Unlisted += max(0, r.outcome.Unchanged-before-int64(len(sentinels)))
	return nil
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
	n, err := r.lease.Sweep(ctx, r.resource, r.progress.Run, !stopped)
	if err != nil {
		return err
	}
	r.outcome.Tombstoned += n
	r.progress.Swept.Doubt = r.sweepDoubt(tally, stopped)
	return nil
}

// guardLimit is how many rows may go without an explanation: none where nothing but
// Paymo's word says that the table is still served.
func (r *run) guardLimit(ctx context.Context) (int64, error) {
	if r.progress.Swept.Bare {
		return 0, nil
	}
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

// sweepDoubt says what the sweep leaves undecided, "" when nothing.
func (r *run) sweepDoubt(tally sink.Candidates, stopped bool) string {
	table := r.resource.Table
	switch swept := r.progress.Swept; {
	case stopped && swept.Bare:
		return fmt.Sprintf("guard stopped: Paymo lists no rows and answers that none of %d exists, and nothing shows that it still serves the table; "+
			"they are kept: if that is right, run paymosync sync --full --accept-deletes %s", tally.Unexplained, table)
	case stopped:
		return fmt.Sprintf("guard stopped: %d rows are gone from Paymo and no deleted parent explains it; "+
			"they are kept: if that is right, run paymosync sync --full --accept-deletes %s", tally.Unexplained, table)
	case tally.Unsure > 0:
		return undecided(tally.Unsure)
	case swept.Unlisted > 0:
		return r.incomplete(swept.Unlisted)
	}
	return ""
}

// seesAll reports whether the key is shown every row: to another one, rows that it may
// not see any more look like deleted ones.
func (r *run) seesAll() bool { return r.SweepWithoutAdmin || r.guard.role() == AdminRole }
