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
	if asked.Empty() || p.Ranges.Excessive(p.Listed) {
		return r.abandon(ctx, fmt.Sprintf("%d requests brought %d rows, and more are to come: the replies make no sense together", p.Ranges.Asked, p.Listed))
	}
	query := paymo.Query{Where: r.rangeWhere(asked)}
	page, at, err := r.fetch(ctx, query)
	if tooMuch(err) && p.Ranges.Halve(asked, p.Highest) {
		return nil
	}
	if err != nil {
		return r.refused(ctx, err, p.Listing)
	}
	if p.Unscoped && asked.Whole() && r.sweeps() { // they are listed: those that the list lacks may be gone
		if _, err := r.lease.AddOrphans(ctx, r.resource, r.resource.OwnerScope(), ""); err != nil {
			return err
		}
	}
	judged, err := r.judge(ctx, asked, query, page)
	if err != nil {
		return err
	}
	var slice *sink.Slice
	if judged {
		slice = r.believe(asked, page)
		if err := r.doubtWindow(ctx, page); err != nil {
			return err
		}
		r.askAhead(ctx)
	}
	return r.apply(ctx, page, at, slice)
}

// judge holds a reply against what is known. It reports false when the listing began
// again in another way; the rows of the reply count all the same.
func (r *run) judge(ctx context.Context, asked Range, query paymo.Query, page *paymo.Page) (bool, error) {
	p := r.progress
	if outside, found := r.outside(asked, page); found {
		return false, r.abandon(ctx, fmt.Sprintf("the reply held row %d, which is outside of the range that was asked for", outside))
	}
	if restarted, err := r.checkSince(ctx, page, asked.Whole()); err != nil || restarted {
		return false, err
	}
	missing, blind, err := r.missesWitness(ctx, asked, page)
	if err != nil {
		return false, err
	}
	if page.Rows > p.Ranges.Cap && p.Ranges.Cap < catalog.PageCap {
		r.unlearnCap()
	}
	if page.Rows < p.Ranges.Cap && !page.Cut {
		ignored, err := r.proveWhole(ctx, asked, query, page, blind || missing != 0)
		if err != nil {
			return false, err
		}
		if ignored {
			return false, r.abandon(ctx, "it was answered with rows outside of the range that was asked for")
		}
	}
	if missing != 0 && page.Rows < p.Ranges.Cap && !shows(page, missing) {
		if r.resource.Window != "" || !asked.Whole() {
			return false, r.abandon(ctx, lacks(missing))
		}
		p.Doubt = doubtf(CauseIncomplete, "the list is not whole: %s", lacks(missing))
		if page.Rows == 0 {
			p.Doubt = doubtf(CauseEmptied, "Paymo lists no rows where the warehouse has %d; they are kept", p.Known)
		}
	}
	if positions := r.positions(asked, page); page.Rows >= p.Ranges.Cap && !p.Ranges.CanCut(asked, positions) {
		return false, r.abandon(ctx, fmt.Sprintf("the smallest range holds %d rows, which is as many as one reply can hold", page.Rows))
	}
	return true, nil
}

// believe takes a reply that was judged. It returns what of the table the reply speaks of.
func (r *run) believe(asked Range, page *paymo.Page) *sink.Slice {
	positions := r.positions(asked, page)
	r.remember(page, positions)
	var slice *sink.Slice
	if page.Rows < r.progress.Ranges.Cap {
		r.progress.Listed += r.rowsIn(asked, page, positions)
		r.progress.Longest = max(r.progress.Longest, page.Rows)
		slice = r.sliceOf(asked, page)
	}
	r.progress.Ranges.Done(asked, page.Rows, positions)
	return slice
}

// sliceOf are the rows that a range which was read to its end speaks of, nil where it
// does not bring all of them.
func (r *run) sliceOf(asked Range, page *paymo.Page) *sink.Slice {
	switch {
	case !r.everything():
		return nil
	case len(page.Rejects) > 0: // rows without a usable id may be any
		r.progress.Rejected = true
		return r.rest()
	case r.progress.Listing == catalog.ByID && !r.progress.Unscoped:
		return &sink.Slice{From: asked.From, To: asked.To, Since: r.windowSince()}
	}
	return r.rest()
}

// rest says that the rows of a page are there, and nothing of others.
func (r *run) rest() *sink.Slice {
	if !r.everything() {
		return nil
	}
	return &sink.Slice{Rest: true}
}

