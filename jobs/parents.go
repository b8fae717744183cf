package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// batches is the name under which it is learned whether Paymo takes several parents in
// one request.
const batches = "batches of parents"

// mostParents is how many parents one request asks for: with their children they come
// to far fewer objects than a reply can hold, and the query stays short.
const mostParents = 100

// Parents reads a resource by its parents, a batch a request. A parent that is denied
// costs that parent and is recorded.
type Parents struct {
	After  int64     `json:"after"`            // the last parent that was read
	Size   int       `json:"size"`             // parents in a request
	Denied []int64   `json:"denied,omitempty"` // parents that Paymo denied
	Cut    []int64   `json:"cut,omitempty"`    // parents whose list was as long as a reply can be
	New    []int64   `json:"new,omitempty"`    // parents that the warehouse did not have when the listing began
	Since  time.Time `json:"since,omitzero"`   // only parents whose rows were written since then
	Moved  time.Time `json:"moved,omitzero"`   // and those that changed since then, by Paymo's clock
	Active bool      `json:"active,omitempty"` // only parents in which something moved of late
	Until  time.Time `json:"until,omitzero"`   // parents' rows were known up to then, by the database's clock
	Fresh  time.Time `json:"fresh,omitzero"`   // the parents' own table was fresh as of then
	Empty  int       `json:"empty,omitempty"`  // parents in replies in which no parent had children
	Probed bool      `json:"probed,omitempty"` // that nothing was found was looked into
	Ended  bool      `json:"ended,omitempty"`
	todo   []int64
}

// loadParents reads which parents there are, as far as they were not read yet.
func (r *run) loadParents(ctx context.Context) error {
	p := r.progress.Parents
	if p.Size == 0 {
		p.Size = mostParents
	}
	if !r.works(batches) {
		p.Size = 1
	}
	ids, err := r.parentIDs(ctx)
	if err != nil {
		return err
	}
	p.todo = slices.DeleteFunc(ids, func(id int64) bool { return id <= p.After })
	p.Ended = len(p.todo) == 0
	return nil
}

// parentIDs are the parents to ask for, least first.
func (r *run) parentIDs(ctx context.Context) ([]int64, error) {
	p := r.progress.Parents
	if !p.Since.IsZero() {
		ids, err := r.Store.Changed(ctx, r.parent(), p.Since, p.Moved)
		if err != nil || len(r.checkpoint.Denied) == 0 {
			return ids, err
		}
		all, err := r.knownParents(ctx)
		return slices.Compact(slices.Sorted(slices.Values(append(ids, common(r.checkpoint.Denied, all)...)))), err
	}
	ids, err := r.knownParents(ctx)
	if err != nil || r.progress.Listing == catalog.WithParent {
		return ids, err
	}
	all := ids
	if r.progress.Mode == Incremental && !r.works(batches) {
		// A request for each parent is too much for every sync: only where something moves.
		p.Active = true
		if ids, err = r.Store.Active(ctx, r.resource, r.parent(), r.progress.StartedAt.Add(-hotWindow)); err != nil {
			return nil, err
		}
	}
	served, err := r.servedParents(ctx, all)
	if err != nil {
		return nil, err
	}
	for _, id := range served {
		if _, known := slices.BinarySearch(all, id); !known && !slices.Contains(p.New, id) {
			p.New = append(p.New, id)
		}
	}
	// What was denied is read whole when it is not any more, and so is, where not every
	// parent is read each time, one in which something moves again.
	again := common(r.checkpoint.Denied, all)
	if p.Active {
		again = append(again, ids...)
	}
	for _, id := range again {
		if !slices.Contains(p.New, id) {
			p.New = append(p.New, id)
		}
	}
	if ids = slices.Compact(slices.Sorted(slices.Values(append(ids, p.New...)))); len(ids)+len(all) > 0 {
		return ids, nil
	}
	_, known, err := r.parentCheckpoint(ctx, r.parent())
	if err == nil && !known {
		err = fmt.Errorf("list %s by its %s: that table is empty, sync it first", r.resource.Table, r.parent())
	}
	return nil, err
}

// knownParents are the parents that the warehouse has, or will have by then, least first.
func (r *run) knownParents(ctx context.Context) ([]int64, error) {
	if r.rehearsal != nil {
		return r.rehearsal.parents(ctx, r.parent())
	}
	return r.Store.IDs(ctx, r.parent())
}

// common are the ids that both have; the second ones are sorted.
func common(ids, sorted []int64) []int64 {
	return slices.DeleteFunc(slices.Clone(ids), func(id int64) bool {
		_, found := slices.BinarySearch(sorted, id)
		return !found
	})
}

// parent is the table of the resource's parents.
func (r *run) parent() string {
	if r.progress.Listing == catalog.WithParent {
		return r.resource.Embedded.Parent
	}
	return r.resource.Scope.Parent
}

