package main

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"
)

// from is a request from an address, with a guess.
func from(address, guess string) func(*http.Request) {
	return func(r *http.Request) {
		r.RemoteAddr = address
		r.SetBasicAuth("", guess)
	}
}

// Whoever guesses is slowed down, even where the guess is right then; the others are not.
func TestHTTPGuesses(t *testing.T) {
	t.Parallel()
	s := newSite(t, false, "secret", httpConfig{Page: shownPage()})
	for range guessesAtOnce {
		s.mustAnswer(http.StatusUnauthorized, "GET", "/", from("192.0.2.7:1000", "guess"))
	}
	answer := s.mustAnswer(http.StatusTooManyRequests, "GET", "/", from("192.0.2.7:1001", "guess"), "too many", "wait")
	if wait, err := strconv.Atoi(answer.Header().Get("Retry-After")); err != nil || wait < 1 || wait > int(guessEvery.Seconds()) {
		t.Errorf("it says to wait %q", answer.Header().Get("Retry-After"))
	}
	s.mustAnswer(http.StatusTooManyRequests, "GET", "/", from("192.0.2.7:1002", "secret"))
	s.mustAnswer(http.StatusOK, "GET", "/", from("192.0.2.8:1000", "secret"))
	s.mustAnswer(http.StatusUnauthorized, "GET", "/", func(r *http.Request) { r.RemoteAddr = "192.0.2.7:1003" }) // no guess
}

// The allowance comes back with time. Right passwords neither cost it nor give it back.
func TestGuessesTime(t *testing.T) {
	t.Parallel()
	now := time.Now()
	g := newGuesses()
	g.now = func() time.Time { return now }
	const who = "192.0.2.7:1"
	for i := range guessesAtOnce {
		if wait := g.judge(who, false); wait != 0 {
			t.Fatalf("guess %d has to wait %v", i, wait)
		}
		if wait := g.judge(who, true); wait != 0 && i < guessesAtOnce-1 {
			t.Fatalf("the right one has to wait %v after %d guesses", wait, i)
		}
	}
	if wait := g.judge(who, false); wait < guessEvery-time.Second || wait > guessEvery {
		t.Errorf("after the last one it has to wait %v", wait)
	}
	now = now.Add(guessEvery + time.Millisecond)
	if wait := g.judge(who, true); wait != 0 {
		t.Errorf("later it has to wait %v", wait)
	}
	if g.judge(who, false) != 0 || g.judge(who, false) == 0 {
		t.Error("later there is not one guess")
	}
}

// Guesses at the same time are no way round it.
func TestGuessesAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t, false, "secret", httpConfig{Page: shownPage()})
	codes := make(chan int, 100)
	var all sync.WaitGroup
	for i := range cap(codes) {
		all.Go(func() { codes <- s.ask("GET", "/", from("192.0.2.7:1", fmt.Sprint(i))).Code })
	}
	all.Wait()
	close(codes)
	judged := 0
	for code := range codes {
		if code == http.StatusUnauthorized {
			judged++
		}
	}
	if judged < guessesAtOnce || judged > 2*guessesAtOnce { // time passes, and gives one back now and then
		t.Errorf("%d of 100 guesses were judged", judged)
	}
}

// What is remembered is bounded, and an IPv6 network is one guesser.
func TestGuessesMemory(t *testing.T) {
	t.Parallel()
	g := newGuesses()
	for i := range 3 * maxGuessers {
		g.judge(fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255), false)
	}
	if len(g.by) > maxGuessers {
		t.Errorf("%d addresses are remembered", len(g.by))
	}
	for i := range guessesAtOnce {
		g.judge(fmt.Sprintf("[2001:db8::%x]:1", i+1), false)
	}
	if g.judge("[2001:db8::ffff]:1", true) == 0 {
		t.Error("another address of the same network may guess on")
	}
	if g.judge("[2001:db8:0:1::1]:1", true) != 0 {
		t.Error("another network has to wait")
	}
	for _, odd := range []string{"", "@", "[fe80::1%eth0]:1", "[::ffff:192.0.2.1]:1"} {
		if g.judge(odd, false) != 0 {
			t.Errorf("%q has to wait", odd)
		}
	}
	if networkOf("[::ffff:192.0.2.1]:1") != networkOf("192.0.2.1:9") {
		t.Error("one address in two spellings is two")
	}
}
