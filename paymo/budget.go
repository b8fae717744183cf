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
	// it. When that is more than most, nothing is reserved and ok is false.
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
// zero Pacer is ready. Safe for concurrent use.
type Pacer struct {
	mu      sync.Mutex
	limit   int
	period  time.Duration // with some room
	dues    []time.Time   // when the last requests were due, oldest first; some may be to come
	blocked time.Time
}

// maxDues is how many requests are remembered. What needs more is a limit that we do
// not reach.
const maxDues = 1000

// Take implements Budget.
func (p *Pacer) Take(_ context.Context, most time.Duration) (time.Duration, bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	wait := max(p.due(now).Sub(now), 0)
	if wait > most {
		return wait, false, nil
	}
	p.dues = append(p.dues, now.Add(wait))
	if len(p.dues) > maxDues {
		p.dues = slices.Delete(p.dues, 0, 1)
	}
	return wait, true, nil
}

// due is when the next request may go: at an even pace, and no more than the limit in
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
	if at := p.dues[n-1].Add(p.period / time.Duration(p.limit)); at.After(due) {
		due = at
	}
	if n >= p.limit {
		if at := p.dues[n-p.limit].Add(p.period); at.After(due) {
			due = at
		}
	}
	return due
}

// Observe implements Budget. Two hundredths are added to the period, because requests
// sent in step arrive out of step. Where fewer remain than our own requests explain,
// others use the key too: with nothing remaining we stay away for a period.
func (p *Pacer) Observe(_ context.Context, limit int, period time.Duration, remaining int, retryAfter time.Duration) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if limit > 0 {
		p.limit, p.period = limit, period*102/100
		if remaining == 0 && p.sent(now, period) < min(limit, maxDues) {
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