// servedParents are the parents that Paymo has now, beyond those that are known: rows
// of one that was made a moment ago must not wait for its own table's sync. Where Paymo
// does not list them, the table that has them is as good as it is fresh.
func (r *run) servedParents(ctx context.Context, known []int64) ([]int64, error) {
	resource, ok := catalog.Lookup(r.parent())
	if !ok {
		return nil, fmt.Errorf("list %s by its %s: there is no such table", r.resource.Table, r.parent())
	}
	if resource.Strict != "" {
		return nil, r.trustParents(ctx)
	}
	var served []int64
	query := paymo.Query{}
	for {
		page, _, err := r.askFor(ctx, resource, query)
		var api *paymo.APIError
		switch {
		case errors.As(err, &api) && (api.Denied() || api.NotFound() || badRequest(err)):
			return served, r.trustParents(ctx)
		case err != nil:
			return nil, err
		}
		if !page.Date.IsZero() {
			r.knownUntil(page.Date)
		}
		served = append(served, recordIDs(page)...)
		switch {
		case page.Rows < catalog.PageCap:
			return served, nil
		case len(known) == 0 || len(query.Where.String()) > 0:
			r.progress.Doubt = doubtf(CauseCutShort, "listing cut short: its %s are more than one reply can hold: sync %s first", r.parent(), r.parent())
			return served, nil
		}
		above := plus(known[len(known)-1], 1) // such a list may be cut: ask for the new ones alone
		query.Where = query.Where.IDRange(&above, nil)
	}
}

// trustParents lists by the parents that the warehouse has.
func (r *run) trustParents(ctx context.Context) error {
	parent, whole, err := r.parentCheckpoint(ctx, r.parent())
	if err != nil {
		return err
	}
	if !whole || parent.FreshAsOf.IsZero() {
		return &ParentsError{Table: r.resource.Table, Parent: r.parent()}
	}
	r.knownUntil(parent.FreshAsOf)
	return nil
}

// knownUntil keeps the cursor from passing what parents bring that were made after the
// time.
func (r *run) knownUntil(made time.Time) {
	if p := r.progress; !p.Heard || made.Before(p.Horizon) {
		p.Heard, p.Horizon = true, made
	}
}

// reload makes sure that it is known which parents are still to be read. It reports
// false when there are none any more.
func (r *run) reload(ctx context.Context) (bool, error) {
	p := r.progress.Parents
	if p.todo != nil {
		return true, nil
	}
	if err := r.loadParents(ctx); err != nil || !p.Ended {
		return err == nil, err
	}
	return false, r.applyNothing(ctx)
}

func (r *run) readParents(ctx context.Context) error {
	if ready, err := r.reload(ctx); !ready {
		return err
	}
	p := r.progress.Parents
	ids, fresh := r.batch()
	since := r.progress.Since
	if fresh {
		r.progress.Since = time.Time{} // nothing of them was read yet
	}
	whole := r.progress.Since.IsZero()
	where := r.where()
	r.progress.Since = since
	page, at, err := r.fetch(ctx, paymo.Query{Where: where.In(r.resource.Scope.Filter, ids...)})
	if err == nil && page.Rows > r.cap() && r.cap() < catalog.PageCap {
		r.checkpoint.PageCap = 0 // it is no limit
	}
	again, err := r.smaller(ids, page, err)
	if again {
		return nil
	}
	if err != nil {
		return r.refused(ctx, err, catalog.ByParent)
	}
	if p.Probed && page != nil && page.Rows > 0 && r.works(batches) {
		r.strikeOff(batches, fmt.Sprintf("several parents in one request brought nothing, and %s %d has rows", r.resource.Scope.Filter, ids[0]))
		if err := r.list(ctx, catalog.ByParent); err != nil {
			return err
		}
		return r.apply(ctx, page, at, nil)
	}
	var slice *sink.Slice
	if page == nil { // this one parent is denied
		p.Denied = append(p.Denied, ids...)
		page = &paymo.Page{}
		if at, err = r.Store.Now(ctx); err != nil {
			return err
		}
	} else {
		if stray, found := r.stray(page, ids); found {
			return r.abandon(ctx, fmt.Sprintf("the reply held row %d, which is not of a parent that was asked for", stray))
		}
		if again, err := r.proveBatch(ctx, ids, where, page); err != nil || again {
			return err
		}
		if page.Rows >= r.cap() {
			p.Cut = append(p.Cut, ids...)
		} else if whole {
			slice = r.ofParents(ids, page)
		}
	}
	if !fresh {
		if _, err := r.checkSince(ctx, page, false); err != nil {
			return err
		}
	}
	p.After, p.todo = ids[len(ids)-1], p.todo[len(ids):]
	p.Ended = len(p.todo) == 0
	r.progress.Listed += int64(page.Rows)
	r.learnWindowless(ids, page)
	if p.Ended && r.progress.Listed == 0 {
		if !r.progress.Since.IsZero() {
			if _, err := r.checkBoundary(ctx, page); err != nil {
				return err
			}
		} else {
			r.probeSingly(ids)
		}
	}
	return r.apply(ctx, page, at, slice)
}

// ofParents are all rows of the parents, as far as the page tells them.
func (r *run) ofParents(ids []int64, page *paymo.Page) *sink.Slice {
	column := r.resource.OwnerScope()
	r.progress.Rejected = r.progress.Rejected || len(page.Rejects) > 0
	if len(page.Rejects) > 0 || column == "" || r.everything() && r.eliminates() {
		return &sink.Slice{Rest: true}
	}
	return &sink.Slice{Column: column, Parents: ids, Since: r.windowSince()}
}

// learnWindowless strikes windows off when parents have rows that windows did not show.
func (r *run) learnWindowless(ids []int64, page *paymo.Page) {
	if !r.progress.Windowless || page.Rows == 0 {
		return
	}
	for _, listing := range []catalog.Listing{catalog.ByID, catalog.ByWindow} {
		r.strikeOff(listing.String(), fmt.Sprintf("by %s nothing is listed, and %s %d has rows", r.resource.Window, r.resource.Scope.Filter, ids[0]))
	}
	r.progress.Windowless = false
}
