package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/catalog"
)

// Parents reads a resource one parent at a time. A parent that is denied costs that
// parent and is recorded.
type Parents struct {
	After  int64   `json:"after"`            // the last parent that was read
	Denied []int64 `json:"denied,omitempty"` // parents that Paymo denied
	Cut    []int64 `json:"cut,omitempty"`    // parents whose list was as long as a reply can be
	New    []int64 `json:"new,omitempty"`    // parents that the warehouse did not have when the listing began
	Ended  bool    `json:"ended,omitempty"`
	todo   []int64
}

// loadParents reads which parents there are, as far as they were not read yet.
func (r *run) loadParents(ctx context.Context) error {
	ids, err := r.Store.IDs(ctx, r.resource.Scope.Parent)
	if err != nil {
		return err
	}
	p := r.progress.Parents
	served, err := r.servedParents(ctx, ids)
	if err != nil {
		return err
	}
	for _, id := range served {
		if _, known := slices.BinarySearch(ids, id); !known && !slices.Contains(p.New, id) {
			p.New = append(p.New, id)
		}
	}
	ids = slices.Compact(slices.Sorted(slices.Values(append(ids, p.New...))))
	p.todo = slices.DeleteFunc(ids, func(id int64) bool { return id <= p.After })
	if len(ids) == 0 {
		return fmt.Errorf("list %s by its %s: that table is empty, sync it first", r.resource.Table, r.resource.Scope.Parent)
	}
	p.Ended = len(p.todo) == 0
	return nil
}

// servedParents are the parents that Paymo has now, beyond those that are known: rows
// of one that was made a moment ago must not wait for its own table's sync. Where Paymo
// does not list them, the table that has them is as good as it is fresh.
func (r *run) servedParents(ctx context.Context, known []int64) ([]int64, error) {
	resource, ok := catalog.Lookup(r.resource.Scope.Parent)
	if !ok {
		return nil, fmt.Errorf("list %s by its %s: there is no such table", r.resource.Table, r.resource.Scope.Parent)
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
		if page.Rows < catalog.PageCap || len(known) == 0 || len(query.Where.String()) > 0 {
			return served, nil
		}
		above := plus(known[len(known)-1], 1) // such a list may be cut: ask for the new ones alone
		query.Where = query.Where.IDRange(&above, nil)
	}
}

// trustParents lists by the parents that the warehouse has.
func (r *run) trustParents(ctx context.Context) error {
	parent, err := r.Store.Checkpoint(ctx, r.resource.Scope.Parent)
	if err != nil {
		return err
	}
	if parent.FreshAsOf.IsZero() {
		r.progress.Doubt = fmt.Sprintf("Paymo does not list its %s, and that table was never read whole", r.resource.Scope.Parent)
		return nil
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

func (r *run) readParent(ctx context.Context) error {
	p := r.progress.Parents
	if p.todo == nil {
		if err := r.loadParents(ctx); err != nil {
			return err
		}
		if p.Ended { // the parents that were left are gone
			at, err := r.Store.Now(ctx)
			if err != nil {
				return err
			}
			return r.apply(ctx, &paymo.Page{}, at)
		}
	}
	id := p.todo[0]
	since := r.progress.Since
	if slices.Contains(p.New, id) {
		r.progress.Since = time.Time{} // nothing of it was read yet
	}
	query := paymo.Query{Where: r.where().Equal(r.resource.Scope.Filter, id)}
	r.progress.Since = since
	page, at, err := r.fetch(ctx, query)
	var api *paymo.APIError
	switch {
	case errors.As(err, &api) && (api.Denied() || api.NotFound()):
		p.Denied = append(p.Denied, id)
		page = &paymo.Page{}
		if at, err = r.Store.Now(ctx); err != nil {
			return err
		}
	case err != nil:
		return r.refused(ctx, err, catalog.ByParent)
	case page.Rows >= r.cap():
		p.Cut = append(p.Cut, id)
	}
	if !slices.Contains(p.New, id) {
		if _, err := r.checkSince(ctx, page, false); err != nil {
			return err
		}
	}
	p.After, p.todo = id, p.todo[1:]
	p.Ended = len(p.todo) == 0
	r.progress.Listed += int64(page.Rows)
	if r.progress.Windowless && page.Rows > 0 {
		for _, listing := range []catalog.Listing{catalog.ByID, catalog.ByWindow} {
			r.strikeOff(listing.String(), fmt.Sprintf("by %s nothing is listed, and %s %d has rows", r.resource.Window, r.resource.Scope.Filter, id))
		}
		r.progress.Windowless = false
	}
	if p.Ended && r.progress.Listed == 0 && !r.progress.Since.IsZero() {
		if _, err := r.checkBoundary(ctx, page); err != nil {
			return err
		}
	}
	return r.apply(ctx, page, at)
}
