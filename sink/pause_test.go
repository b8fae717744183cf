package sink_test

import (
	"strings"
	"testing"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// A table that is paused says so wherever its state is read, keeps what it was, and says
// that again when it is resumed. Saving its checkpoint meanwhile does not resume it.
func TestPause(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "tasks")
	ctx := t.Context()
	cp := sink.Checkpoint{State: sink.StateDegraded, Reason: "because", Cause: "quarantine"}
	if err := tb.lease.SaveCheckpoint(ctx, cp); err != nil {
		t.Fatal(err)
	}
	for _, want := range []bool{true, false} {
		if changed, err := tb.store.Pause(ctx, "tasks"); err != nil || changed != want {
			t.Fatalf("pause: %v, %v", changed, err)
		}
	}
	if err := tb.lease.SaveCheckpoint(ctx, cp); err != nil {
		t.Fatal(err)
	}
	state := func() (state, reason, cause string) {
		t.Helper()
		statuses, err := tb.store.Status(ctx, []*catalog.Resource{tb.resource}, 1)
		if err != nil {
			t.Fatal(err)
		}
		var viewed, viewedReason string
		if err := tb.pool.QueryRow(ctx, `SELECT state, reason FROM paymo._sync_status WHERE "table" = 'tasks'`).Scan(&viewed, &viewedReason); err != nil {
			t.Fatal(err)
		}
		if viewed != statuses[0].State || !strings.HasSuffix(viewedReason, "because") {
			t.Errorf("the view says %s: %s", viewed, viewedReason)
		}
		return statuses[0].State, statuses[0].Reason, statuses[0].Cause
	}
	if state, reason, cause := state(); state != sink.StatePaused || cause != sink.CausePaused || !strings.Contains(reason, "before that it was degraded: because") {
		t.Errorf("%s: %s (%s)", state, reason, cause)
	}
	for _, want := range []bool{true, false} {
		if changed, err := tb.store.Resume(ctx, "tasks"); err != nil || changed != want {
			t.Fatalf("resume: %v, %v", changed, err)
		}
	}
	if state, reason, cause := state(); state != sink.StateDegraded || cause != "quarantine" || reason != "because" {
		t.Errorf("%s: %s (%s)", state, reason, cause)
	}
	// One that was never synced can be paused too.
	if changed, err := tb.store.Pause(ctx, "users"); err != nil || !changed {
		t.Errorf("pause a table without a checkpoint: %v, %v", changed, err)
	}
}
