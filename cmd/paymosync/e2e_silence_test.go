package main

import (
	"os"
	"testing"
	"time"
)

// Connections to PostgreSQL that nothing comes through any more, and that nobody closes,
// hold the service up for a while only.
func TestProgramLostConnections(t *testing.T) {
	t.Parallel()
	w := newWorld(t, agency()).with("SYNC_SCHEDULE", "@every 1s")
	g := newGate(w)
	g.open()
	w.run("sync").mustExit(exitOK)
	service := w.start("serve")
	w.follow()
	g.forget()
	lag := w.followWithin(3 * time.Minute) // one of them after the other is found out
	service.signal(os.Interrupt)
	t.Logf("a change was in %v after the connections were lost", lag)
	service.wait().mustExit(exitOK) // later than otherwise: it takes its leave of them
	w.mustEqual()
}
