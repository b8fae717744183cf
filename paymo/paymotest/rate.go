package paymotest

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"
)

// limiter counts one key's requests: the times of those in the window.
type limiter struct{ times []time.Time }

// admit counts a request against its key's limit and sets the headers. Over the
// limit it answers 429 and reports false; such a request is not counted.
func (s *Server) admit(w http.ResponseWriter, key string, now time.Time) bool {
	s.mu.Lock()
	rate := s.cfg.Rate
	if rate <= 0 {
		s.mu.Unlock()
		return true
	}
	l := s.limits[key]
	if l == nil {
		l = &limiter{}
		s.limits[key] = l
	}
	ok, remaining, wait := l.take(now, rate, s.cfg.Period, s.cfg.Sliding)
	s.mu.Unlock()

	h := w.Header()
	h.Set("X-Ratelimit-Limit", strconv.Itoa(rate))
	h.Set("X-Ratelimit-Decay-Period", seconds(s.cfg.Period))
	h.Set("X-Ratelimit-Remaining", strconv.Itoa(remaining))
	if s.cfg.Remainings {
		h.Set("X-Ratelimit-Remaining", fmt.Sprintf("%d, %d", remaining+7, remaining))
		h.Add("X-Ratelimit-Remaining", strconv.Itoa(remaining+3))
	}
	if !ok {
		h.Set("Retry-After", seconds(wait))
		fail(w, http.StatusTooManyRequests, "Too many requests")
	}
	return ok
}

// SetRate changes the number of requests that a key has in a Period; 0 is no limit.
func (s *Server) SetRate(rate int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cfg.Rate = rate
}

// seconds rounds up, so that a client that waits as told is let in.
func seconds(d time.Duration) string {
	return strconv.Itoa(max(1, int(math.Ceil(d.Seconds()))))
}

// take counts a request, if there is room, and says how many are left and how
// long until there is room again. A fixed window opens with the first request
// after the last one closed.
func (l *limiter) take(now time.Time, rate int, period time.Duration, sliding bool) (ok bool, remaining int, wait time.Duration) {
	if sliding {
		for len(l.times) > 0 && now.Sub(l.times[0]) >= period {
			l.times = l.times[1:]
		}
	} else if len(l.times) > 0 && now.Sub(l.times[0]) >= period {
		l.times = l.times[:0]
	}
	if len(l.times) >= rate {
		return false, 0, l.times[0].Add(period).Sub(now)
	}
	l.times = append(l.times, now)
	return true, rate - len(l.times), 0
}
