package main

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// environment is a set of variables for a test.
func environment(values map[string]string) Environment {
	var environ []string
	for name, value := range values {
		environ = append(environ, name+"="+value)
	}
	env, err := ReadEnvironment(environ, "")
	if err != nil {
		panic(err)
	}
	return env
}

func someDay() time.Time { return time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC) }

func TestConfigDefaults(t *testing.T) {
	t.Parallel()
	c, err := LoadConfig(environment(nil), someDay())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]any{
		"key": c.Paymo.APIKey.Reveal(), "scheme": c.Paymo.AuthScheme, "base": c.Paymo.BaseURL, "http": c.Paymo.AllowHTTP,
		"schema": c.WarehouseSchema, "schedule": c.Schedule.String(), "full": c.FullSchedule.String(),
		"own": len(c.TableSchedules), "tables": len(c.Tables), "zone": c.Timezone.String(), "start": c.StartDate.IsZero(),
		"addr": c.HTTPAddr, "level": c.LogLevel.String(), "format": c.LogFormat, "migrate": c.MigrateOnStart, "sweep": c.SweepWithoutAdmin,
		"vault": c.NeedsVault(), "warnings": len(c.Warnings()), "notices": len(c.Notices()),
	}
	want := map[string]any{
		"key": "vault://secret/paymo#api_key", "scheme": "auto", "base": "https://app.paymoapp.com", "http": false,
		"schema": "paymo", "schedule": "*/15 * * * *", "full": "17 4 * * *",
		"own": 0, "tables": len(catalog.All()), "zone": "UTC", "start": true,
		"addr": "127.0.0.1:8080", "level": "INFO", "format": "text", "migrate": true, "sweep": false,
		"vault": true, "warnings": 0, "notices": 0,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
}

