package jobs

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/catalog"
)

// hotWindow is how far back an incremental reads where no filter tells what changed.
const hotWindow = 21 * day

const day = 24 * time.Hour

// windowsBegin is before any time entry: Paymo began in 2008.
func windowsBegin() time.Time { return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) }

// windowsEnd is after any time entry.
func windowsEnd() time.Time { return time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC) }

// plan chooses how to list the resource, unless the run is being gone on with.
func (r *run) plan(ctx context.Context) error {
	if r.progress.Listing != 0 {
		return nil
	}
	if r.progress.Mode == Incremental {
		if r.works(filterUpdated) {
			r.progress.Since = r.checkpoint.Cursor
		} else {
			r.progress.Hot = r.resource.Window != ""
		}
	}
	if r.everything() {
		if err := r.countKnown(ctx); err != nil {
			return err
		}
	}
	return r.choose(ctx)
}

// choose begins with the first way to list the resource that is not known to fail.
func (r *run) choose(ctx context.Context) error {
	for _, listing := range r.listings() {
		if r.works(listing.String()) {
			return r.list(ctx, listing)
		}
	}
	err := fmt.Errorf("list %s: Paymo answers none of the ways that paymosync knows: %s", r.resource.Table, r.refusals())
	for _, listing := range r.resource.Listings {
		delete(r.checkpoint.Capabilities, listing.String()) // the next sync asks again
	}
	return err
}

// listings are the ways to list the resource, the best one first.
func (r *run) listings() []catalog.Listing {
	if r.progress.Mode == Backfill {
		return []catalog.Listing{catalog.ByWindow}
	}
	return r.resource.Listings
}

// list begins the listing from its start.
func (r *run) list(ctx context.Context, listing catalog.Listing) error {
	p := r.progress
	p.Listing, p.Ranges, p.Pages, p.Parents, p.Witnesses = listing, nil, nil, nil, nil
	p.Single, p.Unscoped, p.Listed, p.Doubt = false, false, 0, Doubt{}
	if listing == catalog.WithParent { // which rows are listed depends on their parents
		if err := r.followParents(ctx); err != nil {
			return err
		}
	}
	if err := r.expect(ctx); err != nil {
		return err
	}
	switch listing {
	case catalog.Single:
	case catalog.ByPage:
		p.Pages = &Pages{}
	case catalog.ByWindow:
		r.beginWindows()
	case catalog.ByParent:
		p.Parents = &Parents{}
		return r.loadParents(ctx)
	case catalog.ByID:
		p.Ranges = NewRanges(r.cap())
		if r.everything() {
			return r.listKnown(ctx)
		}
	}
	return nil
}

// beginWindows begins a listing by windows of time: all of it, or that of a backfill.
func (r *run) beginWindows() {
	p := r.progress
	p.Ranges = NewRanges(r.cap())
	days := daysBetween(p.From, p.To)
	p.Ranges.Todo = []Range{days}
	if days.From != nil { // it is known how much there is to read
		p.Ranges.Floor, p.Highest = *days.From, dayOf(p.StartedAt)
		if days.To != nil {
			p.Highest = *days.To
		}
	}
}

// mostCuts bounds what an unfinished run keeps of a table's ids.
const mostCuts = 1000

// listKnown lists by the ids that the table has: its rows say where to cut.
func (r *run) listKnown(ctx context.Context) error {
	p := r.progress
	if r.check != nil && !r.windowSince().Equal(r.StartDate) {
		return nil // most of the rows that the table has are not asked for
	}
	extent, err := r.Store.Extent(ctx, r.resource)
	if err != nil || extent.Rows == 0 {
		return err
	}
	p.Highest = extent.MaxID
	p.Witnesses = []int64{extent.MinID, extent.MaxID}
	rows, parts := int64(knownTarget(r.cap())), int64(1)
	if extent.Rows <= rows {
		return nil
	}
	if extent.Rows > rows*mostCuts { // between the cuts there is to be guessed
		rows = int64(target(r.cap()))
		parts = 1 + extent.Rows/(rows*mostCuts)
	}
	cuts, err := r.Store.Cuts(ctx, r.resource, rows*parts)
	if err != nil {
		return err
	}
	p.Ranges = NewKnownRanges(r.cap(), extent.MinID, extent.MaxID, cuts, parts)
	return nil
}

// done reports whether everything was read.
func (r *run) done() bool {
	p := r.progress
	switch {
	case p.Ranges != nil:
		return len(p.Ranges.Todo) == 0 && (p.Unscoped || !r.hasUnscoped())
	case p.Pages != nil:
		return p.Pages.Ended
	case p.Parents != nil:
		return p.Parents.Ended
	default:
		return p.Single
	}
}

// step reads the next slice.
func (r *run) step(ctx context.Context) error {
	switch p := r.progress; {
	case p.Ranges != nil && len(p.Ranges.Todo) == 0:
		p.Unscoped, p.Ranges, p.Witnesses = true, NewRanges(r.cap()), nil
		if p.Listing == catalog.ByWindow {
			r.beginWindows()
		}
		return r.readRange(ctx)
	case p.Ranges != nil:
		return r.readRange(ctx)
	case p.Pages != nil:
		return r.readPage(ctx)
	case p.Listing == catalog.WithParent:
		return r.readFamilies(ctx)
	case p.Parents != nil:
		return r.readParents(ctx)
	default:
		return r.readSingle(ctx)
	}
}

