package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// badValues are one for each variable whose text can be wrong.
func badValues() map[string]string {
	return map[string]string{
		"DATABASE_URL":          "postgres://u:canary/x@h:5432/db",
		"WAREHOUSE_URL":         "postgres://u:canary/x@h:5432/db",
		"DATABASE_CREDENTIALS":  "vault://canary",
		"WAREHOUSE_CREDENTIALS": "vault://database/creds/x#canary",
		"QUEUE_POLL_ONLY":       "perhaps",
		"PAYMO_API_KEY":         "canary key",
		"PAYMO_AUTH_SCHEME":     "bearer",
		"PAYMO_BASE_URL":        "app.paymoapp.com",
		"PAYMO_ALLOW_HTTP":      "perhaps",
		"WAREHOUSE_SCHEMA":      "pg_catalog",
		"SYNC_SCHEDULE":         "every day",
		"FULL_SYNC_SCHEDULE":    "17 25 * * *",
		"SYNC_SCHEDULES":        "time_entires=@daily",
		"SYNC_TABLES":           "time_entires",
		"SYNC_EXCLUDE_TABLES":   "nothing_of_the_kind",
		"SYNC_START_DATE":       "last year",
		"SYNC_TIMEZONE":         "Mars/Base",
		"PUBLIC_URL":            "http://paymosync.example", "PAYMO_WEBHOOK_SECRET": "vault:canary", "SYNC_SCHEDULE_WITH_WEBHOOKS": "hourly",
		"HTTP_ADDR":            "8080",
		"HTTP_PASSWORD":        "vault:secret/canary",
		"ALERT_WEBHOOK_URL":    "canary/hook",
		"ALERT_FAILING_RUNS":   "0",
		"RATE_SHARE":           "120%",
		"ALERT_STALE_AFTER":    "1s",
		"RUNS_RETENTION":       "1h",
		"QUARANTINE_RETENTION": "x",
		"JOBS_RETENTION":       "1s",
		"LOG_LEVEL":            "loud",
		"LOG_FORMAT":           "xml",
		"MIGRATE_ON_START":     "perhaps",
		"ACCEPT_ROLE":          "Employee Guest",
		"SWEEP_WITHOUT_ADMIN":  "perhaps",
		"VAULT_ADDR":           "vault:8200",
		"VAULT_ROLE_ID":        "canary",
		"VAULT_SECRET_ID":      "canary",
		"VAULT_SECRET_ID_FILE": "/nowhere",
		"VAULT_KV_VERSION":     "3",
		"VAULT_CACERT":         "/nowhere/ca.pem",
		"VAULT_CACERT_BYTES":   "canary",
		"VAULT_CAPATH":         "/nowhere",
		"VAULT_CLIENT_CERT":    "/nowhere/cert.pem",
		"VAULT_CLIENT_KEY":     "/nowhere/key.pem",
		"VAULT_SKIP_VERIFY":    "perhaps",
	}
}

// anyText are the variables that take any text.
func anyText() []string {
	return []string{"VAULT_NAMESPACE", "VAULT_TOKEN", "VAULT_TOKEN_FILE", "VAULT_K8S_ROLE", "VAULT_AUTH_MOUNT", "VAULT_TLS_SERVER_NAME"}
}

// configured is a world that exists on paper only.
func configured(t *testing.T) *world {
	t.Helper()
	return &world{t: t, variables: map[string]string{"DATABASE_URL": "postgres://u:p@127.0.0.1:1/x", "PAYMO_API_KEY": "k"}}
}

// mustRefuse expects exit code 2, nothing on stdout, and on stderr a line a problem
// that begins with the variable; it gives the lines.
func (r result) mustRefuse(variables ...string) []string {
	r.t.Helper()
	r.mustExit(exitConfig)
	if r.out != "" {
		r.t.Errorf("%s writes to stdout: %s", r.name, r.out)
	}
	if strings.Contains(r.err, "canary") {
		r.t.Errorf("%s repeats what may be secret: %s", r.name, r.err)
	}
	lines := strings.Split(strings.TrimSpace(strings.TrimPrefix(r.err, "paymosync: ")), "\n")
	if len(lines) > 1 && strings.HasPrefix(lines[0], "the configuration has") {
		lines = lines[1:]
	}
	for _, variable := range variables {
		named := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, variable+": ") })
		if named < 0 {
			r.t.Errorf("%s does not name %s:\n%s", r.name, variable, r.err)
		}
	}
	return lines
}

// Every variable in turn, through the program: one line that names it, and 2.
func TestProgramBadVariable(t *testing.T) {
	t.Parallel()
	bad := badValues()
	for _, variable := range Variables() {
		value, ok := bad[variable.Name]
		if !ok {
			if !slices.Contains(anyText(), variable.Name) {
				t.Errorf("%s: no bad value is tried", variable.Name)
			}
			continue
		}
		w := configured(t).with(variable.Name, value)
		switch variable.Name { // one without the other is a problem of its own
		case "VAULT_CLIENT_CERT":
			w = w.with("VAULT_CLIENT_KEY", os.DevNull)
		case "PUBLIC_URL":
			w = w.with("PAYMO_WEBHOOK_SECRET", "shh")
		case "VAULT_CLIENT_KEY":
			w = w.with("VAULT_CLIENT_CERT", os.DevNull)
		}
		if lines := w.run("sync").mustRefuse(); len(lines) != 1 || !strings.Contains(lines[0], variable.Name) {
			t.Errorf("%s=%s is answered with\n%s", variable.Name, value, strings.Join(lines, "\n"))
		}
	}
}

