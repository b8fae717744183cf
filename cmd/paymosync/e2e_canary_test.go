package main

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paymosync/paymosync/paymo/paymotest"
)

// secretForms are the forms in which a secret must be found nowhere: as it is, escaped,
// in hexadecimal, and in base64 wherever in a longer text it stands.
func secretForms(secret string) []string {
	forms := []string{secret, url.QueryEscape(secret), hex.EncodeToString([]byte(secret))}
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for before := range 3 {
			// What stands before and behind shares a character with it at either end.
			text := encoding.EncodeToString([]byte(strings.Repeat("?", before) + secret))
			forms = append(forms, text[(before*8+5)/6:(before+len(secret))*8/6])
		}
	}
	return forms
}

func TestSecretForms(t *testing.T) {
	t.Parallel()
	const secret = "canary-0123456789"
	for _, text := range []string{secret, secret + ":", ":" + secret, "me:" + secret + ":x", "ab:" + secret} {
		found := searcher(secret)(base64.StdEncoding.EncodeToString([]byte(text)))
		if found == "" {
			t.Errorf("%q is not found in base64", text)
		}
	}
}

// searcher finds the secrets in a text, in any form.
func searcher(secrets ...string) func(text string) (found string) {
	var forms []string
	for _, secret := range secrets {
		forms = append(forms, secretForms(secret)...)
	}
	return func(text string) string {
		for _, form := range forms {
			if at := strings.Index(text, form); at >= 0 {
				return fmt.Sprintf("%q in …%s…", form, text[max(0, at-200):min(len(text), at+len(form)+50)])
			}
		}
		return ""
	}
}

