package jobs

import (
	"sync"
	"time"
)

// clockTolerance is how far the queue's clock may be from the database's. Corrections
// below it would only be noise of the network.
const clockTolerance = time.Second

// queueClock is the database's clock, as the queue of one process reads it: River plans
// what is to come by the process's own, with which a machine whose clock is off would
// make its waits end at once or in hours. It goes on from the first reading by the
// monotonic clock, so that setting the machine's clock does not touch it. The zero clock
// is the process's own. Safe for concurrent use.
type queueClock struct {
	mu    sync.Mutex
	read  time.Time     // by the process's clock; zero: never
	ahead time.Duration // by how much the database was ahead then
}

// Now is the time. It bears a monotonic reading, as River asks for.
func (c *queueClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *queueClock) now() time.Time {
	if c.read.IsZero() {
		return time.Now()
	}
	return c.read.Add(time.Since(c.read) + c.ahead)
}

// NowOrNil is nil: what River's statements do now, they do by the database's clock.
func (c *queueClock) NowOrNil() *time.Time { return nil }

// set sets the clock by a reading of the database's, asked for at a time of this
// process. One that took too long says too little.
func (c *queueClock) set(database, asked time.Time) {
	took := time.Since(asked)
	if took > clockTolerance {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	read := asked.Add(took / 2)
	if c.read.IsZero() {
		c.read, c.ahead = read, database.Sub(read)
		return
	}
	here := c.read.Add(read.Sub(c.read) + c.ahead)
	if off := database.Sub(here); off.Abs() > clockTolerance {
		c.ahead += off
	}
}
