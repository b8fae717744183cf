package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/paymosync/paymosync/sink/sinktest"
)

// steps are those that check --json prints, by name.
func (w *world) steps(code int) map[string]checkStep {
	w.t.Helper()
	r := w.run("check", "--json").mustExit(code)
	var list []checkStep
	if err := json.Unmarshal([]byte(r.out), &list); err != nil {
		w.t.Fatalf("%v:\n%s\n%s", err, r.out, r.err)
	}
	steps := map[string]checkStep{}
	for _, step := range list {
		steps[step.Step] = step
	}
	return steps
}

// mustFail fails the test where a step is well, or its fix is another.
func mustFail(t *testing.T, step checkStep, found, fix string) {
	t.Helper()
	if step.OK || !strings.Contains(step.Found, found) || !strings.Contains(step.Fix, fix) {
		t.Errorf("%+v, want %q and the fix %q", step, found, fix)
	}
}

// Where a sync stops for want of a right, so does the check, with the same words.
func TestProgramCheckRights(t *testing.T) {
	t.Parallel()
	w := newWorldOn(t, agency(), sinktest.Empty(t))
	database := w.pool.Config().ConnConfig.Database
	role := strings.Replace(database, "paymosync_test_", "paymosync_check_", 1)
	do := func(statement string) {
		t.Helper()
		if _, err := w.pool.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	do(`CREATE ROLE ` + role + ` LOGIN PASSWORD 'secret'`)
	t.Cleanup(func() {
		for _, statement := range []string{`DROP OWNED BY `, `DROP ROLE `} {
			if _, err := w.pool.Exec(context.WithoutCancel(t.Context()), statement+role); err != nil {
				t.Error(err)
			}
		}
	})
	limited := w.with("DATABASE_URL", withUser(t, w.variables["DATABASE_URL"], role, "secret"))
	for _, schema := range []string{"paymo", "paymosync"} {
		do(fmt.Sprintf(`CREATE SCHEMA %s AUTHORIZATION %s`, schema, role))
	}
	right := fmt.Sprintf(`lacks the right CREATE on database "%s", which schema "river" needs`, database)
	mustFail(t, limited.steps(exitUnwell)["migrations"], "rights are not enough", right)
	limited.run("sync").mustExit(exitUnwell).mustSay(right)

	for _, schema := range []string{"paymo", "paymosync"} {
		do(`ALTER SCHEMA ` + schema + ` OWNER TO CURRENT_USER`)
	}
	do(`CREATE SCHEMA river`)
	mustFail(t, limited.steps(exitUnwell)["migrations"], "rights are not enough", `GRANT USAGE, CREATE ON SCHEMA "paymosync" TO "`+role+`"; `)

	for _, schema := range []string{"paymo", "paymosync", "river"} {
		do(fmt.Sprintf(`ALTER SCHEMA %s OWNER TO %s`, schema, role))
	}
	steps := limited.steps(exitOK)
	if step := steps["migrations"]; !step.OK || !strings.Contains(step.Found, "pending: they are applied at the next start") {
		t.Errorf("%+v", step)
	}
	for _, name := range []string{"configuration", "migrations"} {
		if shown := fmt.Sprintf("ok    %-13s  %s\n", name, steps[name].Found); !strings.Contains(readFile(t, "README.md"), shown) {
			t.Errorf("the README's check does not show %q", shown)
		}
	}
}

// A warehouse that has yet to be made belongs to the account that the database has.
func TestProgramCheckPinnedAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t, agency())
	w.run("sync", "company").mustExit(exitOK)
	w.paymo.AddCompanyKey("other-company-key", "Admin", 2)
	other := w.with("WAREHOUSE_SCHEMA", "other")
	if step := other.steps(exitOK)["account"]; !strings.Contains(step.Found, "belongs to this key's company") {
		t.Errorf("%+v", step)
	}
	mustFail(t, other.with("PAYMO_API_KEY", "other-company-key").steps(exitUnwell)["account"], "belongs to another Paymo", "")
}

