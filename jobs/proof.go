package jobs

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/catalog"
)

// boundaryRows is how many of the newest rows are asked for one by one before an
// empty reply is believed.
const boundaryRows = 5

// shows reports whether the reply about one row holds it: a reply without it, and
// without an error, tells nothing.
func shows(page *paymo.Page, id int64) bool {
	return page != nil && slices.ContainsFunc(page.Records, func(record catalog.Record) bool { return record.ID == id })
}

// missesWitness returns a row that is there and that a range lacks, 0 for none: a
// range must hold the witnesses that lie in it, unless they are gone. blind says that
// Paymo did not tell of one whether it is.
func (r *run) missesWitness(ctx context.Context, asked Range, page *paymo.Page) (missing int64, blind bool, err error) {
	p := r.progress
	if p.Listing != catalog.ByID || page.Rows >= p.Ranges.Cap || !p.Since.IsZero() || p.Unscoped {
		return 0, false, nil
	}
	ids := recordIDs(page)
	slices.Sort(ids)
	for i, id := range slices.Backward(p.Witnesses) {
		if !asked.Has(id) {
			continue
		}
		if _, found := slices.BinarySearch(ids, id); found {
			continue
		}
		row, _, err := r.find(ctx, id)
		switch {
		case err != nil:
			return 0, false, err
		case row != nil && !shows(row, id):
			blind = true
			if page.Rows == 0 && r.AcceptRole == "" {
				p.Doubt = doubtf(CauseEmptied, "Paymo lists no rows where the warehouse has some, and does not say that row %d is gone", id)
			}
		case row != nil && r.inWindow(row):
			return id, blind, nil
		}
		p.Witnesses = slices.Delete(p.Witnesses, i, i+1)
	}
	return 0, blind, nil
}

// proveWhole makes sure that a list which is not full was not cut by a limit that
// nobody knows of. It asks for the rows that such a list would have left out: beyond
// its last row where it is in the order of the ids, else for its halves. Each full
// does so for the list as a whole; other replies, where they are as long as the
// longest that was seen whole, which may have been just as long as the limit, or lack a
// row. The rows that come are added to the page.
//
// ignored says that the server does not heed ranges at all.
func (r *run) proveWhole(ctx context.Context, asked Range, query paymo.Query, page *paymo.Page, lacking bool) (ignored bool, err error) {
	p := r.progress
	first := asked.Whole() && p.Since.IsZero() && !p.Unscoped
	if len(page.Records) == 0 || !first && !lacking && r.expected(asked, page.Rows) {
		return false, nil
	}
	rows, date := page.Rows, page.Date
	cut := false
	for _, part := range beyond(asked, r.positions(asked, page), p.Listing == catalog.ByID) {
		rest, _, err := r.fetch(ctx, paymo.Query{Where: r.rangeWhere(part)})
		if badRequest(err) {
			rest, _, err = r.fetch(ctx, paymo.Query{Where: query.Where, Page: 1, PageSize: rows})
			part = asked
		}
		if badRequest(err) {
			continue // it knows neither ranges nor pages: nothing speaks against the list
		}
		if err != nil {
			return false, err
		}
		if _, found := r.outside(part, rest); found {
			return true, nil
		}
		cut = r.addUnseen(page, rest, date) || cut
	}
	if !cut {
		r.learnWhole(rows)
		return false, nil
	}
	r.Log.Warn("learned that Paymo cuts lists", "table", r.resource.Table, "rows", rows)
	if rows < leastCap {
		p.Doubt = doubtf(CauseCutShort, "listing cut short: Paymo lists no more than %d rows and has more", rows)
		return false, nil
	}
	r.learnCap(rows)
	return false, nil
}

// beyond are the ranges in which rows would lie that a list, cut short, has left out.
func beyond(asked Range, positions []int64, inOrder bool) []Range {
	const tellsOrder = 4 // fewer rows may be in order by chance
	lowest, highest := slices.Min(positions), slices.Max(positions)
	above := plus(highest, 1)
	// Beyond the highest id that there can be, nothing was left out.
	if inOrder && len(positions) >= tellsOrder && above > highest {
		backward := slices.Clone(positions)
		slices.Reverse(backward)
		switch {
		case slices.IsSorted(positions):
			return nonEmpty(Range{From: &above, To: asked.To})
		case slices.IsSorted(backward):
			return nonEmpty(Range{From: asked.From, To: &lowest})
		}
	}
	if len(positions) == 1 {
		parts := nonEmpty(Range{From: asked.From, To: &lowest}, Range{From: &above, To: asked.To})
		return slices.DeleteFunc(parts, func(part Range) bool { return part.Has(highest) })
	}
	sorted := slices.Sorted(slices.Values(positions))
	middle := sorted[len(sorted)/2]
	return nonEmpty(Range{From: asked.From, To: &middle}, Range{From: &middle, To: asked.To})
}

// nonEmpty are those of the ranges in which an id can lie.
func nonEmpty(parts ...Range) []Range { return slices.DeleteFunc(parts, Range.Empty) }

// addUnseen adds the rows that the page does not have yet. It reports whether one of
// them was there when the page was answered: rows may be made at any time.
func (r *run) addUnseen(page, rest *paymo.Page, answered time.Time) (old bool) {
	const slack = 2 * time.Second
	seen := make(map[int64]bool, len(page.Records))
	for i := range page.Records {
		seen[page.Records[i].ID] = true
	}
	created := columnIndex(r.resource, "created_on")
	for i, record := range rest.Records {
		if seen[record.ID] {
			continue
		}
		page.Records = append(page.Records, rest.Records[i])
		page.Rows++
		// A filter on updated_on finds a row too that was changed at any time.
		made, err := time.Parse(time.RFC3339, record.Values[created].Text)
		old = old || err != nil || answered.IsZero() ||
			made.Before(answered.Add(-slack)) && record.Updated.Before(answered.Add(-slack))
	}
	return old
}

