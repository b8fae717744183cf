package paymo_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paymosync/paymosync/paymo"
)

// stall sends a text, and nothing more until nobody listens any more.
func stall(code int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if text != "" {
			w.WriteHeader(code)
			fmt.Fprint(w, text)
			_ = http.NewResponseController(w).Flush()
		}
		<-r.Context().Done()
	}
}

// drip sends a text in small pieces.
func drip(text string, piece int, every time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for len(text) > 0 {
			n := min(piece, len(text))
			fmt.Fprint(w, text[:n])
			_ = http.NewResponseController(w).Flush()
			text = text[n:]
			select {
			case <-r.Context().Done():
				return
			case <-time.After(every):
			}
		}
	}
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		budget   time.Duration
		handler  http.HandlerFunc
		requests int
	}{
		{"before the first request", 2 * time.Second, ok(), 0},
		{"before the reply", 0, stall(0, ""), 1},
		{"at the beginning of the reply", 0, stall(200, `{`), 1},
		{"in the reply", 0, stall(200, `{"clients":[{"id":1},{"id":2},{"id":3},{"id":4},{"id":5},{"id":6}`), 1},
		{"after the list", 0, stall(200, oneClient), 1},
		{"in a reply that is an error", 0, stall(404, `{"message":`), 1},
		{"in a refusal", 0, stall(401, `{"message":`), 1},
		{"while it is left alone", 0, status(503, "", "Retry-After", "4"), 1},
		{"before the second try", 600 * time.Millisecond, status(502, ""), 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, cause := range []error{context.Canceled, errors.New("stopping"), context.DeadlineExceeded} {
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithCancelCause(t.Context())
					want := "GET /api/clients: context canceled"
					switch {
					case errors.Is(cause, context.DeadlineExceeded):
						var stop func()
						ctx, stop = context.WithTimeout(ctx, time.Second)
						defer stop()
						want = "GET /api/clients: context deadline exceeded"
					default:
						time.AfterFunc(time.Second, func() { cancel(cause) })
						if !errors.Is(cause, context.Canceled) {
							want += ": stopping"
						}
					}
					server := play(test.handler)
					client := newPipeClient(t, server, func(c *paymo.Config) { c.Budget = &ledger{wait: test.budget} })
					began := time.Now()
					page, err := client.List(ctx, resource(t, "clients"), paymo.Query{})
					if !errors.Is(err, ctx.Err()) || !errors.Is(err, cause) || err.Error() != want {
						t.Errorf("the error is %v, want %s", err, want)
					}
					if took := time.Since(began); took != time.Second {
						t.Errorf("returned after %s", took)
					}
					if page == nil || page.Requests != test.requests || server.count() != test.requests || page.Waited > time.Second {
						t.Errorf("page %+v, %d requests came, want %d", page, server.count(), test.requests)
					}
					cancel(nil)
				})
			}
		})
	}
}

func TestInterruptedBeforehand(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	server := play(ok())
	page, err := newClient(t, server).List(ctx, resource(t, "clients"), paymo.Query{})
	if !errors.Is(err, context.Canceled) || page.Requests != 0 || server.count() != 0 {
		t.Errorf("page %+v: %v", page, err)
	}
}

// A request that took too long is not made again within the call: it would take as long.
func TestTimeout(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		handler http.HandlerFunc
	}{
		{"no reply", stall(0, "")},
		{"no list", stall(200, `{`)},
		{"half a list", stall(200, `{"clients":[{"id":1},{"id":2},{"id":3},{"id":4},{"id":5},{"id":6}`)},
		{"no end", stall(200, oneClient)},
		{"drip", drip(oneClient, 1, 20*time.Second)},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for timeout, want := range map[time.Duration]time.Duration{0: time.Minute, 7 * time.Second: 7 * time.Second} {
				synctest.Test(t, func(t *testing.T) {
					server := play(test.handler)
					client := newPipeClient(t, server, func(c *paymo.Config) { c.Timeout = timeout })
					began := time.Now()
					page, err := list(t, client)
					var transport *paymo.TransportError
					var timeout interface{ Timeout() bool }
					if !errors.As(err, &transport) || !errors.As(err, &timeout) || !timeout.Timeout() ||
						!strings.HasSuffix(err.Error(), "GET /api/clients: no whole reply within "+want.String()) {
						t.Errorf("the error is %v", err)
					}
					if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("%v passes for the end of the caller's context", err)
					}
					if took := time.Since(began); took != want || page.Requests != 1 || server.count() != 1 {
						t.Errorf("returned after %s and %d requests", took, server.count())
					}
				})
			}
		})
	}
}

func TestSlowReplyIsReadToItsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := newPipeClient(t, play(drip(oneClient, 2, time.Second)))
		page, err := list(t, client)
		if err != nil || page.Rows != 1 || page.Bytes != int64(len(oneClient)) {
			t.Errorf("page %+v: %v", page, err)
		}
	})
}

// A reply that is an error does not have to end to be told.
func TestErrorDripsAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := newPipeClient(t, play(stall(http.StatusForbidden, "Access denied")))
		_, err := list(t, client)
		var api *paymo.APIError
		if !errors.As(err, &api) || !api.Denied() || api.Message != "Access denied" {
			t.Errorf("the error is %v", err)
		}
	})
}
