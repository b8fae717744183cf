package paymotest

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// worker is the state of a company at work.
type worker struct {
	mu  sync.Mutex
	rng *rand.Rand
}

// Live lets the company work: about rate changes a second, until the context
// ends. What happens is drawn from the seed; when, from the clock.
func (s *Server) Live(ctx context.Context, rate float64) {
	if rate <= 0 {
		return
	}
	ticker := time.NewTicker(max(time.Millisecond, time.Duration(float64(time.Second)/rate)))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			s.Work(1)
		}
	}
}

// Work makes n changes now: somebody logs time, starts or stops a timer, edits
// an entry or a task, comments, is invoiced.
func (s *Server) Work(n int) {
	a := s.main()
	a.work.mu.Lock()
	defer a.work.mu.Unlock()
	for range n {
		a.step()
	}
}
