package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// paymoWatch knows how the last request to Paymo went. It makes none of its own:
// they are scarce.
type paymoWatch struct {
	now func() time.Time

	mu    sync.Mutex
	asked time.Time
	found string // "" for a good answer
}

func newPaymoWatch() *paymoWatch { return &paymoWatch{now: time.Now} }

// around makes a transport that is watched. A nil one is the usual one.
func (w *paymoWatch) around(next http.RoundTripper) http.RoundTripper {
	if next == nil {
		next = http.DefaultTransport.(*http.Transport).Clone()
	}
	return watchedTransport{next, w}
}

// String is "not asked yet", "ok", or what went wrong and when.
func (w *paymoWatch) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.asked.IsZero():
		return "not asked yet"
	case w.found == "":
		return "ok"
	}
	return fmt.Sprintf("%s, %s ago", w.found, span(w.now().Sub(w.asked)))
}

func (w *paymoWatch) note(found string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked, w.found = w.now(), found
}

// watchedTransport tells the watch how each request goes.
type watchedTransport struct {
	next  http.RoundTripper
	watch *paymoWatch
}

// RoundTrip makes the request.
func (t watchedTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := t.next.RoundTrip(req)
	switch {
	case err == nil && res.StatusCode < http.StatusBadRequest:
		t.watch.note("")
	case err == nil:
		t.watch.note(fmt.Sprintf("answered %d %s", res.StatusCode, http.StatusText(res.StatusCode)))
	case !errors.Is(err, context.Canceled): // the service stops; Paymo is not to blame
		t.watch.note(noAnswer(err))
	}
	return res, err
}

// noAnswer says why there was none. It repeats no more of the error than the network's
// part: others may quote the address of a proxy, with its password.
func noAnswer(err error) string {
	var network *net.OpError
	var timeout interface{ Timeout() bool }
	switch {
	case errors.As(err, &network):
		return "no answer: " + network.Error()
	case errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time"
	}
	return "no answer"
}

// CloseIdleConnections lets go of connections that are not in use.
func (t watchedTransport) CloseIdleConnections() {
	if closer, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}
