package paymotest_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paymosync/paymosync/paymo/paymotest"
)

func TestRateLimit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		sliding bool
		wait    string // Retry-After after requests at 0, 0, 1, 1, 1 seconds
		later   int    // requests let in 5 s after the first
	}{
		{"fixed", false, "4", 5},
		{"sliding", true, "4", 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := paymotest.New(paymotest.Config{Rate: 5, Sliding: tt.sliding, Entries: -1})
				for i := range 5 {
					if i == 2 {
						time.Sleep(time.Second) //nolint:forbidigo // the bubble's clock moves at once
					}
					r := get(t, s, "/api/me")
					if r.status != http.StatusOK || r.header.Get("X-Ratelimit-Remaining") != strconv.Itoa(4-i) ||
						r.header.Get("X-Ratelimit-Limit") != "5" || r.header.Get("X-Ratelimit-Decay-Period") != "5" {
						t.Errorf("request %d: %d %v", i, r.status, r.header)
					}
				}
				r := get(t, s, "/api/me")
				if r.status != http.StatusTooManyRequests || r.header.Get("Retry-After") != tt.wait || r.message == "" {
					t.Errorf("over the limit: %d %v", r.status, r.header)
				}
				s.AddKey("other", "Admin")
				if r := getAs(t, s, "other", "/api/me"); r.status != http.StatusOK {
					t.Errorf("another key has its own budget: %d", r.status)
				}
				time.Sleep(4 * time.Second) //nolint:forbidigo // the bubble's clock moves at once
				n := 0
				for get(t, s, "/api/me").status == http.StatusOK {
					n++
				}
				if n != tt.later {
					t.Errorf("%d requests after the wait, want %d", n, tt.later)
				}
			})
		})
	}
}

func TestRateHeaders(t *testing.T) {
	t.Parallel()
	off := get(t, paymotest.New(paymotest.Config{Entries: -1}), "/api/me")
	for name := range off.header {
		if strings.HasPrefix(name, "X-Ratelimit") {
			t.Errorf("%s without a limit", name)
		}
	}
	many := get(t, paymotest.New(paymotest.Config{Entries: -1, Rate: 5, Remainings: true}), "/api/me")
	if got := strings.Join(many.header.Values("X-Ratelimit-Remaining"), ", "); got != "11, 4, 7" {
		t.Errorf("several remainings: %s", got)
	}
}
