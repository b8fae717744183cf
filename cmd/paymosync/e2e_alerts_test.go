package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paymosync/paymosync/paymo/paymotest"
)

// hook is where alerts arrive. Its address holds a secret, as those of Slack do.
type hook struct {
	url string

	mu     sync.Mutex
	status int // to answer, 0: 200
	texts  []string
}

func newHook(t *testing.T, secret string) *hook {
	t.Helper()
	h := &hook{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		defer h.mu.Unlock()
		body, err := io.ReadAll(r.Body)
		var message map[string]string
		if err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" || json.Unmarshal(body, &message) != nil || len(message) != 1 {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if h.status != 0 {
			w.WriteHeader(h.status)
			fmt.Fprintf(w, "no_service at %s", h.url)
			return
		}
		h.texts = append(h.texts, message["text"])
	}))
	t.Cleanup(server.Close)
	h.url = server.URL + "/services/" + secret
	return h
}

func (h *hook) answer(status int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.status = status
}

func (h *hook) told() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string{}, h.texts...)
}

// The service tells of a refused key once, and the command shows that it did. The address
// of the webhook shows nowhere, not even when the webhook says it.
func TestProgramAlerts(t *testing.T) {
	t.Parallel()
	const secret = "T0-canary-webhook-4711"
	h := newHook(t, secret)
	w := newWorld(t, paymotest.Config{Seed: 7, Entries: 10}).with("ALERT_WEBHOOK_URL", h.url, "SYNC_TABLES", "clients,users", "LOG_LEVEL", "debug")
	search := searcher(secret)

	test := w.run("alerts", "--test").mustExit(exitOK).mustSay("The message was accepted.")
	if told := h.told(); len(told) != 1 || !strings.Contains(told[0], "a test") {
		t.Errorf("told %q", told)
	}
	h.answer(http.StatusNotFound)
	refused := w.run("alerts", "--test").mustExit(exitUnwell).mustSay("post to ALERT_WEBHOOK_URL: it answers 404 Not Found")
	h.answer(http.StatusFound)
	w.run("alerts", "--test").mustExit(exitUnwell).mustSay("it answers 302 Found")
	h.answer(0)
	w.run("alerts").mustExit(exitOK).mustSay("Nothing is wrong")

	service := w.with("PAYMO_API_KEY", "not-the-key").start("serve")
	within(t, 3*time.Minute, "the refused key is told of", func() error {
		if told := h.told(); len(told) < 2 {
			return fmt.Errorf("told %q", told)
		}
		return nil
	})
	if told := h.told()[1]; !strings.Contains(told, ":red_circle: ") || !strings.Contains(told, "paymo answered 401") {
		t.Errorf("told %q", told)
	}
	listed := w.run("alerts").mustExit(exitUnwell).mustSay("key_refused", "told ")
	if text := w.run("alerts", "--json").mustExit(exitUnwell).out; !json.Valid([]byte(text)) || !strings.Contains(text, `"cause": "key_refused"`) {
		t.Errorf("as JSON: %s", text)
	}
	stopped := service.mustStop()
	for name, text := range map[string]string{
		"test": test.out + test.err, "refusal": refused.out + refused.err, "list": listed.out + listed.err, "service": stopped.out + stopped.err,
		"database": value[string](w, `SELECT coalesce(string_agg(a::text, ' '), '') || (SELECT coalesce(string_agg(j::text, ' '), '') FROM river.river_job AS j) FROM paymosync.alerts AS a`),
	} {
		if found := search(text); found != "" {
			t.Errorf("%s: %s", name, found)
		}
	}
}

// The command needs an address that is one.
func TestProgramAlertsBadAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t, paymotest.Config{Seed: 7, Entries: 10})
	w.run("alerts", "--test").mustExit(exitConfig).mustSay("ALERT_WEBHOOK_URL", "not set")
	w.with("ALERT_WEBHOOK_URL", "hooks.slack.com/canary").run("alerts", "--test").mustExit(exitConfig).mustSay("ALERT_WEBHOOK_URL: not an absolute http or https URL")
	w.with("ALERT_WEBHOOK_URL", "http://127.0.0.1:1/canary").run("alerts", "--test").mustExit(exitUnwell).mustSay("post to ALERT_WEBHOOK_URL", "refused")
}
