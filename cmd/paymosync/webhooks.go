package main

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/paymosync/paymosync/cmd/paymosync/metrics"
	"github.com/paymosync/paymosync/cmd/paymosync/webhook"
	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
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

// webhookHandler is where Paymo's calls come in. Where it is not to call it is told so, by a
// status at which it deletes the hook.
func webhookHandler(config Config, late *lateHandler) http.Handler {
	if !config.Webhooks.On() {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) })
	}
	return late
}

// tellOfHooks says that hooks were left at Paymo when PUBLIC_URL was taken away.
func tellOfHooks(ctx context.Context, config Config, store *sink.Store, log *slog.Logger) {
	if hooks, err := store.Hooks(ctx); err == nil && len(hooks) > 0 && !config.Webhooks.On() {
		log.WarnContext(ctx, "hooks call, and PUBLIC_URL is not set: remove them with paymosync webhooks remove", "hooks", len(hooks), "url", hooks[0].TargetURL)
	}
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
