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

// ParentsError means that a table comes with the rows of another one, which was never
// read whole.
type ParentsError struct{ Table, Parent string }

func (e *ParentsError) Error() string {
	return fmt.Sprintf("%s come with their %s, which were not read whole yet: sync %s first", e.Table, e.Parent, e.Parent)
}

// awaitParents makes sure that the rows which a table comes with were read whole, where
// Paymo serves them.
func (r *run) awaitParents(ctx context.Context) error {
	if r.resource.Listings[0] != catalog.WithParent {
		return nil
	}
	parent, whole, err := r.parentCheckpoint(ctx, r.resource.Embedded.Parent)
	if err != nil || whole || parent.State == sink.StateUnavailable && parent.Reason != sink.Unsynced {
		return err
	}
	return &ParentsError{Table: r.resource.Table, Parent: r.resource.Embedded.Parent}
}

// parentCheckpoint is the checkpoint of a table of parents, and whether that table was
// read whole, as it is laid out now.
func (r *run) parentCheckpoint(ctx context.Context, table string) (checkpoint sink.Checkpoint, whole bool, err error) {
	resource, ok := catalog.Lookup(table)
	if !ok {
		return checkpoint, false, fmt.Errorf("list %s by its %s: there is no such table", r.resource.Table, table)
	}
	checkpoint, err = r.Store.Checkpoint(ctx, table)
	if r.rehearsal.comesFirst(table) {
		checkpoint.FreshAsOf = later(checkpoint.FreshAsOf, r.begun)
		return checkpoint, true, err
	}
	return checkpoint, !checkpoint.FullAt.IsZero() && checkpoint.Layout == r.layout(resource), err
}

// followParents begins a listing of rows that come with their parents: those of every
// parent that the warehouse has, or, in an incremental, of the parents whose rows were
// written since the last one. The rows are as fresh as their parents' table is.
func (r *run) followParents(ctx context.Context) error {
	parent, err := r.Store.Checkpoint(ctx, r.resource.Embedded.Parent)
	if err != nil {
		return err
	}
	var until time.Time
	if r.rehearsal == nil { // it would wait for a page that is being written
		if until, err = r.Store.WrittenUntil(ctx, r.resource.Embedded.Parent); err != nil {
			return err
		}
	}
	p := &Parents{Until: until, Fresh: parent.FreshAsOf}
	if r.progress.Mode == Incremental {
		// A parent may change again within the second in which it was read, and look as it did.
		p.Since, p.Moved = r.checkpoint.ParentsAt, r.checkpoint.FreshAsOf.Add(-time.Second)
	}
	r.progress.Parents = p
	return r.loadParents(ctx)
}

// readFamilies reads the next parents with their children.
func (r *run) readFamilies(ctx context.Context) error {
	if ready, err := r.reload(ctx); !ready {
		return err
	}
	p := r.progress.Parents
	ids, _ := r.batch()
	parent, ok := catalog.Lookup(r.parent())
	if !ok {
		return fmt.Errorf("list %s with its %s: there is no such table", r.resource.Table, r.parent())
	}
	page, at, err := r.fetchChildren(ctx, paymo.Query{Where: demanded(parent).In("id", ids...)})
	var api *paymo.APIError
	refused := errors.As(err, &api) && (api.Denied() || api.NotFound())
	switch {
	case refused && len(ids) > 1:
		p.Size = len(ids) / 2
		return nil
	case refused && (r.progress.Heard || len(p.todo) > 1 && len(p.Denied) == 0):
		return r.denyFamily(ctx, ids)
	case badRequest(err), len(ids) == 1 && internalError(err):
		return r.refused(ctx, err, catalog.WithParent)
	case len(ids) > 1 && tooMuch(err):
		p.Size = len(ids) / 2
		return nil
	case err != nil:
		return err
	}
	if reason := r.misleads(ids, page); reason != "" {
		return r.abandon(ctx, reason)
	}
	smaller, err := r.tooFew(ctx, ids, page)
	if err != nil {
		return err
	}
	if (smaller || page.Rows >= r.cap()) && len(ids) > 1 {
		p.Size = len(ids) / 2
		return nil
	}
	if again, err := r.proveFamilies(ctx, parent, ids, page); err != nil || again {
		return err
	}
	if emptied, err := r.emptied(ctx, ids, page); err != nil || emptied {
		return err
	}
	var listed []int64
	for _, id := range ids {
		if page.Rows >= r.cap() {
			p.Cut = append(p.Cut, id)
			continue
		}
		if family, found := familyOf(page, id); !found || family.Listed {
			listed = append(listed, id)
		} else {
			p.Denied = append(p.Denied, id)
		}
	}
	p.After, p.todo = ids[len(ids)-1], p.todo[len(ids):]
	p.Ended = len(p.todo) == 0
	p.Size = min(mostParents, 2*p.Size)
	r.progress.Listed += int64(page.Rows)
	return r.apply(ctx, page, at, r.ofParents(listed, page))
}

