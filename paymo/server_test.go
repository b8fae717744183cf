package paymo_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/catalog"
)

// key is the API key of the tests. It is longer than any excerpt, and it, and its
// base64, are written differently in URLs, JSON and HTML.
const key = "k3y~~??>>o-/t&e<d>+%41-0123456789abcdef0123456789abcdef-secret"

func fixedKey(context.Context) (string, error) { return key, nil }

// newClient makes a client of a server on the loopback that the handler plays.
func newClient(t testing.TB, handler http.Handler, options ...func(*paymo.Config)) *paymo.Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	config := paymo.Config{BaseURL: server.URL, Key: fixedKey, Scheme: paymo.SchemeRaw, Budget: free{}, Transport: transport}
	return makeClient(t, config, options)
}

func withKey(key string) func(*paymo.Config) {
	return func(c *paymo.Config) { c.Key = func(context.Context) (string, error) { return key, nil } }
}

// newPipeClient makes a client of a server that the handler plays without a network,
// as tests in a bubble need it.
func newPipeClient(t testing.TB, handler http.Handler, options ...func(*paymo.Config)) *paymo.Client {
	t.Helper()
	pipes := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: handler}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(pipes) }()
	transport := &http.Transport{DialContext: pipes.dial}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = server.Close()
		<-done
	})
	config := paymo.Config{BaseURL: "http://localhost", Key: fixedKey, Scheme: paymo.SchemeRaw, Budget: free{}, Transport: transport}
	return makeClient(t, config, options)
}

func makeClient(t testing.TB, config paymo.Config, options []func(*paymo.Config)) *paymo.Client {
	t.Helper()
	for _, option := range options {
		option(&config)
	}
	client, err := paymo.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// pipes is a listener whose connections stay in memory.
type pipes struct {
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// roundTrip is a transport without a network.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func over(transport roundTrip) func(*paymo.Config) {
	return func(c *paymo.Config) { c.Transport = transport }
}

// free is a budget without a limit.
type free struct{}

func (free) Take(context.Context, time.Duration) (time.Duration, bool, error) { return 0, true, nil }

func (free) Observe(context.Context, int, time.Duration, int, time.Duration) error { return nil }

// script answers the first request with its first step, and so on; the last step
// answers all that follow. It notes the requests.
type script struct {
	mu       sync.Mutex
	steps    []http.HandlerFunc
	requests []*http.Request
}

func play(steps ...http.HandlerFunc) *script { return &script{steps: steps} }

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	step := s.steps[min(len(s.requests), len(s.steps)-1)]
	s.requests = append(s.requests, r)
	s.mu.Unlock()
	step(w, r)
}

func (s *script) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

// sent are the Authorization headers that came, in order.
func (s *script) sent() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var headers []string
	for _, r := range s.requests {
		headers = append(headers, strings.Join(r.Header.Values("Authorization"), "|"))
	}
	return headers
}

// status answers with a status and a body; headers alternate names and values.
func status(code int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Add(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
		fmt.Fprint(w, body)
	}
}

// pass lets time pass in a bubble.
func pass(d time.Duration) { <-time.After(d) }

const oneClient = `{"clients":[{"id":7,"name":"Studio"}]}`

// ok answers with one client.
func ok(headers ...string) http.HandlerFunc { return status(http.StatusOK, oneClient, headers...) }

func resource(t testing.TB, table string) *catalog.Resource {
	t.Helper()
	r, found := catalog.Lookup(table)
	if !found {
		t.Fatalf("no table %s", table)
	}
	return r
}

// list asks for the clients.
func list(t testing.TB, c *paymo.Client) (*paymo.Page, error) {
	t.Helper()
	return c.List(t.Context(), resource(t, "clients"), paymo.Query{})
}

func rowIDs(page *paymo.Page) []int64 {
	ids := []int64{}
	for _, r := range page.Records {
		ids = append(ids, r.ID)
	}
	return ids
}
