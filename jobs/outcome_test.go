package jobs

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/riverqueue/river"

	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/sink"
)

// downError is an error that says of itself that it passes.
type downError struct{}

func (downError) Error() string   { return "connection refused" }
func (downError) Temporary() bool { return true }

// keyError is what the client returns where the key cannot be had.
func keyError(t *testing.T, cause error) error {
	t.Helper()
	client, err := paymo.New(paymo.Config{
		BaseURL: "http://127.0.0.1:1",
		Key:     func(context.Context) (string, error) { return "", cause },
	})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = client.Me(t.Context())
	return err
}

func TestToQueue(t *testing.T) {
	t.Parallel()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	status := func(code int) error {
		return fmt.Errorf("list tasks: %w", &paymo.APIError{Method: "GET", Path: "/api/tasks", Status: code})
	}
	other := errors.New("other")
	for _, tt := range []struct {
		name    string
		ended   bool // the job's context has ended
		outcome Outcome
		err     error
		snooze  time.Duration // -1: none
		cancel  bool
	}{
		{name: "done", outcome: Outcome{State: sink.StateOK}, snooze: -1},
		{name: "degraded", outcome: Outcome{State: sink.StateDegraded}, snooze: -1},
		{name: "unavailable", outcome: Outcome{State: sink.StateUnavailable}, snooze: -1},
		{name: "handed back", outcome: Outcome{Unfinished: true}, snooze: 0},
		{name: "rate limited", outcome: Outcome{Unfinished: true}, err: fmt.Errorf("list: %w", &paymo.RateLimitError{Wait: 42 * time.Second}), snooze: 42 * time.Second},
		{name: "rate limited while it stops", ended: true, err: &paymo.RateLimitError{Wait: time.Second}, snooze: time.Second},
		{name: "held", err: &sink.HeldError{Table: "tasks", Owner: "x"}, snooze: 5 * time.Second},
		{name: "parents not read", err: &ParentsError{Table: "invoice_items", Parent: "invoices"}, snooze: 10 * time.Second},
		{name: "vault down", err: keyError(t, downError{}), snooze: 15 * time.Second},
		{name: "no such secret", err: keyError(t, errors.New("no such secret")), snooze: -1, cancel: true},
		{name: "key refused", err: status(http.StatusUnauthorized), snooze: -1, cancel: true},
		{name: "denied", err: status(http.StatusForbidden), snooze: -1, cancel: true},
		{name: "another company", err: &IdentityError{What: "company"}, snooze: -1, cancel: true},
		{name: "weaker role", err: &RoleError{}, snooze: -1, cancel: true},
		{name: "server error", err: status(http.StatusInternalServerError), snooze: -1},
		{name: "other", err: other, snooze: -1},
		{name: "lease lost", err: sink.ErrLeaseLost, snooze: -1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			if tt.ended {
				ctx = ended
			}
			got := toQueue(ctx, tt.outcome, tt.err)
			var snooze *river.JobSnoozeError
			var cancelled *river.JobCancelError
			switch {
			case tt.snooze >= 0:
				if !errors.As(got, &snooze) || snooze.Duration != tt.snooze {
					t.Errorf("%v", got)
				}
			case tt.cancel:
				if !errors.As(got, &cancelled) || !errors.Is(got, tt.err) {
					t.Errorf("%v", got)
				}
			case !errors.Is(got, tt.err) || errors.As(got, &snooze) || errors.As(got, &cancelled):
				t.Errorf("%v", got)
			}
		})
	}
	// Interrupted, the queue must see the context's error, whatever else there is.
	if got := toQueue(ended, Outcome{}, other); !errors.Is(got, context.Canceled) || !errors.Is(got, other) {
		t.Errorf("interrupted: %v", got)
	}
}

func TestRetryIn(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		want time.Duration
	}{
		{nil, 0},
		{errors.New("other"), 0},
		{&ParentsError{Table: "invoice_items", Parent: "invoices"}, 0},
		{fmt.Errorf("x: %w", &paymo.RateLimitError{Wait: 7 * time.Second}), 7 * time.Second},
		{&sink.HeldError{For: 14 * time.Second}, time.Second},
		{&sink.HeldError{}, 100 * time.Millisecond},
	} {
		if wait, ok := RetryIn(tt.err); wait != tt.want || ok != (tt.want > 0) {
			t.Errorf("%v: %s, %t", tt.err, wait, ok)
		}
	}
}
