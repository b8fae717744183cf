package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/paymosync/paymosync/jobs"
)

// webhookTimeout bounds one message.
const webhookTimeout = 10 * time.Second

// alertWebhook sends messages to ALERT_WEBHOOK_URL, in the form that Slack and those that are
// compatible with it take. Its address is a secret: whoever has it can post.
type alertWebhook struct {
	vault   *Vault
	address Secret // a URL, or a reference to one
	client  *http.Client
}

func newAlertWebhook(config Config, vault *Vault) *alertWebhook {
	return &alertWebhook{vault: vault, address: config.Operate.AlertWebhook, client: &http.Client{
		Timeout: webhookTimeout,
		// Whoever redirects has not taken the message, and may show the address to others.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// newAlertConfig says whom to tell of what; nobody where no webhook is configured.
func newAlertConfig(config Config, vault *Vault) jobs.AlertConfig {
	alerts := jobs.AlertConfig{Limits: jobs.Limits{FailedRuns: config.Operate.AlertRuns, StaleAfter: config.Operate.AlertStale}}
	if config.Operate.AlertWebhook.IsSet() {
		alerts.Tell = newAlertWebhook(config, vault).send
	}
	return alerts
}

// send sends a message. Its errors do not repeat the address.
func (w *alertWebhook) send(ctx context.Context, text string) error {
	address, err := w.vault.Resolve(ctx, w.address.Reveal())
	if err != nil {
		return fmt.Errorf("resolve ALERT_WEBHOOK_URL: %w", err)
	}
	address = strings.TrimSpace(address)
	if problem := badWebhook(address); problem != "" {
		return newProblem("ALERT_WEBHOOK_URL", "%s", problem)
	}
	body, err := json.Marshal(map[string]string{"text": escapeSlack(text)})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return errors.New("post to ALERT_WEBHOOK_URL: it is not a URL")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "paymosync/"+version())
	res, err := w.client.Do(req)
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	if err != nil {
		return fmt.Errorf("post to ALERT_WEBHOOK_URL: %s", strings.ReplaceAll(err.Error(), address, "it"))
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the connection can be used again
	if res.StatusCode/100 != 2 {
		// What it says is not repeated: it may hold the address.
		return fmt.Errorf("post to ALERT_WEBHOOK_URL: it answers %d %s: see that the webhook is still there and the address whole", res.StatusCode, http.StatusText(res.StatusCode))
	}
	return nil
}

// escapeSlack writes the three characters that Slack takes for markup as it wants them.
func escapeSlack(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}
