package paymo_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paymosync/paymosync/paymo"
)

// cut promises more than it sends and closes the connection.
func cut(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "1000")
	fmt.Fprint(w, `{"clients":[{"id":1},`)
}

// hangUp closes the connection without a reply.
func hangUp(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func repeat(n int, step http.HandlerFunc, then ...http.HandlerFunc) []http.HandlerFunc {
	var steps []http.HandlerFunc
	for range n {
		steps = append(steps, step)
	}
	return append(steps, then...)
}

func TestRetries(t *testing.T) {
	t.Parallel()
	const html = `<html><body>Bad Gateway</body></html>`
	const first, second = 250 * time.Millisecond, time.Second // pauses, up to half as long again
	for _, test := range []struct {
		name     string
		steps    []http.HandlerFunc
		requests int
		pause    time.Duration // at least
		problem  string        // part of the error
		attempt  int           // that the error tells
	}{
		{"ok", repeat(1, ok()), 1, 0, "", 0},
		{"502 once", repeat(1, status(502, html), ok()), 2, first, "", 0},
		{"502 twice", repeat(2, status(502, html), ok()), 3, first + second, "", 0},
		{"503 twice", repeat(2, status(503, ""), ok()), 3, first + second, "", 0},
		{"504 twice", repeat(2, status(504, ""), ok()), 3, first + second, "", 0},
		{"502 thrice", repeat(3, status(502, html), ok()), 3, first + second, "answered 502 Bad Gateway: " + html, 3},
		{"one after the other", []http.HandlerFunc{hangUp, status(503, ""), status(504, `{"message":"late"}`)}, 3, first + second, "answered 504 Gateway Timeout: late", 3},
		{"500", repeat(1, status(500, `{"message":"Application error"}`)), 1, 0, "answered 500 Internal Server Error: Application error", 1},
		{"502, then 500", repeat(1, status(502, ""), status(500, "")), 2, first, "answered 500", 2},
		{"400", repeat(1, status(400, `{"message":"Unknown field"}`)), 1, 0, "answered 400 Bad Request: Unknown field", 1},
		{"403", repeat(1, status(403, `{"message":"Access denied"}`)), 1, 0, "answered 403 Forbidden: Access denied", 1},
		{"404", repeat(1, status(404, "")), 1, 0, "answered 404 Not Found", 1},
		{"204", repeat(1, status(204, "")), 1, 0, "answered 204 No Content", 1},
		{"302 to nowhere", repeat(1, status(302, "")), 1, 0, "answered 302 Found", 1},
		{"599", repeat(1, status(599, "so what")), 1, 0, "answered 599: so what", 1},

		{"html", repeat(1, status(200, html, "Content-Type", "text/html")), 1, 0, "read the reply (text/html): not JSON: begins with `<html>", 1},
		{"another server", repeat(1, status(200, `{"ok":true}`, "Content-Type", "application/json")), 1, 0, `(application/json): the reply holds no list "clients"`, 1},
		{"wrong JSON", repeat(1, status(200, `{"clients":[}`)), 1, 0, "not valid JSON", 1},
		{"truncated once", repeat(1, status(200, `{"clients":[{"id":1},`), ok()), 2, first, "", 0},
		{"truncated thrice", repeat(3, status(200, `{"clients":[{"id":1},`), ok()), 3, first + second, "the reply ends early", 3},
		{"empty once", repeat(1, status(200, ""), ok()), 2, first, "", 0},
		{"empty thrice", repeat(3, status(200, ""), ok()), 3, first + second, "the reply is empty", 3},

		{"cut once", repeat(1, cut, ok()), 2, first, "", 0},
		{"cut thrice", repeat(3, cut, ok()), 3, first + second, "GET /api/clients: the reply breaks off after 21 bytes: unexpected EOF", 3},
		{"no reply once", repeat(1, hangUp, ok()), 2, first, "", 0},
		{"no reply thrice", repeat(3, hangUp, ok()), 3, first + second, "GET /api/clients: EOF", 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server := play(test.steps...)
				budget := &ledger{wait: 2 * time.Second}
				client := newPipeClient(t, server, func(c *paymo.Config) { c.Budget = budget })
				began := time.Now()
				page, err := list(t, client)
				took := time.Since(began)
				switch {
				case test.problem == "":
					if err != nil || page.Rows != 1 {
						t.Fatalf("page %+v: %v", page, err)
					}
				case err == nil || !strings.Contains(err.Error(), test.problem):
					t.Errorf("the error is %v, want %s", err, test.problem)
				case attemptOf(t, err) != test.attempt:
					t.Errorf("the error tells attempt %d, want %d", attemptOf(t, err), test.attempt)
				}
				waited := time.Duration(test.requests) * budget.wait
				if server.count() != test.requests || page.Requests != test.requests || budget.taken != test.requests || page.Waited != waited {
					t.Errorf("%d requests came, %d told, %d taken from the budget, %s waited; want %d, %s", server.count(), page.Requests, budget.taken, page.Waited, test.requests, waited)
				}
				if pause := took - waited; pause < test.pause || pause > test.pause*3/2 {
					t.Errorf("paused for %s, want %s or half as long again", pause, test.pause)
				}
			})
		})
	}
}

