package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// What a client may take of time and send, in all and as header.
const (
	httpHeaderTimeout = 5 * time.Second
	httpReadTimeout   = 15 * time.Second
	httpWriteTimeout  = 30 * time.Second
	httpIdleTimeout   = time.Minute
	httpStopTimeout   = 3 * time.Second
	httpMaxHeader     = 16 << 10
	httpMaxBody       = 1 << 20
	httpMaxLogged     = 200 // of a path
)

// ownPolicy is the content security policy of what this program serves. A page that
// needs more sets its own.
const ownPolicy = "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// httpConfig is what the service serves, and where.
type httpConfig struct {
	Address  string        // HTTP_ADDR
	Health   *health       // answers /livez and /readyz
	Password *httpPassword // of the pages; nil for none
	Page     http.Handler  // all that is not below, behind the password
	River    http.Handler  // /river/, behind the password
	Metrics  http.Handler  // /metrics, for everyone; nil for none
	Webhook  http.Handler  // Paymo's calls, which are signed; nil where it is not to call
	Log      *slog.Logger
}

// httpServer is the service's HTTP side.
type httpServer struct{ config httpConfig }

// newHTTPServer makes the server. It starts nothing.
func newHTTPServer(config httpConfig) *httpServer { return &httpServer{config} }

// serve serves until the context ends, and a moment longer what is under way.
func (s *httpServer) serve(ctx context.Context) error {
	log := s.config.Log
	listener, err := net.Listen("tcp", s.config.Address)
	if err != nil {
		return fmt.Errorf("listen on HTTP_ADDR: %w", err)
	}
	tcp, ok := listener.Addr().(*net.TCPAddr)
	loopback := ok && tcp.IP.IsLoopback()
	server := &http.Server{
		Handler:           s.handler(loopback),
		ReadHeaderTimeout: httpHeaderTimeout,
		ReadTimeout:       httpReadTimeout,
		WriteTimeout:      httpWriteTimeout,
		IdleTimeout:       httpIdleTimeout,
		MaxHeaderBytes:    httpMaxHeader,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	closed := make(chan error, 1)
	go func() { closed <- server.Serve(listener) }()
	log.InfoContext(ctx, "listening", "address", listener.Addr().String())
	if !loopback && s.config.Password == nil {
		log.InfoContext(ctx, "the pages are closed: HTTP_ADDR can be reached from elsewhere and HTTP_PASSWORD is not set")
	}
	select {
	case err := <-closed:
		return fmt.Errorf("serve HTTP_ADDR: %w", err)
	case <-ctx.Done():
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), httpStopTimeout)
	defer cancel()
	err = server.Shutdown(stopping)
	if err != nil {
		err = server.Close() // what takes longer is cut off
	}
	if closeErr := <-closed; !errors.Is(closeErr, http.ErrServerClosed) {
		err = errors.Join(err, closeErr)
	}
	return err
}

// handler is all that is served, with what holds for all of it.
func (s *httpServer) handler(loopback bool) http.Handler {
	door := &door{
		address: s.config.Address, loopback: loopback,
		password: s.config.Password, guesses: newGuesses(), log: s.config.Log,
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", s.config.Health.livez)
	mux.HandleFunc("GET /readyz", s.config.Health.readyz)
	if s.config.Metrics != nil {
		mux.Handle("GET /metrics", s.config.Metrics)
	}
	if s.config.Webhook != nil {
		mux.Handle("POST "+webhookPath, s.config.Webhook)
	}
	mux.Handle("/", door.guard(s.config.Page))
	mux.Handle("/river/", door.guard(s.config.River))

	sameSite := http.NewCrossOriginProtection()
	sameSite.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		say(w, http.StatusForbidden, "this request comes from another site, which may change nothing here")
	}))
	return s.noted(secured(sameSite.Handler(http.MaxBytesHandler(mux, httpMaxBody))))
}

// secured sets the headers that hold for every answer.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Cache-Control", "no-store")
		header.Set("Content-Security-Policy", ownPolicy)
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("X-Frame-Options", "DENY")
		next.ServeHTTP(w, r)
	})
}

// noted logs every request, without its query and its headers: they may hold what is
// secret. A handler that panics is an error in the log, and 500 to the client.
func (s *httpServer) noted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began, path := time.Now(), r.URL.Path
		if len(path) > httpMaxLogged {
			path = path[:httpMaxLogged] + "…"
		}
		answer := &notedAnswer{ResponseWriter: w}
		defer func() {
			cause := recover()
			if cause == http.ErrAbortHandler { //nolint:errorlint // it is this very value, and not always an error
				panic(cause)
			}
			if cause != nil {
				s.config.Log.ErrorContext(r.Context(), "a request broke the program",
					"method", r.Method, "path", path, "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
				if answer.status != 0 {
					panic(http.ErrAbortHandler) // half an answer must not look like a whole one
				}
				say(answer, http.StatusInternalServerError, "this is a fault of paymosync; its log says more")
			}
			s.config.Log.DebugContext(r.Context(), "request", "method", r.Method, "path", path,
				"status", answer.status, "bytes", answer.bytes, "took", time.Since(began), "from", r.RemoteAddr)
		}()
		next.ServeHTTP(answer, r)
	})
}

// notedAnswer notes what is answered.
type notedAnswer struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader notes the first status, and that which is sent.
func (a *notedAnswer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write counts.
func (a *notedAnswer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	n, err := a.ResponseWriter.Write(p)
	a.bytes += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController.
func (a *notedAnswer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// say answers with a sentence.
func say(w http.ResponseWriter, status int, sentence string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, "paymosync: "+sentence+"\n") // the reader may be gone
}

// lateHandler serves what needs the database: until there is one it answers 503.
type lateHandler struct{ handler atomic.Pointer[http.Handler] }

// set gives what is to be served from now on; nil for nothing any more.
func (l *lateHandler) set(handler http.Handler) {
	if handler == nil {
		l.handler.Store(nil)
		return
	}
	l.handler.Store(&handler)
}

// ServeHTTP serves what is there.
func (l *lateHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if handler := l.handler.Load(); handler != nil {
		(*handler).ServeHTTP(w, r)
		return
	}
	w.Header().Set("Retry-After", "5")
	say(w, http.StatusServiceUnavailable, "the service is not ready; /readyz says what it waits for")
}
