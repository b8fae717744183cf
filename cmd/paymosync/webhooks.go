package main

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/paymosync/paymosync/cmd/paymosync/metrics"
	"github.com/paymosync/paymosync/cmd/paymosync/webhook"
	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo/catalog"
)

// newWebhookSecret is the secret with which Paymo signs its calls.
func newWebhookSecret(config Config, vault *Vault) *webhook.Secret {
	return webhook.NewSecret(func(ctx context.Context) (string, error) {
		return vault.Resolve(ctx, config.Webhooks.Secret.Reveal())
	})
}

// newHookConfig is which hooks a service keeps, nil for none.
func newHookConfig(config Config, secret *webhook.Secret) *jobs.HookConfig {
	if !config.Webhooks.On() {
		return nil
	}
	return &jobs.HookConfig{URL: config.Webhooks.Target(), Secret: secret.Read}
}

// syncedTables are the resources that are synced.
func syncedTables(config Config) []*catalog.Resource {
	var tables []*catalog.Resource
	for _, schedule := range tableSchedules(config) {
		tables = append(tables, schedule.Resource)
	}
	return tables
}

// webhookHandler is where Paymo's calls come in: closed, with 404, where it is not to call.
func webhookHandler(config Config, late *lateHandler) http.Handler {
	if !config.Webhooks.On() {
		return nil
	}
	return late
}

// newWebhookReceiver answers Paymo's calls.
func newWebhookReceiver(config Config, secret *webhook.Secret, service *jobs.Service, meters *metrics.Metrics, log *slog.Logger) *webhook.Receiver {
	counted := func(result string) {
		meters.Called(result)
		if result == webhook.Busy || result == webhook.Unready {
			service.Missed()
		}
	}
	return webhook.New(webhook.Config{
		Secret: secret, Tables: syncedTables(config), Note: service.NoteChanges, Counted: counted, Log: log.With("part", "webhooks"),
	})
}
