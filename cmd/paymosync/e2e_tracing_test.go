package main

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/paymosync/paymosync/paymo/paymotest"
)

// The traces of the service lead from the job over the sync and its pages to the requests
// and the transactions, and count what was merged. Nothing secret is in them.
func TestProgramTraces(t *testing.T) {
	t.Parallel()
	const key, header = "canary-key-31f09a7c4e", "canary-header-8d2b6f"
	c := newCollector(t)
	w := newWorld(t, paymotest.Config{Seed: 7, Entries: 300, Key: key}).with(
		"SYNC_TABLES", "clients,projects",
		"OTEL_EXPORTER_OTLP_ENDPOINT", c.url,
		"OTEL_EXPORTER_OTLP_HEADERS", "X-Api-Key="+header+", x-scope=a%20b",
		"OTEL_EXPORTER_OTLP_COMPRESSION", "gzip",
		"OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test",
		"OTEL_BSP_SCHEDULE_DELAY", "100",
		"LOG_LEVEL", "debug",
	)
	service := w.start("serve")
	within(t, time.Minute, "traces of both tables arrive", func() error {
		for _, table := range []string{"clients", "projects"} {
			if len(c.spans().named("sync "+table)) == 0 {
				return errors.New("not of " + table)
			}
		}
		return nil
	})
	said := service.mustStop()
	all := c.spans()
	t.Logf("\n%s", all)
	for _, table := range []string{"clients", "projects"} {
		synced := all.named("sync " + table)[0]
		n := int64(w.paymo.Count(table))
		if number(synced, "inserted") != n || number(synced, "requests") < 1 || word(synced, "mode") != "full" || word(synced, "state") != "ok" {
			t.Errorf("%s: %v", table, synced)
		}
		job := all.parent(synced)
		if job.GetName() != "river.work/sync" || len(job.GetParentSpanId()) > 0 || number(job, "id") < 1 {
			t.Errorf("%s was synced below %v", table, job)
		}
		var requests, merges spanList
		for _, page := range all.below(synced).named("page") {
			below := all.below(page)
			requests, merges = append(requests, below.named("GET /api/"+table)...), append(merges, below.named("merge")...)
		}
		if len(requests) == 0 || number(requests[0], "http.response.status_code") != http.StatusOK || !strings.HasSuffix(word(requests[0], "url.full"), "/api/"+table) {
			t.Errorf("%s: the requests of the pages are %v", table, requests)
		}
		if got := merges.sum("inserted"); got != n || merges.sum("updated") != 0 || merges.sum("quarantined") != 0 {
			t.Errorf("%s: the pages' transactions inserted %d rows of %d: %v", table, got, n, merges)
		}
		if got := all.below(synced).named("page").sum("rows"); got < n {
			t.Errorf("%s: the pages held %d rows of %d", table, got, n)
		}
	}
	if c.service["service.name"] != "paymosync" || c.service["service.version"] == "" || c.service["deployment.environment.name"] != "test" {
		t.Errorf("the service is %v", c.service)
	}
	for _, h := range c.headers {
		if h.Get("X-Api-Key") != header || h.Get("X-Scope") != "a b" || h.Get("Content-Encoding") != "gzip" {
			t.Errorf("a delivery came with %v", h)
		}
	}
	search := searcher(key, header)
	for _, text := range append(c.bodies, said.out, said.err) {
		if found := search(text); found != "" {
			t.Errorf("a secret is shown: %s", found)
		}
		if strings.Contains(strings.ToLower(text), "authorization") || strings.Contains(text, "where=") {
			t.Errorf("a header or a query is shown: %q", text)
		}
	}
}

// A careless server that repeats the key, in replies that make no sense too, does not
// bring it into the traces. The spans say that they failed all the same.
func TestProgramTracesShowNoSecret(t *testing.T) {
	t.Parallel()
	const key = "canary-key-5b77e20d91"
	c := newCollector(t)
	w := newWorld(t, paymotest.Config{Seed: 7, Entries: 300, Key: key})
	honest := echo(w.paymo)
	careless := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		key := r.Header.Get("Authorization")
		switch r.URL.Path {
		case "/api/clients", "/api/projects":
			conn, _, err := rw.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			if r.URL.Path == "/api/clients" {
				fmt.Fprintf(conn, "HTTP/1.1 %s\r\n\r\n", key)
			} else {
				fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%s\r\n", key)
			}
		case "/api/users":
			http.Redirect(rw, r, "/api/"+key, http.StatusFound)
		default:
			honest.ServeHTTP(rw, r)
		}
	}))
	t.Cleanup(careless.Close)
	w = w.with("PAYMO_BASE_URL", careless.URL, "OTEL_TRACES_EXPORTER", "otlp", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", c.url+"/v1/traces", "LOG_LEVEL", "debug")
	tables := []string{"clients", "projects", "users", "reports", "webhooks", "expenses", "milestones"}
	r := w.run(append([]string{"sync"}, tables...)...).mustExit(exitUnwell)
	if len(c.bodies) == 0 {
		t.Fatal("no traces came")
	}
	search := searcher(key)
	for _, text := range append(c.bodies, r.out, r.err) {
		if found := search(text); found != "" {
			t.Errorf("the key is shown: %s", found)
		}
	}
	all := c.spans()
	for _, table := range []string{"clients", "projects", "webhooks"} {
		synced := all.named("sync " + table)
		if len(synced) != 1 || synced[0].GetStatus().GetCode() != tracepb.Status_STATUS_CODE_ERROR || synced[0].GetStatus().GetMessage() == "" {
			t.Errorf("%s did not fail: %v", table, synced)
		}
	}
	requests := all.named("GET /api/clients")
	if len(requests) == 0 || requests[0].GetStatus().GetCode() != tracepb.Status_STATUS_CODE_ERROR || word(requests[0], "error.type") == "" {
		t.Errorf("the request for clients did not fail: %v", requests)
	}
}