// What a check asks of Paymo counts in the budget that it shares with the service, and
// waits for its turn; without a database it paces itself.
func TestProgramCheckSpendsFromTheBudget(t *testing.T) {
	t.Parallel()
	company := agency()
	company.Rate, company.Period = 5, time.Second
	w := newWorld(t, company)
	w.run("sync", "company").mustExit(exitOK)
	spent := func() int { return value[int](w, `SELECT cardinality(dues)::int FROM paymosync.budgets`) }
	before, asked := spent(), len(w.paymo.Requests())
	if step := w.steps(exitOK)["paymo"]; !strings.Contains(step.Found, "5 requests per 1s") || !strings.Contains(step.Found, "80% of them are used") {
		t.Errorf("%+v", step)
	}
	if counted, made := spent()-before, len(w.paymo.Requests())-asked; counted != made || made == 0 {
		t.Errorf("%d requests were made, %d counted", made, counted)
	}
	away := w.with("DATABASE_URL", "postgres://nobody@"+freeAddr(t)+"/none").steps(exitUnwell)
	if !away["paymo"].OK || away["postgresql"].OK {
		t.Errorf("%+v", away)
	}
}

// The fixes for a database that cannot be had follow from what is wrong.
func TestProgramCheckDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t, agency())
	u, err := url.Parse(w.variables["DATABASE_URL"])
	if err != nil {
		t.Fatal(err)
	}
	address := func(change func(*url.URL)) *world {
		changed := *u
		change(&changed)
		return w.with("DATABASE_URL", changed.String())
	}
	missing := address(func(u *url.URL) { u.Path = "/no_such_database" }).steps(exitUnwell)
	mustFail(t, missing["postgresql"], "does not exist", "createdb --owner=")
	mustFail(t, address(func(u *url.URL) { u.Host = freeAddr(t) }).steps(exitUnwell)["postgresql"], "refused", "check the host and the port")
	mustFail(t, address(func(u *url.URL) { u.User = url.UserPassword("no_such_role", "x") }).steps(exitUnwell)["postgresql"], "no_such_role", "check the user and the password")
	if value[string](w, `SHOW ssl`) == "off" {
		tls := address(func(u *url.URL) { u.RawQuery = "sslmode=require" }).steps(exitUnwell)
		mustFail(t, tls["postgresql"], "refused TLS", "sslmode=disable")
	}
}

// A reply of Paymo is no lack of a way to it.
func TestProgramCheckRefused(t *testing.T) {
	t.Parallel()
	forbidden := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	t.Cleanup(forbidden.Close)
	w := newWorld(t, agency()).with("PAYMO_BASE_URL", forbidden.URL)
	mustFail(t, w.steps(exitUnwell)["paymo"], "403", "whose role is Admin")
}

// With a configuration that is wrong, the JSON says so; the exit code is that of one.
func TestProgramCheckConfiguration(t *testing.T) {
	t.Parallel()
	w := configured(t).with("LOG_LEVEL", "loud", "SYNC_SCHEDULE", "every day")
	mustFail(t, w.steps(exitConfig)["configuration"], "LOG_LEVEL: ", "correct these variables")
	mustFail(t, w.steps(exitConfig)["configuration"], "SYNC_SCHEDULE: ", "correct these variables")
}

// Where Vault has no credentials for the database, the database's address is not to blame.
func TestProgramCheckCredentials(t *testing.T) {
	t.Parallel()
	w := newWorld(t, agency()).with("DATABASE_CREDENTIALS", "vault://database/creds/x", "VAULT_ADDR", "http://"+freeAddr(t), "VAULT_TOKEN", "x")
	step := w.steps(exitUnwell)["postgresql"]
	mustFail(t, step, "connection refused", "")
	if !strings.Contains(step.Found, "VAULT_ADDR") || strings.Contains(step.Fix, "DATABASE_URL") {
		t.Errorf("%+v", step)
	}
}