// echo answers as a careless server would: with the key in the body, in a header, in
// the reason and in a redirect.
func echo(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := r.Header.Get("Authorization")
		w.Header().Set("X-Your-Key", key)
		switch r.URL.Path {
		case "/api/reports":
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprintf(w, `{"message":"the key %s may not read reports"}`, key)
		case "/api/hooks":
			w.WriteHeader(http.StatusInternalServerError)
			fmt.Fprintf(w, "<html>trace: Authorization: %s</html>", key)
		case "/api/expenses":
			http.Redirect(w, r, "https://elsewhere.invalid/"+url.PathEscape(key)+"?key="+url.QueryEscape(key), http.StatusFound)
		case "/api/milestones":
			_, _ = io.WriteString(w, `{"milestones":[{"id":"`+key+`","name":"`+key+`"`) // and cut
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// The API key, the database's password and what Vault is logged in with are found
// nowhere: not in what the program prints at its most talkative, nor in any table of
// the database, nor in the process list, nor in the environment of the program.
func TestProgramShowsNoSecret(t *testing.T) {
	t.Parallel()
	const key, password = "canary-key-7f3b9d0e52", "canary-password-c8e1a6"
	vault := startVault(t)
	server := ownServer(t)
	admin := open(t, server.URL())
	for _, statement := range []string{`CREATE ROLE careful LOGIN PASSWORD '` + password + `'`, `GRANT CREATE ON DATABASE postgres TO careful`} {
		if _, err := admin.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	address := withUser(t, server.URL(), "careful", password)
	w := newWorldOn(t, paymotest.Config{Seed: 7, Entries: 300, Key: key}, admin)
	careless := httptest.NewServer(echo(w.paymo))
	t.Cleanup(careless.Close)
	w.variables["PAYMO_BASE_URL"], w.variables["LOG_LEVEL"], w.variables["SYNC_SCHEDULE"] = careless.URL, "debug", "@every 1s"
	w = withVault(w, vault, map[string]any{"token_ttl": "1h"})
	reference, err := ParseReference(w.variables["PAYMO_API_KEY"])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := vault.admin.KVv2("secret").Put(t.Context(), strings.TrimPrefix(reference.Location, "secret/"), map[string]any{"api_key": key, "database_url": address}); err != nil {
		t.Fatal(err)
	}
	w.variables["DATABASE_URL"] = "vault://" + reference.Location + "#database_url"
	secrets := []string{key, password, w.variables["VAULT_SECRET_ID"], paymotest.Canary}
	search := searcher(secrets...)
	mustHide := func(what, text string) {
		t.Helper()
		if found := search(text); found != "" {
			t.Errorf("%s shows a secret: %s", what, found)
		}
	}
	said := func(r result) result {
		t.Helper()
		mustHide(r.name, r.out+r.err)
		return r
	}

	said(w.run("sync").mustExit(exitUnwell).mustSay("reports", "403", "webhooks failing", "500", "expenses failing", "milestones failing"))
	service := w.start("serve")
	w.awaitReady(30 * time.Second)
	within(t, 30*time.Second, "the service works", func() error { return says(service, "state=failing") })
	mustHide("the process list", processList(t))
	mustHide("the program's environment", strings.ReplaceAll(environmentOf(t, service), w.variables["VAULT_SECRET_ID"], ""))
	_, report, err := w.probe("/readyz")
	if err != nil {
		t.Fatal(err)
	}
	mustHide("/readyz", fmt.Sprint(report))
	said(service.mustStop())
	said(w.run("status"))
	said(w.run("status", "--json"))
	said(w.run("check"))
	said(w.run("sync", "--json", "users"))

	// And where things are refused.
	literal := w.with("DATABASE_URL", address, "PAYMO_API_KEY", key)
	w.paymo.RevokeKey(key)
	said(literal.run("sync", "users").mustExit(exitUnwell).mustSay("401"))
	said(w.run("sync", "users").mustExit(exitUnwell).mustSay("401"))
	said(w.run("check").mustExit(exitUnwell))
	for name, refused := range map[string]*world{
		"password": literal.with("DATABASE_URL", withUser(t, server.URL(), "careful", password+"x")),
		"database": literal.with("DATABASE_URL", "postgres://careful:"+password+"@127.0.0.1:1/x"),
		"address":  literal.with("DATABASE_URL", "postgres://careful:"+password+"@127.0.0.1:port/x"),
		"keyword":  literal.with("DATABASE_URL", "host=127.0.0.1 port=1 user=careful password='"+password),
		"login":    w.with("VAULT_SECRET_ID", w.variables["VAULT_SECRET_ID"]+"x"),
		"token":    w.with("VAULT_ROLE_ID", "", "VAULT_SECRET_ID", "", "VAULT_AUTH_MOUNT", "", "VAULT_TOKEN", key),
		"field":    w.with("PAYMO_API_KEY", "vault://"+reference.Location+"#nothing"),
		"base":     literal.with("PAYMO_BASE_URL", "https://x:"+key+"@paymo.example"),
		"vault":    w.with("VAULT_ADDR", "http://x:"+key+"@127.0.0.1:1"),
	} {
		t.Logf("%s: %d", name, said(refused.run("sync", "users")).code)
		said(refused.run("check"))
	}
	file := filepath.Join(t.TempDir(), "bad.env")
	if err := os.WriteFile(file, []byte("PAYMO_API_KEY='"+key+"\nDATABASE_URL="+address), 0o600); err != nil {
		t.Fatal(err)
	}
	said(w.run("sync", "--env-file", file).mustExit(exitConfig))

	cells := 0
	for text := range w.everyRow() {
		cells++
		mustHide("the database", text)
	}
	if cells < 500 {
		t.Errorf("only %d rows were searched", cells)
	}
}

// everyRow are all rows of all tables of the program's, as text.
func (w *world) everyRow() func(yield func(string) bool) {
	w.t.Helper()
	return func(yield func(string) bool) {
		tables := value[[]string](w, `
			SELECT array_agg(format('%I.%I', n.nspname, c.relname))
			FROM pg_class AS c
			JOIN pg_namespace AS n ON n.oid = c.relnamespace
			WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'`)
		for _, table := range tables {
			rows, err := w.pool.Query(w.t.Context(), `SELECT t::text FROM `+table+` AS t`)
			if err != nil {
				w.t.Fatal(err)
			}
			texts, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if err != nil {
				w.t.Fatal(err)
			}
			for _, text := range texts {
				if !yield(table + ": " + text) {
					return
				}
			}
		}
	}
}

// processList is what every user of the machine sees of its processes.
func processList(t *testing.T) string {
	t.Helper()
	var list strings.Builder
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		list.Write(text)
		list.WriteByte('\n')
	}
	return list.String()
}

// environmentOf is the environment of a running program.
func environmentOf(t *testing.T, c *child) string {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", c.cmd.Process.Pid))
	if os.IsNotExist(err) {
		return strings.Join(c.cmd.Env, "\n") // not every system has it
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
