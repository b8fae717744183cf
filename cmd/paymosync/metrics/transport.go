package metrics

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// What is said of a request instead of a status.
const (
	statusNone        = "none"        // no reply came
	statusInterrupted = "interrupted" // it was not waited for: the service stops, or the job's time is over
	statusOther       = "other"       // one that HTTP does not know
)

// usualStatuses are those whose series are there from the start.
func usualStatuses() []string {
	return []string{"200", "400", "401", "403", "404", "429", "500", "502", "503", "504", statusNone, statusInterrupted}
}

// Transport is the next transport, and counts what goes over it.
func (c *counters) Transport(next http.RoundTripper) http.RoundTripper {
	return countedTransport{next, c}
}

// countedTransport counts requests and times them.
type countedTransport struct {
	next http.RoundTripper
	*counters
}

// RoundTrip makes the request.
func (t countedTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	began := time.Now()
	took := sync.OnceFunc(func() { t.replies.Observe(time.Since(began).Seconds()) })
	res, err := t.next.RoundTrip(req)
	t.requests.WithLabelValues(statusOf(res, err)).Inc()
	if err != nil {
		took()
		return res, err
	}
	res.Body = &countedBody{res.Body, t.counters, took}
	return res, nil
}

// CloseIdleConnections lets go of connections that are not in use.
func (t countedTransport) CloseIdleConnections() {
	if closer, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}

// statusOf is the label of a request. There are not many: a server that makes up codes
// makes no series.
func statusOf(res *http.Response, err error) string {
	switch {
	case errors.Is(err, context.Canceled):
		return statusInterrupted
	case err != nil:
		return statusNone
	case http.StatusText(res.StatusCode) == "":
		return statusOther
	}
	return strconv.Itoa(res.StatusCode)
}

// countedBody counts what is read of a reply.
type countedBody struct {
	io.ReadCloser
	counters *counters
	took     func()
}

// Read reads on.
func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.counters.bytes.Add(float64(n))
	if err != nil {
		b.took()
	}
	return n, err
}

// Close ends it, read to its end or not.
func (b *countedBody) Close() error {
	b.took()
	return b.ReadCloser.Close()
}
