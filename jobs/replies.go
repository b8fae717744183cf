package jobs

import (
	"errors"
	"net/http"
	"slices"

	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/catalog"
)

// leastCap is the least number of rows in a reply with which it is worth to read on.
const leastCap = 10

// cap is the number of rows from which on a reply is taken as cut short.
func (r *run) cap() int {
	if r.checkpoint.PageCap > 0 {
		return r.checkpoint.PageCap
	}
	return catalog.PageCap
}

// expected reports whether so many rows are no sign of a limit: longer lists of this
// table were whole, or these are as many as are known to be in the range. What was
// learned of one table says nothing of another.
func (r *run) expected(asked Range, rows int) bool {
	longest := r.checkpoint.LongestReply
	planned := r.progress.Ranges.Parts == 1 && asked.From != nil && rows == knownTarget(r.progress.Ranges.Cap)
	return rows < longest || rows == longest && planned || rows < leastCap && !r.progress.Since.IsZero()
}

// learnWhole keeps that a list of so many rows was whole: no lower number is a limit.
func (r *run) learnWhole(rows int) {
	cp := &r.checkpoint
	cp.LongestReply = max(cp.LongestReply, rows)
	if cp.PageCap <= cp.LongestReply {
		cp.PageCap = 0
	}
}

// learnCap keeps that a list of so many rows was cut, which outweighs that longer ones
// were whole once.
func (r *run) learnCap(rows int) {
	r.checkpoint.PageCap = rows
	if r.checkpoint.LongestReply >= rows {
		r.checkpoint.LongestReply = 0
	}
	if r.progress.Ranges != nil {
		r.progress.Ranges.Lower(rows)
	}
}

// unlearnCap keeps that a reply was longer than what was taken for the limit.
func (r *run) unlearnCap() {
	r.checkpoint.PageCap = 0
	r.progress.Ranges.Cap = catalog.PageCap
}

// makesSense refuses a reply that goes on and on with rows that it has brought.
func makesSense(page *paymo.Page) error {
	ids := recordIDs(page)
	slices.Sort(ids)
	if repeated := len(page.Records) - len(slices.Compact(ids)); page.Cut && repeated > len(page.Records)/10 {
		return errors.New("the reply repeats its rows without an end")
	}
	return nil
}

func badRequest(err error) bool {
	var api *paymo.APIError
	return errors.As(err, &api) && (api.Status == http.StatusBadRequest || api.Status == http.StatusUnprocessableEntity)
}

// tooMuch reports whether Paymo broke down over a request, or took too long: less of it
// may be answered.
func tooMuch(err error) bool {
	var api *paymo.APIError
	var transport *paymo.TransportError
	var limited *paymo.RateLimitError
	switch {
	case errors.As(err, &limited):
		return false
	case errors.As(err, &api):
		return api.Status >= http.StatusInternalServerError || api.Status == http.StatusRequestURITooLong || api.Status == http.StatusRequestEntityTooLarge
	}
	return errors.As(err, &transport) && timedOut(err)
}

// timedOut reports whether an error says of itself that time ran out.
func timedOut(err error) bool {
	var waited interface{ Timeout() bool }
	return errors.As(err, &waited) && waited.Timeout()
}

func internalError(err error) bool {
	var api *paymo.APIError
	return errors.As(err, &api) && api.Status == http.StatusInternalServerError
}
