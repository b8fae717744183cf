package paymo_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/paymotest"
)

// far makes requests and replies take their time, each another.
func far(next http.RoundTripper, most time.Duration) roundTrip {
	return func(req *http.Request) (*http.Response, error) {
		pass(rand.N(most))
		res, err := next.RoundTrip(req)
		pass(rand.N(most))
		return res, err
	}
}

// The share is used to 95 % and never overstepped, whatever the server counts by and
// whoever uses it.
func TestPacerUsesTheShare(t *testing.T) {
	t.Parallel()
	for _, sliding := range []bool{false, true} {
		for _, share := range []int{100, 80, 50} {
			for _, callers := range []int{1, 4} {
				for _, bulk := range []bool{false, true} {
					t.Run(fmt.Sprintf("sliding %v, %d %%, %d callers, bulk %v", sliding, share, callers, bulk), func(t *testing.T) {
						t.Parallel()
						synctest.Test(t, func(t *testing.T) {
							use := newKeyUse(t, sliding, share)
							budget := use.budget(bulk)
							for range callers {
								use.start(budget, 50*time.Millisecond, 0)
							}
							use.end()
							if used, refused := use.shareOf(budget), use.refused[budget]; used < 0.95 || used > 1.05 || refused > 0 {
								t.Errorf("%.3f of the share is used, %d requests are refused", used, refused)
							}
						})
					})
				}
			}
		}
	}
}

// A call that takes long leaves turns unused that nobody else takes; several at once use
// the whole share, as long as all of them together are fast enough.
func TestPacerWithSlowCalls(t *testing.T) {
	t.Parallel()
	const pace, call = 1275 * time.Millisecond, 3 * time.Second
	for _, bulk := range []bool{false, true} {
		for callers, want := range map[int]float64{1: float64(pace) / float64(call), 2: 2 * float64(pace) / float64(call), 4: 0.98} {
			synctest.Test(t, func(t *testing.T) {
				use := newKeyUse(t, true, 80)
				budget := use.budget(bulk)
				for range callers {
					use.start(budget, time.Millisecond, call)
				}
				use.end()
				if used := use.shareOf(budget); used < want*0.95 || used > want*1.05 || use.refused[budget] > 0 {
					t.Errorf("bulk %v, %d callers use %.3f of the share, want %.3f; %d requests are refused", bulk, callers, used, want, use.refused[budget])
				}
			})
		}
	}
}

// What is scheduled goes before bulk, which gets a turn in ten all the same, and the rest
// of what it leaves.
func TestPacerPutsBulkLast(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		scheduled       int           // callers
		call            time.Duration // what each does between two requests
		least, most     float64       // what they get of the share
		bulkLeast, both float64       // what bulk gets at the least, and both together
	}{
		{1, 100 * time.Millisecond, 0.85, 0.92, 0.07, 0.95},
		{4, 100 * time.Millisecond, 0.85, 0.97, 0.07, 0.95},
		{1, 5 * time.Second, 0.18, 0.26, 0.65, 0.90},
	} {
		synctest.Test(t, func(t *testing.T) {
			use := newKeyUse(t, true, 80)
			pacer := use.pacer
			for range 4 {
				use.start(pacer.Bulk(), 50*time.Millisecond, 0)
			}
			for range test.scheduled {
				use.start(pacer, 50*time.Millisecond, test.call)
			}
			use.end()
			scheduled, bulk := use.shareOf(pacer), use.shareOf(pacer.Bulk())
			t.Logf("%d callers with %s: scheduled %.3f, bulk %.3f", test.scheduled, test.call, scheduled, bulk)
			if scheduled < test.least || scheduled > test.most || bulk < test.bulkLeast || scheduled+bulk < test.both {
				t.Errorf("%+v: scheduled requests use %.3f of the share, bulk %.3f", test, scheduled, bulk)
			}
		})
	}
}

