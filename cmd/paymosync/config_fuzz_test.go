package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// fuzzed are the variables that are tried: those of the settings, and OpenTelemetry's.
func fuzzed() []Variable {
	variables := Variables()
	for _, name := range []string{
		"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
		"OTEL_RESOURCE_ATTRIBUTES",
	} {
		variables = append(variables, Variable{Name: name, Secret: true})
	}
	for _, name := range []string{
		"OTEL_TRACES_EXPORTER", "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG", "OTEL_EXPORTER_OTLP_TIMEOUT", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
		"OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_COMPRESSION", "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
		"OTEL_EXPORTER_OTLP_CERTIFICATE", "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_SERVICE_NAME",
	} {
		variables = append(variables, Variable{Name: name})
	}
	return variables
}

// FuzzConfig gives two variables any values, of which the first has a secret in it where
// it may have one: what is wrong is said by the variable's name, in a line, and the secret
// is neither in that nor in anything that prints the configuration.
func FuzzConfig(f *testing.F) {
	variables := fuzzed()
	index := func(name string) uint8 {
		return uint8(slices.IndexFunc(variables, func(v Variable) bool { return v.Name == name }))
	}
	for _, seed := range []struct{ name, before, after, other, value string }{
		{"DATABASE_URL", "postgres://u:", "@h:5432/db", "SYNC_SCHEDULE", "61 * * * *"},
		{"DATABASE_URL", "host=h password='", "", "SYNC_SCHEDULE", "@every 30s"},
		{"DATABASE_URL", "postgres://u:", "/x@h:port/db?sslmode=nothing", "SYNC_TIMEZONE", "Europe/Vienna"},
		{"PAYMO_API_KEY", "vault://secret/", "", "VAULT_ADDR", "unix:///run/vault"},
		{"PAYMO_API_KEY", "", "\x00 \n", "SYNC_START_DATE", "2024-02-30"},
		{"PAYMO_BASE_URL", "https://u:", "@x/", "PAYMO_ALLOW_HTTP", "true"},
		{"HTTP_PASSWORD", "vault:", "#", "HTTP_ADDR", "[::]:8080"},
		{"VAULT_ADDR", "http://", "@v:8200", "VAULT_KV_VERSION", "3"},
		{"VAULT_TOKEN", "", "", "VAULT_ROLE_ID", "r"},
		{"ALERT_WEBHOOK_URL", "https://hooks.example/", "", "RUNS_RETENTION", "90 days"},
		{"ALERT_WEBHOOK_URL", "hooks.example/", "", "ALERT_STALE_AFTER", "1h\x1b[2J"},
		{"OTEL_EXPORTER_OTLP_HEADERS", "authorization=Basic%20", "\n", "OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://u:", "@h", "OTEL_TRACES_SAMPLER", "traceidratio"},
		{"SYNC_SCHEDULES", "users=@daily;", "users=CRON_TZ=Mars * * * * *", "SYNC_TABLES", "users,\xff"},
		{"WAREHOUSE_SCHEMA", "a\"; DROP", "", "LOG_LEVEL", "lo\u202eud"},
	} {
		f.Add(index(seed.name), seed.before, seed.after, index(seed.other), seed.value)
	}
	f.Fuzz(func(t *testing.T, first uint8, before, after string, second uint8, other string) {
		variable, companion := variables[int(first)%len(variables)], variables[int(second)%len(variables)]
		value := before + after
		switch {
		case variable.Secret:
			value = before + canary + after
		case variable.Name == "PAYMO_BASE_URL" || variable.Name == "VAULT_ADDR":
			value = "https://" + canary + "@" + before + after
		}
		if strings.Contains(value+other, "/dev/") || strings.Contains(value+other, "/proc/") {
			return // files without an end
		}
		c, err := LoadConfig(environment(map[string]string{companion.Name: other, variable.Name: value}), someDay())
		if err != nil {
			testProblems(t, err, variables)
			return
		}
		if NewSecret(strings.TrimSpace(value)).IsReference() {
			return // it names a place, which may be told
		}
		c.Schedule.Next(someDay())
		c.FullSchedule.Next(someDay())
		var log strings.Builder
		slog.New(slog.NewTextHandler(&log, nil)).InfoContext(t.Context(), "starting", "config", c)
		encoded, err := json.Marshal(c.LogValue().String())
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{fmt.Sprintf("%+v", c), fmt.Sprintf("%#v", c.Paymo), log.String(), string(encoded), fmt.Sprint(c.Warnings(), c.Notices())} {
			if strings.Contains(text, canary) {
				t.Fatalf("%s=%q is shown: %s", variable.Name, value, text)
			}
		}
	})
}

// testProblems holds an error against what operators are promised of one.
func testProblems(t *testing.T, err error, variables []Variable) {
	t.Helper()
	for _, problem := range problemsOf(t, err) {
		if !slices.ContainsFunc(variables, func(v Variable) bool { return v.Name == problem.Variable }) || problem.Text == "" {
			t.Fatalf("%q names no variable", problem)
		}
		if strings.ContainsFunc(problem.Text, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }) {
			t.Fatalf("%q is not one printable line", problem)
		}
	}
	if strings.Contains(err.Error(), canary) {
		t.Fatalf("the value is repeated: %v", err)
	}
}

// FuzzEnvironment reads any bytes as an environment file: it is understood, or refused by
// file and line without a word of it.
func FuzzEnvironment(f *testing.F) {
	for _, seed := range []string{
		"A=" + canary + "\nexport B='$" + canary + "'\n# $C\n", "A=\"$" + canary + "\"", "A='" + canary + "\nB=1", "A=1 # $" + canary, "A: x\r\nB=\"1\n$" + canary + "\"\n",
		"= " + canary, "A=$(" + canary, "\xff\xfe=" + canary, "A=" + canary + "\x00", "A=\\$" + canary, "A=`" + canary,
	} {
		f.Add([]byte(seed))
	}
	file := filepath.Join(f.TempDir(), "service.env")
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		env, err := ReadEnvironment([]string{"PATH=/bin"}, file)
		if config, ok := errors.AsType[*ConfigError](err); err != nil && (!ok || strings.Contains(err.Error(), canary)) {
			t.Fatalf("got %v", err)
		} else if ok {
			for _, problem := range config.Problems {
				if problem.Variable != "--env-file" || !strings.Contains(problem.Text, "line ") {
					t.Fatalf("got %v", problem)
				}
			}
			return
		}
		for _, name := range env.names() {
			if value, ok := env.Lookup(name); !ok || value != strings.TrimSpace(value) || value == "" {
				t.Fatalf("%s is %q, %v", name, value, ok)
			}
		}
	})
}
