package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start runs fakepaymo until the test ends and returns its URL.
func start(t *testing.T, env map[string]string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cmd := newCommand(func(name string) (string, bool) { v, ok := env[name]; return v, ok })
	cmd.SetArgs(append(args, "--listen", "127.0.0.1:0", "--entries", "200"))
	out, in := io.Pipe()
	cmd.SetOut(in)
	done := make(chan error, 1)
	go func() {
		err := cmd.ExecuteContext(ctx)
		_ = in.CloseWithError(io.EOF)
		done <- err
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve ended with %v", err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	line := make([]byte, 1000)
	n, err := out.Read(line)
	if err != nil {
		t.Fatalf("no address: %v", err)
	}
	return regexp.MustCompile(`http://\S+`).FindString(string(line[:n]))
}

func call(t *testing.T, method, url, key, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, strings.TrimSpace(string(text))
}

//nolint:paralleltest // goroutines are counted at its end
func TestServe(t *testing.T) {
	url := start(t, map[string]string{"FAKEPAYMO_KEY": "from-env"}, "--rate", "2", "--window", "sliding", "--fault", "503:projects:1", "--live", "50")
	if status, body := call(t, "GET", url+"/api/me", "from-env", ""); status != 200 || !strings.Contains(body, `"type":"Admin"`) {
		t.Errorf("me: %d %s", status, body)
	}
	if status, _ := call(t, "GET", url+"/api/projects", "from-env", ""); status != 503 {
		t.Errorf("the fault: %d", status)
	}
	if status, _ := call(t, "GET", url+"/api/projects", "from-env", ""); status != 429 {
		t.Errorf("the limit: %d", status)
	}
	if status, _ := call(t, "GET", url+"/api/me", "demo-key", ""); status != 401 {
		t.Errorf("the default key beside another: %d", status)
	}
	if status, _ := call(t, "POST", url+"/_fake/stats", "", ""); status != 401 {
		t.Errorf("control without --control: %d", status)
	}

	check := newCommand(func(string) (string, bool) { return "", false })
	check.SetArgs([]string{"healthcheck", "--url", url})
	if err := check.ExecuteContext(t.Context()); err != nil {
		t.Error(err)
	}
	check.SetArgs([]string{"healthcheck", "--url", "http://127.0.0.1:1"})
	if err := check.ExecuteContext(t.Context()); err == nil {
		t.Error("healthcheck of nothing: no error")
	}
}

// A hook is called when something happens.
//
//nolint:paralleltest // goroutines are counted at its end
func TestHooks(t *testing.T) {
	url := start(t, nil, "--rate", "0", "--control")
	events := make(chan string, 10)
	target := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { events <- r.Header.Get("X-Paymo-Event") }))
	t.Cleanup(target.Close)
	if status, body := call(t, "POST", url+"/api/hooks", "demo-key", `{"target_url": "`+target.URL+`", "event": "*.Client", "secret": "shh"}`); status != 201 {
		t.Fatal(status, body)
	}
	if status, body := call(t, "POST", url+"/_fake/rows/put", "", `{"table": "clients", "object": {"name": "New"}}`); status != 200 {
		t.Fatal(status, body)
	}
	select {
	case event := <-events:
		if event != "model.insert.Client" {
			t.Error(event)
		}
	case <-time.After(20 * time.Second):
		t.Error("the hook was not called")
	}
}

