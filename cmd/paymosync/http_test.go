package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// site is the service's HTTP side for a test, with its log at its most talkative.
type site struct {
	t       *testing.T
	handler http.Handler
	log     *output
}

// newSite serves a configuration; what it lacks is filled in. Where a password is given
// it is the literal one.
func newSite(t *testing.T, loopback bool, password string, config httpConfig) *site {
	t.Helper()
	s := &site{t: t, log: &output{}}
	log := newSiteLog(s)
	config.Log = log
	if config.Address == "" {
		config.Address = "0.0.0.0:8080"
	}
	if config.Health == nil {
		config.Health = newHealth(nil, Config{})
	}
	if config.Password == nil {
		config.Password = newHTTPPassword(NewSecret(password), func(_ context.Context, text string) (string, error) { return text, nil }, log)
	}
	if config.Page == nil {
		config.Page = shownPage()
	}
	if config.River == nil {
		config.River = &lateHandler{}
	}
	s.handler = newHTTPServer(config).handler(loopback)
	return s
}

// newSiteLog logs to the site's log.
func newSiteLog(s *site) *slog.Logger {
	return slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// shownPage is a page that says so.
func shownPage() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "shown") })
}

// ask makes a request of localhost; change may be nil.
func (s *site) ask(method, target string, change func(*http.Request)) *httptest.ResponseRecorder {
	s.t.Helper()
	req := httptest.NewRequestWithContext(s.t.Context(), method, target, nil)
	req.Host = "localhost:8080"
	if change != nil {
		change(req)
	}
	answer := httptest.NewRecorder()
	s.handler.ServeHTTP(answer, req)
	return answer
}

// mustAnswer asks and expects a status, and texts in the body.
func (s *site) mustAnswer(status int, method, target string, change func(*http.Request), texts ...string) *httptest.ResponseRecorder {
	s.t.Helper()
	answer := s.ask(method, target, change)
	if answer.Code != status {
		s.t.Errorf("%s %s: %d, want %d: %s", method, target, answer.Code, status, answer.Body)
	}
	for _, text := range texts {
		if !strings.Contains(answer.Body.String(), text) {
			s.t.Errorf("%s %s does not say %q: %s", method, target, text, answer.Body)
		}
	}
	return answer
}

// knowing gives the password along.
func knowing(password string) func(*http.Request) {
	return func(r *http.Request) { r.SetBasicAuth("anybody", password) }
}

// Every answer bears the headers, whatever it is.
func TestHTTPHeaders(t *testing.T) {
	t.Parallel()
	open := newSite(t, true, "", httpConfig{Page: shownPage(), Metrics: shownPage()})
	closed := newSite(t, false, "secret", httpConfig{Page: shownPage()})
	for name, answer := range map[string]*httptest.ResponseRecorder{
		"/livez":   open.mustAnswer(http.StatusOK, "GET", "/livez", nil, `"status":"ok"`),
		"/readyz":  open.mustAnswer(http.StatusServiceUnavailable, "GET", "/readyz", nil, "starting"),
		"/metrics": open.mustAnswer(http.StatusOK, "GET", "/metrics", nil, "shown"),
		"/":        open.mustAnswer(http.StatusOK, "GET", "/", nil, "shown"),
		"/river/":  open.mustAnswer(http.StatusServiceUnavailable, "GET", "/river/", nil, "not ready", "/readyz"),
		"method":   open.mustAnswer(http.StatusOK, "POST", "/livez", nil, "shown"), // the page's affair
		"refused":  closed.mustAnswer(http.StatusUnauthorized, "GET", "/", nil, "HTTP_PASSWORD"),
		"path":     open.ask("GET", "/a/../b", nil),
	} {
		header := answer.Result().Header
		for key, want := range map[string]string{
			"Cache-Control":              "no-store",
			"Content-Security-Policy":    "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
			"Cross-Origin-Opener-Policy": "same-origin",
			"Referrer-Policy":            "no-referrer",
			"X-Content-Type-Options":     "nosniff",
			"X-Frame-Options":            "DENY",
		} {
			if header.Get(key) != want {
				t.Errorf("%s: %s is %q", name, key, header.Get(key))
			}
		}
	}
	if found := closed.ask("GET", "/", nil).Header().Get("WWW-Authenticate"); !strings.HasPrefix(found, `Basic realm="paymosync"`) {
		t.Errorf("no browser would ask for the password: %q", found)
	}
}

// Another site cannot have a browser change something here, even one that knows the
// password.
func TestHTTPCrossSite(t *testing.T) {
	t.Parallel()
	s := newSite(t, false, "secret", httpConfig{Page: shownPage(), River: shownPage()})
	for name, test := range map[string]struct {
		header, value string
		status        int
	}{
		"another site":        {"Sec-Fetch-Site", "cross-site", http.StatusForbidden},
		"another host":        {"Sec-Fetch-Site", "same-site", http.StatusForbidden},
		"an old browser":      {"Origin", "https://elsewhere.example", http.StatusForbidden},
		"no origin at all":    {"Origin", "null", http.StatusForbidden},
		"the site itself":     {"Sec-Fetch-Site", "same-origin", http.StatusOK},
		"itself, old browser": {"Origin", "http://localhost:8080", http.StatusOK},
		"no browser":          {"Accept", "*/*", http.StatusOK},
	} {
		for _, path := range []string{"/tables/users/sync", "/river/api/jobs/cancel"} {
			t.Log(name)
			s.mustAnswer(test.status, "POST", path, func(r *http.Request) {
				r.SetBasicAuth("", "secret")
				r.Header.Set(test.header, test.value)
			})
		}
	}
	s.mustAnswer(http.StatusOK, "GET", "/", func(r *http.Request) { // a link may lead here
		r.SetBasicAuth("", "secret")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
	})
}

