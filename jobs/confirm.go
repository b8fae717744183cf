package jobs

import (
	"context"
	"slices"
	"time"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// mostSingly is how many rows of a run are asked for one by one where nothing explains
// their deletion. A list may hide a row that is there, and an answer about the row alone
// does not.
const mostSingly = 200

// verdictLife is for how long nothing may be asked before verdicts are not gone on with.
const verdictLife = 10 * time.Minute

// sample asks for a few of many candidates before all of them are asked for. Where most
// of them exist the listing is to blame and not to be believed; where Paymo does not tell
// of any, asking on is in vain.
func (r *run) sample(ctx context.Context, tally sink.Candidates) (hopeless bool, err error) {
	ids, err := r.lease.OpenCandidates(ctx, mostIDs)
	if err != nil {
		return false, err
	}
	few := spread(ids, boundaryRows)
	exist, gone := 0, 0
	for _, id := range few {
		page, at, err := r.find(ctx, id)
		switch {
		case err != nil:
			return false, err
		case page == nil:
			gone++
		case shows(page, id):
			exist++
			if err := r.apply(ctx, page, at, &sink.Slice{Rest: true}); err != nil {
				return false, err
			}
		}
	}
	switch {
	case exist > len(few)/2:
		r.progress.Doubt = r.incomplete(tally.Open)
	case exist+gone == 0:
		r.progress.Swept.Doubt = undecided(tally.Open)
	default:
		return false, nil
	}
	return true, nil
}

// spread picks a few of the ids, from all over them.
func spread(ids []int64, few int) []int64 {
	if len(ids) <= few {
		return ids
	}
	picked := make([]int64, few)
	for i := range picked {
		picked[i] = ids[i*(len(ids)-1)/(few-1)]
	}
	return picked
}

// confirm asks for every candidate that has no verdict yet. To a key that lost its rights
// rows look gone: no verdict is kept, for this process or the next one, before it is known
// that the key has them still.
func (r *run) confirm(ctx context.Context) error {
	if err := r.lease.ExpireVerdicts(ctx, verdictLife); err != nil {
		return err
	}
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
		r.save(&r.checkpoint)
		if err := r.lease.Judge(ctx, r.progress.Run, v.gone, v.unsure, asked, r.spent, r.checkpoint); err != nil {
			return err
		}
		r.spent = sink.Cost{}
		if r.overtime() {
			return errHandBack
		}
	}
}

// ask asks for candidates by their ids: together those that went with a parent, and all
// where there are too many to ask for one by one. A few of those that are asked for
// together are asked for by themselves before: where lists hide one of them, all are.
func (r *run) ask(ctx context.Context, ids []int64) (verdict, error) {
	if !listsTell(r.resource) || !r.works(filterIDs) {
		return r.lookupSingly(ctx, r.resource, ids)
	}
	together, err := r.lease.Explained(ctx, r.resource, ids)
	if err != nil {
		return verdict{}, err
	}
	if r.progress.Swept.Singly >= mostSingly {
		together = ids
	}
	few := spread(together, 3)
	singly := slices.DeleteFunc(slices.Clone(ids), func(id int64) bool {
		return slices.Contains(together, id) && !slices.Contains(few, id)
	})
	together = slices.DeleteFunc(slices.Clone(together), func(id int64) bool { return slices.Contains(few, id) })
	v, err := r.lookupSingly(ctx, r.resource, singly)
	if err != nil {
		return verdict{}, err
	}
	r.progress.Swept.Singly += len(singly)
	if slices.ContainsFunc(few, v.shows) {
		r.strikeOff(filterIDs, "lists lack rows that are there")
		if err := r.lease.ExpireVerdicts(ctx, 0); err != nil { // lists may have hidden others
			return verdict{}, err
		}
	}
	more, err := r.lookup(ctx, r.resource, together)
	return v.and(more), err
}

// shows reports whether the row was found.
func (v verdict) shows(id int64) bool {
	return slices.ContainsFunc(v.found, func(found reply) bool { return shows(found.page, id) })
}

// meet merges candidates that exist. One that neither changed nor moved should have been
// listed.
func (r *run) meet(ctx context.Context, candidates []int64, found reply) error {
	page := *found.page
	page.Records = slices.DeleteFunc(slices.Clone(page.Records), func(record catalog.Record) bool {
		return !slices.Contains(candidates, record.ID)
	})
	before := r.outcome.Unchanged
	if err := r.apply(ctx, &page, found.at, &sink.Slice{Rest: true}); err != nil {
		return err
	}
	if r.everything() || !r.resource.Embedded.Deep() { // such a row may come with another parent than it names
		r.progress.Swept.Unlisted += r.outcome.Unchanged - before
	}
	return nil
}
