package paymo

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Budget paces the requests of one account's key. Pacer keeps it for one process;
// in the service it lives in PostgreSQL, so that all processes share it.
type Budget interface {
	// Take reserves the next request and returns how long to wait before sending
	// it. When ok is false nothing is reserved: the request would have to wait for
	// more than most, or others go first. After the wait it may be asked for again.
	Take(ctx context.Context, most time.Duration) (wait time.Duration, ok bool, err error)
	// Observe tells what a response said: limit requests a period (0: no headers),
	// the least remaining (-1: unknown) and, after a 429, how long to stay away.
	Observe(ctx context.Context, limit int, period time.Duration, remaining int, retryAfter time.Duration) error
}

// Rate is what the rate headers of a response say. Limit is 0 when there were none.
type Rate struct {
	Limit     int           // requests per Period
	Period    time.Duration // X-Ratelimit-Decay-Period
	Remaining int           // the least of the values; -1: unknown
}

// A server that lies can slow us down no more than this: it is asked again then.
// No budget needs to count further than maxLimit, nor longer than maxPeriod. Headers
// that tell of more than maxDecay are not believed.
const (
	maxLimit  = 1_000_000
	maxPeriod = time.Hour
	maxDecay  = 24 * time.Hour
	maxStay   = time.Hour
)

// parseRate reads the headers. Each may hold several values, in one line or in
// several, where several limiters are at work: the tightest counts. A longer period
// than maxPeriod is cut to it, and the limit with it, so that the pace stays.
func parseRate(header http.Header) Rate {
	rate := Rate{Remaining: -1}
	rate.Limit, _ = least(header, "X-Ratelimit-Limit")
	if n, ok := least(header, "X-Ratelimit-Decay-Period"); ok && n <= int(maxDecay/time.Second) {
		rate.Period = time.Duration(n) * time.Second
	}
	if remaining, ok := least(header, "X-Ratelimit-Remaining"); ok {
		rate.Remaining = min(remaining, maxLimit)
	}
	if rate.Limit <= 0 || rate.Period <= 0 {
		rate.Limit, rate.Period = 0, 0
	}
	rate.Limit = min(rate.Limit, maxLimit)
	if rate.Period > maxPeriod {
		rate.Limit = max(int(int64(rate.Limit)*int64(maxPeriod/time.Second)/int64(rate.Period/time.Second)), 1)
		rate.Period = maxPeriod
	}
	return rate
}

func least(header http.Header, name string) (value int, ok bool) {
	for _, line := range header.Values(name) {
		for word := range strings.SplitSeq(line, ",") {
			n, err := strconv.Atoi(strings.TrimSpace(word))
			if err == nil && n >= 0 && (!ok || n < value) {
				value, ok = n, true
			}
		}
	}
	return value, ok
}

// retryAfter reads Retry-After, in seconds or as a date; ok is false where there is
// none. A date is held against the server's own clock.
func retryAfter(header http.Header) (wait time.Duration, ok bool) {
	text := strings.TrimSpace(header.Get("Retry-After"))
	if text != "" && strings.Trim(text, "0123456789") == "" {
		n, err := strconv.Atoi(text)
		if err != nil || n > int(maxStay/time.Second) {
			return maxStay, true
		}
		return max(time.Duration(n)*time.Second, 100*time.Millisecond), true
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0, false
	}
	now, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return min(max(at.Sub(now), time.Second), maxStay), true
}

// Pacer is a Budget within one process. It spaces requests evenly by the limit that
// the headers tell, because that keeps to fixed and to sliding windows alike. The
// zero Pacer is ready. Safe for concurrent use. Its rules are those of sink.Budget.
type Pacer struct {
	Now   func() time.Time // its clock; nil: time.Now
	Share int              // percentage of the limit that is used; 0: all of it

	mu        sync.Mutex
	limit     int
	period    time.Duration // with some room
	dues      []time.Time   // when the last requests were due, oldest first; some may be to come
	scheduled time.Time     // when the last request was due that is not bulk
	bulk      time.Time     // when the last one was due that is
	blocked   time.Time
}