func TestConfigGood(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		env  map[string]string
		want func(Config) bool
	}{
		"literal database": {map[string]string{"DATABASE_URL": "postgres://u:p@h/db"},
			func(c Config) bool { return c.DatabaseURL.Reveal() == "postgres://u:p@h/db" }},
		"database DSN": {map[string]string{"DATABASE_URL": "host=/tmp dbname=x user=y"},
			func(c Config) bool { return !c.DatabaseURL.IsReference() }},
		"database reference": {map[string]string{"DATABASE_URL": "vault://kv/team/db#url"},
			func(c Config) bool {
				return len(c.Vault.References) == 2 && c.Vault.References[1] == Reference{"kv/team/db", "url"}
			}},
		"warehouse apart": {map[string]string{"DATABASE_URL": "postgres://u:p@h/queue", "WAREHOUSE_URL": "vault://kv/team/db#url"},
			func(c Config) bool {
				places := c.places()
				return len(places) == 2 && places[0].variable == "WAREHOUSE_URL" && c.Vault.References[1] == Reference{"kv/team/db", "url"}
			}},
		"one database under two names": {map[string]string{"DATABASE_URL": "postgres://u:p@h/db", "WAREHOUSE_URL": "postgres://u:p@h/db"},
			func(c Config) bool { return len(c.places()) == 1 && c.places()[0].variable == "DATABASE_URL" }},
		"pages' password": {map[string]string{"HTTP_PASSWORD": "vault://kv/team/web#password", "PAYMO_API_KEY": "abc123"},
			func(c Config) bool { return c.HTTPPassword.IsReference() && c.NeedsVault() }},
		"pages' literal password": {map[string]string{"HTTP_PASSWORD": "a/b#c: d", "PAYMO_API_KEY": "abc123"},
			func(c Config) bool { return c.HTTPPassword.Reveal() == "a/b#c: d" && !c.NeedsVault() }},
		"literal key": {map[string]string{"PAYMO_API_KEY": "abc123"},
			func(c Config) bool {
				return c.Paymo.APIKey.Reveal() == "abc123" && !c.NeedsVault() && len(c.Warnings()) == 1
			}},
		"slash trimmed":    {map[string]string{"PAYMO_BASE_URL": "https://x.example/base/"}, func(c Config) bool { return c.Paymo.BaseURL == "https://x.example/base" }},
		"host in capitals": {map[string]string{"PAYMO_BASE_URL": "HTTPS://App.Example.COM:8443/Base/"}, func(c Config) bool { return c.Paymo.BaseURL == "https://app.example.com:8443/Base" }},
		"http loopback":    {map[string]string{"PAYMO_BASE_URL": "http://[::1]:8081"}, func(c Config) bool { return c.Paymo.BaseURL == "http://[::1]:8081" }},
		"http localhost":   {map[string]string{"PAYMO_BASE_URL": "http://localhost:1"}, func(c Config) bool { return true }},
		"http allowed": {map[string]string{"PAYMO_BASE_URL": "http://fakepaymo:8081", "PAYMO_ALLOW_HTTP": "true"},
			func(c Config) bool { return c.Paymo.AllowHTTP }},
		"empty is not set":  {map[string]string{"PAYMO_BASE_URL": "", "SYNC_SCHEDULE": " "}, func(c Config) bool { return c.Schedule.String() == "*/15 * * * *" }},
		"every":             {map[string]string{"SYNC_SCHEDULE": "@every 30s"}, func(c Config) bool { return c.Schedule.Next(someDay()).Equal(someDay().Add(30 * time.Second)) }},
		"zone of schedules": {map[string]string{"FULL_SYNC_SCHEDULE": "0 4 * * *", "SYNC_TIMEZONE": "Europe/Vienna"}, func(c Config) bool { return c.FullSchedule.Next(someDay()).UTC().Hour() == 2 }},
		"own schedules": {map[string]string{"SYNC_SCHEDULES": "time_entries=*/5 * * * *; reports=0 6 * * *;"},
			func(c Config) bool {
				return c.ScheduleOf("time_entries").String() == "*/5 * * * *" && c.ScheduleOf("reports").String() == "0 6 * * *" && c.ScheduleOf("users").String() == "*/15 * * * *"
			}},
		"own schedule with zone": {map[string]string{"SYNC_SCHEDULES": "users=CRON_TZ=Asia/Tokyo 0 6 * * *"},
			func(c Config) bool { return c.ScheduleOf("users").Next(someDay()).UTC().Hour() == 21 }},
		"schedule of a table left out": {map[string]string{"SYNC_SCHEDULES": "reports=@daily", "SYNC_EXCLUDE_TABLES": "reports"},
			func(c Config) bool { return strings.Contains(strings.Join(c.Warnings(), ""), "reports") }},
		"start today": {map[string]string{"SYNC_START_DATE": "2026-07-01"},
			func(c Config) bool { return c.StartDate.Equal(time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)) }},
		"level in capitals": {map[string]string{"LOG_LEVEL": "WARN", "LOG_FORMAT": "JSON"}, func(c Config) bool { return c.LogLevel.String() == "WARN" && c.LogFormat == "json" }},
		"sweep":             {map[string]string{"SWEEP_WITHOUT_ADMIN": "true"}, func(c Config) bool { return c.SweepWithoutAdmin }},
		"retention": {map[string]string{"RUNS_RETENTION": "30d", "JOBS_RETENTION": "36h", "QUARANTINE_RETENTION": "0", "ALERT_STALE_AFTER": "0", "ALERT_WEBHOOK_URL": "https://hooks.example/x"},
			func(c Config) bool {
				o := c.Operate
				return o.KeepRuns == 30*24*time.Hour && o.KeepJobs == 36*time.Hour && o.KeepQuarantine == 0 && o.AlertStale == 0 && o.AlertRuns == 3 && o.AlertWebhook.Reveal() == "https://hooks.example/x"
			}},
		"role": {map[string]string{"ACCEPT_ROLE": "Employee"}, func(c Config) bool { return c.AcceptRole == "Employee" }},
		"approle": {map[string]string{"VAULT_ROLE_ID": "r", "VAULT_SECRET_ID_FILE": "/f", "VAULT_AUTH_MOUNT": "auth/x/"},
			func(c Config) bool { return c.Vault.Method == LoginAppRole && c.Vault.AuthMount == "auth/x" }},
		"vault": {map[string]string{"VAULT_ADDR": "http://vault:8200", "VAULT_KV_VERSION": "2", "VAULT_NAMESPACE": "n", "VAULT_SKIP_VERIFY": "1"},
			func(c Config) bool {
				return c.Vault.KVVersion == 2 && c.Vault.Namespace == "n" && c.Vault.SkipVerify && len(c.Warnings()) == 1
			}},
		"typo": {map[string]string{"PAYMO_APIKEY": "x", "SYNC_SHEDULE": "x", "VAULT_ROLEID": "x", "SYNC_ENGINE": "x", "VAULT_HEADERS": "{}"},
			func(c Config) bool {
				return cmp.Equal(c.Warnings(), []string{
					"PAYMO_APIKEY is not read: did you mean PAYMO_API_KEY?",
					"SYNC_SHEDULE is not read: did you mean SYNC_SCHEDULE?",
					"VAULT_ROLEID is not read: did you mean VAULT_ROLE_ID?",
				})
			}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := LoadConfig(environment(test.env), someDay())
			if err != nil {
				t.Fatal(err)
			}
			if !test.want(c) {
				t.Errorf("got %+v, warnings %q", c, c.Warnings())
			}
		})
	}
}

