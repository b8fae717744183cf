package jobs

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// readRange reads the next range of ids or of days.
//
// A reply is believed only after it was checked: the filters must have held, a row
// that is known must be in it, and a list that might have been cut must be shown to
// be whole. Its rows are used in any case.
func (r *run) readRange(ctx context.Context) error {
	p := r.progress
	asked, _ := p.Ranges.Next()
	query := paymo.Query{Where: r.rangeWhere(asked)}
	page, at, err := r.fetch(ctx, query)
	if err != nil {
		return r.refused(ctx, err, p.Listing)
	}
	positions := r.positions(page)
	if outside := slices.IndexFunc(positions, func(position int64) bool { return !r.near(asked, position) }); outside >= 0 {
		r.strikeOff(p.Listing.String(), fmt.Sprintf("the reply held row %d, which is outside of the range that was asked for", page.Records[outside].ID))
		if err := r.relist(ctx); err != nil {
			return err
		}
		return r.apply(ctx, page, at)
	}
	if restarted, err := r.checkSince(ctx, page, asked.Whole()); err != nil {
		return err
	} else if restarted {
		return r.apply(ctx, page, at)
	}
	if p.Since.IsZero() {
		if broken, err := r.missesWitness(ctx, asked, page); err != nil {
			return err
		} else if broken {
			if err := r.relist(ctx); err != nil {
				return err
			}
			return r.apply(ctx, page, at)
		}
	}
	if page.Rows < p.Ranges.Cap && !page.Cut {
		if err := r.proveWhole(ctx, query, page); err != nil {
			return err
		}
		positions = r.positions(page)
	}
	r.remember(page, positions)
	if !p.Ranges.Done(asked, positions) {
		r.strikeOff(p.Listing.String(), fmt.Sprintf("one day holds %d rows, which is as many as one reply can hold", page.Rows))
		if err := r.relist(ctx); err != nil {
			return err
		}
	}
	return r.apply(ctx, page, at)
}

func (r *run) rangeWhere(asked Range) paymo.Where {
	where := r.where()
	if r.progress.Listing == catalog.ByID {
		return where.IDRange(asked.From, asked.To)
	}
	from, to := r.begin(), windowsEnd()
	if asked.From != nil {
		from = time.Unix(*asked.From*int64(day/time.Second), 0).UTC().Add(-day)
	}
	if asked.To != nil {
		to = time.Unix(*asked.To*int64(day/time.Second), 0).UTC().Add(day)
	}
	return where.Interval(r.resource.Window, from, to)
}

// positions are the rows' ids, or their days.
func (r *run) positions(page *paymo.Page) []int64 {
	if r.progress.Listing == catalog.ByID {
		return recordIDs(page)
	}
	return r.days(page)
}

// days are the days that the rows are about, counted from 1970.
func (r *run) days(page *paymo.Page) []int64 {
	start, date := columnIndex(r.resource, "start_time"), columnIndex(r.resource, "date")
	days := make([]int64, 0, len(page.Records))
	for i := range page.Records {
		values := page.Records[i].Values
		text := values[start].Text
		if text == "" {
			text = values[date].Text
		}
		at, err := time.Parse(time.DateOnly, text[:min(len(text), len(time.DateOnly))])
		if err != nil {
			at = page.Records[i].Updated
		}
		days = append(days, at.Unix()/int64(day/time.Second))
	}
	return days
}

// near reports whether the position is where the range asked for it. Windows are
// read a day wider on each side.
func (r *run) near(asked Range, position int64) bool {
	if r.progress.Listing == catalog.ByID {
		return asked.Has(position)
	}
	return asked.Has(position) || asked.Has(position-2) || asked.Has(position+2)
}

// remember keeps what later replies are held against: the highest position, and of
// a full reply a few ids that the ranges over them must bring again.
func (r *run) remember(page *paymo.Page, positions []int64) {
	if len(positions) > 0 {
		r.progress.Highest = max(r.progress.Highest, slices.Max(positions))
	}
	if len(page.Records) < r.progress.Ranges.Cap || len(r.progress.Witnesses) > 0 || r.progress.Listing != catalog.ByID {
		return
	}
	for i := 0; i < len(page.Records); i += max(1, len(page.Records)/8) {
		r.progress.Witnesses = append(r.progress.Witnesses, page.Records[i].ID)
	}
}

