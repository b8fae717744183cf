package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// collector is a receiver of traces, as the OpenTelemetry Collector is one.
type collector struct {
	url string

	mu       sync.Mutex
	answers  []int // of the first deliveries; 200 from then on
	headers  []http.Header
	bodies   []string // as they are when unpacked
	service  map[string]string
	received []*tracepb.Span
}

func newCollector(t *testing.T, answers ...int) *collector {
	t.Helper()
	c := &collector{answers: answers, service: map[string]string{}}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

// ServeHTTP takes a delivery, unless it is to be answered in another way.
func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.headers = append(c.headers, r.Header)
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body = unpacked
	}
	text, err := io.ReadAll(body)
	var data tracepb.TracesData
	if err == nil {
		err = proto.Unmarshal(text, &data)
	}
	switch {
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	case r.Method != http.MethodPost || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf":
		http.NotFound(w, r)
		return
	case len(c.answers) > 0:
		w.WriteHeader(c.answers[0])
		c.answers = c.answers[1:]
		return
	}
	c.bodies = append(c.bodies, string(text))
	for _, resource := range data.GetResourceSpans() {
		for _, a := range resource.GetResource().GetAttributes() {
			c.service[a.GetKey()] = a.GetValue().GetStringValue()
		}
		for _, scope := range resource.GetScopeSpans() {
			c.received = append(c.received, scope.GetSpans()...)
		}
	}
}

// spans are those that a collector has received.
func (c *collector) spans() spanList {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.received)
}

// spanList is some spans, of one trace or of several.
type spanList []*tracepb.Span

// named are the spans whose name begins so.
func (t spanList) named(name string) spanList {
	return slices.DeleteFunc(slices.Clone(t), func(s *tracepb.Span) bool { return !strings.HasPrefix(s.GetName(), name) })
}

// below are the spans that hang on another one.
func (t spanList) below(parent *tracepb.Span) spanList {
	return slices.DeleteFunc(slices.Clone(t), func(s *tracepb.Span) bool {
		return !bytes.Equal(s.GetParentSpanId(), parent.GetSpanId()) || !bytes.Equal(s.GetTraceId(), parent.GetTraceId())
	})
}

// parent is the span that another one hangs on, nil when it is not there.
func (t spanList) parent(child *tracepb.Span) *tracepb.Span {
	for _, s := range t {
		if bytes.Equal(s.GetSpanId(), child.GetParentSpanId()) && bytes.Equal(s.GetTraceId(), child.GetTraceId()) {
			return s
		}
	}
	return nil
}

// number is what a span counts under a name, -1 when it does not.
func number(span *tracepb.Span, name string) int64 {
	for _, a := range span.GetAttributes() {
		if a.GetKey() == name {
			return a.GetValue().GetIntValue()
		}
	}
	return -1
}

// word is what a span says under a name.
func word(span *tracepb.Span, name string) string {
	for _, a := range span.GetAttributes() {
		if a.GetKey() == name {
			return a.GetValue().GetStringValue()
		}
	}
	return ""
}

// sum adds up what spans count under a name.
func (t spanList) sum(name string) int64 {
	var n int64
	for _, span := range t {
		n += number(span, name)
	}
	return n
}

// String draws the spans as trees.
func (t spanList) String() string {
	var b strings.Builder
	var draw func(spans spanList, indent string)
	draw = func(spans spanList, indent string) {
		for _, span := range spans {
			fmt.Fprintf(&b, "%s%s", indent, span.GetName())
			for _, a := range span.GetAttributes() {
				if n := number(span, a.GetKey()); n > 0 {
					fmt.Fprintf(&b, " %s=%d", a.GetKey(), n)
				} else if s := word(span, a.GetKey()); s != "" {
					fmt.Fprintf(&b, " %s=%s", a.GetKey(), s)
				}
			}
			b.WriteString("\n")
			draw(t.below(span), indent+"  ")
		}
	}
	roots := slices.DeleteFunc(slices.Clone(t), func(s *tracepb.Span) bool { return t.parent(s) != nil })
	draw(roots, "")
	return b.String()
}
