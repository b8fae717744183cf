package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// newClient makes the Paymo client. The key is resolved when it is needed.
func newClient(config Config, vault *Vault, budget paymo.Budget, learned paymo.Scheme) (*paymo.Client, error) {
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
	})
	if err != nil {
		return nil, newProblem("PAYMO_BASE_URL", "%v", err)
	}
	return client, nil
}

// newSyncer wires Paymo and the warehouse together.
func newSyncer(ctx context.Context, config Config, vault *Vault, pool *pgxpool.Pool, log *slog.Logger, watch func(string, jobs.Moment)) (*jobs.Syncer, error) {
	store := sink.New(pool, config.WarehouseSchema, catalog.DefaultAccount)
	identity, _, err := store.Identity(ctx)
	if err != nil {
		return nil, err
	}
	client, err := newClient(config, vault, store.Budget(), paymo.Scheme(identity.Scheme))
	if err != nil {
		return nil, err
	}
	return jobs.NewSyncer(jobs.SyncerConfig{
		Client:     client,
		Store:      store,
		BaseURL:    config.Paymo.BaseURL,
		Owner:      processName(),
		AcceptRole: config.AcceptRole,
		StartDate:  config.StartDate,
		FullDue:    fullDue(config.FullSchedule),
		Log:        log,
		Watch:      watch,
	}), nil
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
