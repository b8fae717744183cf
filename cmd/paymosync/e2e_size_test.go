package main

import (
	"testing"
	"time"

	"github.com/paymosync/paymosync/paymo/paymotest"
)

// A load of a hundred thousand entries takes no more memory than its bound.
func TestSoakLargeAccount(t *testing.T) {
	t.Parallel()
	entries := 100_000
	if soak() {
		entries = 1_000_000
	}
	w := newWorld(t, paymotest.Config{Seed: 7, Users: 60, Clients: 100, Projects: 300, Tasks: 5000, Entries: entries})
	r := startChild(t, releasePath(t), w.variables, "sync").waitFor(20 * time.Minute).mustExit(exitOK)
	counts := w.paymo.Counts()
	t.Logf("%d entries: %v, %d requests (%d of them for the entries, with %d bytes), %d KiB of memory at most",
		entries, r.took, len(w.paymo.Requests()), counts["time_entries"].Requests, counts["time_entries"].Bytes, r.peak)
	if most := int64(64 << 10); r.peak > most {
		t.Errorf("%d KiB of memory, want %d at most", r.peak, most)
	}
	w.mustEqual()

	w.paymo.ResetLog()
	before := w.written()
	again := startChild(t, releasePath(t), w.variables, "sync", "--full").waitFor(20 * time.Minute).mustExit(exitOK).mustSay("Nothing new")
	t.Logf("read again in full: %v, %d requests, %d KiB", again.took, len(w.paymo.Requests()), again.peak)
	w.mustBeUntouched(before)
}
