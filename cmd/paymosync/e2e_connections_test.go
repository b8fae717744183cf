package main

import (
	"net/url"
	"testing"
	"time"
)

// The fewest connections that are taken are enough: nothing waits for ever.
func TestProgramFewConnections(t *testing.T) {
	t.Parallel()
	w := newWorld(t, agency()).with("SYNC_SCHEDULE", "@every 2s")
	u, err := url.Parse(w.variables["DATABASE_URL"])
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	query.Set("pool_max_conns", "4")
	u.RawQuery = query.Encode()
	w = w.with("DATABASE_URL", u.String())
	w.run("sync").mustExit(exitOK)
	w.paymo.Work(30)
	service := w.start("serve")
	w.awaitReady(20 * time.Second)
	w.awaitFresh(50 * time.Second)
	service.mustStop()
	w.bury()
	w.mustEqual()
}
