package webhook

import (
	"context"
	"sync"
	"time"

	"github.com/paymosync/paymosync/jobs"
)

// noteTime is how long noting may take.
const noteTime = 5 * time.Second

// gather notes together what is told while the database is busy with what was told before:
// however many calls there are, it has one transaction after the other.
type gather struct {
	note func(context.Context, []jobs.Told) error

	mu   sync.Mutex
	busy bool   // a batch is being noted
	next *batch // waits for it, and still takes more; nil: none
}

// batch is what is noted together.
type batch struct {
	told  []jobs.Told
	noted chan struct{} // closed when it is, or err says why not
	err   error
}

// add returns when it is noted.
func (g *gather) add(ctx context.Context, told jobs.Told) error {
	g.mu.Lock()
	b := g.next
	if b == nil {
		b = &batch{noted: make(chan struct{})}
		g.next = b
	}
	b.told = append(b.told, told)
	if !g.busy {
		g.busy = true
		go g.run(context.WithoutCancel(ctx)) // it ends with none of those who wait
	}
	g.mu.Unlock()
	select {
	case <-b.noted:
		return b.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run notes batches until there is none.
func (g *gather) run(ctx context.Context) {
	for {
		g.mu.Lock()
		b := g.next
		g.next, g.busy = nil, b != nil
		g.mu.Unlock()
		if b == nil {
			return
		}
		noting, cancel := context.WithTimeout(ctx, noteTime)
		b.err = g.note(noting, b.told)
		cancel()
		close(b.noted)
	}
}
