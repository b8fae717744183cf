package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// probeTimeout bounds every question that a health check asks.
const probeTimeout = 3 * time.Second

// health answers /livez and /readyz. The service is ready when its databases
// are there, have this version's layout, and the queue runs. Vault and Paymo are reported,
// but their absence does not make the service unready: jobs wait for them.
type health struct {
	vault      *Vault
	needsVault bool
	places     []place // of the databases
	paymo      *paymoWatch

	probes singleflight.Group

	mu        sync.Mutex
	databases []*database // once it is ready
	waiting   error
}

func newHealth(vault *Vault, config Config) *health {
	return &health{
		vault: vault, needsVault: config.NeedsVault(), places: config.places(),
		paymo: newPaymoWatch(), waiting: errors.New("starting"),
	}
}

// waitFor notes what the service waits for.
func (h *health) waitFor(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.waiting = err
}

// ready notes that the service runs on the databases.
func (h *health) ready(databases ...*database) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.databases, h.waiting = databases, nil
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
	report := map[string]string{"status": "ready", "migrations": "ok", "paymo": h.paymo.String()}
	var asked sync.WaitGroup
	var vaultErr error
	if h.needsVault {
		asked.Go(func() { _, vaultErr = h.vault.Check(ctx) })
	}
	h.mu.Lock()
	databases, waiting := h.databases, h.waiting
	h.mu.Unlock()
	if waiting != nil {
		h.reportWaiting(report, waiting)
	} else {
		reportDatabases(ctx, report, databases)
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

// reportWaiting says what is waited for, of the database that it is about where it is
// about one.
func (h *health) reportWaiting(report map[string]string, waiting error) {
	report["status"], report["migrations"] = "not ready", "not known"
	one, about := errors.AsType[placeError](waiting)
	for _, where := range h.places {
		report[where.key()] = describe(waiting)
		if about && one.key != where.key() {
			report[where.key()] = "not known"
		}
	}
}

// reportDatabases asks all databases at once.
func reportDatabases(ctx context.Context, report map[string]string, databases []*database) {
	unreachable, behind := make([]error, len(databases)), make([]error, len(databases))
	var asked sync.WaitGroup
	for i, d := range databases {
		asked.Go(func() {
			if unreachable[i] = d.Ping(ctx); unreachable[i] == nil {
				behind[i] = d.layout(ctx)
			}
		})
	}
	asked.Wait()
	for i, d := range databases {
		report[d.key()] = "ok"
		switch {
		case unreachable[i] != nil:
			report["status"], report[d.key()], report["migrations"] = "not ready", describe(unreachable[i]), "not known"
		case behind[i] != nil && report["migrations"] == "ok":
			report["status"], report["migrations"] = "not ready", describe(behind[i])
		}
	}
}

func answer(w http.ResponseWriter, status int, report map[string]string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(report) // the reader may be gone
}
