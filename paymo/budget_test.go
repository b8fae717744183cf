package paymo_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paymosync/paymosync/paymo"
)

func TestRateIsRead(t *testing.T) {
	t.Parallel()
	const limit, period, remaining = "X-Ratelimit-Limit", "X-Ratelimit-Decay-Period", "X-Ratelimit-Remaining"
	none := paymo.Rate{Remaining: -1}
	for _, test := range []struct {
		headers []string
		want    paymo.Rate
	}{
		{nil, none},
		{[]string{limit, "5", period, "5", remaining, "3"}, paymo.Rate{Limit: 5, Period: 5 * time.Second, Remaining: 3}},
		{[]string{limit, "5", period, "5"}, paymo.Rate{Limit: 5, Period: 5 * time.Second, Remaining: -1}},
		{[]string{limit, "5", period, "5", remaining, "3, 0,4"}, paymo.Rate{Limit: 5, Period: 5 * time.Second}},
		{[]string{limit, "100", limit, "5", period, "60,5", remaining, "7", remaining, " 2 "}, paymo.Rate{Limit: 5, Period: 5 * time.Second, Remaining: 2}},
		{[]string{limit, "5", period, "5", remaining, "x,,-3,4.5,2"}, paymo.Rate{Limit: 5, Period: 5 * time.Second, Remaining: 2}},
		{[]string{limit, "5", period, "5", remaining, "many"}, paymo.Rate{Limit: 5, Period: 5 * time.Second, Remaining: -1}},
		{[]string{limit, "5", remaining, "3"}, none},
		{[]string{limit, "0", period, "5"}, none},
		{[]string{limit, "-5", period, "5"}, none},
		{[]string{limit, "five", period, "5"}, none},
		{[]string{limit, "5", period, "0"}, none},
		{[]string{limit, "5", period, "9223372037"}, none},
		{[]string{limit, "5", period, "86401"}, none},
		// More than any budget needs to count.
		{[]string{limit, "5000000000", period, "60", remaining, "4999999999"}, paymo.Rate{Limit: 1_000_000, Period: time.Minute, Remaining: 1_000_000}},
		{[]string{limit, "9223372036854775807", period, "86400"}, paymo.Rate{Limit: 41_666, Period: time.Hour, Remaining: -1}},
		// A long period is cut at the same pace.
		{[]string{limit, "5", period, "3600"}, paymo.Rate{Limit: 5, Period: time.Hour, Remaining: -1}},
		{[]string{limit, "4800", period, "86400", remaining, "3"}, paymo.Rate{Limit: 200, Period: time.Hour, Remaining: 3}},
		{[]string{limit, "5", period, "86400"}, paymo.Rate{Limit: 1, Period: time.Hour, Remaining: -1}},
		{[]string{limit, "5", period, "99999999999999999999"}, none},
	} {
		client := newClient(t, play(ok(test.headers...)))
		if _, err := list(t, client); err != nil {
			t.Fatal(err)
		}
		if got := client.Rate(); got != test.want {
			t.Errorf("%q: %+v, want %+v", test.headers, got, test.want)
		}
	}
}

// What the headers said stays until they say something else.
func TestRateIsKept(t *testing.T) {
	t.Parallel()
	client := newClient(t, play(ok("X-Ratelimit-Limit", "5", "X-Ratelimit-Decay-Period", "5", "X-Ratelimit-Remaining", "4"), ok()))
	for range 2 {
		if _, err := list(t, client); err != nil {
			t.Fatal(err)
		}
		if got := (paymo.Rate{Limit: 5, Period: 5 * time.Second, Remaining: 4}); client.Rate() != got {
			t.Errorf("the rate is %+v", client.Rate())
		}
	}
}

const useLength = 3 * time.Minute

// pacing is a Pacer in a test.
type pacing struct {
	*paymo.Pacer
	t *testing.T
}

// take asks for the next request and goes to when it is due.
func (p pacing) take() time.Duration {
	p.t.Helper()
	wait, ok, err := p.Take(p.t.Context(), time.Hour)
	if !ok || err != nil {
		p.t.Fatalf("wait %s, ok: %v, %v", wait, ok, err)
	}
	pass(wait)
	return wait
}

func (p pacing) observe(remaining int, retryAfter time.Duration) {
	p.t.Helper()
	if err := p.Observe(p.t.Context(), 5, 5*time.Second, remaining, retryAfter); err != nil {
		p.t.Fatal(err)
	}
}