// checkSince holds an incremental's reply against the filter on updated_on. A row
// older than the cursor shows that the filter was ignored: the reply is then one of
// the unfiltered list. A reply to the whole question that lacks a row which the filter
// must have found shows that it is broken: the listing begins again without it.
func (r *run) checkSince(ctx context.Context, page *paymo.Page, whole bool) (restarted bool, err error) {
	p := r.progress
	if p.Since.IsZero() {
		return false, nil
	}
	since := p.Since.Truncate(time.Second) // filters take whole seconds
	for i := range page.Records {
		if updated := page.Records[i].Updated; !updated.IsZero() && updated.Before(since) {
			r.strikeOff(filterUpdated, fmt.Sprintf("the reply held row %d, which is older than was asked for", page.Records[i].ID))
			return false, r.widen(ctx)
		}
	}
	if !whole || page.Rows >= r.cap() || p.Unscoped {
		return false, nil
	}
	return r.checkBoundary(ctx, page)
}

// widen makes an incremental ask for everything.
func (r *run) widen(ctx context.Context) error {
	r.progress.Since = time.Time{}
	return r.countKnown(ctx)
}

// countKnown notes how many rows a listing of everything should find at least.
func (r *run) countKnown(ctx context.Context) error {
	if r.progress.Known > 0 {
		return nil
	}
	extent, err := r.Store.Extent(ctx, r.resource)
	r.progress.Known = extent.Rows
	return err
}

// checkBoundary makes sure that what an incremental found holds the newest rows that
// the table has: the filter must have found them, unless they are gone. An empty reply
// about which Paymo does not say so is not believed: everything is read.
func (r *run) checkBoundary(ctx context.Context, page *paymo.Page) (restarted bool, err error) {
	p := r.progress
	boundary, err := r.Store.Boundary(ctx, r.resource, p.Since, p.StartedAt, boundaryRows)
	if err != nil {
		return false, err
	}
	blind := false
	for _, id := range boundary {
		if shows(page, id) {
			return false, nil
		}
		row, _, err := r.find(ctx, id)
		switch {
		case err != nil:
			return false, err
		case row == nil: // gone: the next one is the boundary
		case !shows(row, id):
			blind = true
		case !row.Records[0].Updated.Before(p.Since.Truncate(time.Second)) && r.inWindow(row):
			r.strikeOff(filterUpdated, fmt.Sprintf("the reply lacked row %d, which is new enough", id))
			if err := r.widen(ctx); err != nil {
				return false, err
			}
			return true, r.list(ctx, p.Listing)
		}
	}
	if blind && page.Rows == 0 {
		if err := r.widen(ctx); err != nil {
			return false, err
		}
		return true, r.list(ctx, p.Listing)
	}
	return false, nil
}

// doubtWindow begins anew, user by user and without a window of time, where a full
// listing by such a window found nothing at all: nobody has worked yet, or the server
// does not answer windows as it should.
func (r *run) doubtWindow(ctx context.Context, page *paymo.Page) error {
	p := r.progress
	if !r.done() || !r.everything() || page.Rows > 0 || p.Listed > 0 || !r.StartDate.IsZero() ||
		r.resource.Window == "" || !slices.Contains(r.resource.Listings, catalog.ByParent) {
		return nil
	}
	parents, err := r.Store.IDs(ctx, r.resource.Scope.Parent)
	if err != nil || len(parents) == 0 {
		return err
	}
	p.Windowless = true
	return r.list(ctx, catalog.ByParent)
}

// unproven says why the rows read may not be all there are, none when nothing speaks
// against it: nothing can be told then of the rows that were not read.
func (r *run) unproven() Doubt {
	p := r.progress
	switch {
	case p.Doubt.some():
		return p.Doubt
	case p.Outdated > 0:
		return doubtf(CauseStale, "stale versions: Paymo answered %s in an older version than the warehouse has; they are kept as they are: "+
			"if this stays, run paymosync verify --repair %s", rows(p.Outdated), r.resource.Table)
	case p.Pages != nil && p.Pages.Ignored && p.Pages.Longest >= r.cap():
		return doubtf(CauseCutShort, "listing cut short: Paymo ignores paging and answers %d rows, which is as many as one reply can hold", p.Pages.Longest)
	case p.Pages != nil && p.Pages.Repeats:
		return doubtf(CauseUnstable, "listing unstable: after %d pages Paymo begins again with those that it has answered", p.Pages.Page)
	case p.Pages != nil && !p.Pages.Stable():
		return doubtf(CauseUnstable, "listing unstable: reading its pages twice gave %d and %d rows, or others", p.Pages.Count[0], p.Pages.Count[1])
	}
	return Doubt{}
}

// doubt says why the table may lack rows, none when nothing speaks against its being whole.
func (r *run) doubt() Doubt {
	p := r.progress
	unproven := r.unproven()
	switch {
	case unproven.some():
		return unproven
	case p.Parents != nil && len(p.Parents.Cut) > 0:
		return doubtf(CauseCutShort, "listing cut short: %d of its %s have as many rows as one reply can hold", len(p.Parents.Cut), r.parent())
	case p.Parents != nil && len(p.Parents.Denied) > 0:
		return doubtf(CauseParentDenied, "%d of its %s were denied by Paymo", len(p.Parents.Denied), r.parent())
	}
	return Doubt{}
}
