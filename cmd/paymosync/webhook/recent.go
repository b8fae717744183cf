package webhook

import "sync"

// mostRecent is how many calls are remembered, at least.
const mostRecent = 10_000

// recent remembers the last calls, so that the same one is not noted again and again: it
// bears nothing that tells whether it is new.
type recent struct {
	mu       sync.Mutex
	now, old map[string]bool // by model and signature; the older half goes when the newer is full
}

func newRecent() *recent { return &recent{now: map[string]bool{}, old: map[string]bool{}} }

func (r *recent) has(model string, signature []byte) bool {
	key := model + string(signature)
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now[key] || r.old[key]
}

func (r *recent) add(model string, signature []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.now) >= mostRecent {
		r.now, r.old = map[string]bool{}, r.now
	}
	r.now[model+string(signature)] = true
}