// Five at once: five lines, whatever the command.
func TestProgramBadVariables(t *testing.T) {
	t.Parallel()
	five := []string{"PAYMO_BASE_URL", "SYNC_SCHEDULE", "HTTP_ADDR", "LOG_LEVEL", "VAULT_ADDR"}
	w := configured(t)
	for _, variable := range five {
		w = w.with(variable, badValues()[variable])
	}
	for _, args := range [][]string{{"sync"}, {"serve"}, {"status"}, {"check"}, {"migrate", "up"}, {"reset", "users"}, {"healthcheck"}} {
		r := w.run(args...)
		if args[0] == "check" { // it prints its steps
			r.out, r.err = "", strings.TrimSpace(r.err+r.out)
			r.mustExit(exitConfig).mustSay(five...)
			continue
		}
		if lines := r.mustRefuse(five...); len(lines) != len(five) {
			t.Errorf("%s prints %d lines:\n%s", r.name, len(lines), strings.Join(lines, "\n"))
		}
	}
	missing := configured(t).with("DATABASE_URL", "")
	for _, args := range [][]string{{"sync"}, {"serve"}, {"status"}, {"migrate"}, {"reset", "users"}} {
		missing.run(args...).mustRefuse("DATABASE_URL")
	}
}

// Wrong usage is answered with 2 and what would be right.
func TestProgramUsage(t *testing.T) {
	t.Parallel()
	w := configured(t)
	for _, test := range []struct {
		args  []string
		words string
	}{
		{[]string{"sync", "time_entires"}, "did you mean time_entries?"},
		{[]string{"sync", "xyzzy"}, "paymosync tables"},
		{[]string{"sync", "--fulll"}, "--fulll"},
		{[]string{"sink"}, "sink"},
		{[]string{"reset"}, "1 arg"},
		{[]string{"reset", "xyzzy"}, "xyzzy"},
		{[]string{"tables", "a", "b"}, "1 arg"},
		{[]string{"tables", "xyzzy"}, "xyzzy"},
		{[]string{"status", "usres"}, "did you mean users?"},
		{[]string{"pause"}, "name the tables"},
		{[]string{"runs", "a", "b"}, "1 arg"},
		{[]string{"plan", "xyzzy"}, "xyzzy"},
		{[]string{"alerts", "x"}, "x"},
		{[]string{"migrate", "down"}, "down"},
		{[]string{"sync", "--env-file", "/nowhere"}, "/nowhere"},
		{[]string{"sync", "--env-file"}, "env-file"},
		{[]string{"sync", "usres"}, "did you mean users?"},
		{[]string{"help", "nope"}, "nope"},
		{[]string{"help", "sync", "nope"}, "nope"},
		{[]string{"help", "migrate", "nope"}, "nope"},
		{[]string{"completion", "tcsh"}, "tcsh"},
		{[]string{"completion", "bash", "x"}, "x"},
	} {
		r := w.run(test.args...).mustExit(exitConfig).mustSay(test.words)
		if r.out != "" {
			t.Errorf("%s writes to stdout: %s", r.name, r.out)
		}
		if strings.Count(strings.TrimSpace(r.err), "\n") > 0 {
			t.Errorf("%s takes more than a line: %s", r.name, r.err)
		}
	}
}

// Help, completions and the version are there, whichever way they are asked for.
func TestProgramHelp(t *testing.T) {
	t.Parallel()
	w := configured(t)
	for _, args := range [][]string{{"help"}, {"help", "sync"}, {"help", "migrate", "up"}, {"completion"}, {"completion", "bash"}} {
		w.run(args...).mustExit(exitOK).mustSay("paymosync")
	}
	if flag, command := w.run("--version").mustExit(exitOK), w.run("version").mustExit(exitOK); flag.out != command.out {
		t.Errorf("--version prints %q, version %q", flag.out, command.out)
	}
}

// The variables of --env-file lie below those of the environment.
func TestProgramEnvFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, agency())
	file := filepath.Join(t.TempDir(), "paymosync.env")
	var lines []string
	for name, value := range w.variables {
		lines = append(lines, name+"='"+value+"'")
	}
	lines = append(lines, "SYNC_TABLES=users", "LOG_LEVEL=loud")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	fromFile := &world{t: t, variables: map[string]string{}}
	fromFile.run("sync", "--env-file", file).mustRefuse("LOG_LEVEL")
	fromFile.with("LOG_LEVEL", "info", "SYNC_TABLES", "clients").run("--env-file", file, "sync").mustExit(exitOK)
	if got := value[string](w, `SELECT string_agg(table_name, ',') FROM paymosync.checkpoints`); got != "clients" {
		t.Errorf("synced %s", got)
	}
}