// denyFamily goes on without a parent that Paymo denies. Where it denies the first one and
// the next, it is the table that it denies.
func (r *run) denyFamily(ctx context.Context, ids []int64) error {
	p := r.progress.Parents
	p.Denied = append(p.Denied, ids...)
	p.After, p.todo = ids[len(ids)-1], p.todo[len(ids):]
	p.Ended = len(p.todo) == 0
	return r.applyNothing(ctx)
}

func familyOf(page *paymo.Page, parent int64) (paymo.Family, bool) {
	i := slices.IndexFunc(page.Families, func(f paymo.Family) bool { return f.ID == parent })
	if i < 0 {
		return paymo.Family{}, false
	}
	return page.Families[i], true
}

// misleads says why the reply is not about the parents that were asked for, "" when it
// is. A parent that is missing may be gone: its children are asked for by themselves.
func (r *run) misleads(ids []int64, page *paymo.Page) string {
	listed := len(page.Families) == 0
	for _, family := range page.Families {
		if !slices.Contains(ids, family.ID) {
			return fmt.Sprintf("the reply held %s row %d, which was not asked for", r.parent(), family.ID)
		}
		listed = listed || family.Listed
	}
	if !listed {
		return fmt.Sprintf("the reply's %s come without their %s", r.parent(), r.resource.Embedded.Include)
	}
	return ""
}

// tooFew reports whether an empty list in the reply is no evidence: a reply holds a
// limited number of objects of a type, and beyond it lists are left empty (paymo-org/api
// issue 68). So it may be where the reply holds many, or where the warehouse has some.
func (r *run) tooFew(ctx context.Context, ids []int64, page *paymo.Page) (bool, error) {
	const many = 4 // a share of the limit that says that there are many
	empty := slices.ContainsFunc(page.Families, func(f paymo.Family) bool { return f.Children == 0 })
	if !empty {
		return false, nil
	}
	if page.Rows >= r.cap()/many {
		return true, nil
	}
	known, err := r.Store.Family(ctx, r.resource, r.resource.OwnerScope(), ids)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(page.Families, func(f paymo.Family) bool { return f.Children == 0 && known[f.ID] > 0 }), nil
}

// emptied looks, where no parent of the reply has children, into whether Paymo leaves
// such lists empty: it lists the children by themselves. It reports true when they are
// there, and the listing began again without their parents.
func (r *run) emptied(ctx context.Context, ids []int64, page *paymo.Page) (bool, error) {
	p := r.progress.Parents
	if page.Rows > 0 || len(page.Families) == 0 {
		return false, nil
	}
	own, _, err := r.askFor(ctx, r.resource, paymo.Query{Where: paymo.Where{}.In(r.resource.Scope.Filter, ids...)})
	var api *paymo.APIError
	switch {
	case errors.As(err, &api) && (badRequest(err) || api.Denied() || api.NotFound()):
		p.Empty += len(ids) // nobody can tell
		if p.Empty > boundaryRows && len(p.todo) == len(ids) && r.progress.Listed == 0 {
			r.progress.Doubt = doubtf(CauseNested, "none of %d %s has %s in it: Paymo may leave such lists empty, and does not list them by themselves",
				p.Empty, r.parent(), r.resource.Table)
		}
		return false, nil
	case err != nil:
		return false, err
	}
	if _, stray := r.stray(own, ids); stray || own.Rows == 0 {
		return false, nil
	}
	return true, r.abandon(ctx, fmt.Sprintf("the lists in its %s are empty, and by themselves %d rows are listed", r.parent(), own.Rows))
}