// rowsIn counts the rows of a reply that lie in the range, each of them once: windows
// are read wider than they are, so that the next one brings some of the rows again.
func (r *run) rowsIn(asked Range, page *paymo.Page, positions []int64) int64 {
	ids := make([]int64, 0, len(page.Records))
	for i, position := range positions {
		if asked.Has(position) {
			ids = append(ids, page.Records[i].ID)
		}
	}
	slices.Sort(ids)
	rows := len(slices.Compact(ids))
	if asked.Whole() || r.progress.Listing == catalog.ByID {
		rows += page.Rows - len(page.Records) // those without a usable id lie nowhere
	}
	return int64(rows)
}

func lacks(id int64) string { return fmt.Sprintf("the reply lacked row %d, which is there", id) }

// abandon gives a way of listing up and goes on with the next one.
func (r *run) abandon(ctx context.Context, reason string) error {
	r.strikeOff(r.progress.Listing.String(), reason)
	return r.relist(ctx)
}

// outside finds a row of the reply that was not asked for.
func (r *run) outside(asked Range, page *paymo.Page) (id int64, found bool) {
	for i, position := range r.positions(asked, page) {
		if !r.near(asked, position) {
			return page.Records[i].ID, true
		}
	}
	return 0, false
}

func (r *run) rangeWhere(asked Range) paymo.Where {
	where := r.where()
	if r.progress.Listing == catalog.ByID {
		return where.IDRange(asked.From, asked.To)
	}
	var from, to time.Time
	if asked.From != nil {
		from = time.Unix(*asked.From*int64(day/time.Second), 0).UTC().Add(-day)
	}
	if asked.To != nil {
		to = time.Unix(*asked.To*int64(day/time.Second), 0).UTC().Add(day)
	}
	if r.resource.Window == "" {
		return where.CreatedIn(from, to)
	}
	if begin := r.begin(); from.Before(begin) {
		from = begin
	}
	if to.IsZero() {
		to = windowsEnd()
	}
	return where.Interval(r.resource.Window, from, to)
}

// positions are the rows' ids, or their days. A row that lasts for several days is taken
// as lying on the last of them in the range.
func (r *run) positions(asked Range, page *paymo.Page) []int64 {
	if r.progress.Listing == catalog.ByID {
		return recordIDs(page)
	}
	days := r.days(page)
	for i := range days {
		if r.resource.Spans && asked.To != nil {
			days[i] = min(days[i], *asked.To-1)
		}
	}
	return days
}

// days are the days that the rows are about, or on which they were made, counted from
// 1970.
func (r *run) days(page *paymo.Page) []int64 {
	when := r.resource.When
	if len(when) == 0 {
		when = []string{"created_on"}
	}
	days := make([]int64, 0, len(page.Records))
	for i := range page.Records {
		text := ""
		for _, name := range when {
			if text == "" {
				text = page.Records[i].Values[columnIndex(r.resource, name)].Text
			}
		}
		at, err := time.Parse(time.DateOnly, text[:min(len(text), len(time.DateOnly))])
		if err != nil {
			at = page.Records[i].Updated
		}
		days = append(days, dayOf(at))
	}
	return days
}

// dayOf counts days from 1970.
func dayOf(at time.Time) int64 { return at.Unix() / int64(day/time.Second) }

// daysBetween are the days from one to before the other; a zero time leaves its end open.
func daysBetween(from, to time.Time) Range {
	var days Range
	if !from.IsZero() {
		first := dayOf(from)
		days.From = &first
	}
	if !to.IsZero() {
		end := dayOf(to)
		days.To = &end
	}
	return days
}

// near reports whether the position is where the range asked for it. Windows are
// read a day wider on each side.
func (r *run) near(asked Range, position int64) bool {
	if r.progress.Listing == catalog.ByID {
		return asked.Has(position)
	}
	for _, off := range []int64{0, -1, 1, -2, 2} {
		if asked.Has(position + off) {
			return true
		}
	}
	return false
}

// remember keeps what later replies are held against: the highest position, and of
// a full reply a few ids that the ranges over them must bring again.
func (r *run) remember(page *paymo.Page, positions []int64) {
	if len(positions) > 0 {
		r.progress.Highest = max(r.progress.Highest, slices.Max(positions))
	}
	if page.Rows < r.progress.Ranges.Cap || len(r.progress.Witnesses) > 0 || r.progress.Listing != catalog.ByID {
		return
	}
	for i := 0; i < len(page.Records); i += max(1, len(page.Records)/8) {
		r.progress.Witnesses = append(r.progress.Witnesses, page.Records[i].ID)
	}
}

// inWindow reports whether the row is not older than what is asked for.
func (r *run) inWindow(row *paymo.Page) bool {
	since := r.windowSince()
	return since.IsZero() || len(row.Records) == 0 || r.days(row)[0] >= dayOf(since)
}
