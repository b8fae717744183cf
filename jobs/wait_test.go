package jobs_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/paymotest"
	"github.com/paymosync/paymosync/sink"
)

// unreachableError is what Vault's client says of a Vault that is down.
type unreachableError struct{}

func (unreachableError) Error() string   { return "vault cannot be reached" }
func (unreachableError) Temporary() bool { return true }

// A job that cannot have the key waits as one run, and the table is not well
// meanwhile; a sync by hand, to which nobody comes back, ends as failing.
func TestWaitingForTheKey(t *testing.T) {
	t.Parallel()
	var up atomic.Bool
	key := func(context.Context) (string, error) {
		if !up.Load() {
			return "", unreachableError{}
		}
		return paymotest.DefaultKey, nil
	}
	up.Store(true)
	w := newWorld(t, small(), func(client *paymo.Config, _ *jobs.SyncerConfig) { client.Key = key })
	w.mustSync("clients", jobs.Full)
	up.Store(false)
	waiting := w.newSyncer("job", func(client *paymo.Config, _ *jobs.SyncerConfig) { client.Key = key })
	request := jobs.Request{Resource: resource(t, "clients"), Mode: jobs.Incremental, Reason: jobs.ReasonSchedule, Work: time.Minute}
	for range 3 {
		outcome, err := waiting.Sync(t.Context(), request)
		if err == nil || !outcome.Unfinished || outcome.State != sink.StateFailing {
			t.Fatalf("%+v, %v", outcome, err)
		}
	}
	status := w.status("clients")
	if status.State != sink.StateFailing || !strings.Contains(status.Reason, "get the API key: vault cannot be reached") {
		t.Errorf("%s: %s", status.State, status.Reason)
	}
	if runs := query[int](w, `SELECT count(*) FROM paymosync.runs WHERE state = 'running'`); runs != 1 {
		t.Errorf("%d runs wait", runs)
	}

	request.Work = 0
	if outcome, err := waiting.Sync(t.Context(), request); err == nil || outcome.Unfinished || outcome.State != sink.StateFailing {
		t.Errorf("by hand: %+v, %v", outcome, err)
	}
	if runs := query[int](w, `SELECT count(*) FROM paymosync.runs WHERE state = 'running'`); runs != 0 {
		t.Errorf("%d runs are left running", runs)
	}
	up.Store(true)
	w.mustSync("clients", jobs.Incremental)
}

// An earlier SYNC_START_DATE is followed by the next sync, whichever it is.
func TestEarlierStartDate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, small(), func(_ *paymo.Config, config *jobs.SyncerConfig) {
		config.StartDate = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	})
	w.mustSync("time_entries", jobs.Full)
	if some := w.count("time_entries"); some == 0 || some >= 600 {
		t.Fatalf("%d entries since the date", some)
	}
	w.syncer = w.newSyncer("without a date")
	w.mustSync("time_entries", jobs.Incremental)
	w.mustEqual("time_entries")
}