// Nothing is sent where nothing asks for it; verify and backfill send too.
func TestProgramTracesOfCommands(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	w := newWorld(t, paymotest.Config{Seed: 7, Entries: 300}).with("OTEL_EXPORTER_OTLP_ENDPOINT", c.url+"/")
	w.with("OTEL_TRACES_EXPORTER", "none").run("sync", "clients").mustExit(exitOK)
	w.with("OTEL_SDK_DISABLED", "TRUE", "OTEL_EXPORTER_OTLP_PROTOCOL", "grpc").run("sync", "clients").mustExit(exitOK)
	w.with("OTEL_TRACES_SAMPLER", "always_off").run("sync", "clients").mustExit(exitOK)
	if spans := c.spans(); len(spans) > 0 {
		t.Fatalf("traces came that nobody asked for:\n%s", spans)
	}
	w.run("verify", "clients").mustExit(exitOK)
	file := filepath.Join(t.TempDir(), "traces.env")
	if err := os.WriteFile(file, []byte("OTEL_EXPORTER_OTLP_ENDPOINT="+c.url+"\nOTEL_SERVICE_NAME=from-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.with("OTEL_EXPORTER_OTLP_ENDPOINT", "").run("backfill", "clients", "--from", "2020-01-01", "--env-file", file).mustExit(exitOK)
	all := c.spans()
	t.Logf("\n%s", all)
	for name, child := range map[string]string{"verify clients": "page", "sync clients": "page"} {
		if top := all.named(name); len(top) != 1 || len(all.below(top[0]).named(child)) == 0 {
			t.Errorf("there is no %s with a %s below it", name, child)
		}
	}
	if name := c.service["service.name"]; name != "from-file" {
		t.Errorf("the service is %q", name)
	}
}

// A collector that is not there, refuses, or never answers harms nothing and is told of
// once.
func TestProgramTracesWithoutCollector(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0") // it is connected to, and no more
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	refusing := newCollector(t, slices.Repeat([]int{http.StatusUnauthorized}, 100)...)
	for name, endpoint := range map[string]string{
		"nobody": "http://" + freeAddr(t), "silent": "http://" + listener.Addr().String(), "refusing": refusing.url,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, paymotest.Config{Seed: 7, Entries: 300}).with("SYNC_TABLES", "clients", "OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
			r := w.run("sync").mustExit(exitOK)
			if r.took > 30*time.Second {
				t.Errorf("it took %v", r.took)
			}
			if strings.Contains(r.err, "trace") {
				t.Errorf("a sync that is well complains: %s", r.err)
			}
			service := w.with("SYNC_SCHEDULE", "@every 1s", "OTEL_BSP_SCHEDULE_DELAY", "100", "OTEL_EXPORTER_OTLP_TIMEOUT", "300").start("serve")
			within(t, time.Minute, "the log tells of it", func() error { return says(service, "traces are lost") })
			within(t, time.Minute, "syncs go on", func() error {
				if n := strings.Count(service.err.String(), "msg=sync table=clients"); n < 3 {
					return fmt.Errorf("%d were made", n)
				}
				return nil
			})
			if n := strings.Count(service.mustStop().err, "traces are lost"); n > 2 { // a minute may pass on a slow machine
				t.Errorf("the log tells of it %d times", n)
			}
		})
	}
}

// What is wrong with the variables is said by name, and the exit code is 2. Where nothing
// asks for traces, it is not looked at.
func TestProgramTracesRefused(t *testing.T) {
	t.Parallel()
	w := configured(t).with("OTEL_TRACES_EXPORTER", "otlp")
	w.with("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc").run("sync").mustRefuse("OTEL_EXPORTER_OTLP_PROTOCOL")
	w.with("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc").run("serve").mustSay("set http/protobuf", "4318")
	w.with("OTEL_TRACES_EXPORTER", "zipkin").run("verify").mustRefuse("OTEL_TRACES_EXPORTER")
	bad := map[string]string{
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT":    "canary:4318",
		"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL":    "http/json",
		"OTEL_EXPORTER_OTLP_TRACES_HEADERS":     "canary",
		"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT":     "10s",
		"OTEL_EXPORTER_OTLP_TRACES_COMPRESSION": "zstd",
		"OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE": "/nowhere/ca.pem",
		"OTEL_TRACES_SAMPLER":                   "jaeger_remote",
		"OTEL_RESOURCE_ATTRIBUTES":              "canary",
	}
	var names []string
	for name, value := range bad {
		names = append(names, name)
		w = w.with(name, value)
	}
	if lines := w.run("sync").mustRefuse(names...); len(lines) != len(bad) {
		t.Errorf("%d problems are told of as\n%s", len(bad), strings.Join(lines, "\n"))
	}
	r := w.with("OTEL_TRACES_EXPORTER", "", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "").run("sync")
	if r.code == exitConfig || strings.Contains(r.err, "OTEL_") {
		t.Errorf("without traces it ends with %d: %s", r.code, r.err)
	}
}

// The searcher looks through what protobuf makes of texts: they stay as they are.
func TestSecretsInTraces(t *testing.T) {
	t.Parallel()
	const secret = "canary-0123456789"
	for _, text := range []string{secret, hex.EncodeToString([]byte(secret)), base64.StdEncoding.EncodeToString([]byte(secret + ":"))} {
		body, err := proto.Marshal(&tracepb.Span{Name: text})
		if err != nil {
			t.Fatal(err)
		}
		if searcher(secret)(string(body)) == "" {
			t.Errorf("%q is not found", text)
		}
	}
}
