package jobs

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/catalog"
)

// filterIDs is the name under which it is learned whether Paymo lists rows by their ids.
const filterIDs = "id filter"

// mostIDs is how many rows one request asks for by their ids.
const mostIDs = 100

// mostSentinels is how many rows that are known to live are asked for beside others.
const mostSentinels = 4

// verdict is what Paymo says of rows that it was asked for by their ids.
type verdict struct {
	found  []reply
	gone   []int64 // shown not to exist
	unsure []int64 // neither shown nor denied to exist
	bare   bool    // gone on Paymo's word alone: no row is known that it does show
}

// reply is a page and when it was asked for.
type reply struct {
	page *paymo.Page
	at   time.Time
}

// and adds what another answer says.
func (v verdict) and(other verdict) verdict {
	return verdict{
		found:  append(v.found, other.found...),
		gone:   append(v.gone, other.gone...),
		unsure: append(v.unsure, other.unsure...),
		bare:   v.bare || other.bare,
	}
}

// lookup asks for rows of a resource by their ids, at most mostIDs, together where Paymo
// lists by ids and else one by one.
//
// A row counts as gone only where the reply tells of rows at all: it must hold the
// sentinels, rows that are known to live, and nothing that was not asked for, and it must
// not be cut.
func (r *run) lookup(ctx context.Context, resource *catalog.Resource, ids []int64) (verdict, error) {
	var v verdict
	if len(ids) == 0 {
		return v, nil
	}
	sentinels, err := r.sentinels(ctx, resource, ids)
	if err != nil {
		return v, err
	}
	longest, err := r.longestList(ctx, resource)
	if err != nil {
		return v, err
	}
	left := ids
	if len(sentinels) > 0 && listsTell(resource) && r.works(filterIDs) {
		if left, err = r.lookupTogether(ctx, resource, ids, sentinels, longest, &v); err != nil {
			return v, err
		}
	}
	more, err := r.lookupSingly(ctx, resource, left)
	return v.and(more), err
}

// listsTell reports whether a row that lists lack may be taken for gone: not where lists
// may hide archived rows, and not where a filter that lists demand may hide some.
func listsTell(resource *catalog.Resource) bool {
	_, archived := resource.Column("active")
	return !archived && !resource.Scope.Optional
}

// sentinels are rows that are known to live.
func (r *run) sentinels(ctx context.Context, resource *catalog.Resource, except []int64) ([]int64, error) {
	if r.living != nil && resource == r.resource {
		return slices.DeleteFunc(slices.Clone(r.living), func(id int64) bool { return slices.Contains(except, id) }), nil
	}
	ids, err := r.lease.Sentinels(ctx, resource, mostSentinels)
	return slices.DeleteFunc(ids, func(id int64) bool { return slices.Contains(except, id) }), err
}

// longestList is how many rows a list of the resource is known to hold uncut.
func (r *run) longestList(ctx context.Context, resource *catalog.Resource) (int, error) {
	if resource == r.resource {
		return max(r.progress.Longest, r.checkpoint.LongestReply), nil
	}
	checkpoint, err := r.Store.Checkpoint(ctx, resource.Table)
	return checkpoint.LongestReply, err
}

// lookupTogether asks for all rows in one request. It returns those about which that
// told nothing: rows that the demanded filter may hide among them.
func (r *run) lookupTogether(ctx context.Context, resource *catalog.Resource, ids, sentinels []int64, longest int, v *verdict) (left []int64, err error) {
	// The sentinels come last: a server that takes only some of the ids drops them.
	asked := append(slices.Clone(ids), sentinels...)
	page, at, err := r.askFor(ctx, resource, paymo.Query{Where: demanded(resource).In("id", asked...)})
	var api *paymo.APIError
	switch {
	case badRequest(err):
		if resource == r.resource {
			r.strikeOff(filterIDs, err.Error())
		}
		return ids, nil
	case errors.As(err, &api) && (api.Denied() || api.NotFound()):
		return ids, nil
	case err != nil:
		return nil, err
	}
	found := recordIDs(page)
	if slices.ContainsFunc(found, func(id int64) bool { return !slices.Contains(asked, id) }) {
		if resource == r.resource {
			r.strikeOff(filterIDs, "the reply held rows that were not asked for")
		}
		return ids, nil
	}
	v.found = append(v.found, reply{page, at})
	missing := slices.DeleteFunc(slices.Clone(ids), func(id int64) bool { return slices.Contains(found, id) })
	if len(page.Rejects) > 0 || !uncut(found, missing, sentinels, longest) {
		return missing, nil
	}
	v.gone = append(v.gone, missing...)
	return nil, nil
}

// uncut reports whether a reply would have held the missing rows too if they were there:
// it holds all sentinels, and either as many rows as they are all together were listed
// before, or it is in the order of the ids, from a sentinel below the missing rows to one
// above them.
func uncut(found, missing, sentinels []int64, longest int) bool {
	if slices.ContainsFunc(sentinels, func(id int64) bool { return !slices.Contains(found, id) }) {
		return false
	}
	if len(missing) == 0 || len(found)+len(missing) <= longest {
		return true
	}
	backward := slices.Clone(found)
	slices.Reverse(backward)
	inOrder := slices.IsSorted(found) || slices.IsSorted(backward)
	return inOrder && slices.Min(sentinels) < slices.Min(missing) && slices.Max(missing) < slices.Max(sentinels)
}

// demanded is a filter that every row meets, or nearly every one, where the resource's
// list demands one.
func demanded(resource *catalog.Resource) paymo.Where {
	var where paymo.Where
	switch {
	case resource.Window != "":
		return where.Interval(resource.Window, windowsBegin(), windowsEnd())
	case resource.Strict != "":
		return where.AtLeast(resource.Scope.Filter, 1)
	}
	return where
}

// lookupSingly asks for one row after the other. One counts as gone where it is answered
// with a 404 in Paymo's own words, and a sentinel is answered; a row that is denied is no
// evidence.
func (r *run) lookupSingly(ctx context.Context, resource *catalog.Resource, ids []int64) (verdict, error) {
	var v verdict
	var gone []int64
	for _, id := range ids {
		page, at, err := r.findIn(ctx, resource, id)
		var api *paymo.APIError
		switch {
		case errors.As(err, &api) && api.Gone():
			gone = append(gone, id)
		case errors.As(err, &api) && (api.NotFound() || api.Denied()), err == nil && !shows(page, id):
			v.unsure = append(v.unsure, id)
		case err != nil:
			return v, err
		default:
			v.found = append(v.found, reply{page, at})
		}
	}
	if len(gone) == 0 {
		return v, nil
	}
	sentinels, err := r.sentinels(ctx, resource, ids)
	if err != nil {
		return v, err
	}
	answered := len(v.found) > 0 || len(sentinels) == 0
	v.bare = len(v.found) == 0 && len(sentinels) == 0
	for i := 0; i < len(sentinels) && !answered; i++ {
		page, at, err := r.findIn(ctx, resource, sentinels[i])
		var api *paymo.APIError
		if err != nil && !errors.As(err, &api) {
			return v, err
		}
		if answered = err == nil && shows(page, sentinels[i]); answered {
			v.found = append(v.found, reply{page, at})
		}
	}
	if answered {
		v.gone = append(v.gone, gone...)
	} else {
		v.unsure = append(v.unsure, gone...)
	}
	return v, nil
}