// attemptOf is the attempt that an error tells, whose method and path are right.
func attemptOf(t *testing.T, err error) int {
	t.Helper()
	var method, path string
	var attempt int
	var api *paymo.APIError
	var decode *paymo.DecodeError
	var transport *paymo.TransportError
	switch {
	case errors.As(err, &api):
		method, path, attempt = api.Method, api.Path, api.Attempt
	case errors.As(err, &decode):
		method, path, attempt = decode.Method, decode.Path, decode.Attempt
	case errors.As(err, &transport):
		method, path, attempt = transport.Method, transport.Path, transport.Attempt
	}
	if method != http.MethodGet || path != "/api/clients" {
		t.Errorf("%T tells %s %s", err, method, path)
	}
	return attempt
}

// brokenBody fails after a while.
type brokenBody struct {
	io.Reader
	err error
}

func (b brokenBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		err = b.err
	}
	return n, err
}

func (brokenBody) Close() error { return nil }

// Where the connection breaks makes no difference.
func TestConnectionIsReset(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", `{"cl`, `{"clients":[{"id":1},`, oneClient} {
		for _, times := range []int{2, 3} {
			synctest.Test(t, func(t *testing.T) {
				n := 0
				client := newPipeClient(t, nil, over(func(req *http.Request) (*http.Response, error) {
					n++
					if n <= times && text == "" {
						return nil, syscall.ECONNRESET
					}
					body := brokenBody{strings.NewReader(text), syscall.ECONNRESET}
					if n > times {
						body = brokenBody{strings.NewReader(oneClient), io.EOF}
					}
					return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: body, Request: req}, nil
				}))
				page, err := list(t, client)
				var transport *paymo.TransportError
				switch {
				case n != 3 || page.Requests != 3:
					t.Errorf("%q: %d requests, %d told", text, n, page.Requests)
				case times == 2 && err != nil:
					t.Errorf("%q: %v", text, err)
				case times == 3 && (!errors.Is(err, syscall.ECONNRESET) || !errors.As(err, &transport) || transport.Attempt != 3 ||
					!strings.HasSuffix(err.Error(), "connection reset by peer")):
					t.Errorf("%q: %v", text, err)
				}
			})
		}
	}
}

func TestRateLimited(t *testing.T) {
	t.Parallel()
	limited := func(headers ...string) http.HandlerFunc {
		return status(http.StatusTooManyRequests, `{"message":"Too many requests"}`, headers...)
	}
	const never = 0
	// The clock of a bubble begins here; the servers' clocks need not agree.
	at := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name     string
		headers  []string
		wait     time.Duration // within the call
		told     time.Duration // by the error
		refusals int
	}{
		{"short", []string{"Retry-After", "2"}, 2 * time.Second, never, 1},
		{"short twice", []string{"Retry-After", "2"}, 4 * time.Second, never, 2},
		{"short thrice", []string{"Retry-After", "2"}, 4 * time.Second, 2 * time.Second, 3},
		{"as long as may be", []string{"Retry-After", "5"}, 5 * time.Second, never, 1},
		{"longer", []string{"Retry-After", "6"}, 0, 6 * time.Second, 1},
		{"long", []string{"Retry-After", "600"}, 0, 10 * time.Minute, 1},
		{"with white space", []string{"Retry-After", " 3 "}, 3 * time.Second, never, 1},
		{"for years", []string{"Retry-After", "315360000"}, 0, time.Hour, 1},
		{"for ever", []string{"Retry-After", "99999999999999999999"}, 0, time.Hour, 1},
		{"overflowing", []string{"Retry-After", "18446744074"}, 0, time.Hour, 1},
		{"no time", []string{"Retry-After", "0"}, 100 * time.Millisecond, never, 1},
		{"date", []string{"Date", "Sat, 01 Jan 2000 00:00:00 GMT", "Retry-After", at.Add(3 * time.Second).Format(http.TimeFormat)}, 3 * time.Second, never, 1},
		{"date by another clock", []string{"Date", "Mon, 02 Mar 2026 10:00:00 GMT", "Retry-After", "Mon, 02 Mar 2026 10:00:04 GMT"}, 4 * time.Second, never, 1},
		{"date that is past", []string{"Date", "Mon, 02 Mar 2026 10:00:00 GMT", "Retry-After", "Mon, 02 Mar 2026 09:00:00 GMT"}, time.Second, never, 1},
		{"date by no clock", []string{"Date", "today", "Retry-After", at.Add(3 * time.Second).Format(http.TimeFormat)}, 3 * time.Second, never, 1},
		{"date far away", []string{"Retry-After", "Mon, 02 Mar 2099 09:00:00 GMT"}, 0, time.Hour, 1},
		{"not said", nil, time.Second, never, 1},
		{"not understood", []string{"Retry-After", "soon"}, time.Second, never, 1},
		{"below nothing", []string{"Retry-After", "-7"}, time.Second, never, 1},
		{"a period", []string{"X-Ratelimit-Limit", "5", "X-Ratelimit-Decay-Period", "4"}, 4 * time.Second, never, 1},
		{"a long period", []string{"X-Ratelimit-Limit", "60", "X-Ratelimit-Decay-Period", "60"}, 0, time.Minute, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server := play(repeat(test.refusals, limited(test.headers...), ok())...)
				client := newPipeClient(t, server, func(c *paymo.Config) { c.Budget = &paymo.Pacer{} })
				began := time.Now()
				page, err := list(t, client)
				if took := time.Since(began); took != test.wait || page.Waited != test.wait {
					t.Errorf("returned after %s, %s waited; want %s", took, page.Waited, test.wait)
				}
				var failure *paymo.RateLimitError
				requests := test.refusals
				switch {
				case test.told == never:
					requests++
					if err != nil {
						t.Error(err)
					}
				case !errors.As(err, &failure) || failure.Wait != test.told:
					t.Errorf("the error is %v, want a wait of %s", err, test.told)
				}
				if server.count() != requests || page.Requests != requests {
					t.Errorf("%d requests came, %d told, want %d", server.count(), page.Requests, requests)
				}
			})
		})
	}
}

// Whatever the budget says, a long wait is the caller's.
func TestRateLimitedBeyondBudget(t *testing.T) {
	t.Parallel()
	server := play(status(http.StatusTooManyRequests, "", "Retry-After", "600"), ok())
	_, err := list(t, newClient(t, server))
	var limited *paymo.RateLimitError
	if !errors.As(err, &limited) || limited.Wait != 10*time.Minute || server.count() != 1 {
		t.Errorf("%d requests: %v", server.count(), err)
	}
}

// A server that asks to be left alone for longer than a call may take is left alone.
func TestUnavailableForAWhile(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		retryAfter string
		requests   int
		told       time.Duration
	}{{"", 2, 0}, {"3", 2, 0}, {"5", 2, 0}, {"6", 1, 6 * time.Second}, {"3600", 1, time.Hour}} {
		synctest.Test(t, func(t *testing.T) {
			server := play(status(http.StatusServiceUnavailable, "Maintenance", "Retry-After", test.retryAfter), ok())
			client := newPipeClient(t, server)
			began := time.Now()
			page, err := list(t, client)
			var api *paymo.APIError
			switch took := time.Since(began); {
			case server.count() != test.requests || page.Requests != test.requests:
				t.Errorf("%s: %d requests came, %d told, want %d", test.retryAfter, server.count(), page.Requests, test.requests)
			case test.told == 0:
				if err != nil || test.retryAfter != "" && took.String() != test.retryAfter+"s" {
					t.Errorf("%s: returned after %s: %v", test.retryAfter, took, err)
				}
			case !errors.As(err, &api) || api.RetryAfter != test.told || took != 0:
				t.Errorf("%s: returned after %s: %v", test.retryAfter, took, err)
			case !strings.HasSuffix(err.Error(), "Service Unavailable: Maintenance; it asks to be left alone for "+test.told.String()):
				t.Errorf("%s: the error reads %s", test.retryAfter, err)
			}
		})
	}
}
