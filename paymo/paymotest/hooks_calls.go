package paymotest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // Paymo signs so
	"encoding/hex"
	"maps"
	"net/http"
	"strconv"
	"sync"
	"time"
)

const (
	mostCalls   = 100_000 // that wait; further events are told to nobody
	hookWait    = time.Second
	hookTimeout = 10 * time.Second
)

// call is an event that hooks are to be told of: all that hear it, or one again.
type call struct {
	event
	hook  int64 // 0: all that hear it
	tries int
}

// callQueue are the calls that wait.
type callQueue struct {
	mu      sync.Mutex
	waiting []call
	open    int           // that wait or are being made, and those that are made again
	more    chan struct{} // filled when calls wait
}

func newCallQueue() *callQueue { return &callQueue{more: make(chan struct{}, 1)} }

func (c *callQueue) push(next call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) < mostCalls {
		c.waiting = append(c.waiting, next)
		c.open++
		c.signal()
	}
}

// done ends a call that was popped.
func (c *callQueue) done() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open--
}

func (c *callQueue) signal() {
	select {
	case c.more <- struct{}{}:
	default:
	}
}

// pop waits for a call; it has none when the context ends.
func (c *callQueue) pop(ctx context.Context) (call, bool) {
	for {
		c.mu.Lock()
		if len(c.waiting) > 0 {
			next := c.waiting[0]
			c.waiting = c.waiting[1:]
			if len(c.waiting) > 0 {
				c.signal() // for the next caller
			}
			c.mu.Unlock()
			return next, true
		}
		c.mu.Unlock()
		select {
		case <-ctx.Done():
			return call{}, false
		case <-c.more:
		}
	}
}

// Call calls the hooks that clients made over the API, of the events since, until the
// context ends. A hook that answers 410 is deleted. Those that were seeded are never
// called.
func (s *Server) Call(ctx context.Context) {
	a := s.main()
	var group sync.WaitGroup
	for range max(1, a.cfg.Hooks.Callers) {
		group.Go(func() {
			for {
				next, ok := a.calls.pop(ctx)
				if !ok {
					return
				}
				var failed sync.WaitGroup
				for _, to := range a.hear(next) {
					if !a.post(ctx, to) && ctx.Err() == nil && to.tries < a.cfg.Hooks.Retries {
						failed.Go(func() { a.again(ctx, to) })
					}
				}
				group.Go(func() {
					failed.Wait()
					a.calls.done()
				})
			}
		})
	}
	group.Wait()
	a.caller.CloseIdleConnections()
}

// Untold is how many events there are of which the hooks are still to be told.
func (s *Server) Untold() int {
	calls := s.main().calls
	calls.mu.Lock()
	defer calls.mu.Unlock()
	return calls.open
}

// again queues a call that failed, after a while.
func (a *account) again(ctx context.Context, to address) {
	wait := a.cfg.Hooks.Wait
	if wait == 0 {
		wait = hookWait
	}
	select {
	case <-ctx.Done():
	case <-time.After(wait << to.tries):
		a.calls.push(call{event: to.event, hook: to.hook, tries: to.tries + 1})
	}
}

// newHookCaller calls hooks over connections of its own, and follows no redirects.
func newHookCaller() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 4, IdleConnTimeout: hookTimeout},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// address is a call to one hook.
type address struct {
	call
	url    string
	secret string
	body   []byte
}

// hear are the calls to make of what waited.
func (a *account) hear(next call) []address {
	a.mu.RLock()
	t := *a.view.table("webhooks")
	hooks := maps.Clone(a.hooks)
	a.mu.RUnlock()
	var calls []address
	for _, r := range t.rows {
		h, made := hooks[r.id]
		if !made || next.hook != 0 && next.hook != r.id || !hears(r.value("event").text, next.name) {
			continue
		}
		if body := a.body(next.event, h.owner, r.value("where").text); body != nil {
			to := address{call: next, url: r.value("target_url").text, secret: h.secret, body: body}
			to.hook = r.id
			calls = append(calls, to)
		}
	}
	return calls
}

// post makes a call and reports whether it was taken.
func (a *account) post(ctx context.Context, to address) bool {
	timeout := a.cfg.Hooks.Timeout
	if timeout == 0 {
		timeout = hookTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.url, bytes.NewReader(to.body))
	if err != nil {
		return false
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Paymo-Webhook", strconv.FormatInt(to.hook, 10))
	req.Header.Set("X-Paymo-Event", to.name)
	if to.secret != "" {
		req.Header.Set("X-Paymo-Signature", Signature(to.body, to.secret))
	}
	resp, err := a.caller.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusGone {
		_, _ = a.remove("webhooks", to.hook, false) // it may be gone by now
		return true
	}
	a.try(a.patch("webhooks", to.hook, fields{"last_status_code": resp.StatusCode, "updated_on": keep{}}))
	return resp.StatusCode/100 == 2
}

// Signature is what Paymo puts into X-Paymo-Signature of a call with the body, for a hook
// of the secret.
func Signature(body []byte, secret string) string {
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write(body)
	return "sha1=" + hex.EncodeToString(mac.Sum(nil))
}