// missesWitness reports whether a range lacks a row that is there: it must hold the
// witnesses that lie in it, unless they are gone.
func (r *run) missesWitness(ctx context.Context, asked Range, page *paymo.Page) (bool, error) {
	p := r.progress
	if p.Listing != catalog.ByID || page.Rows >= p.Ranges.Cap {
		return false, nil
	}
	ids := recordIDs(page)
	slices.Sort(ids)
	for i, id := range slices.Backward(p.Witnesses) {
		if !asked.Has(id) {
			continue
		}
		if _, found := slices.BinarySearch(ids, id); found {
			continue
		}
		row, _, err := r.find(ctx, id)
		if err != nil {
			return false, err
		}
		if row != nil && r.inWindow(row) {
			if asked.Whole() {
				return false, fmt.Errorf("list %s: the list lacks row %d, which Paymo has: it is not whole", r.resource.Table, id)
			}
			r.strikeOff(p.Listing.String(), fmt.Sprintf("the reply lacked row %d, which is there", id))
			return true, nil
		}
		p.Witnesses = slices.Delete(p.Witnesses, i, i+1)
	}
	return false, nil
}

// inWindow reports whether the row is not older than SYNC_START_DATE lets rows be.
func (r *run) inWindow(row *paymo.Page) bool {
	if r.resource.Window == "" || r.StartDate.IsZero() || len(row.Records) == 0 {
		return true
	}
	return r.days(row)[0] > r.begin().Unix()/int64(day/time.Second)
}

// proveWhole makes sure that a list which is not full was not cut by a limit that
// nobody knows of: one as long as the longest that was seen whole is followed by a
// request for what comes after it. What comes is added to the page.
func (r *run) proveWhole(ctx context.Context, query paymo.Query, page *paymo.Page) error {
	if page.Rows == 0 || page.Rows < r.guard.limits().LongestReply {
		return nil
	}
	query.Page, query.PageSize = 1, page.Rows
	rest, _, err := r.fetch(ctx, query)
	if badRequest(err) {
		return nil // it knows no paging: nothing speaks against the list
	}
	if err != nil {
		return err
	}
	if sameIDs(recordIDs(page), recordIDs(rest)) {
		return r.guard.learn(ctx, r.Store, sink.Limits{LongestReply: page.Rows})
	}
	r.Log.Warn("learned that Paymo cuts lists", "table", r.resource.Table, "rows", page.Rows)
	r.progress.Ranges.Cap = page.Rows
	page.Records = append(page.Records, rest.Records...)
	page.Rejects = append(page.Rejects, rest.Rejects...)
	page.Rows += rest.Rows
	return r.guard.learn(ctx, r.Store, sink.Limits{PageCap: r.progress.Ranges.Cap})
}

// checkSince holds an incremental's reply against the filter on updated_on. A row
// older than the cursor shows that the filter was ignored: the reply is then one of
// the unfiltered list. Where the whole was asked for and nothing came, a row that
// the filter must have found shows that it is broken: the listing begins again
// without it.
func (r *run) checkSince(ctx context.Context, page *paymo.Page, whole bool) (restarted bool, err error) {
	p := r.progress
	if p.Since.IsZero() {
		return false, nil
	}
	for i := range page.Records {
		if updated := page.Records[i].Updated; !updated.IsZero() && updated.Before(p.Since) {
			r.strikeOff(filterUpdated, fmt.Sprintf("the reply held row %d, which is older than was asked for", page.Records[i].ID))
			p.Since = time.Time{}
			return false, nil
		}
	}
	if page.Rows > 0 || !whole {
		return false, nil
	}
	boundary, err := r.Store.Boundary(ctx, r.resource.Table, p.Since, 5)
	if err != nil {
		return false, err
	}
	for _, id := range boundary {
		row, _, err := r.find(ctx, id)
		if err != nil {
			return false, err
		}
		if row != nil && len(row.Records) > 0 && !row.Records[0].Updated.Before(p.Since) {
			r.strikeOff(filterUpdated, fmt.Sprintf("the reply lacked row %d, which is new enough", id))
			p.Since = time.Time{}
			return true, r.list(ctx, p.Listing)
		}
	}
	return false, nil
}