// TestConfigBad gives one bad value a case; every variable that can be bad on its
// own has one.
func TestConfigBad(t *testing.T) {
	t.Parallel()
	cases := map[string][]struct{ value, text string }{
		"DATABASE_URL": {
			{"postgres://u:canary/x@h:5432/db", "not understood"}, {"nonsense", "not understood"}, {"postgres://u:canary@h/db?pool_max_conns=x", "pool_max_conns"},
			{"vault://secret#x", "names no path"}, {"vault:secret/canary", "does not begin with vault://"},
		},
		"WAREHOUSE_URL":         {{"postgres://u:canary/x@h:5432/db", "not understood"}, {"vault://secret/canary", "names no field"}},
		"DATABASE_CREDENTIALS":  {{"database/creds/x", "expected vault://"}, {"vault://database/creds/x#canary", "expected vault://"}, {"vault://creds/x", "expected vault://"}, {"vault://database/creds/x", "goes with DATABASE_URL"}},
		"WAREHOUSE_CREDENTIALS": {{"creds/x", "expected vault://"}, {"vault://database/creds/x", "goes with another WAREHOUSE_URL"}},
		"PAYMO_API_KEY":         {{"canary key", "white space"}, {"canary\x01", "no key has"}, {"secret/canary#api_key", "looks like a reference"}, {"vault://secret/paymo", "names no field"}, {"VAULT://secret/paymo#a", "does not begin"}},
		"PAYMO_AUTH_SCHEME":     {{"bearer", `"bearer" is none of auto, raw, basic`}},
		"PAYMO_BASE_URL": {
			{"app.paymoapp.com", "absolute"}, {"ftp://x", "absolute"}, {"https://u:canary@x", "user or password"},
			{"https://x?a=canary", "query"}, {"http://paymo.example", "unencrypted"}, {"http://10.0.0.1", "unencrypted"},
		},
		"PAYMO_ALLOW_HTTP": {{"maybe", "neither true nor false"}},
		"WAREHOUSE_SCHEMA": {
			{"Paymo", "lower-case"}, {"1a", "lower-case"}, {strings.Repeat("a", 64), "63"}, {"a-b", "lower-case"},
			{"public", "taken"}, {"pg_x", "taken"}, {"paymosync", "taken"}, {"river", "taken"}, {"information_schema", "taken"},
		},
		"SYNC_SCHEDULE": {
			{"x y", `"x y" is not a schedule: expected 5 fields`}, {"61 * * * *", "is not a schedule"}, {"@every 1ms", "whole seconds"},
			{"@every", "is not a schedule"}, {"@never", "is not a schedule"}, {"0 0 30 2 *", "no day ever"}, {"TZ=0", "time zone"},
			{"CRON_TZ=Mars/Base * * * * *", "IANA"}, {"CRON_TZ=UTC TZ=0", "twice"}, {"* * * * * *", "found 6"},
		},
		"FULL_SYNC_SCHEDULE": {{"17 25 * * *", "is not a schedule"}},
		"SYNC_SCHEDULES": {
			{"time_entires=* * * * *", "did you mean time_entries?"}, {"xyzzy=* * * * *", "paymosync tables"}, {"users", "table=schedule"},
			{"users=* * *", "for users"}, {"users=@daily;users=@hourly", "two schedules"}, {"users=", "found 0"},
		},
		"SYNC_TABLES":         {{"users, time_entry", "did you mean time_entries?"}, {",", "names no table"}},
		"SYNC_EXCLUDE_TABLES": {{"time-entries", "did you mean time_entries?"}, {strings.Join(allTables(), " "), "no table to sync"}},
		"SYNC_START_DATE":     {{"01.02.2024", "YYYY-MM-DD"}, {"2026-07-02", "future"}, {"2024-02-30", "not a day"}},
		"SYNC_TIMEZONE":       {{"Vienna", "IANA"}, {"Local", "IANA"}},
		"HTTP_ADDR":           {{"8080", "host:port"}, {"127.0.0.1:http", "host:port"}, {"h:99999", "host:port"}, {"http://h:80", "host:port"}},
		"HTTP_PASSWORD":       {{"vault:secret/canary", "does not begin with vault://"}, {"vault://secret/canary", "names no field"}},
		"PUBLIC_URL": {
			{"paymosync.example", "absolute"}, {"ftp://x", "absolute"}, {"https://u:canary@x", "a user"}, {"https://x?a=canary", "a query"},
			{"http://paymosync.example", "unencrypted"}, {"https://paymosync.example", "PAYMO_WEBHOOK_SECRET"},
		},
		"PAYMO_WEBHOOK_SECRET":        {{"vault:secret/canary", "does not begin with vault://"}, {"vault://secret/canary", "names no field"}},
		"SYNC_SCHEDULE_WITH_WEBHOOKS": {{"61 * * * *", "is not a schedule"}},
		"LOG_LEVEL":                   {{"loud", "debug, info, warn, error"}},
		"LOG_FORMAT":                  {{"xml", "text, json"}},
		"QUEUE_POLL_ONLY":             {{"ja", "neither true nor false"}},
		"MIGRATE_ON_START":            {{"ja", "neither true nor false"}},
		"SWEEP_WITHOUT_ADMIN":         {{"ja", "neither true nor false"}},
		"ACCEPT_ROLE":                 {{"Employee Guest", "one role"}},
		"ALERT_WEBHOOK_URL":           {{"canary", "absolute http"}, {"ftp://x/canary", "http or https URL"}, {"vault://secret/canary", "names no field"}},
		"RATE_SHARE":                  {{"0", "too little"}, {"0%", "too little"}, {"-10%", "too little"}, {"4%", "5% or more"}, {"101%", "100% or less"}, {"80", "with its sign"}, {"most", "no share"}, {"NaN", "no share"}, {"%", "no share"}, {"33.5%", "whole percentage"}},
		"ALERT_FAILING_RUNS":          {{"0", "1 or more"}, {"three", "whole number"}},
		"ALERT_STALE_AFTER":           {{"30s", "too short"}, {"2", "no length of time with its unit"}, {"-1h", "too short"}},
		"RUNS_RETENTION":              {{"1h", "too short: give 24h"}, {"90 days", "examples: 90d"}},
		"QUARANTINE_RETENTION":        {{"d", "examples: 90d"}},
		"JOBS_RETENTION":              {{"1m", "too short"}},
		"VAULT_ADDR":                  {{"vault:8200", "absolute"}, {"https://", "absolute"}, {"https://u:canary@v:8200", "a user"}},
		"VAULT_KV_VERSION":            {{"3", "none of 1, 2"}},
		"VAULT_SKIP_VERIFY":           {{"x", "neither"}},
		"VAULT_ROLE_ID":               {{"canary", "VAULT_SECRET_ID_FILE"}},
		"VAULT_SECRET_ID":             {{"canary", "AppRole needs both"}},
		"VAULT_SECRET_ID_FILE":        {{"/x", "AppRole needs both"}},
		"VAULT_CACERT":                {{"/nowhere/ca.pem", "no such file"}, {os.DevNull, "no certificate"}},
		"VAULT_CACERT_BYTES":          {{"canary", "no certificate"}},
		"VAULT_CAPATH":                {{"/nowhere", "no such file"}},
		"VAULT_CLIENT_CERT":           {{"/nowhere/c.pem", "no such file"}},
		"VAULT_CLIENT_KEY":            {{"/nowhere/k.pem", "no such file"}},
	}
	// These take any text.
	free := []string{"VAULT_NAMESPACE", "VAULT_TOKEN", "VAULT_TOKEN_FILE", "VAULT_K8S_ROLE", "VAULT_AUTH_MOUNT", "VAULT_TLS_SERVER_NAME"}
	for _, v := range Variables() {
		if cases[v.Name] == nil && !slices.Contains(free, v.Name) {
			t.Errorf("%s: no bad value is tried", v.Name)
		}
	}
	for variable, bad := range cases {
		for _, test := range bad {
			t.Run(variable+"="+test.value[:min(len(test.value), 20)], func(t *testing.T) {
				t.Parallel()
				_, err := LoadConfig(environment(map[string]string{variable: test.value}), someDay())
				problems := problemsOf(t, err)
				if !strings.Contains(err.Error(), variable) || !strings.Contains(err.Error(), test.text) {
					t.Errorf("got %v, want %s and %q in it", problems, variable, test.text)
				}
				if strings.Contains(err.Error(), "canary") {
					t.Errorf("the value is repeated: %v", problems)
				}
				if exitCode(err) != exitConfig {
					t.Errorf("exit code %d", exitCode(err))
				}
			})
		}
	}
}