// People's own tools use the key too. While they keep to what the share leaves them they
// are never refused, and cost us nothing; when they want more, what they take is left to
// them.
func TestPacerLeavesRoomForOthers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		every         time.Duration // one request of theirs
		ours          float64       // of the share, at the least
		oursRefused   int
		theirsRefused int
	}{
		{5100 * time.Millisecond, 0.95, 0, 0},
		{20 * time.Second, 0.95, 0, 0},
		{2500 * time.Millisecond, 0.40, 40, 4},
	} {
		for _, sliding := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				use := newKeyUse(t, sliding, 80)
				ours, theirs := use.budget(true), free{}
				use.start(ours, 50*time.Millisecond, 0)
				use.start(theirs, time.Millisecond, test.every)
				use.end()
				t.Logf("theirs every %s, sliding %v: we use %.3f, %d of %d ours and %d of %d theirs are refused", test.every, sliding, use.shareOf(ours), use.refused[ours], use.sent[ours], use.refused[theirs], use.sent[theirs])
				if used := use.shareOf(ours); used < test.ours || use.refused[ours] > test.oursRefused || use.refused[theirs] > test.theirsRefused {
					t.Errorf("theirs every %s, sliding %v: we use %.3f of the share, %d of ours and %d of theirs are refused",
						test.every, sliding, used, use.refused[ours], use.refused[theirs])
				}
			})
		}
	}
}

// keyUse is the use of one key for a while.
type keyUse struct {
	t     *testing.T
	fake  *paymotest.Server
	pacer *paymo.Pacer
	share int
	until time.Time
	group sync.WaitGroup

	mu      sync.Mutex
	sent    map[paymo.Budget]int
	refused map[paymo.Budget]int
}

func newKeyUse(t *testing.T, sliding bool, share int) *keyUse {
	t.Helper()
	return &keyUse{
		t: t, share: share, pacer: &paymo.Pacer{Share: share}, until: time.Now().Add(useLength),
		fake: paymotest.New(paymotest.Config{
			Rate: 5, Period: 5 * time.Second, Sliding: sliding, Remainings: true,
			Clients: 1, Projects: 1, Tasks: 1, Entries: -1,
		}),
		sent: map[paymo.Budget]int{}, refused: map[paymo.Budget]int{},
	}
}

func (u *keyUse) budget(bulk bool) paymo.Budget {
	if bulk {
		return u.pacer.Bulk()
	}
	return u.pacer
}

// start has somebody make one request after the other, with work after each.
func (u *keyUse) start(budget paymo.Budget, most, work time.Duration) {
	u.t.Helper()
	client := newPipeClient(u.t, u.fake, withKey(paymotest.DefaultKey), func(c *paymo.Config) {
		c.Budget, c.Share, c.Transport = budget, u.share, u.counted(budget, far(c.Transport, most))
	})
	if budget == u.pacer.Bulk() {
		client = client.WithBudget(budget, 20*time.Second)
	}
	u.group.Go(func() {
		for time.Now().Before(u.until) {
			_, err := list(u.t, client)
			if limited, ok := errors.AsType[*paymo.RateLimitError](err); ok {
				pass(limited.Wait) // as the queue does
			} else if err != nil {
				u.t.Error(err)
				return
			}
			pass(work)
		}
	})
}

// counted counts the requests through a budget, and those of them that were refused.
func (u *keyUse) counted(budget paymo.Budget, next http.RoundTripper) roundTrip {
	return func(req *http.Request) (*http.Response, error) {
		res, err := next.RoundTrip(req)
		u.mu.Lock()
		defer u.mu.Unlock()
		u.sent[budget]++
		if err == nil && res.StatusCode == http.StatusTooManyRequests {
			u.refused[budget]++
		}
		return res, err
	}
}

// end waits for all.
func (u *keyUse) end() {
	u.group.Wait()
}

// shareOf is how much of our share of the limit was used through a budget, refusals left
// out.
func (u *keyUse) shareOf(budget paymo.Budget) float64 {
	return float64(u.sent[budget]-u.refused[budget]) * 100 / float64(u.share) / useLength.Seconds()
}
