package main

import (
	"log/slog"
	"net/url"
	"strings"
	"time"
)

// webhookPath is where Paymo's calls come in, below PUBLIC_URL.
const webhookPath = "/webhooks/paymo"

// WebhookConfig says whether Paymo is to tell of changes, and how.
type WebhookConfig struct {
	PublicURL string // at which Paymo reaches HTTP_ADDR, without a slash at its end; "": it is not to
	Secret    Secret // with which calls are signed: a reference, or the secret itself
	Schedule  Schedule
	Scheduled bool // Schedule is that of the tables whose hooks tell of all changes
}

// On reports whether Paymo is to tell of changes.
func (c WebhookConfig) On() bool { return c.PublicURL != "" }

// Target is what Paymo is to call.
func (c WebhookConfig) Target() string { return c.PublicURL + webhookPath }

// LogValue is all but the secret.
func (c WebhookConfig) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("target", c.Target()), slog.Any("secret", c.Secret)}
	if c.Scheduled {
		attrs = append(attrs, slog.String("schedule", c.Schedule.String()))
	}
	return slog.GroupValue(attrs...)
}

func (p *parser) webhooks(paymo PaymoConfig, zone *time.Location) WebhookConfig {
	raw := p.raw
	c := WebhookConfig{Secret: NewSecret(raw.PaymoWebhookSecret)}
	if raw.PaymoWebhookSecret != "" && !p.reference("PAYMO_WEBHOOK_SECRET", raw.PaymoWebhookSecret) {
		p.warn("PAYMO_WEBHOOK_SECRET holds the secret itself, which is fine for a trial only: put it into Vault and give a reference such as vault://secret/paymosync#webhook_secret")
	}
	if raw.SyncScheduleWithWebhooks != "" {
		c.Schedule, c.Scheduled = p.schedule("SYNC_SCHEDULE_WITH_WEBHOOKS", raw.SyncScheduleWithWebhooks, zone), true
	}
	if raw.PublicURL == "" {
		if c.Secret.IsSet() {
			p.warn("PAYMO_WEBHOOK_SECRET has no effect without PUBLIC_URL")
		}
		if c.Scheduled {
			p.warn("SYNC_SCHEDULE_WITH_WEBHOOKS has no effect without PUBLIC_URL")
		}
		return c
	}
	c.PublicURL = p.publicURL(paymo)
	if raw.PaymoWebhookSecret == "" {
		p.fail("PAYMO_WEBHOOK_SECRET", "not set, and PUBLIC_URL is: Paymo's calls must be signed; give a reference such as vault://secret/paymosync#webhook_secret")
	}
	return c
}

func (p *parser) publicURL(paymo PaymoConfig) string {
	const variable = "PUBLIC_URL"
	value := strings.TrimRight(p.raw.PublicURL, "/")
	u, err := url.Parse(value)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		p.fail(variable, "not an absolute URL; example: https://paymosync.example.com")
	case u.User != nil || strings.ContainsAny(value, "?#"):
		p.fail(variable, "has a user, a query or a fragment; example: https://paymosync.example.com")
	case u.Scheme == "http" && !isLoopback(strings.ToLower(u.Hostname())) && !paymo.AllowHTTP:
		p.fail(variable, "%q would have Paymo send what changed unencrypted: use https://, or set PAYMO_ALLOW_HTTP=true", value)
	}
	return value
}
