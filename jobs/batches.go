package jobs

import (
	"context"
	"fmt"
	"slices"

	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/catalog"
)

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
		r.progress.Doubt = fmt.Sprintf("listing cut short: Paymo lists no more than %d rows and has more", rows)
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
