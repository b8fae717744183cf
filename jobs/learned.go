package jobs

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// The names of what is learned of the server, in checkpoints and status.
const (
	filterUpdated  = "updated_on filter"
	filterTimers   = "end_time filter"
	filterUnscoped = "rows without a parent"
)

// works reports whether nothing was learned against the capability.
func (r *run) works(name string) bool {
	learned, ok := r.checkpoint.Capabilities[name]
	return !ok || learned.Works
}

func (r *run) strikeOff(name, reason string) {
	r.checkpoint.Capabilities[name] = sink.Capability{Since: time.Now().UTC().Truncate(time.Second), Reason: reason}
	r.Log.Warn("learned that Paymo cannot be asked so", "table", r.resource.Table, "what", name, "reason", reason)
}

// keptDoubt is what a full does not ask again but answers at its end: until then, a doubt about
// the last listing of everything stays.
func keptDoubt(learned map[string]sink.Capability) map[string]sink.Capability {
	kept := map[string]sink.Capability{}
	if doubt, ok := learned[WholeListing]; ok {
		kept[WholeListing] = doubt
	}
	return kept
}

func (r *run) refusals() string {
	var refusals []string
	for _, listing := range r.resource.Listings {
		if learned, ok := r.checkpoint.Capabilities[listing.String()]; ok {
			refusals = append(refusals, fmt.Sprintf("%s: %s", listing, learned.Reason))
		}
	}
	return strings.Join(refusals, "; ")
}

// refused judges an error of a listing: a filter that Paymo does not know is struck
// off, and the next way is tried.
func (r *run) refused(ctx context.Context, err error, listing catalog.Listing) error {
	if !badRequest(err) && !r.failsForSince(ctx, err) {
		return err
	}
	if r.progress.Unscoped {
		r.strikeOff(filterUnscoped, fmt.Sprintf("rows without a %s are not listed: %s", r.resource.Scope.Filter, err))
		r.progress.Ranges.Todo = nil
		return r.applyNothing(ctx)
	}
	if r.progress.Hot { // it may be the window: everything, then
		r.progress.Hot = false
		return r.list(ctx, listing)
	}
	if !r.progress.Since.IsZero() {
		r.strikeOff(filterUpdated, err.Error())
		delete(r.checkpoint.Capabilities, batches) // several parents at once were not to blame
		if err := r.widen(ctx); err != nil {
			return err
		}
		return r.list(ctx, r.progress.Listing)
	}
	r.strikeOff(listing.String(), err.Error())
	return r.relist(ctx)
}

// failsForSince reports whether Paymo breaks down over the filter on updated_on: it
// answers some fields that it does not know with a 500, and what is asked without them
// well.
func (r *run) failsForSince(ctx context.Context, err error) bool {
	p := r.progress
	if p.Since.IsZero() || !internalError(err) {
		return false
	}
	since := p.Since
	defer func() { p.Since = since }()
	p.Since = time.Time{}
	query := paymo.Query{Where: r.where(), PageSize: 1}
	if p.Parents != nil {
		query.Where = query.Where.Equal(r.resource.Scope.Filter, p.Parents.todo[0])
	}
	_, _, err = r.askFor(ctx, r.resource, query)
	return err == nil
}
