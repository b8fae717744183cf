package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paymosync/paymosync/migrations"
	"github.com/paymosync/paymosync/sink/sinktest"
)

// readiness asks a health check directly.
func readiness(t *testing.T, h *health) (int, map[string]string) {
	t.Helper()
	answer := httptest.NewRecorder()
	h.readyz(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/readyz", nil))
	var report map[string]string
	if err := json.Unmarshal(answer.Body.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	return answer.Code, report
}

// The service is ready with a database of this version's layout; Vault and Paymo are
// reported only.
func TestReadiness(t *testing.T) {
	t.Parallel()
	config, err := LoadConfig(environment(map[string]string{"VAULT_ADDR": "http://" + freeAddr(t), "VAULT_TOKEN": "t", "WAREHOUSE_SCHEMA": sinktest.Warehouse}), someDay())
	if err != nil {
		t.Fatal(err)
	}
	vault, err := NewVault(config.Vault, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(vault.Close)
	h := newHealth(vault, config)
	mustBe := func(status int, want map[string]string) {
		t.Helper()
		got, report := readiness(t, h)
		if got != status {
			t.Errorf("%d, want %d: %v", got, status, report)
		}
		for key, text := range want {
			if !strings.Contains(report[key], text) || text == "ok" && report[key] != text {
				t.Errorf("%s is %q, want %q", key, report[key], text)
			}
		}
	}
	mustBe(http.StatusServiceUnavailable, map[string]string{"status": "not ready", "database": "starting", "migrations": "not known", "paymo": "not asked yet", "vault": "refused"})
	h.waitFor(errors.New("the database sleeps"))
	mustBe(http.StatusServiceUnavailable, map[string]string{"database": "sleeps"})

	pool := sinktest.Empty(t)
	h.ready(&database{Pool: pool, schema: sinktest.Warehouse})
	mustBe(http.StatusServiceUnavailable, map[string]string{"status": "not ready", "database": "ok", "migrations": "lacks", "vault": "refused"})
	mustBe(http.StatusServiceUnavailable, map[string]string{"migrations": "paymosync migrate up"})
	if _, err := migrations.Up(t.Context(), pool, sinktest.Warehouse); err != nil {
		t.Fatal(err)
	}
	mustBe(http.StatusOK, map[string]string{"status": "ready", "database": "ok", "migrations": "ok", "vault": "refused"})

	h.paymo.note("answered 401 Unauthorized")
	mustBe(http.StatusOK, map[string]string{"paymo": "answered 401 Unauthorized, "})
	h.paymo.note("")
	mustBe(http.StatusOK, map[string]string{"paymo": "ok"})

	pool.Close()
	mustBe(http.StatusServiceUnavailable, map[string]string{"status": "not ready", "database": "closed", "migrations": "not known"})
}

// Many who ask at once are one question to the database.
func TestReadinessAskedAtOnce(t *testing.T) {
	t.Parallel()
	pool := sinktest.Database(t)
	h := newHealth(nil, Config{WarehouseSchema: sinktest.Warehouse})
	h.ready(&database{Pool: pool, schema: sinktest.Warehouse})
	var codes sync.Map
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			code, _ := readiness(t, h)
			codes.Store(i, code)
		})
	}
	all.Wait()
	codes.Range(func(_, code any) bool {
		if code != http.StatusOK {
			t.Errorf("%v", code)
		}
		return true
	})
	if asked := pool.Stat().AcquireCount(); asked > 100 {
		t.Errorf("200 who asked at once took %d connections", asked)
	}
}

// brokenTransport fails in the way that it is told.
type brokenTransport struct{ err error }

func (b brokenTransport) RoundTrip(*http.Request) (*http.Response, error) { return nil, b.err }

// The watch tells how the last request to Paymo went, and no more of an error than what
// cannot hold a password.
func TestPaymoWatch(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(map[string]int{"/ok": 200, "/refused": 401, "/slow": 429}[r.URL.Path])
	}))
	t.Cleanup(server.Close)
	watch := newPaymoWatch()
	now := time.Now()
	watch.now = func() time.Time { return now }
	get := func(transport http.RoundTripper, url string) {
		t.Helper()
		client := &http.Client{Transport: watch.around(transport)}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := client.Do(req)
		if err == nil {
			_, _ = io.Copy(io.Discard, res.Body)
			res.Body.Close()
		}
		client.CloseIdleConnections()
	}
	if watch.String() != "not asked yet" {
		t.Errorf("before: %s", watch)
	}
	closed := "http://" + freeAddr(t)
	for _, test := range []struct {
		transport http.RoundTripper
		url       string
		want      []string
	}{
		{nil, server.URL + "/ok", []string{"ok"}},
		{nil, server.URL + "/refused", []string{"answered 401 Unauthorized, 5.0s ago"}},
		{nil, server.URL + "/slow", []string{"answered 429", "5.0s ago"}},
		{nil, closed, []string{"no answer: dial tcp", "refused"}},
		{brokenTransport{context.DeadlineExceeded}, closed, []string{"no answer in time, "}},
		{brokenTransport{errors.New("invalid proxy address http://u:canary@p")}, closed, []string{"no answer, "}},
		{brokenTransport{&net.OpError{Op: "read", Net: "tcp", Err: net.ErrClosed}}, closed, []string{"no answer: read tcp"}},
		{brokenTransport{context.Canceled}, closed, []string{"no answer: read tcp"}}, // as it was
	} {
		get(test.transport, test.url)
		now = now.Add(5 * time.Second)
		said := watch.String()
		if slices.ContainsFunc(test.want, func(text string) bool { return !strings.Contains(said, text) }) || strings.Contains(said, "canary") {
			t.Errorf("%s: %q, want %q", test.url, said, test.want)
		}
	}
}
