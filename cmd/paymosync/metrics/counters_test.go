package metrics

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/sink"
)

// What the jobs of a run did counts each by itself; the run counts once, when it ends.
func TestEnded(t *testing.T) {
	t.Parallel()
	m := newTestMetrics(t, nil)
	part := jobs.Outcome{Table: "tasks", Mode: jobs.Full, State: sink.RunRunning, Inserted: 10, Unchanged: 5, Waited: 1500 * time.Millisecond, Took: 100 * time.Second, Unfinished: true}
	m.Ended(part, nil)
	m.Ended(part, errors.New("the rate budget is spent"))
	part.Unfinished, part.State = false, sink.RunInterrupted
	m.Ended(part, context.Canceled)
	want := func(values map[string]string) {
		t.Helper()
		got := scrape(t, m)
		for name, value := range values {
			if got["paymosync_"+name] != value {
				t.Errorf("%s is %q, want %q", name, got["paymosync_"+name], value)
			}
		}
	}
	want(map[string]string{
		`rows_total{outcome="inserted",table="tasks"}`:              "30",
		`rows_total{outcome="unchanged",table="tasks"}`:             "15",
		`rate_wait_seconds_total`:                                   "4.5",
		`run_duration_seconds_count{mode="full"}`:                   "0",
		`runs_total{mode="full",state="ok",table="tasks"}`:          "0",
		`runs_total{mode="full",state="running",table="tasks"}`:     "",
		`runs_total{mode="full",state="interrupted",table="tasks"}`: "",
	})
	// None of these is a run.
	m.Ended(jobs.Outcome{Table: "tasks", Mode: jobs.Full, State: sink.RunRunning, Took: time.Hour}, &sink.HeldError{})
	m.Ended(jobs.Outcome{Table: "tasks", Mode: jobs.Full, State: sink.StatePaused, Cause: jobs.CausePaused, Took: time.Hour}, nil)
	// A job that waits for Vault has a state, and its run goes on.
	m.Ended(jobs.Outcome{Table: "clients", Mode: jobs.Incremental, State: sink.StateFailing, Unfinished: true, Took: time.Second}, errors.New("vault is away"))
	m.Ended(jobs.Outcome{Table: "tasks", Mode: jobs.Full, State: sink.StateDegraded, Updated: 1, Tombstoned: 2, Quarantined: 3, Took: 50 * time.Second}, nil)
	want(map[string]string{
		`rows_total{outcome="updated",table="tasks"}`:                    "1",
		`rows_total{outcome="tombstoned",table="tasks"}`:                 "2",
		`rows_total{outcome="quarantined",table="tasks"}`:                "3",
		`runs_total{mode="full",state="degraded",table="tasks"}`:         "1",
		`runs_total{mode="incremental",state="failing",table="clients"}`: "0",
		`run_duration_seconds_count{mode="full"}`:                        "1",
		`run_duration_seconds_sum{mode="full"}`:                          "350",
		`run_duration_seconds_count{mode="incremental"}`:                 "0",
	})
	m.Ended(jobs.Outcome{Table: "clients", Mode: jobs.Incremental, State: sink.StateFailing, Took: time.Second}, errors.New("refused"))
	m.Ended(jobs.Outcome{Table: "tasks", Mode: jobs.Full, State: sink.StateOK, Took: time.Second}, nil)
	want(map[string]string{
		`runs_total{mode="incremental",state="failing",table="clients"}`: "1",
		`run_duration_seconds_sum{mode="incremental"}`:                   "2",
		`run_duration_seconds_sum{mode="full"}`:                          "351",
	})
}

// Requests count by what came of them, and their replies by their size.
func TestTransport(t *testing.T) {
	t.Parallel()
	m := newTestMetrics(t, nil)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/limited":
			w.WriteHeader(http.StatusTooManyRequests)
		case "/odd":
			w.WriteHeader(799)
		case "/broken":
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, strings.Repeat("x", 1000))
	}))
	t.Cleanup(server.Close)
	transport := &http.Transport{}
	client := &http.Client{Transport: m.Transport(transport)}
	t.Cleanup(client.CloseIdleConnections)
	ask := func(ctx context.Context, path string) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+path, nil)
		if err != nil {
			t.Error(err)
			return
		}
		res, err := client.Do(req)
		if err != nil {
			return
		}
		if path != "/half" {
			_, _ = io.Copy(io.Discard, res.Body)
		}
		res.Body.Close()
	}
	for _, path := range []string{"/", "/", "/half", "/limited", "/odd", "/broken"} {
		ask(t.Context(), path)
	}
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	ask(stopped, "/")
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	ask(late, "/")
	got := scrape(t, m)
	for name, value := range map[string]string{
		`requests_total{status="200"}`:         "3",
		`requests_total{status="429"}`:         "1",
		`requests_total{status="other"}`:       "1",
		`requests_total{status="none"}`:        "2", // broken off, and not in time
		`requests_total{status="interrupted"}`: "1",
		`requests_total{status="500"}`:         "0",
		`request_duration_seconds_count`:       "8",
		`reply_bytes_total`:                    "4000",
	} {
		if got["paymosync_paymo_"+name] != value {
			t.Errorf("%s is %q, want %q", name, got["paymosync_paymo_"+name], value)
		}
	}
}
