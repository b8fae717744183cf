package webhook

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/paymo/paymotest"
)

// The sample of Paymo's reference (sections/webhooks.md, "Webhook signatures").
const (
	sampleSecret    = "secret"
	sampleEvent     = "model.delete.Project"
	sampleBody      = `{"id":"1679584"}`
	sampleSignature = "sha1=dc03736e396e70138bf7af4ffaa2948cde42dcf1"
)

// receiving is a Receiver, and what it did.
type receiving struct {
	*Receiver
	t testing.TB

	mu      sync.Mutex
	noted   [][]jobs.Told // by call of Note
	counted map[string]int
	log     bytes.Buffer
	before  func(context.Context) error // called by Note, which fails with it; nil: nothing
}

// newReceiving makes a Receiver of calls that are signed with the secret of the sample,
// for some of the tables.
func newReceiving(t testing.TB, secret *Secret) *receiving {
	t.Helper()
	r := &receiving{t: t, counted: map[string]int{}}
	var tables []*catalog.Resource
	for _, table := range []string{"projects", "tasks", "time_entries"} {
		resource, ok := catalog.Lookup(table)
		if !ok {
			t.Fatalf("no table %s", table)
		}
		tables = append(tables, resource)
	}
	r.Receiver = New(Config{
		Secret: secret, Tables: tables, Note: r.note,
		Counted: func(result string) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.counted[result]++
		},
		Log: slog.New(slog.NewJSONHandler(r, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	return r
}

func sample(context.Context) (string, error) { return sampleSecret, nil }

// Write takes the log.
func (r *receiving) Write(line []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Write(line)
}

func (r *receiving) note(ctx context.Context, told []jobs.Told) error {
	r.mu.Lock()
	before := r.before
	r.mu.Unlock()
	if before != nil {
		if err := before(ctx); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.noted = append(r.noted, slices.Clone(told))
	return nil
}

// whenNoting has the function called by Note, which fails with it.
func (r *receiving) whenNoting(before func(context.Context) error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.before = before
}

// told is all that was noted.
func (r *receiving) told() []jobs.Told {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Concat(r.noted...)
}

// call is one of Paymo's.
type call struct {
	event, body string
	signature   string          // "": that of the body by the hook of the event's model
	unsigned    bool            // it has none
	from        io.Reader       // of its body, instead; its length is not told
	length      int64           // that is told of its body
	ctx         context.Context //nolint:containedctx // of those who hang up
}

func (c call) request(t testing.TB) *http.Request {
	t.Helper()
	if c.ctx == nil {
		c.ctx = t.Context()
	}
	var body io.Reader = strings.NewReader(c.body)
	if c.from != nil {
		body = c.from
	}
	req := httptest.NewRequestWithContext(c.ctx, http.MethodPost, "/webhooks/paymo", body)
	if c.length != 0 {
		req.ContentLength = c.length
	}
	if c.event != "" {
		req.Header.Set("X-Paymo-Event", c.event)
	}
	if c.signature == "" {
		c.signature = signature(c.event, c.body, sampleSecret)
	}
	if !c.unsigned {
		req.Header.Set("X-Paymo-Signature", c.signature)
	}
	return req
}

// signature is that of a hook that was made with the account's secret, for the event's model.
func signature(event, body, secret string) string {
	return paymotest.Signature([]byte(body), jobs.HookSecret(secret, event[strings.LastIndex(event, ".")+1:]))
}

// send makes a call and returns how it was answered.
func (r *receiving) send(c call) *httptest.ResponseRecorder {
	r.t.Helper()
	w := httptest.NewRecorder()
	r.ServeHTTP(w, c.request(r.t))
	return w
}

// must makes a call, which must be answered and counted so.
func (r *receiving) must(c call, status int, result string) {
	r.t.Helper()
	r.mu.Lock()
	before := maps.Clone(r.counted)
	r.mu.Unlock()
	answer := r.send(c)
	r.mu.Lock()
	defer r.mu.Unlock()
	before[result]++
	if answer.Code != status || !maps.Equal(before, r.counted) {
		r.t.Errorf("%s: %d, counted %v; want %d %s", c, answer.Code, r.counted, status, result)
	}
	if again := answer.Header().Get("Retry-After"); (again != "") != (status == http.StatusServiceUnavailable) {
		r.t.Errorf("%s: Retry-After %q with %d", c, again, status)
	}
}

func (c call) String() string { return fmt.Sprintf("%s %.80q", c.event, c.body) }
