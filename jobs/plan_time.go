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
	Limit        int           `json:"limit"` // requests in a period
	Period       time.Duration `json:"period_ns"`
	Assumed      bool          `json:"assumed"`                // Paymo has not told a limit yet
	Left         int           `json:"left"`                   // requests that the limit leaves at the moment; -1: not known
	Wait         time.Duration `json:"wait_ns"`                // until the next request may go
	BlockedUntil time.Time     `json:"blocked_until,omitzero"` // no request before it
}

// newPace is the pace that the rate budget keeps.
func newPace(state sink.BudgetState) Pace {
	pace := Pace{Limit: state.Limit, Period: state.Period * 100 / (100 + budgetRoom), Left: state.Left, Wait: state.Wait, BlockedUntil: state.BlockedUntil}
	pace.Period = pace.Period.Round(time.Millisecond)
	if pace.Limit == 0 {
		pace.Limit, pace.Period, pace.Assumed = assumedLimit, assumedPeriod, true
	}
	return pace
}

// Each is the time from one request to the next.
func (p Pace) Each() time.Duration {
	return p.Period * (100 + budgetRoom) / 100 / time.Duration(p.Limit)
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

// String is the limit as people say it.
func (p Pace) String() string {
	requests := "requests"
	if p.Limit == 1 {
		requests = "request"
	}
	return fmt.Sprintf("%d %s per %s", p.Limit, requests, briefly(p.Period))
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
