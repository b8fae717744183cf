package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/singleflight"

	"github.com/paymosync/paymosync/migrations"
)

// probeTimeout bounds every question that a health check asks.
const probeTimeout = 3 * time.Second

// health answers /livez and /readyz. The service is ready when its database is
// there, has this version's layout, and the queue runs. Vault and Paymo are reported,
// but their absence does not make the service unready: jobs wait for them.
type health struct {
	vault      *Vault
	needsVault bool
	schema     string // of the warehouse
	paymo      *paymoWatch

	probes singleflight.Group

	mu      sync.Mutex
	pool    *pgxpool.Pool
	waiting error
}

func newHealth(vault *Vault, config Config) *health {
	return &health{
		vault: vault, needsVault: config.NeedsVault(), schema: config.WarehouseSchema,
		paymo: newPaymoWatch(), waiting: errors.New("starting"),
	}
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

func (h *health) livez(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]string{"status": "ok"})
}

func (h *health) readyz(w http.ResponseWriter, r *http.Request) {
	// Everyone may ask: those who ask at once get the answer to one set of questions.
	found, _, _ := h.probes.Do("", func() (any, error) { return h.probe(context.WithoutCancel(r.Context())), nil })
	report, _ := found.(map[string]string)
	status := http.StatusOK
	if report["status"] != "ready" {
		status = http.StatusServiceUnavailable
	}
	answer(w, status, report)
}

// probe asks for everything that is reported.
func (h *health) probe(ctx context.Context) map[string]string {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	report := map[string]string{"status": "ready", "database": "ok", "migrations": "ok", "paymo": h.paymo.String()}
	var asked sync.WaitGroup
	var vaultErr error
	if h.needsVault {
		asked.Go(func() { _, vaultErr = h.vault.Check(ctx) })
	}
	h.mu.Lock()
	pool, waiting := h.pool, h.waiting
	h.mu.Unlock()
	if waiting == nil {
		waiting = pool.Ping(ctx)
	}
	if waiting != nil {
		report["status"], report["database"], report["migrations"] = "not ready", describe(waiting), "not known"
	} else if err := h.layout(ctx, pool); err != nil {
		report["status"], report["migrations"] = "not ready", describe(err)
	}
	asked.Wait()
	if h.needsVault {
		report["vault"] = "ok"
		if vaultErr != nil {
			report["vault"] = describe(vaultErr)
		}
	}
	return report
}

// layout reports what the database lacks of this version's layout, or has beyond it.
func (h *health) layout(ctx context.Context, pool *pgxpool.Pool) error {
	pending, err := migrations.Pending(ctx, pool, h.schema)
	if err == nil && len(pending) > 0 {
		err = fmt.Errorf("the database lacks %d migrations, the first is %s: run paymosync migrate up", len(pending), pending[0])
	}
	return err
}

func answer(w http.ResponseWriter, status int, report map[string]string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(report) // the reader may be gone
}
