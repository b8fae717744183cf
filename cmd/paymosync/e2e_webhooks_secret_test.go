package main

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/paymosync/paymosync/paymo/paymotest"
)

// keepSecrets puts the key and the secret of the hooks into a Vault.
func (w *told) keepSecrets(vault *vaultServer) (change func(secret string)) {
	w.t.Helper()
	path := unique(w.t)
	key, secret := w.variables["PAYMO_API_KEY"], w.variables["PAYMO_WEBHOOK_SECRET"]
	change = func(secret string) {
		w.t.Helper()
		if _, err := vault.admin.KVv2("secret").Put(w.t.Context(), path, map[string]any{"api_key": key, "webhook_secret": secret}); err != nil {
			w.t.Fatal(err)
		}
	}
	change(secret)
	maps.Copy(w.variables, vault.appRole(w.t, map[string]any{"token_ttl": "1h", "token_policies": []string{vault.policy(w.t, "secret/data/"+path)}}))
	w.variables["PAYMO_API_KEY"], w.variables["PAYMO_WEBHOOK_SECRET"] = "vault://secret/"+path+"#api_key", "vault://secret/"+path+"#webhook_secret"
	return change
}

// hear changes something at the Paymo and waits until its call has brought it.
func (w *told) hear(what string) {
	w.t.Helper()
	id, err := w.paymo.Put("clients", map[string]any{"name": "somebody new", "active": true})
	if err != nil {
		w.t.Fatal(err)
	}
	within(w.t, 30*time.Second, what, func() error {
		if n := value[int](w.world, `SELECT count(*) FROM paymo.clients WHERE id = $1`, id); n != 1 {
			return fmt.Errorf("client %d is not there", id)
		}
		return nil
	})
}

// The secret is changed in Vault while the service runs: calls that are signed with either
// are let in, the hooks get the new one, and after that the old one is worth nothing to a
// service that starts. Neither is to be seen.
func TestProgramWebhooksSecret(t *testing.T) {
	t.Parallel()
	const before, after = "canary-before-5b1f0c77", "canary-after-9e02d4a1"
	vault := startVault(t)
	w := newTold(t, paymotest.Config{Seed: 9, Entries: 50, Projects: 3, Tasks: 20})
	w.variables["PAYMO_WEBHOOK_SECRET"], w.variables["LOG_LEVEL"] = before, "debug"
	change := w.keepSecrets(vault)
	search := searcher(before, after)
	said := func(r result) result {
		t.Helper()
		if found := search(r.out + r.err); found != "" {
			t.Errorf("%s shows a secret: %s", r.name, found)
		}
		return r
	}
	said(w.run("sync").mustExit(exitOK))
	service := w.serve("SYNC_SCHEDULE", "@every 1h")
	w.hear("a call arrives")
	w.answers(http.StatusOK, before)
	w.answers(http.StatusUnauthorized, after)
	w.answers(http.StatusUnauthorized, "")

	change(after)
	within(t, 30*time.Second, "what is signed with the new secret is let in", func() error {
		body := []byte(fmt.Sprintf(`{"id":%d}`, time.Now().UnixNano()))
		status, err := w.post(&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, "model.update.Nothing", hookSignature("model.update.Nothing", body, after), body)
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("status %d", status)
		}
		return err
	})
	w.answers(http.StatusOK, before)
	w.answers(http.StatusOK, after)
	w.answers(http.StatusUnauthorized, "neither")
	w.hear("the hooks call meanwhile, with the old secret or the new one")

	marks := func() string {
		return value[string](w.world, `SELECT string_agg(DISTINCT secret_mark, ',') FROM paymosync.hooks`)
	}
	// The service changes them within a minute; by hand it is done at once.
	did := said(w.run("webhooks", "install", "--json").mustExit(exitOK)).did()
	if strings.Contains(marks(), ",") || did["made"]+did["lost"]+did["adopted"] > 0 {
		t.Errorf("install did %v, and the marks are %s", did, marks())
	}
	w.hear("the hooks call with the new secret")
	said(service.mustStop())

	service = w.with("SYNC_SCHEDULE", "@every 1h").start("serve")
	w.awaitReady(30 * time.Second)
	w.answers(http.StatusUnauthorized, before)
	w.answers(http.StatusOK, after)
	w.hear("the hooks call the next service")
	said(w.run("webhooks", "list"))
	said(w.run("status", "--json"))
	said(w.run("check"))
	_, report, err := w.probe("/readyz")
	if err != nil {
		t.Fatal(err)
	}
	metrics, err := w.scrape()
	if err != nil {
		t.Fatal(err)
	}
	if found := search(fmt.Sprint(report, metrics)); found != "" {
		t.Errorf("the service shows a secret: %s", found)
	}
	said(service.mustStop())
	for text := range w.everyRow() {
		if found := search(text); found != "" {
			t.Errorf("the database shows a secret: %s", found)
		}
	}
	w.bury()
	w.mustEqual()
}

// A service that is reached at another URL moves its hooks there when it starts, and only
// its own.
func TestProgramWebhooksMove(t *testing.T) {
	t.Parallel()
	w := newTold(t, paymotest.Config{Seed: 9, Entries: 50, Projects: 3, Tasks: 20})
	w.run("sync").mustExit(exitOK)
	w.another("https://elsewhere.example/hook")
	w.serve("SYNC_SCHEDULE", "@every 1h").mustStop()
	w.mustHaveHooks()
	all, before := w.paymo.Count("webhooks"), w.target()

	w.world = w.with("PUBLIC_URL", strings.Replace(w.variables["PUBLIC_URL"], "127.0.0.1", "localhost", 1))
	service := w.with("SYNC_SCHEDULE", "@every 1h").start("serve")
	within(t, 30*time.Second, "the hooks have moved", func() error {
		if n := len(w.hooksOf(w.target())); n != 15 {
			return fmt.Errorf("%d have", n)
		}
		return nil
	})
	w.mustHaveHooks()
	if left := w.hooksOf(before); len(left) > 0 {
		t.Errorf("hooks of the old URL are left: %v", left)
	}
	if n := w.paymo.Count("webhooks"); n != all || len(w.hooksOf("https://elsewhere.example/hook")) != 1 {
		t.Errorf("of %d hooks there are %d", all, n)
	}
	w.hear("the hooks call the new URL")
	service.mustStop()
	w.bury()
	w.mustEqual()
}