func TestPacerWaits(t *testing.T) {
	t.Parallel()
	const pace = 1020 * time.Millisecond
	for _, test := range []struct {
		name string
		play func(pacing)
		want time.Duration
	}{
		{"nothing is known", func(p pacing) { p.take(); p.take() }, 0},
		{"no headers", func(p pacing) {
			p.take()
			_ = p.Observe(p.t.Context(), 0, 0, -1, 0)
		}, 0},
		{"a limit", func(p pacing) { p.take(); p.observe(4, 0) }, pace},
		{"no headers after a limit", func(p pacing) {
			p.take()
			p.observe(4, 0)
			_ = p.Observe(p.t.Context(), 0, 0, -1, 0)
		}, pace},
		{"a limit, some time later", func(p pacing) { p.take(); p.observe(4, 0); pass(time.Second) }, pace - time.Second},
		{"a limit, long ago", func(p pacing) { p.take(); p.observe(4, 0); pass(time.Hour) }, 0},
		{"many before the limit was known", func(p pacing) {
			for range 4 {
				p.take()
			}
			p.observe(1, 0)
			p.take()
		}, 5*time.Second + 100*time.Millisecond - pace},
		{"none remains of our own", func(p pacing) {
			for i := range 5 {
				p.take()
				p.observe(4-i, 0)
			}
		}, pace},
		{"none remains of others' too", func(p pacing) {
			for i := range 4 {
				p.take()
				p.observe(3-i, 0)
			}
		}, 5 * time.Second},
		{"none remains and ours were long ago", func(p pacing) {
			for range 5 {
				p.take()
				p.observe(4, 0)
			}
			pass(5 * time.Second)
			p.take()
			p.observe(0, 0)
		}, 5 * time.Second},
		{"none remains and ours are to come", func(p pacing) {
			p.take()
			p.observe(4, 0)
			for range 4 {
				_, _, _ = p.Take(p.t.Context(), time.Hour)
			}
			pass(pace)
			p.observe(0, 0)
		}, 5 * time.Second},
		{"refused", func(p pacing) { p.take(); p.observe(0, 7*time.Second) }, 7 * time.Second},
		{"refused without headers", func(p pacing) {
			p.take()
			_ = p.Observe(p.t.Context(), 0, 0, -1, 2*time.Second)
		}, 2 * time.Second},
		{"refused, the longest counts", func(p pacing) {
			p.take()
			p.observe(4, 9*time.Second)
			p.observe(4, 3*time.Second)
		}, 9 * time.Second},
		{"refused, and the next after that", func(p pacing) { p.take(); p.observe(4, 9*time.Second); p.take() }, pace},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := pacing{&paymo.Pacer{}, t}
				test.play(p)
				if wait := p.take(); wait.Round(time.Millisecond) != test.want {
					t.Errorf("the next waits %s, want %s", wait, test.want)
				}
			})
		})
	}
}

// A wait that is too long is told, and takes nothing from the budget.
func TestPacerReservesNothingInVain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := pacing{&paymo.Pacer{}, t}
		p.take()
		p.observe(4, 8*time.Second)
		for range 10 {
			if wait, ok, err := p.Take(t.Context(), 5*time.Second); wait != 8*time.Second || ok || err != nil {
				t.Fatalf("wait %s, ok: %v, %v", wait, ok, err)
			}
		}
		if wait, ok, err := p.Take(t.Context(), 8*time.Second); wait != 8*time.Second || !ok || err != nil {
			t.Errorf("wait %s, ok: %v, %v", wait, ok, err)
		}
	})
}

// ledger is a budget that tests play. It notes what it is asked and told.
type ledger struct {
	mu       sync.Mutex
	wait     time.Duration
	denied   bool
	err      error
	failing  error // of Observe
	taken    int
	most     time.Duration
	observed []string
}

func (l *ledger) Take(_ context.Context, most time.Duration) (time.Duration, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.taken++
	l.most = most
	return l.wait, !l.denied, l.err
}

func (l *ledger) Observe(_ context.Context, limit int, period time.Duration, remaining int, retryAfter time.Duration) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.observed = append(l.observed, fmt.Sprint(limit, " ", period, " ", remaining, " ", retryAfter))
	return l.failing
}

func TestBudgetIsAsked(t *testing.T) {
	t.Parallel()
	broken := errors.New("no database")
	for _, test := range []struct {
		name     string
		budget   *ledger
		requests int
		want     string
	}{
		{"denied", &ledger{wait: 90 * time.Second, denied: true}, 0, "paymo's rate limit is reached: the next request may go in 1m30s"},
		{"broken", &ledger{err: broken}, 0, "no database"},
		{"broken afterwards", &ledger{failing: broken}, 1, "no database"},
	} {
		server := play(ok())
		client := newClient(t, server, func(c *paymo.Config) { c.Budget = test.budget; c.MaxWait = 7 * time.Second })
		page, err := list(t, client)
		if err == nil || err.Error() != test.want {
			t.Errorf("%s: the error is %v, want %s", test.name, err, test.want)
		}
		if page == nil || page.Requests != test.requests || server.count() != test.requests || page.Waited != 0 {
			t.Errorf("%s: page %+v, %d requests came, want %d", test.name, page, server.count(), test.requests)
		}
		if test.budget.taken != 1 || test.budget.most != 7*time.Second {
			t.Errorf("%s: asked %d times for %s at most", test.name, test.budget.taken, test.budget.most)
		}
	}
}
