package jobs

import (
	"fmt"
	"time"

	"github.com/paymosync/paymosync/sink"
)

// The limit that is assumed while Paymo has not told one: what other clients observed.
const (
	assumedLimit  = 5
	assumedPeriod = 5 * time.Second
)

// budgetRoom is what the budget adds to a period, as a percentage of it.
const budgetRoom = 2

// Pace is how fast requests go, and when the next one may.
type Pace struct {
	Limit        int           `json:"limit"`         // requests in a period that Paymo allows
	Share        int           `json:"share_percent"` // percentage of them that is used
	Period       time.Duration `json:"period_ns"`
	Assumed      bool          `json:"assumed"`                // Paymo has not told a limit yet
	Left         int           `json:"left"`                   // requests of the share that are left at the moment; -1: not known
	Wait         time.Duration `json:"wait_ns"`                // until the next request may go
	BlockedUntil time.Time     `json:"blocked_until,omitzero"` // no request before it
}

// newPace is the pace that the rate budget keeps.
func newPace(state sink.BudgetState) Pace {
	pace := Pace{Limit: state.Limit, Share: state.Share, Period: state.Period * 100 / (100 + budgetRoom), Left: state.Left, Wait: state.Wait, BlockedUntil: state.BlockedUntil}
	pace.Period = pace.Period.Round(time.Millisecond)
	if pace.Limit == 0 {
		pace.Limit, pace.Period, pace.Assumed = assumedLimit, assumedPeriod, true
	}
	return pace
}

// Ours is how many requests of a period our share is, a part of one counted as one.
func (p Pace) Ours() int { return (p.Limit*p.Share + 99) / 100 }

// Each is the time from one request to the next.
func (p Pace) Each() time.Duration {
	return p.Period * (100 + budgetRoom) / time.Duration(p.Limit*p.Share)
}

// Spend is how long so many requests take once they may go: the first goes at once, and
// the others follow evenly. Paymo's time for the last answer is not in it.
func (p Pace) Spend(requests int) time.Duration {
	return time.Duration(max(0, requests-1)) * p.Each()
}

// Takes is how long so many requests take from now on.
func (p Pace) Takes(requests int) time.Duration {
	if requests == 0 {
		return 0
	}
	return p.Wait + p.Spend(requests)
}

// String is our share of the limit as people say it.
func (p Pace) String() string {
	requests := "requests"
	if p.Limit == 1 {
		requests = "request"
	}
	limit := fmt.Sprintf("%d %s per %s", p.Limit, requests, briefly(p.Period))
	if p.Share < 100 {
		return fmt.Sprintf("%d%% of %s", p.Share, limit)
	}
	return limit
}

// briefly is a duration without the zeros that it ends with.
func briefly(d time.Duration) string {
	switch {
	case d >= time.Hour && d%time.Hour == 0:
		return fmt.Sprintf("%d h", d/time.Hour)
	case d >= time.Minute && d%time.Minute == 0:
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	return fmt.Sprintf("%g s", d.Round(10*time.Millisecond).Seconds())
}

// identities is how often a sync of so many requests asks whose key it is: before the
// first one, and after one by which the answer has grown old.
func (p Pace) identities(requests int) int {
	asked := 1
	for asked <= requests {
		again := 1 + int(p.Spend(requests+asked*len(identityRequests()))/identityLife)
		if again <= asked {
			break
		}
		asked++
	}
	return asked
}

// identityRequests tell whose key it is. They serve all tables.
func identityRequests() []PlannedRequest {
	return []PlannedRequest{{Method: "GET", Path: "/api/me"}, {Method: "GET", Path: "/api/company"}}
}
