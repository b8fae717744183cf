package paymo

import (
	"context"
	"net/http"
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

// parseRate reads the headers. Each may hold several values, in one line or in
// several, where several limiters are at work: the tightest counts.
func parseRate(header http.Header) Rate {
	rate := Rate{Remaining: -1}
	rate.Limit, _ = least(header, "X-Ratelimit-Limit")
	if seconds, ok := least(header, "X-Ratelimit-Decay-Period"); ok {
		rate.Period = time.Duration(seconds) * time.Second
	}
	if remaining, ok := least(header, "X-Ratelimit-Remaining"); ok {
		rate.Remaining = remaining
	}
	if rate.Limit <= 0 || rate.Period <= 0 {
		rate.Limit, rate.Period = 0, 0
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

// retryAfter reads Retry-After, in seconds or as a date; a 429 without one means a
// period, or a second.
func retryAfter(header http.Header, rate Rate) time.Duration {
	text := header.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil && seconds >= 0 {
		return max(time.Duration(seconds)*time.Second, 100*time.Millisecond)
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(time.Until(at), time.Second)
	}
	return max(rate.Period, time.Second)
}

// Pacer is a Budget within one process. It spaces requests evenly by the limit that
// the headers tell, because that keeps to fixed and to sliding windows alike. The
// zero Pacer is ready. Safe for concurrent use.
type Pacer struct {
	mu      sync.Mutex
	rate    Rate
	pace    time.Duration
	nextAt  time.Time
	recent  []time.Time // when requests of the last period were due
	blocked time.Time
}

// Take implements Budget.
func (p *Pacer) Take(_ context.Context, most time.Duration) (time.Duration, bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	due := now
	for _, t := range []time.Time{p.nextAt, p.blocked} {
		if t.After(due) {
			due = t
		}
	}
	wait := due.Sub(now)
	if wait > most {
		return wait, false, nil
	}
	p.nextAt = due.Add(p.pace)
	if p.rate.Limit > 0 {
		p.recent = append(p.recent, due)
		for len(p.recent) > 0 && now.Sub(p.recent[0]) >= p.rate.Period {
			p.recent = p.recent[1:]
		}
	}
	return wait, true, nil
}

// Observe implements Budget. Two hundredths are added to the even pace, because
// requests sent in step arrive out of step. Where fewer remain than our own
// requests explain, others use the key too: with nothing remaining we stay away for
// a period.
func (p *Pacer) Observe(_ context.Context, limit int, period time.Duration, remaining int, retryAfter time.Duration) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if limit > 0 {
		p.rate = Rate{Limit: limit, Period: period, Remaining: remaining}
		p.pace = period / time.Duration(limit) * 102 / 100
		if remaining == 0 && len(p.recent) < limit && now.Add(period).After(p.nextAt) {
			p.nextAt = now.Add(period)
		}
	}
	if until := now.Add(retryAfter); retryAfter > 0 && until.After(p.blocked) {
		p.blocked = until
	}
	return nil
}
