package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paymosync/paymosync/paymo/paymotest"
)

// ask asks the fake Paymo's API, as somebody with the account's key.
func (w *told) ask(method, path, body string) (int, []map[string]any) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Authorization", paymotest.DefaultKey)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	var reply struct {
		Hooks []map[string]any `json:"hooks"`
	}
	_ = json.NewDecoder(res.Body).Decode(&reply)
	return res.StatusCode, reply.Hooks
}

// targets counts the hooks at Paymo by what they call.
func (w *told) targets() map[string]int {
	w.t.Helper()
	targets := map[string]int{}
	_, hooks := w.ask(http.MethodGet, "/api/hooks", "")
	for _, hook := range hooks {
		targets[fmt.Sprint(hook["target_url"])]++
	}
	return targets
}

// mustTarget fails the test where other hooks of ours are at Paymo than those that call the
// URL, or those of others are not all there.
func (w *told) mustTarget(public string) {
	w.t.Helper()
	for target, n := range w.targets() {
		switch {
		case target == public+webhookPath && n == 15, strings.HasPrefix(target, "https://hooks.agency.invalid/") && n == 1,
			target == "https://staging.example/webhooks/paymo" && n == 1:
		default:
			w.t.Errorf("%d hooks call %s", n, target)
		}
	}
	if w.targets()["https://staging.example/webhooks/paymo"] != 1 {
		w.t.Error("a hook of somebody else is gone")
	}
}

// By hand, hooks are made, mended and removed, and those of others stay as they are.
func TestProgramWebhooksByHand(t *testing.T) {
	t.Parallel()
	w := newTold(t, paymotest.Config{Seed: 5, Entries: -1})
	public := w.variables["PUBLIC_URL"]
	w.ask(http.MethodPost, "/api/hooks", `{"target_url": "https://staging.example/webhooks/paymo", "event": "*.Task", "secret": "theirs"}`)
	w.run("sync", "clients").mustExit(exitOK)

	w.run("webhooks", "install").mustExit(exitOK).mustSay("made", "time_entries", "*.Entry")
	w.mustTarget(public)
	w.run("webhooks", "install").mustExit(exitOK).mustSay("kept")
	w.run("webhooks", "list").mustExit(exitOK).mustSay("*.Entry", "(another's)", public+webhookPath)

	// One that Paymo dropped, and one that was made and could not be remembered.
	lost := value[int64](w.world, `SELECT hook_id FROM paymosync.hooks WHERE table_name = 'tasks'`)
	w.ask(http.MethodDelete, fmt.Sprintf("/api/hooks/%d", lost), "")
	value[int](w.world, `WITH forgotten AS (DELETE FROM paymosync.hooks WHERE table_name = 'users' RETURNING 1) SELECT count(*)::int FROM forgotten`)
	w.run("webhooks", "list").mustExit(exitOK).mustSay("lost")
	w.run("webhooks", "install").mustExit(exitOK).mustSay("lost", "made", "adopted")
	w.mustTarget(public)

	// Another URL, another secret, fewer tables.
	elsewhere := w.with("PUBLIC_URL", public+"/below", "PAYMO_WEBHOOK_SECRET", "another-canary")
	elsewhere.run("webhooks", "install").mustExit(exitOK).mustSay("changed")
	w.mustTarget(public + "/below")
	fewer := w.with("SYNC_EXCLUDE_TABLES", "bookings").run("webhooks", "install").mustExit(exitOK).mustSay("deleted")
	if n := w.targets()[public+webhookPath]; n != 14 {
		t.Errorf("%d hooks, want 14", n)
	}

	var listed []listedHook
	list := w.run("webhooks", "list", "--json").mustExit(exitOK)
	if err := json.Unmarshal([]byte(list.out), &listed); err != nil || len(listed) != 14+1+3 || !slices.ContainsFunc(listed, func(h listedHook) bool { return h.Own && h.Installed && h.Table == "tasks" }) {
		t.Errorf("%v\n%s", err, list.out)
	}
	w.with("PUBLIC_URL", "", "PAYMO_WEBHOOK_SECRET", "").run("webhooks", "remove").mustExit(exitOK).mustSay("deleted")
	if targets := w.targets(); len(targets) != 4 {
		t.Errorf("left are %v", targets)
	}
	w.run("webhooks", "remove").mustExit(exitOK).mustSay("There is nothing to do.")
	w.with("PUBLIC_URL", "", "PAYMO_WEBHOOK_SECRET", "").run("webhooks", "install").mustRefuse("PUBLIC_URL", "PAYMO_WEBHOOK_SECRET")
	for _, r := range []result{fewer, list} {
		if strings.Contains(r.out+r.err, "canary") {
			t.Errorf("%s shows the secret", r.name)
		}
	}
}

