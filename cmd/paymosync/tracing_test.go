package main

import (
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

// asked are the variables that ask for traces, and some more.
func asked(pairs ...string) map[string]string {
	env := map[string]string{"OTEL_TRACES_EXPORTER": "otlp"}
	for i := 0; i < len(pairs); i += 2 {
		env[pairs[i]] = pairs[i+1]
	}
	return env
}

func TestTracesConfigGood(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		env  map[string]string
		want func(TracesConfig) bool
	}{
		"off":      {nil, func(c TracesConfig) bool { return c.Endpoint == "" }},
		"none":     {asked("OTEL_TRACES_EXPORTER", "none", "OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"), func(c TracesConfig) bool { return c.Endpoint == "" }},
		"disabled": {asked("OTEL_SDK_DISABLED", "True"), func(c TracesConfig) bool { return c.Endpoint == "" }},
		"not so":   {asked("OTEL_SDK_DISABLED", "yes"), func(c TracesConfig) bool { return c.Endpoint != "" }},
		"defaults": {asked(), func(c TracesConfig) bool {
			return c.Endpoint == "http://localhost:4318/v1/traces" && c.Timeout == 10*time.Second && !c.Gzip
		}},
		"endpoint":   {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "https://c/otlp/"}, func(c TracesConfig) bool { return c.Endpoint == "https://c/otlp/v1/traces" }},
		"as it is":   {map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://c/in"}, func(c TracesConfig) bool { return c.Endpoint == "https://c/in" }},
		"the nearer": {asked("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://near/x", "OTEL_EXPORTER_OTLP_ENDPOINT", "http://far"), func(c TracesConfig) bool { return c.Endpoint == "http://near/x" }},
		"protocol":   {asked("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf", "OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), func(c TracesConfig) bool { return c.Endpoint != "" }},
		"headers": {asked("OTEL_EXPORTER_OTLP_HEADERS", "a=1, Authorization=Basic%20eDp5Cg==,"), func(c TracesConfig) bool {
			return c.Headers["Authorization"].Reveal() == "Basic eDp5Cg==" && c.Headers["a"].Reveal() == "1"
		}},
		"timeout":  {asked("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "250", "OTEL_EXPORTER_OTLP_TIMEOUT", "1"), func(c TracesConfig) bool { return c.Timeout == 250*time.Millisecond }},
		"gzip":     {asked("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"), func(c TracesConfig) bool { return c.Gzip }},
		"not gzip": {asked("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip", "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "none"), func(c TracesConfig) bool { return !c.Gzip }},
		"all":      {asked(), func(c TracesConfig) bool { return strings.Contains(c.Sampler.Description(), "AlwaysOnSampler") }},
		"a share":  {asked("OTEL_TRACES_SAMPLER", "traceidratio", "OTEL_TRACES_SAMPLER_ARG", "0.25"), func(c TracesConfig) bool { return c.Sampler.Description() == "TraceIDRatioBased{0.25}" }},
		"by parent": {asked("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"), func(c TracesConfig) bool {
			return strings.HasPrefix(c.Sampler.Description(), "ParentBased{root:TraceIDRatioBased{1},")
		}},
		"no sampler": {asked("OTEL_TRACES_SAMPLER", "always_off"), func(c TracesConfig) bool { return c.Sampler.Description() == "AlwaysOffSampler" }},
		"the service": {asked("OTEL_SERVICE_NAME", "mine", "OTEL_RESOURCE_ATTRIBUTES", "service.name=other,a=b%2Cc"), func(c TracesConfig) bool {
			return serviceOf(c) == "mine" && strings.Contains(fmt.Sprint(c.Attributes), "b,c")
		}},
	} {
		c, err := LoadConfig(environment(test.env), someDay())
		if err != nil || !test.want(c.Traces) {
			t.Errorf("%s: %+v, %v", name, c.Traces, err)
		}
	}
}

// serviceOf is the name of the service that holds: the last one.
func serviceOf(c TracesConfig) string {
	name := ""
	for _, a := range c.Attributes {
		if a.Key == "service.name" {
			name = a.Value.AsString()
		}
	}
	return name
}

// A bad variable is told of by its name, in one line that does not repeat what may be
// secret.
func TestTracesConfigBad(t *testing.T) {
	t.Parallel()
	notPEM := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(notPEM, []byte("canary"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, bad := range [][2]string{
		{"OTEL_TRACES_EXPORTER", "console"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://localhost"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:canary@localhost"},
		{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://localhost/?key=canary"},
		{"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"},
		{"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json"},
		{"OTEL_EXPORTER_OTLP_HEADERS", "canary"},
		{"OTEL_EXPORTER_OTLP_HEADERS", "=canary"},
		{"OTEL_EXPORTER_OTLP_HEADERS", "a=canary%zz"},
		{"OTEL_EXPORTER_OTLP_HEADERS", "a b=canary"},
		{"OTEL_EXPORTER_OTLP_TRACES_HEADERS", "a=canary%0Ab"},
		{"OTEL_EXPORTER_OTLP_TIMEOUT", "0"},
		{"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "10s"},
		{"OTEL_EXPORTER_OTLP_COMPRESSION", "deflate"},
		{"OTEL_EXPORTER_OTLP_CERTIFICATE", "/nowhere"},
		{"OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", notPEM},
		{"OTEL_TRACES_SAMPLER", "xray"},
		{"OTEL_TRACES_SAMPLER_ARG", "NaN"},
		{"OTEL_TRACES_SAMPLER_ARG", "1.5"},
		{"OTEL_RESOURCE_ATTRIBUTES", "canary"},
	} {
		env := asked(bad[0], bad[1])
		if bad[0] == "OTEL_TRACES_SAMPLER_ARG" {
			env["OTEL_TRACES_SAMPLER"] = "traceidratio"
		}
		_, err := LoadConfig(environment(env), someDay())
		config, ok := errors.AsType[*ConfigError](err)
		if !ok || len(config.Problems) != 1 || config.Problems[0].Variable != bad[0] || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s=%s: %v", bad[0], bad[1], err)
		}
	}
}

// The configuration tells where traces go, and nothing that is secret.
func TestTracesConfigShowsNoSecret(t *testing.T) {
	t.Parallel()
	c, err := LoadConfig(environment(asked("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector/canary", "OTEL_EXPORTER_OTLP_HEADERS", "x=canary")), someDay())
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	slog.New(slog.NewJSONHandler(&out, nil)).Info("starting", "config", c)
	if text := out.String(); strings.Contains(text, "canary") || !strings.Contains(text, `"traces":"https://collector"`) {
		t.Errorf("it logs %s", text)
	}
	if text := fmt.Sprintf("%v %+v %#v", c.Traces.Headers, c.Traces.Headers, c.Traces.Headers); strings.Contains(text, "canary") {
		t.Errorf("it prints %s", text)
	}
}

// sendTo makes a sender to an address; what it logs is in the text.
func sendTo(t *testing.T, c TracesConfig) (*traceSender, *output) {
	t.Helper()
	if c.Timeout == 0 {
		c.Timeout = time.Minute
	}
	log := &output{}
	s := newTraceSender(c, slog.New(slog.NewTextHandler(log, nil)))
	s.client.RetryWaitMin, s.client.RetryWaitMax = time.Millisecond, time.Millisecond
	t.Cleanup(func() { _ = s.Stop(t.Context()) })
	return s, log
}

// oneSpan is the least that can be sent.
func oneSpan() []*tracepb.ResourceSpans {
	return []*tracepb.ResourceSpans{{ScopeSpans: []*tracepb.ScopeSpans{{Spans: []*tracepb.Span{{Name: "one"}}}}}}
}

// What passes is tried again, as long as it may take; what does not is lost at once.
func TestTraceSenderTriesAgain(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answers []int
		tries   int
		taken   bool
	}{
		"at once":          {nil, 1, true},
		"unavailable":      {[]int{503, 503}, 3, true},
		"too many":         {[]int{429}, 2, true},
		"gateways":         {[]int{502, 504}, 3, true},
		"refused":          {[]int{401, 401}, 1, false},
		"broken":           {[]int{500, 500}, 1, false},
		"elsewhere":        {[]int{307, 307}, 1, false},
		"never":            {[]int{503, 503, 503, 503, 503, 503, 503}, 6, false},
		"taken without it": {[]int{204}, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCollector(t, test.answers...)
			s, log := sendTo(t, TracesConfig{Endpoint: c.url + "/v1/traces", Gzip: name == "unavailable"})
			if err := s.UploadTraces(t.Context(), oneSpan()); err != nil {
				t.Error(err)
			}
			if lost := strings.Contains(log.String(), "traces are lost"); len(c.headers) != test.tries || lost == test.taken {
				t.Errorf("%d tries; %s", len(c.headers), log)
			}
			if test.taken && name != "taken without it" && len(c.spans()) != 1 {
				t.Errorf("the collector has %v", c.spans())
			}
		})
	}
}

// A collector that asks for more patience than there is gets none, and neither does one
// that is waited for when the program ends.
func TestTraceSenderGivesUp(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(server.Close)
	s, log := sendTo(t, TracesConfig{Endpoint: server.URL, Timeout: 200 * time.Millisecond})
	_ = s.UploadTraces(t.Context(), oneSpan())
	if !strings.Contains(log.String(), "no answer in 200ms") {
		t.Errorf("it logs %s", log)
	}
	s, log = sendTo(t, TracesConfig{Endpoint: server.URL, Timeout: time.Hour})
	time.AfterFunc(50*time.Millisecond, s.abort)
	_ = s.UploadTraces(t.Context(), oneSpan())
	if !strings.Contains(log.String(), "canceled") {
		t.Errorf("it logs %s", log)
	}
}

// Errors repeat neither the address nor the headers nor what the collector says.
func TestTraceSenderShowsNoSecret(t *testing.T) {
	t.Parallel()
	const secret = "canary-9c01d7"
	config := TracesConfig{Headers: map[string]Secret{"Authorization": NewSecret("Bearer " + secret)}}
	elsewhere := newCollector(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		switch r.URL.Path {
		case "/refused/" + secret:
			http.Error(w, token, http.StatusForbidden)
		case "/moved":
			http.Redirect(w, r, elsewhere.url+"/v1/traces?"+token, http.StatusTemporaryRedirect)
		default:
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			fmt.Fprintf(conn, "HTTP/1.1 %s\r\n\r\n", token)
		}
	}))
	t.Cleanup(server.Close)
	for address, words := range map[string]string{
		server.URL + "/refused/" + secret:         "it answers 403",
		server.URL + "/moved":                     "it answers 307",
		server.URL + "/nonsense":                  "malformed HTTP",
		"http://" + freeAddr(t) + "/" + secret:    "connection refused",
		strings.Replace(server.URL, "p", "ps", 1): "HTTP response to HTTPS client",
	} {
		config.Endpoint = address
		s, log := sendTo(t, config)
		_ = s.UploadTraces(t.Context(), oneSpan())
		if text := log.String(); strings.Contains(text, secret) || !strings.Contains(text, words) || !strings.Contains(text, "level=WARN") {
			t.Errorf("%s: it logs %s", address, text)
		}
	}
	if len(elsewhere.headers) > 0 {
		t.Error("the headers were sent to where the collector led")
	}
}

// An authority of one's own is believed, and no other certificate.
func TestTraceSenderCertificate(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	server := httptest.NewUnstartedServer(c)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // it complains of those that do not believe it
	server.StartTLS()
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, known := range []bool{false, true} {
		env := asked("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)
		if known {
			env["OTEL_EXPORTER_OTLP_CERTIFICATE"] = file
		}
		config, err := LoadConfig(environment(env), someDay())
		if err != nil {
			t.Fatal(err)
		}
		s, log := sendTo(t, config.Traces)
		_ = s.UploadTraces(t.Context(), oneSpan())
		if taken := len(c.spans()) > 0; taken != known || known == strings.Contains(log.String(), "certificate") {
			t.Errorf("the authority is known: %v, the spans are taken: %v; %s", known, taken, log)
		}
	}
}

// The log tells of losses once a minute, and of all of them.
func TestTraceLosses(t *testing.T) {
	t.Parallel()
	var l losses
	begin := someDay()
	for _, step := range []struct {
		after time.Duration
		n     int
		lost  int
		tell  bool
	}{
		{0, 3, 3, true}, {time.Second, 2, 0, false}, {59 * time.Second, 1, 0, false}, {time.Minute, 4, 7, true}, {61 * time.Second, 1, 0, false},
	} {
		if lost, tell := l.add(step.n, begin.Add(step.after)); lost != step.lost || tell != step.tell {
			t.Errorf("after %v: %d, %v", step.after, lost, tell)
		}
	}
}

// Spans are told apart by where they lead, not by the row.
func TestTracePlace(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/api/projects": "/api/projects", "/api/projects/123": "/api/projects/{id}", "/x2/api/entries/7/": "/x2/api/entries/{id}/", "": "",
	} {
		if got := placeOf(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}
