package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo"
)

// newClient makes the Paymo client over the usual transport. The key is resolved when
// it is needed.
func newClient(config Config, vault *Vault, budget paymo.Budget, learned paymo.Scheme) (*paymo.Client, error) {
	return newClientOver(nil, config, vault, budget, learned)
}

// newClientOver is newClient over another transport.
func newClientOver(transport http.RoundTripper, config Config, vault *Vault, budget paymo.Budget, learned paymo.Scheme) (*paymo.Client, error) {
	scheme, err := paymo.ParseScheme(config.Paymo.AuthScheme)
	if err != nil {
		return nil, newProblem("PAYMO_AUTH_SCHEME", "%v", err)
	}
	client, err := paymo.New(paymo.Config{
		BaseURL:       config.Paymo.BaseURL,
		AllowHTTP:     config.Paymo.AllowHTTP,
		Key:           func(ctx context.Context) (string, error) { return vault.Resolve(ctx, config.Paymo.APIKey.Reveal()) },
		Scheme:        scheme,
		LearnedScheme: learned,
		Version:       version(),
		Budget:        budget,
		Share:         config.Paymo.Share,
		Transport:     transport,
	})
	if err != nil {
		return nil, newProblem("PAYMO_BASE_URL", "%v", err)
	}
	return client, nil
}

// bulkWait is how long what can wait is held by a call: longer than what is scheduled,
// which goes first, but not for so long that a job's time would be over.
const bulkWait = 20 * time.Second

// newSyncer wires Paymo and the warehouse together. What it does is shown on the
// progress, unless that is nil; a nil transport to Paymo is the usual one.
func newSyncer(ctx context.Context, config Config, vault *Vault, warehouse *database, log *slog.Logger, shown *progress, spans *traces, transport http.RoundTripper) (*jobs.Syncer, error) {
	store := storeOf(warehouse, config)
	identity, _, err := store.Identity(ctx)
	if err != nil {
		return nil, err
	}
	shared := store.Budget(config.Paymo.Share)
	var budget, bulk paymo.Budget = shared, shared.Bulk()
	var watch func(string, jobs.Moment)
	if shown != nil {
		budget, bulk, watch = shownBudget{budget, shown}, shownBudget{bulk, shown}, shown.moment
	}
	client, err := newClientOver(transport, config, vault, budget, paymo.Scheme(identity.Scheme))
	if err != nil {
		return nil, err
	}
	return jobs.NewSyncer(jobs.SyncerConfig{
		Client:            client,
		Bulk:              client.WithBudget(bulk, bulkWait),
		Store:             store,
		BaseURL:           config.Paymo.BaseURL,
		Owner:             processName(),
		AcceptRole:        config.AcceptRole,
		SweepWithoutAdmin: config.SweepWithoutAdmin,
		StartDate:         config.StartDate,
		FullDue:           fullDue(config.FullSchedule),
		Log:               log,
		Watch:             watch,
		Traces:            spans.provider,
	}), nil
}

// shownBudget is a budget whose waits are shown: the client waits for the shorter
// ones by itself.
type shownBudget struct {
	paymo.Budget
	shown *progress
}

// Take reserves the next request and shows how long it has to wait, or until it is asked
// for again.
func (b shownBudget) Take(ctx context.Context, most time.Duration) (time.Duration, bool, error) {
	wait, ok, err := b.Budget.Take(ctx, most)
	if err == nil && (ok || wait <= most) {
		b.shown.pace(wait)
	}
	return wait, ok, err
}

// fullDue says whether a full is due: the last one began before the schedule's
// last tick.
func fullDue(schedule Schedule) func(last, now time.Time) bool {
	return func(last, now time.Time) bool {
		tick, ok := schedule.LastTick(now)
		return last.IsZero() || ok && last.Before(tick)
	}
}

// processName names this process in leases, for whoever finds one held.
func processName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	var tail [4]byte
	rand.Read(tail[:]) // never fails
	return fmt.Sprintf("%s, process %d (%s)", host, os.Getpid(), hex.EncodeToString(tail[:]))
}
