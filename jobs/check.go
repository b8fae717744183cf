package jobs

import (
	"context"
	"hash/fnv"
	"slices"
	"time"

	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// check compares what a run reads with what the warehouse holds. It keeps ids alone: of
// what was read, and of the rows on which the two seem to disagree.
type check struct {
	began    time.Time // by the database's clock
	settled  time.Time // rows that bear an earlier time were there when it began
	since    time.Time // only rows about this time or a later one, or changed since; zero: all
	seen     idSet
	counted  int64 // rows read that since lets count, each once
	differ   []int64
	lacking  []int64             // rows that a page should have brought and did not
	awaited  []int64             // rows that some page should bring
	unusable map[uint64]struct{} // records that cannot become rows
	sums     *sums               // nil: none are wanted
}

// take compares a page with the warehouse.
func (c *check) take(ctx context.Context, r *run, page *paymo.Page, at time.Time, slice *sink.Slice) error {
	differences, err := r.Store.Compare(ctx, r.resource, page.Records, false)
	if err != nil {
		return err
	}
	for _, d := range differences {
		if d.Refused != "" {
			c.unusable[uint64(d.ID)] = struct{}{}
			continue
		}
		c.differ = append(c.differ, d.ID)
	}
	for _, reject := range page.Rejects {
		hash := fnv.New64a()
		_, _ = hash.Write([]byte(reject.Payload))
		c.unusable[hash.Sum64()] = struct{}{}
	}
	if slice != nil && !slice.Rest {
		lacking, err := r.Store.Lacking(ctx, r.resource, *slice, recordIDs(page), at)
		if err != nil {
			return err
		}
		c.lacking = append(c.lacking, lacking...)
	}
	c.count(r, page)
	left, known := r.left()
	r.Watch(r.resource.Table, Moment{
		Mode: r.progress.Mode, Rows: r.progress.Seen, Requests: r.outcome.Requests, Left: left, Known: known,
	})
	return nil
}

// count takes the page's records into the counts and sums, each row once however often
// it is read.
func (c *check) count(r *run, page *paymo.Page) {
	days := r.days(page)
	for i, record := range page.Records {
		if !c.seen.add(record.ID) {
			continue
		}
		switch {
		case c.since.IsZero():
		case r.resource.Window != "" && days[i] < dayOf(c.since):
			continue
		case r.resource.Window == "" && record.Updated.Before(c.since):
			continue
		}
		c.counted++
		if c.sums != nil {
			c.sums.add(record)
		}
	}
}

// expect prepares for a listing: what an earlier one lacked is forgotten. Rows of which
// the listing's slices do not speak are awaited.
func (c *check) expect(ctx context.Context, r *run) (err error) {
	c.lacking, c.awaited = nil, nil
	p := r.progress
	if !r.everything() {
		return nil
	}
	scope := r.resource.OwnerScope()
	switch {
	case r.eliminates():
		c.awaited, err = r.Store.Awaited(ctx, r.resource, r.windowSince(), c.began)
	case p.Listing == catalog.ByParent, p.Listing == catalog.WithParent:
		c.awaited, err = r.Store.Orphaned(ctx, r.resource, scope, r.parent(), c.began)
	case p.Listing == catalog.ByID && r.scoped() && (!r.resource.Scope.Optional || r.works(filterUnscoped)):
		c.awaited, err = r.Store.Orphaned(ctx, r.resource, scope, "", c.began)
	}
	return err
}

// extra are the rows that the listing should have brought and that it did not.
func (c *check) extra() []int64 {
	ids := slices.Concat(c.lacking, c.awaited)
	ids = slices.DeleteFunc(ids, c.seen.has)
	slices.Sort(ids)
	return slices.Compact(ids)
}

// different are the rows that were not as their records.
func (c *check) different() []int64 {
	slices.Sort(c.differ)
	return slices.Compact(c.differ)
}
