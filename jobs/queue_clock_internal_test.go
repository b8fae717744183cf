package jobs

import (
	"testing"
	"time"
)

// The queue's clock is the database's, whatever the process's says, and goes on evenly;
// only a database whose clock is set moves it.
func TestQueueClock(t *testing.T) {
	t.Parallel()
	var c queueClock
	near := func(want time.Time) {
		t.Helper()
		if off := c.Now().Sub(want.Round(0)).Abs(); off > clockTolerance {
			t.Fatalf("it is %v, want %v", c.Now(), want)
		}
	}
	near(time.Now())
	for _, ahead := range []time.Duration{time.Hour, time.Hour + 300*time.Millisecond, -24 * time.Hour} {
		c.set(time.Now().Add(ahead).Round(0), time.Now())
		near(time.Now().Add(ahead))
	}
	before := c.Now()
	c.set(time.Now().Add(-24*time.Hour+clockTolerance/2).Round(0), time.Now())
	if moved := c.Now().Sub(before); moved < 0 || moved > clockTolerance/2 {
		t.Errorf("noise moved it by %v", moved)
	}
	c.set(time.Now(), time.Now().Add(-2*clockTolerance)) // who knows when that was
	near(time.Now().Add(-24 * time.Hour))
}