// A handler that panics is told in the log; the client gets 500, or a broken answer
// where it had begun.
func TestHTTPPanic(t *testing.T) {
	t.Parallel()
	s := newSite(t, true, "", httpConfig{Page: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/half":
			_, _ = io.WriteString(w, strings.Repeat("half", 10_000))
		case "/abort":
			panic(http.ErrAbortHandler)
		}
		panic("nobody thought of this")
	})})
	s.mustAnswer(http.StatusInternalServerError, "GET", "/whole", nil, "fault of paymosync")
	if log := s.log.String(); !strings.Contains(log, "level=ERROR") || !strings.Contains(log, "nobody thought of this") || !strings.Contains(log, "http_test.go") {
		t.Errorf("the log does not tell of it: %s", log)
	}
	server := httptest.NewServer(s.handler)
	t.Cleanup(server.Close)
	for _, path := range []string{"/half", "/abort"} {
		res, err := http.Get(server.URL + path)
		if err == nil {
			_, err = io.ReadAll(res.Body)
			res.Body.Close()
		}
		if err == nil {
			t.Errorf("%s looks like a whole answer", path)
		}
	}
	if n := strings.Count(s.log.String(), "level=ERROR"); n != 2 {
		t.Errorf("%d errors are logged, want 2: %s", n, s.log.String())
	}
}

// Requests are logged for debugging, without what may be secret in them.
func TestHTTPLog(t *testing.T) {
	t.Parallel()
	const canary = "canary-5d0f1c77a9e3"
	s := newSite(t, false, canary, httpConfig{Page: shownPage()})
	s.mustAnswer(http.StatusOK, "GET", "/somewhere?token="+canary, knowing(canary))
	s.mustAnswer(http.StatusUnauthorized, "GET", "/", func(r *http.Request) { r.SetBasicAuth(canary, "x") })
	s.mustAnswer(http.StatusUnauthorized, "GET", "/", knowing(canary+"x"))
	s.ask("GET", "/"+strings.Repeat("a", 5000), nil)
	log := s.log.String()
	if found := searcher(canary)(log); found != "" {
		t.Errorf("the log shows the password: %s", found)
	}
	for _, text := range []string{"level=DEBUG", "path=/somewhere", "status=200", "bytes=5", "status=401", "wrong password"} {
		if !strings.Contains(log, text) {
			t.Errorf("the log does not say %q: %s", text, log)
		}
	}
	if strings.Contains(log, strings.Repeat("a", 500)) {
		t.Error("the log holds a path without end")
	}
}

// What a client sends is bounded.
func TestHTTPBounds(t *testing.T) {
	t.Parallel()
	s := newSite(t, true, "", httpConfig{Page: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		var tooLarge *http.MaxBytesError
		fmt.Fprint(w, n <= httpMaxBody, errors.As(err, &tooLarge))
	})})
	answer := s.ask("POST", "/", func(r *http.Request) { r.Body = io.NopCloser(io.LimitReader(endless{}, 4*httpMaxBody)) })
	if answer.Body.String() != "true true" {
		t.Errorf("a large body: %s", answer.Body)
	}
}

// endless is a body that does not end.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// The server is there at once, and ends with its context, whoever it is talking to.
func TestHTTPServe(t *testing.T) {
	t.Parallel()
	address, log := freeAddr(t), slog.New(slog.DiscardHandler)
	begun := make(chan struct{})
	server := newHTTPServer(httpConfig{
		Address: address, Health: newHealth(nil, Config{}), River: &lateHandler{}, Log: log,
		Page: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			close(begun)
			<-r.Context().Done()
			w.WriteHeader(http.StatusServiceUnavailable)
		}),
	})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- server.serve(ctx) }()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	ask := func(path, header string) (int, error) {
		req, err := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodGet, "http://"+address+path, nil)
		if err != nil {
			return 0, err
		}
		req.Header.Set("X-Long", header)
		res, err := client.Do(req)
		if err != nil {
			return 0, err
		}
		return res.StatusCode, res.Body.Close()
	}
	eventually(t, "it answers", func() error { _, err := ask("/livez", ""); return err })
	if status, err := ask("/livez", strings.Repeat("x", 4*httpMaxHeader)); err != nil || status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a header without end: %d, %v", status, err)
	}
	asked := make(chan error, 1)
	go func() {
		_, err := ask("/", "")
		asked <- err
	}()
	<-begun
	stop()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("it does not end")
	}
	if err := <-asked; err != nil {
		t.Errorf("what it was at was cut off instead of told: %v", err)
	}
	if err := newHTTPServer(httpConfig{Address: "192.0.2.1:1", Log: log}).serve(t.Context()); err == nil || !strings.Contains(err.Error(), "HTTP_ADDR") {
		t.Errorf("an address that is not this machine's: %v", err)
	}
}

// body is the body of a request.
func body(text string) io.ReadCloser { return io.NopCloser(strings.NewReader(text)) }
