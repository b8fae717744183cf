package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"syscall"

	"github.com/paymosync/paymosync/cmd/paymosync/webhook"
)

// checkEvent is an event of nothing: a service that listens counts it and does no more.
const checkEvent = "paymosync.check.Nothing"

// webhooks calls PUBLIC_URL as Paymo would. That nobody answers is no failure: a check may
// come before the service.
func (c *checker) webhooks(ctx context.Context) (string, error) {
	secret, err := newWebhookSecret(c.config, c.vault).Read(ctx)
	if err != nil {
		return "", fmt.Errorf("resolve PAYMO_WEBHOOK_SECRET: %w", err)
	}
	target := c.config.Webhooks.Target()
	status, err := callHook(ctx, target, secret)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("nobody answers at %s now: Paymo is to reach paymosync serve there", target), nil
	case err != nil:
		return "", fixedError{fmt.Errorf("call %s: %w", target, err), "correct PUBLIC_URL, or the name and the certificate of the server there"}
	case status == http.StatusOK:
		return target + " takes what is signed with the secret", nil
	case status == http.StatusUnauthorized:
		return "", fixedError{
			fmt.Errorf("%s refuses what is signed with the secret", target),
			"give the service that answers there the same PAYMO_WEBHOOK_SECRET; one that was just changed is known to it within a minute; or correct PUBLIC_URL",
		}
	case status == http.StatusBadGateway, status == http.StatusServiceUnavailable, status == http.StatusGatewayTimeout:
		return fmt.Sprintf("a proxy answers at %s with %d now: Paymo is to reach paymosync serve there", target, status), nil
	}
	return "", fixedError{
		fmt.Errorf("%s answers with %d, not as paymosync does", target, status),
		"have the proxy pass POST " + webhookPath + " on to HTTP_ADDR as it comes, or correct PUBLIC_URL",
	}
}

// callHook calls the URL as a hook of Paymo's, with an empty object.
func callHook(ctx context.Context, target, secret string) (status int, err error) {
	const body = `{}`
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Paymo-Event", checkEvent)
	req.Header.Set("X-Paymo-Signature", webhook.Sign([]byte(body), secret))
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		return 0, errors.Unwrap(err) // the URL is said already
	}
	client.CloseIdleConnections()
	return res.StatusCode, res.Body.Close()
}
