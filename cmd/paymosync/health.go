package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"
)

// probeTimeout bounds every question that a health check asks.
const probeTimeout = 3 * time.Second

// healthcheckTimeout is longer than an answer takes and shorter than the 5 seconds that
// whoever runs the command usually gives it.
const healthcheckTimeout = 4 * time.Second

// health answers /livez and /readyz. The service is ready when its database is
// there, has this version's layout, and the queue runs. Vault is reported, but its
// absence does not make the service unready: jobs wait for it.
type health struct {
	vault      *Vault
	needsVault bool

	mu      sync.Mutex
	pool    *pgxpool.Pool
	waiting error
}

func newHealth(vault *Vault, needsVault bool) *health {
	return &health{vault: vault, needsVault: needsVault, waiting: errors.New("starting")}
}

// waitFor notes what the service waits for.
func (h *health) waitFor(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.waiting = err
}

// ready notes that the service runs on the pool.
func (h *health) ready(pool *pgxpool.Pool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pool, h.waiting = pool, nil
}

// serve serves until the context ends.
func (h *health) serve(ctx context.Context, address string, log *slog.Logger) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("listen on HTTP_ADDR: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /readyz", h.readyz)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	closed := make(chan error, 1)
	go func() { closed <- server.Serve(listener) }()
	log.InfoContext(ctx, "listening", "address", listener.Addr().String())
	select {
	case err := <-closed:
		return fmt.Errorf("serve HTTP_ADDR: %w", err)
	case <-ctx.Done():
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeTimeout)
	defer cancel()
	err = server.Shutdown(stopping)
	if err != nil {
		err = server.Close() // checks that take longer are cut off
	}
	if closeErr := <-closed; !errors.Is(closeErr, http.ErrServerClosed) {
		err = errors.Join(err, closeErr)
	}
	return err
}

func (h *health) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), probeTimeout)
	defer cancel()
	h.mu.Lock()
	pool, waiting := h.pool, h.waiting
	h.mu.Unlock()
	report, status := map[string]string{"status": "ready"}, http.StatusOK
	if waiting == nil {
		waiting = pool.Ping(ctx)
	}
	report["database"] = "ok"
	if waiting != nil {
		report["status"], report["database"], status = "not ready", describe(waiting), http.StatusServiceUnavailable
	}
	if h.needsVault {
		report["vault"] = "ok"
		if _, err := h.vault.Check(ctx); err != nil {
			report["vault"] = describe(err)
		}
	}
	answer(w, status, report)
}

func answer(w http.ResponseWriter, status int, report map[string]string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(report) // the reader may be gone
}

func (p *program) healthcheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "healthcheck",
		Short: "Ask a running service whether it is ready",
		Long: `Ask the service on HTTP_ADDR whether it is ready, for containers without a shell.

Exits with 0 when it is, and with 1 and its words when it is not.`,
		Example: "  paymosync healthcheck",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := p.config()
			if err != nil {
				return err
			}
			return p.healthcheck(cmd.Context(), config.HTTPAddr)
		},
	}
}

func (p *program) healthcheck(ctx context.Context, address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return newProblem("HTTP_ADDR", "%v", err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(ctx, healthcheckTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/readyz", nil)
	if err != nil {
		return err
	}
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return fmt.Errorf("ask the service: %w", err)
	}
	defer res.Body.Close()
	words, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil {
		return fmt.Errorf("read the service's answer: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the service is not ready: %s", words)
	}
	_, err = p.out.Write(words)
	return err
}