// left is the share that is still to be read.
func (r *run) left() (share float64, known bool) {
	p := r.progress
	switch {
	case r.done():
		return 0, true
	case p.Ranges != nil:
		return p.Ranges.Left(p.Highest)
	}
	return 1, false
}

// where is the condition that every request of the listing carries.
func (r *run) where() paymo.Where {
	var where paymo.Where
	listing := r.progress.Listing
	byRows := listing == catalog.ByID || listing == catalog.ByPage
	switch {
	case r.resource.Window != "":
		if byRows || listing != catalog.ByWindow && !r.begin().Equal(windowsBegin()) {
			where = where.Interval(r.resource.Window, r.begin(), windowsEnd())
		}
	case r.progress.Unscoped:
		where = where.IsNull(r.resource.Scope.Filter)
	case r.scoped() && (byRows || listing == catalog.ByWindow):
		where = where.AtLeast(r.resource.Scope.Filter, 1)
	}
	if !r.progress.Since.IsZero() {
		where = where.UpdatedSince(r.progress.Since)
	}
	return where
}

// scoped reports whether lists demand a filter on the rows' parent.
func (r *run) scoped() bool { return r.resource.Strict != "" && r.resource.Window == "" }

// hasUnscoped reports whether rows without a parent are to be listed beside the others.
func (r *run) hasUnscoped() bool {
	return r.resource.Scope.Optional && r.progress.Ranges != nil && r.works(filterUnscoped)
}

// begin is where windows begin: a day early, because Paymo places them in UTC and
// people in their own zone.
func (r *run) begin() time.Time {
	if since := r.windowSince(); !since.IsZero() {
		return since.Add(-day)
	}
	return windowsBegin()
}

// windowSince is the time before which rows of a resource with windows are left out;
// zero: none are.
func (r *run) windowSince() time.Time {
	switch {
	case r.resource.Window == "":
		return time.Time{}
	case r.check != nil:
		return later(r.check.since, r.StartDate)
	case r.progress.Hot:
		return later(r.progress.StartedAt.Add(-hotWindow).Truncate(day), r.StartDate)
	}
	return r.StartDate
}

func (r *run) readSingle(ctx context.Context) error {
	page, at, err := r.fetch(ctx, paymo.Query{})
	if err != nil {
		return err
	}
	r.progress.Single = true
	r.progress.Listed = int64(page.Rows)
	return r.apply(ctx, page, at, nil)
}

func (r *run) readPage(ctx context.Context) error {
	p := r.progress.Pages
	page, at, err := r.fetch(ctx, paymo.Query{Where: r.where(), Page: p.Page, PageSize: pageSize})
	if err != nil {
		return r.refused(ctx, err, catalog.ByPage)
	}
	if restarted, err := r.checkSince(ctx, page, p.Page == 0); err != nil {
		return err
	} else if !restarted {
		p.Done(page.Rows, recordIDs(page))
		r.progress.Listed = int64(p.Count[0])
	}
	return r.apply(ctx, page, at, r.rest())
}

// readTimers reads the running timers, which updated_on need not tell of.
func (r *run) readTimers(ctx context.Context) error {
	if r.resource.Table != "time_entries" || r.progress.Timers || !r.works(filterTimers) || r.progress.Since.IsZero() {
		return nil
	}
	return r.page(ctx, "running timers", r.readRunning)
}

func (r *run) readRunning(ctx context.Context) error {
	where := paymo.Where{}.Interval(r.resource.Window, r.begin(), windowsEnd()).IsNull("end_time")
	page, at, err := r.fetch(ctx, paymo.Query{Where: where})
	switch {
	case badRequest(err):
		r.strikeOff(filterTimers, err.Error())
		return nil
	case err != nil:
		return err
	case page.Rows >= r.cap():
		r.strikeOff(filterTimers, fmt.Sprintf("it is answered with %d rows: it does not tell running timers from bulk entries", page.Rows))
	}
	r.progress.Timers = true
	return r.apply(ctx, page, at, nil)
}

// relist goes on with the next way to list the resource.
func (r *run) relist(ctx context.Context) error {
	r.progress.Listing = 0
	return r.choose(ctx)
}

// everything reports whether the listing is of all the rows that Paymo has.
func (r *run) everything() bool {
	p := r.progress
	return p.Since.IsZero() && !p.Hot && p.Mode != Backfill && (p.Parents == nil || p.Parents.Since.IsZero() && !p.Parents.Active)
}

func recordIDs(page *paymo.Page) []int64 {
	ids := make([]int64, len(page.Records))
	for i := range page.Records {
		ids[i] = page.Records[i].ID
	}
	return ids
}

// columnIndex finds a column among the values of the resource's records.
func columnIndex(resource *catalog.Resource, name string) int {
	return slices.IndexFunc(resource.Stored(), func(c catalog.Column) bool { return c.Name == name })
}