//nolint:paralleltest // goroutines are counted at its end
func TestControl(t *testing.T) {
	url := start(t, nil, "--rate", "0", "--control", "--key", "one", "--key", "two")
	do := func(path, body string) map[string]any {
		t.Helper()
		status, text := call(t, "POST", url+"/_fake/"+path, "", body)
		var o map[string]any
		if err := json.Unmarshal([]byte(text), &o); status != 200 || err != nil {
			t.Fatalf("%s %s: %d %s", path, body, status, text)
		}
		return o
	}
	status := func(key, path string) int {
		t.Helper()
		n, _ := call(t, "GET", url+path, key, "")
		return n
	}
	if status("one", "/api/me") != 200 || status("two", "/api/me") != 200 {
		t.Error("the keys do not work")
	}
	do("keys/add", `{"key":"three"}`)
	do("keys/revoke", `{"key":"one"}`)
	do("keys/role", `{"key":"two","role":"Employee"}`)
	do("keys/add", `{"key":"foreign","company":1}`)
	if status("one", "/api/me") != 401 || status("three", "/api/me") != 200 || status("foreign", "/api/company") != 200 {
		t.Error("the keys did not change")
	}

	fault := do("faults/add", `{"fault":"403:invoices"}`)["id"]
	do("faults/add", `{"spec":{"kind":"html","n":502,"table":"tasks"}}`)
	if status("three", "/api/invoices") != 403 || status("three", "/api/tasks") != 502 {
		t.Error("the faults do nothing")
	}
	do("faults/remove", fmt.Sprintf(`{"id":%v}`, fault))
	do("faults/clear", "")
	if status("three", "/api/invoices") != 200 || status("three", "/api/tasks") != 200 {
		t.Error("the faults are still there")
	}

	before := do("rows/count", `{"table":"clients"}`)["count"].(float64)
	id := do("rows/put", `{"table":"clients","object":{"name":"New","due_interval":12345678901234567}}`)["id"]
	do("rows/patch", fmt.Sprintf(`{"table":"clients","id":%.0f,"object":{"name":"Newer"}}`, id))
	if _, text := call(t, "POST", url+"/_fake/rows/get", "", fmt.Sprintf(`{"table":"clients","id":%.0f}`, id)); !strings.Contains(text, `"name":"Newer"`) ||
		!strings.Contains(text, "12345678901234567") {
		t.Errorf("the row: %s", text)
	}
	if _, text := call(t, "POST", url+"/_fake/rows/list", "", `{"table":"clients"}`); strings.Count(text, "\n") != int(before) {
		t.Errorf("%d lines, %v rows", strings.Count(text, "\n")+1, before+1)
	}
	do("rows/delete", fmt.Sprintf(`{"table":"clients","id":%.0f}`, id))
	if n := do("rows/restore", fmt.Sprintf(`{"table":"clients","id":%.0f}`, id))["restored"]; n != 1.0 {
		t.Errorf("%v rows came back", n)
	}
	do("work", `{"count":20}`)
	if stats := do("stats", ""); stats["tables"].(map[string]any)["me"].(map[string]any)["requests"].(float64) < 4 {
		t.Errorf("stats: %v", stats)
	}
	if _, text := call(t, "POST", url+"/_fake/requests", "", ""); !strings.Contains(text, `"path":"/api/invoices"`) || strings.Contains(text, "three") {
		t.Errorf("requests: %s", text)
	}
	do("reset", "")
	for path, body := range map[string]string{"rows/get": `{"table":"clients","id":1}`, "rows/put": `{"table":"x"}`, "rows/restore": `{"table":"clients","id":1}`, "faults/add": `{"fault":"x"}`,
		"keys/role": `{"key":"x"}`, "keys/add": `{}`, "work": `{`} {
		if n, _ := call(t, "POST", url+"/_fake/"+path, "", body); n != 400 && n != 404 {
			t.Errorf("%s %s: %d", path, body, n)
		}
	}
}

// A reply that waits on purpose does not hold up the stop.
//
//nolint:paralleltest // goroutines are counted at its end
func TestStopWhileSlow(t *testing.T) {
	done := make(chan struct{})
	t.Cleanup(func() { // runs after the stop
		select {
		case <-done:
		case <-time.After(stopTime):
			t.Error("still waiting")
		}
	})
	url := start(t, nil, "--fault", "slow=1h:tasks", "--rate", "0", "--control")
	req, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodGet, url+"/api/tasks", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "demo-key")
	go func() {
		defer close(done)
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_ = resp.Body.Close()
		}
	}()
}

func TestBadFlags(t *testing.T) {
	t.Parallel()
	for flags, want := range map[string]string{
		"--auth x":           "--auth x",
		"--window x":         "--window x",
		"--order x":          "--order x",
		"--scopes x":         "--scopes x",
		"--fault x":          `unknown kind "x"`,
		"--until x":          "--until x",
		"--live -1":          "--live -1",
		"--hook-callers 0":   "--hook-callers",
		"--hook-retries -1":  "--hook-retries",
		"--listen nowhere:x": "listen",
		"argument":           "argument",
	} {
		cmd := newCommand(func(string) (string, bool) { return "", false })
		cmd.SetArgs(strings.Fields(flags))
		cmd.SetOut(&bytes.Buffer{})
		if err := cmd.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", flags, err)
		}
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	cmd := newCommand(func(string) (string, bool) { return "", false })
	cmd.SetArgs([]string{"--help"})
	cmd.SetOut(&out)
	if err := cmd.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Examples:", "FAKEPAYMO_KEY", "--fault", "--scopes", "--hook-cascades", "ignore-paging", "healthcheck"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("help lacks %s", want)
		}
	}
}
