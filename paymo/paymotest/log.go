package paymotest

import (
	"maps"
	"slices"
	"time"
)

// Request is what the log keeps of a request. It holds no headers.
type Request struct {
	Method string    `json:"method"`
	Path   string    `json:"path"`
	Query  string    `json:"query"`
	Table  string    `json:"table"` // "me" for /api/me, "" for an unknown path
	Status int       `json:"status"`
	Bytes  int64     `json:"bytes"`
	Time   time.Time `json:"time"`
}

// Count sums the requests of one table.
type Count struct {
	Requests int64 `json:"requests"`
	Bytes    int64 `json:"bytes"`
	Failed   int64 `json:"failed"` // answered with 400 or above
}

// logged is the number of requests that the log keeps.
const logged = 10_000

// journal is the bounded log, a ring, and the sums over all time.
type journal struct {
	ring   []Request
	next   int
	counts map[string]Count
}

func (s *Server) note(r Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := &s.log
	if len(l.ring) < logged {
		l.ring = append(l.ring, r)
	} else {
		l.ring[l.next] = r
		l.next = (l.next + 1) % logged
	}
	c := l.counts[r.Table]
	c.Requests++
	c.Bytes += r.Bytes
	if r.Status >= 400 {
		c.Failed++
	}
	l.counts[r.Table] = c
}

// Requests are the last 10,000 requests, oldest first.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Concat(s.log.ring[s.log.next:], s.log.ring[:s.log.next])
}

// Counts are the requests by table since the start or the last ResetLog.
func (s *Server) Counts() map[string]Count {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.log.counts)
}

// ResetLog forgets the requests so far.
func (s *Server) ResetLog() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = journal{counts: map[string]Count{}}
}
