package jobs

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/catalog"
)

// batch is what the next request asks for. Parents that the warehouse has not seen yet
// are asked for by themselves, because everything of theirs is new.
func (r *run) batch() (ids []int64, fresh bool) {
	p := r.progress.Parents
	fresh = slices.Contains(p.New, p.todo[0])
	for _, id := range p.todo[:min(p.Size, len(p.todo))] {
		if slices.Contains(p.New, id) != fresh {
			break
		}
		ids = append(ids, id)
	}
	for len(ids) > 1 && !(paymo.Query{Where: r.where().In(r.resource.Scope.Filter, ids...)}).Fits() {
		ids = ids[:len(ids)/2]
	}
	return ids, fresh
}

// smaller judges the reply about a batch. It reports true when the batch has to be asked
// for again in smaller parts, because Paymo denies one of its parents, breaks down over
// it, does not take several, or has more of them than one reply can hold. An error is of
// the single parent. No page and no error: the one parent is denied.
func (r *run) smaller(ids []int64, page *paymo.Page, err error) (again bool, _ error) {
	p := r.progress.Parents
	var api *paymo.APIError
	refused := errors.As(err, &api) && (api.Denied() || api.NotFound())
	switch {
	case len(ids) == 1 && refused:
		return false, nil
	case len(ids) == 1, err == nil && page.Rows < r.cap():
		return false, err
	case badRequest(err):
		r.strikeOff(batches, "Paymo refuses several parents in one request")
		p.Size = 1
		return true, nil
	case err == nil, refused, tooMuch(err):
		p.Size = len(ids) / 2
		return true, nil
	}
	return false, err
}

// probeSingly reads the last parents again one by one, where batches brought nothing at
// all: the server may not take several in one request and not say so.
func (r *run) probeSingly(ids []int64) {
	p := r.progress.Parents
	if p.Probed || len(ids) == 1 {
		return
	}
	p.Probed, p.Ended, p.Size = true, false, 1
	p.todo = ids[max(0, len(ids)-boundaryRows):]
	p.After = p.todo[0] - 1
}

// stray finds a row of a parent that was not asked for.
func (r *run) stray(page *paymo.Page, ids []int64) (id int64, found bool) {
	column := r.resource.OwnerScope()
	if column == "" {
		return 0, false
	}
	at := columnIndex(r.resource, column)
	for i := range page.Records {
		value := page.Records[i].Values[at]
		if value.State != catalog.Set {
			continue
		}
		parent, err := strconv.ParseInt(value.Text, 10, 64)
		if err == nil && !slices.Contains(ids, parent) {
			return page.Records[i].ID, true
		}
	}
	return 0, false
}

// proveBatch makes sure that a reply about parents was not cut by a limit that nobody
// knows of, where it is longer than any that was seen whole: it is asked for again by its
// halves, of which the where is without the parents. The rows that come are added to the
// page. It reports true when the parents have to be asked for in smaller parts.
func (r *run) proveBatch(ctx context.Context, ids []int64, where paymo.Where, page *paymo.Page) (again bool, err error) {
	rows, date := page.Rows, page.Date
	if r.seenWhole(rows) || rows >= catalog.PageCap || len(page.Records) == 0 {
		return false, nil
	}
	cut := false
	for _, part := range r.halves(ids, where, page) {
		rest, _, err := r.fetch(ctx, paymo.Query{Where: part})
		if badRequest(err) {
			continue // nothing speaks against the list
		}
		if err != nil {
			return false, err
		}
		if _, stray := r.stray(rest, ids); !stray {
			cut = r.addUnseen(page, rest, date) || cut
		}
	}
	if !cut {
		r.learnWhole(rows)
		return false, nil
	}
	r.Log.Warn("learned that Paymo cuts lists", "table", r.resource.Table, "rows", rows)
	if rows < leastCap {
		r.progress.Doubt = doubtf(CauseCutShort, "listing cut short: Paymo lists no more than %d rows and has more", rows)
		return false, nil
	}
	r.learnCap(rows)
	if len(ids) > 1 {
		r.progress.Parents.Size = len(ids) / 2
	}
	return len(ids) > 1, nil
}

// seenWhole reports whether a reply of so many rows is no sign of a limit.
func (r *run) seenWhole(rows int) bool {
	longest := r.checkpoint.LongestReply
	return rows < longest || rows < leastCap && (rows == longest || !r.everything())
}

// halves ask for the parents of a batch in two parts, or for what the list of a single one
// would have left out.
func (r *run) halves(ids []int64, where paymo.Where, page *paymo.Page) (parts []paymo.Where) {
	filter := r.resource.Scope.Filter
	if n := len(ids) / 2; n > 0 {
		return []paymo.Where{where.In(filter, ids[:n]...), where.In(filter, ids[n:]...)}
	}
	for _, part := range beyond(Range{}, recordIDs(page), true) {
		parts = append(parts, where.In(filter, ids...).IDRange(part.From, part.To))
	}
	return parts
}

// proveFamilies makes sure that lists which are empty were not left so because of a limit
// that nobody knows of: their parents are asked for by themselves. It reports true when the
// parents have to be asked for in smaller parts.
func (r *run) proveFamilies(ctx context.Context, parent *catalog.Resource, ids []int64, page *paymo.Page) (again bool, err error) {
	if page.Rows == 0 || len(ids) == 1 || !r.everything() && page.Rows <= r.checkpoint.LongestReply {
		return false, nil
	}
	var empty []int64
	for _, family := range page.Families {
		if family.Children == 0 {
			empty = append(empty, family.ID)
		}
	}
	if len(empty) == 0 {
		return false, nil
	}
	alone, _, err := r.fetchChildren(ctx, paymo.Query{Where: demanded(parent).In("id", empty...)})
	if err != nil {
		return false, err
	}
	filled := func(f paymo.Family) bool { return f.Children > 0 && slices.Contains(empty, f.ID) }
	if !slices.ContainsFunc(alone.Families, filled) {
		r.learnWhole(page.Rows)
		return false, nil
	}
	r.progress.Parents.Size = len(ids) / 2
	return true, nil
}
