package paymotest

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/paymosync/paymosync/paymo/catalog"
)

const page = `<!DOCTYPE html>
<html><head><title>We'll be right back</title></head>
<body><h1>Down for maintenance</h1><p>Please try again &amp; stay patient.</p></body></html>
`

// before applies the faults that answer in place of the server, and returns true
// when one has, or the writer that will spoil the answer.
func (fired firing) before(w http.ResponseWriter, r *http.Request) (http.ResponseWriter, bool) {
	out := w
	for _, f := range fired {
		switch f.Kind {
		case FaultSlow:
			if !pause(r, f.Delay) {
				return w, true
			}
		case FaultStatus:
			if f.Delay > 0 {
				w.Header().Set("Retry-After", seconds(f.Delay))
			}
			fail(w, f.N, message(f.N))
			return w, true
		case FaultHTML:
			html(w, f.N)
			return w, true
		case FaultRedirect:
			w.Header().Set("Location", strings.TrimSuffix(f.URL, "/")+r.URL.RequestURI())
			w.WriteHeader(http.StatusFound)
			return w, true
		case FaultCut, FaultTruncate:
			out = &snip{ResponseWriter: out, limit: f.N, abort: f.Kind == FaultCut}
		case FaultDrip:
			out = &drip{ResponseWriter: out, r: r, chunk: f.N, delay: f.Delay}
		}
	}
	return out, false
}

// html answers as something in front of Paymo would.
func html(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, page)
}

// after ends an answer that is to be cut short.
func (fired firing) after(w http.ResponseWriter) {
	for {
		switch x := w.(type) {
		case *snip:
			if !x.done {
				x.end(len(x.held) / 2)
			}
			w = x.ResponseWriter
		case *drip:
			w = x.ResponseWriter
		default:
			return
		}
	}
}

// message is Paymo's wording for a status.
func message(status int) string {
	switch {
	case status == http.StatusForbidden:
		return "Access denied"
	case status == http.StatusNotFound:
		return "Object not found"
	case status == http.StatusTooManyRequests:
		return "Too many requests"
	case status >= 500:
		return "Application error"
	}
	return http.StatusText(status)
}

func pause(r *http.Request, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// snip lets through the first bytes of a body, half of it if it is shorter.
type snip struct {
	http.ResponseWriter
	held  []byte
	limit int
	abort bool
	done  bool
}

func (s *snip) Write(b []byte) (int, error) {
	if s.done {
		return 0, io.ErrClosedPipe
	}
	s.held = append(s.held, b...)
	if len(s.held) > s.limit {
		s.end(s.limit)
	}
	return len(b), nil
}

func (s *snip) end(n int) {
	s.done = true
	_, _ = s.ResponseWriter.Write(s.held[:n])
	if s.abort {
		_ = http.NewResponseController(s.ResponseWriter).Flush()
		panic(http.ErrAbortHandler) // net/http's way to close the connection
	}
}

// drip writes in small chunks with a wait after each.
type drip struct {
	http.ResponseWriter
	r     *http.Request
	chunk int
	delay time.Duration
}

func (d *drip) Write(b []byte) (int, error) {
	written := 0
	for len(b) > 0 {
		n, err := d.ResponseWriter.Write(b[:min(d.chunk, len(b))])
		written += n
		if err != nil {
			return written, err
		}
		b = b[n:]
		_ = http.NewResponseController(d.ResponseWriter).Flush()
		if !pause(d.r, d.delay) {
			return written, d.r.Context().Err()
		}
	}
	return written, nil
}

// faultPlan is how faults bend a list.
type faultPlan struct {
	empty        bool
	cutAt        int
	ignorePaging bool
	pageCap      int
	rotate       int
	overlap      bool
	move         int
	forget       int
	stale        bool
	blank        bool
	emptyNested  bool
	wrongKey     bool
	endless      bool
	mutate       func(res *catalog.Resource, n int, raw []byte) []byte
}

func (fired firing) plan() faultPlan {
	var p faultPlan
	for _, f := range fired {
		switch f.Kind {
		case FaultEmpty:
			p.empty = true
		case FaultCutList:
			p.cutAt = f.N
		case FaultIgnorePaging:
			p.ignorePaging = true
		case FaultPageCap:
			p.pageCap = f.N
		case FaultRotate:
			p.rotate = f.N * f.nth
		case FaultDuplicate:
			p.overlap = true
		case FaultMove:
			p.move = f.N
		case FaultForget:
			p.forget = f.N
		case FaultStale:
			p.stale = true
		case FaultBlank:
			p.blank = true
		case FaultEmptyNested:
			p.emptyNested = true
		case FaultWrongKey:
			p.wrongKey = true
		case FaultEndless:
			p.endless = true
		case FaultBadID, FaultNoID, FaultWrongType, FaultNUL, FaultHuge:
			p.mutate = f.mutate
		}
	}
	return p
}

// tamper applies the faults of filters to a query.
func (fired firing) tamper(q *query) {
	for _, f := range fired {
		if f.Kind != FaultIgnoreFilter && f.Kind != FaultBreakFilter {
			continue
		}
		var kept []test
		for _, t := range q.filter.tests {
			switch {
			case t.field != f.Field:
				kept = append(kept, t)
			case f.Kind == FaultBreakFilter:
				q.empty = true
			}
		}
		q.filter.tests, q.filter.span = kept, everything()
		q.filter.narrow()
	}
}

// mutate spoils every third row of a reply.
func (f shot) mutate(res *catalog.Resource, n int, raw []byte) []byte {
	if n%3 != 0 {
		return raw
	}
	o := (&row{raw: raw}).decode()
	name := f.Field
	if f.Kind == FaultBadID || f.Kind == FaultNoID {
		name = "id"
	}
	for _, c := range res.Columns {
		wanted := c.Kind == catalog.Text && f.Kind != FaultHuge || c.Kind == catalog.Integer && f.Kind == FaultHuge
		if _, has := o[c.Name]; name == "" && has && wanted && c.Name != "id" && !c.Has(catalog.Secret) {
			name = c.Name
		}
	}
	if name == "" {
		return raw
	}
	switch f.Kind {
	case FaultBadID:
		o["id"] = "abc"
	case FaultNoID:
		delete(o, "id")
	case FaultWrongType:
		o[name] = map[string]any{"unexpected": []int{1, 2}}
	case FaultNUL:
		o[name] = "before\x00after"
	case FaultHuge:
		o[name] = json.Number("123456789012345678901234567890")
	}
	r, err := newRow(res, o)
	if err != nil {
		return raw
	}
	return r.raw
}