// The service was away for a while, and its calls with it: the next ordinary sync has it
// all, though the schedule of tables with hooks would let it rest for a day.
func TestProgramWebhooksAfterAbsence(t *testing.T) {
	t.Parallel()
	w := newTold(t, paymotest.Config{Seed: 6, Entries: 300})
	w.run("sync").mustExit(exitOK)
	serve := w.with("SYNC_SCHEDULE", "@every 5s", "SYNC_SCHEDULE_WITH_WEBHOOKS", "@every 24h")
	service := serve.start("serve")
	w.installed()
	w.paymo.Work(20)
	w.settled(30 * time.Second)
	service.mustStop()
	w.paymo.Work(60) // nobody hears of it
	value[int](w.world, `WITH away AS (UPDATE paymosync.hooks SET listened_at = clock_timestamp() - interval '1 hour' RETURNING 1) SELECT count(*)::int FROM away`)
	service = serve.start("serve")
	began := time.Now()
	eventually(t, "an ordinary sync of every table", func() error {
		if n := value[int](w.world, `SELECT count(*) FROM paymosync.checkpoints WHERE read_at < $1`, began); n > 0 {
			return fmt.Errorf("%d tables were not read", n)
		}
		return nil
	})
	service.mustStop()
	w.bury()
	w.mustEqual()
}

// The secret changes in Vault while the service runs: calls with the old one and with the
// new one are let in, the hooks get the new one, and neither shows anywhere.
func TestProgramWebhookSecretRotates(t *testing.T) {
	t.Parallel()
	vault := startVault(t)
	w := newTold(t, paymotest.Config{Seed: 8, Entries: 100})
	path := unique(t)
	set := func(secret string) {
		t.Helper()
		if _, err := vault.admin.KVv2("secret").Put(t.Context(), path, map[string]any{"api_key": paymotest.DefaultKey, "webhook_secret": secret}); err != nil {
			t.Fatal(err)
		}
	}
	withVault(w.world, vault, map[string]any{})
	set("first-canary")
	w.variables["PAYMO_WEBHOOK_SECRET"] = "vault://secret/" + path + "#webhook_secret"
	w.variables["PAYMO_API_KEY"] = "vault://secret/" + path + "#api_key"
	role := map[string]any{"token_policies": []string{vault.policy(t, "secret/data/"+path)}}
	maps.Copy(w.variables, vault.appRole(t, role))
	w.run("sync").mustExit(exitOK)
	service := w.start("serve")
	w.installed()
	arrives := func(id int64, secret string, want int) {
		t.Helper()
		raw, err := w.paymo.Get("clients", id)
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "the call is answered", func() error {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.variables["PUBLIC_URL"]+webhookPath, strings.NewReader(string(raw)))
			if err != nil {
				return err
			}
			req.Header.Set("X-Paymo-Event", "model.update.Client")
			req.Header.Set("X-Paymo-Signature", paymotest.Signature(raw, secret))
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				return err
			}
			res.Body.Close()
			if res.StatusCode != want {
				return fmt.Errorf("%d, want %d", res.StatusCode, want)
			}
			return nil
		})
	}
	id := w.draw("clients")
	arrives(id, "first-canary", http.StatusOK)
	set("second-canary")
	arrives(id, "second-canary", http.StatusOK)
	arrives(id, "first-canary", http.StatusOK) // for another hour
	arrives(id, "third-canary", http.StatusUnauthorized)
	w.run("webhooks", "install").mustExit(exitOK).mustSay("changed")
	w.run("webhooks", "install").mustExit(exitOK).mustSay("kept")
	if _, err := w.paymo.Put("clients", map[string]any{"name": "after the change", "active": true}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a change arrives with the new secret", func() error {
		if n := value[int](w.world, `SELECT count(*) FROM paymo.clients WHERE name = 'after the change'`); n != 1 {
			return fmt.Errorf("%d rows", n)
		}
		return nil
	})
	service.signal(os.Interrupt)
	r := service.wait().mustExit(exitOK)
	if strings.Contains(r.out+r.err, "canary") {
		t.Error("a secret is in the log")
	}
}

// draw is the id of some row of the fake.
func (w *told) draw(table string) int64 {
	w.t.Helper()
	for raw := range w.paymo.Rows(table) {
		var object struct {
			ID int64 `json:"id"`
		}
		if err := json.Unmarshal(raw, &object); err != nil {
			w.t.Fatal(err)
		}
		return object.ID
	}
	w.t.Fatalf("no row in %s", table)
	return 0
}