// Of each account fewRemembered requests are remembered, or as many as the limit is, but
// no more than maxRemembered: what needs more is a limit that we do not reach.
const (
	fewRemembered = 20
	maxRemembered = 1000
)

// Bulk requests leave the next turn to others while others were seen within so many turns,
// but get one of so many turns at the least.
const (
	othersSeen = 2
	bulkTurns  = 10
)

// Bulk is the same budget for what reads a lot and can wait. Its requests reserve no more
// than the next turn, and while others take turns none ahead of time, so that the others
// go first; but some turns are theirs whatever others want.
func (p *Pacer) Bulk() Budget { return bulkPacer{p} }

// Take implements Budget.
func (p *Pacer) Take(_ context.Context, most time.Duration) (time.Duration, bool, error) {
	return p.take(most, false)
}

type bulkPacer struct{ *Pacer }

// Take implements Budget.
func (p bulkPacer) Take(_ context.Context, most time.Duration) (time.Duration, bool, error) {
	return p.take(most, true)
}

func (p *Pacer) take(most time.Duration, bulk bool) (time.Duration, bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	due := p.due(now)
	ahead, early := most, time.Duration(0)
	if bulk && p.limit > 0 && !p.bulk.Before(now.Add(-bulkTurns*p.pace())) {
		if p.scheduled.Before(now.Add(-othersSeen * p.pace())) {
			early = min(p.pace(), most)
		}
		ahead = early
	}
	if due.After(now.Add(ahead)) {
		return due.Sub(now) - early, false, nil
	}
	p.dues = append(p.dues, due)
	p.dues = p.dues[max(0, len(p.dues)-min(max(p.limit, fewRemembered), maxRemembered)):]
	if bulk {
		p.bulk = due
	} else {
		p.scheduled = due
	}
	return due.Sub(now), true, nil
}

func (p *Pacer) now() time.Time {
	if p.Now != nil {
		return p.Now()
	}
	return time.Now()
}

// pace is the time from one request to the next. The limit must be known.
func (p *Pacer) pace() time.Duration {
	return p.period * 100 / time.Duration(p.limit*orDefault(p.Share, 100))
}

// ours is how many requests of a period our share is, a part of one counted as one.
func (p *Pacer) ours(limit int) int { return (limit*orDefault(p.Share, 100) + 99) / 100 }

// due is when the next request may go: at an even pace, and no more than our share in
// any period, also where they went faster before the limit was known.
func (p *Pacer) due(now time.Time) time.Time {
	due := now
	if p.blocked.After(due) {
		due = p.blocked
	}
	n := len(p.dues)
	if p.limit == 0 || n == 0 {
		return due
	}
	if at := p.dues[n-1].Add(p.pace()); at.After(due) {
		due = at
	}
	if ours := p.ours(p.limit); n >= ours {
		if at := p.dues[n-ours].Add(p.period); at.After(due) {
			due = at
		}
	}
	return due
}

// Observe implements Budget. Two hundredths are added to the period, because requests
// sent in step arrive out of step. Where nothing remains and we did not use up our share,
// others use the key for more than theirs: we stay away for a period.
func (p *Pacer) Observe(_ context.Context, limit int, period time.Duration, remaining int, retryAfter time.Duration) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if limit > 0 {
		p.limit, p.period = limit, period*102/100
		if remaining == 0 && p.sent(now, period) < min(p.ours(limit), maxRemembered) {
			p.block(now.Add(period))
		}
	}
	if retryAfter > 0 {
		p.block(now.Add(retryAfter))
	}
	return nil
}

// sent is how many requests went in the period that ended with the last of them.
func (p *Pacer) sent(now time.Time, period time.Duration) int {
	n := 0
	var last time.Time
	for _, due := range slices.Backward(p.dues) {
		switch {
		case due.After(now):
			continue
		case n == 0:
			last = due
		case last.Sub(due) >= period:
			return n
		}
		n++
	}
	return n
}

func (p *Pacer) block(until time.Time) {
	if until.After(p.blocked) {
		p.blocked = until
	}
}
