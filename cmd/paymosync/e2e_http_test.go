package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/paymosync/paymosync/paymo/paymotest"
)

// get asks the service for a path; change may be nil. Whatever it answers is given back,
// and 0 where it does not.
func (w *world) get(method, path string, change func(*http.Request)) (int, string) {
	w.t.Helper()
	_, port, err := net.SplitHostPort(w.variables["HTTP_ADDR"])
	if err != nil {
		w.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(w.t.Context(), method, "http://127.0.0.1:"+port+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	if change != nil {
		change(req)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 30 * time.Second}
	res, err := client.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err.Error()
	}
	return res.StatusCode, string(text)
}

// mustGet expects a status, and a text in the body.
func (w *world) mustGet(status int, path string, change func(*http.Request), text string) {
	w.t.Helper()
	if got, body := w.get(http.MethodGet, path, change); got != status || !strings.Contains(body, text) {
		w.t.Errorf("%s: %d, want %d and %q: %s", path, got, status, text, body)
	}
}

// everywhere is the world whose service listens on all addresses.
func (w *world) everywhere() *world {
	w.t.Helper()
	_, port, err := net.SplitHostPort(w.variables["HTTP_ADDR"])
	if err != nil {
		w.t.Fatal(err)
	}
	return w.with("HTTP_ADDR", "0.0.0.0:"+port)
}

// Where others could ask, the pages are closed while no password is set, and the checks
// are not.
func TestProgramServeWithoutPassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t, agency()).everywhere()
	newGate(w) // nothing of it needs the database
	service := w.start("serve")
	within(t, 30*time.Second, "the service lives", func() error {
		if status, body := w.get(http.MethodGet, "/livez", nil); status != http.StatusOK {
			return errors.New(body)
		}
		return nil
	})
	for _, path := range []string{"/", "/river/", "/river/api/jobs"} {
		w.mustGet(http.StatusForbidden, path, nil, "set HTTP_PASSWORD")
		w.mustGet(http.StatusForbidden, path, knowing("x"), "set HTTP_PASSWORD")
	}
	w.mustGet(http.StatusServiceUnavailable, "/readyz", nil, "not ready")
	w.run("healthcheck").mustExit(exitUnwell).mustSay("refused")
	service.mustStop().mustSay("the pages are closed")
}

// The pages of a service that others can reach ask for the password; it lies in Vault,
// can be changed there, and shows nowhere.
func TestProgramServePages(t *testing.T) {
	t.Parallel()
	const old, changed = "canary-pages-3c51e0", "canary-pages-f7a802"
	vault := startVault(t)
	w := newVaultWorld(t, vault, agency(), map[string]any{"token_ttl": "1h"}).everywhere().with("LOG_LEVEL", "debug")
	reference, err := ParseReference(w.variables["PAYMO_API_KEY"])
	if err != nil {
		t.Fatal(err)
	}
	kv, path := vault.admin.KVv2("secret"), strings.TrimPrefix(reference.Location, "secret/")
	write := func(password string) {
		t.Helper()
		if _, err := kv.Put(t.Context(), path, map[string]any{"api_key": paymotest.DefaultKey, "http_password": password}); err != nil {
			t.Fatal(err)
		}
	}
	write(old)
	w.variables["HTTP_PASSWORD"] = "vault://" + reference.Location + "#http_password"
	service := w.start("serve")
	w.awaitReady(60 * time.Second)
	w.run("healthcheck").mustExit(exitOK).mustSay(`"migrations":"ok"`, `"paymo":"`, `"vault":"ok"`)
	_, port, err := net.SplitHostPort(w.variables["HTTP_ADDR"])
	if err != nil {
		t.Fatal(err)
	}
	w.with("HTTP_ADDR", "localhost:"+port).run("healthcheck").mustExit(exitOK) // as by a container's name
	within(t, 60*time.Second, "Paymo was asked", func() error {
		if _, report, err := w.probe("/readyz"); err != nil || report["paymo"] != "ok" {
			return fmt.Errorf("%v, %w", report, err)
		}
		return nil
	})

	w.mustGet(http.StatusUnauthorized, "/river/", nil, "HTTP_PASSWORD")
	w.mustGet(http.StatusUnauthorized, "/river/", knowing(old+"x"), "not the password")
	w.mustGet(http.StatusOK, "/", func(r *http.Request) { // there is a page, or the way to one
		r.SetBasicAuth("anybody", old)
		r.Header.Set("Accept", "text/html")
	}, "<html")
	within(t, 60*time.Second, "River UI lists the jobs", func() error {
		status, text := w.get(http.MethodGet, "/river/api/jobs?state=completed&limit=100", knowing(old))
		var listed struct {
			Data []struct{ Kind string } `json:"data"`
		}
		if err := json.Unmarshal([]byte(text), &listed); err != nil || len(listed.Data) == 0 {
			return fmt.Errorf("%d %s", status, text)
		}
		return nil
	})
	if status, text := w.get(http.MethodPost, "/river/api/queues/default/pause", func(r *http.Request) {
		r.SetBasicAuth("", old)
		r.Header.Set("Origin", "https://elsewhere.example")
	}); status != http.StatusForbidden {
		t.Errorf("another site may pause the queue: %d %s", status, text)
	}

	write(changed)
	for tries, status := 0, 0; status != http.StatusOK; tries++ {
		// Each try before it is read again counts as a wrong one.
		<-time.After(passwordRecent)
		if status, _ = w.get(http.MethodGet, "/river/api/queues?limit=10", knowing(changed)); tries > 5 {
			t.Fatalf("the new password does not open the pages: %d", status)
		}
	}
	w.mustGet(http.StatusUnauthorized, "/river/", knowing(old), "not the password")
	limited := false
	for range 2 * guessesAtOnce {
		status, _ := w.get(http.MethodGet, "/", knowing("guess"))
		limited = limited || status == http.StatusTooManyRequests
	}
	if !limited {
		t.Error("one may guess without end")
	}
	w.mustGet(http.StatusOK, "/livez", nil, "ok")

	r := service.mustStop()
	if found := searcher(old, changed)(r.out + r.err); found != "" {
		t.Errorf("the log shows the password: %s", found)
	}
	r.mustSay("wrong password", "path=/river/api/jobs", "status=403")
}
