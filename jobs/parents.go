package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/catalog"
)

// Parents reads a resource one parent at a time. A parent that is denied costs that
// parent and is recorded.
type Parents struct {
	After  int64   `json:"after"`            // the last parent that was read
	Denied []int64 `json:"denied,omitempty"` // parents that Paymo denied
	Cut    []int64 `json:"cut,omitempty"`    // parents whose list was as long as a reply can be
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
	p.todo = slices.DeleteFunc(ids, func(id int64) bool { return id <= p.After })
	if len(ids) == 0 {
		return fmt.Errorf("list %s by its %s: that table is empty, sync it first", r.resource.Table, r.resource.Scope.Parent)
	}
	p.Ended = len(p.todo) == 0
	return nil
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
	query := paymo.Query{Where: r.where().Equal(r.resource.Scope.Filter, id)}
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
		return err
	case page.Rows >= r.cap():
		p.Cut = append(p.Cut, id)
	}
	if _, err := r.checkSince(ctx, page, false); err != nil {
		return err
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