func TestConfigBadTogether(t *testing.T) {
	t.Parallel()
	bad := map[string]string{
		"PAYMO_AUTH_SCHEME": "bearer", "WAREHOUSE_SCHEMA": "public", "SYNC_SCHEDULE": "x y",
		"SYNC_TABLES": "usres invoces", "LOG_LEVEL": "loud",
	}
	_, err := LoadConfig(environment(bad), someDay(), "DATABASE_URL")
	var got []string
	for _, p := range problemsOf(t, err) {
		got = append(got, p.Variable)
	}
	want := []string{"DATABASE_URL", "PAYMO_AUTH_SCHEME", "WAREHOUSE_SCHEMA", "SYNC_SCHEDULE", "SYNC_TABLES", "SYNC_TABLES", "LOG_LEVEL"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	if lines := strings.Count(err.Error(), "\n") + 1; lines != len(want) {
		t.Errorf("%d lines for %d problems:\n%v", lines, len(want), err)
	}
}

func TestConfigTwoLogins(t *testing.T) {
	t.Parallel()
	for name, env := range map[string]map[string]string{
		"VAULT_TOKEN: set together with VAULT_ROLE_ID":         {"VAULT_TOKEN": "canary", "VAULT_ROLE_ID": "canary", "VAULT_SECRET_ID": "canary"},
		"VAULT_TOKEN_FILE: set together with VAULT_K8S_ROLE":   {"VAULT_TOKEN_FILE": "/f", "VAULT_K8S_ROLE": "r"},
		"VAULT_SECRET_ID: set together with VAULT_SECRET_ID_F": {"VAULT_ROLE_ID": "r", "VAULT_SECRET_ID": "canary", "VAULT_SECRET_ID_FILE": "/f"},
	} {
		_, err := LoadConfig(environment(env), someDay())
		problemsOf(t, err)
		if !strings.HasPrefix(err.Error(), name) || strings.Contains(err.Error(), "canary") {
			t.Errorf("got %v, want %s", err, name)
		}
	}
}

func TestVariables(t *testing.T) {
	t.Parallel()
	for _, v := range Variables() {
		if v.Name == "" || v.Description == "" || strings.Contains(v.Description, "|") {
			t.Errorf("%+v is not fit for a table", v)
		}
		if v.Name == "SYNC_SCHEDULE" && v.Default != "*/15 * * * *" {
			t.Errorf("default %q of %s", v.Default, v.Name)
		}
	}
}

func problemsOf(t *testing.T, err error) []Problem {
	t.Helper()
	var config *ConfigError
	if !errors.As(err, &config) || len(config.Problems) == 0 {
		t.Fatalf("got %v, want a *ConfigError", err)
	}
	return config.Problems
}
