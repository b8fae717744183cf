package main

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/vault/api"
	"go.uber.org/goleak"
)

const canary = "canary-d41d8cd98f"

// newVault makes a client from variables; its log goes to the test's.
func newVault(t *testing.T, variables map[string]string) *Vault {
	t.Helper()
	config, err := LoadConfig(environment(variables), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	v, err := NewVault(config.Vault, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	return v
}

func resolve(t *testing.T, v *Vault, text string) string {
	t.Helper()
	secret, err := v.Resolve(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// resolveError expects a *VaultError that shows nothing secret.
func resolveError(t *testing.T, v *Vault, text string) *VaultError {
	t.Helper()
	secret, err := v.Resolve(t.Context(), text)
	var vaultErr *VaultError
	if !errors.As(err, &vaultErr) {
		t.Fatalf("%s: got %q and %v, want a *VaultError", text, secret, err)
	}
	for err := err; err != nil; err = errors.Unwrap(err) {
		if shown := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(shown, canary) {
			t.Errorf("the error shows a secret: %s", shown)
		}
	}
	return vaultErr
}

func TestVaultKV(t *testing.T) {
	t.Parallel()
	server := startVault(t)
	one := server.mountKV(t, "", "1")
	two := server.mountKV(t, "", "2")
	deep := server.mountKV(t, "team/", "2")
	data := map[string]any{"api_key": "k", "from_file": "k\n", "number": 7, "empty": ""}
	server.write(t, one+"/a/paymo", data)
	for _, mount := range []string{two, deep} {
		for _, path := range []string{"a/paymo", "gone"} {
			server.write(t, mount+"/data/"+path, map[string]any{"data": data})
		}
		if err := server.admin.KVv2(mount).Delete(t.Context(), "gone"); err != nil {
			t.Fatal(err)
		}
	}
	v := newVault(t, map[string]string{"VAULT_ADDR": server.addr, "VAULT_TOKEN": server.token})

	for _, mount := range []string{one, two, deep} {
		for _, field := range []string{"api_key", "from_file"} {
			reference := "vault://" + mount + "/a/paymo#" + field
			for range 2 { // the second time the mount is known
				if got := resolve(t, v, reference); got != "k" {
					t.Errorf("%s: got %q", reference, got)
				}
			}
		}
		for rest, want := range map[string]string{
			"/a/paymo#apikey": "did you mean #api_key?",
			"/a/paymo#zzz":    "no such field",
			"/a/paymo#number": "not a text",
			"/a/paymo#empty":  "empty",
			"/a/nothing#x":    "no such secret",
		} {
			err := resolveError(t, v, "vault://"+mount+rest)
			if !err.Missing() || err.Temporary() || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), mount) {
				t.Errorf("%s%s: got %v, want %q", mount, rest, err, want)
			}
		}
	}
	if err := resolveError(t, v, "vault://"+two+"/gone#api_key"); !err.Missing() || !strings.Contains(err.Error(), "deleted") {
		t.Error(err)
	}
	if err := resolveError(t, v, "vault://"+two+"/data/a/paymo#api_key"); !strings.Contains(err.Error(), "leave out data/") {
		t.Error(err)
	}
	if err := resolveError(t, v, "vault://"+deep+"#api_key"); !strings.Contains(err.Error(), "mount alone") {
		t.Error(err)
	}
	if err := resolveError(t, v, "vault://no-such-mount/x#api_key"); !err.Denied() || !strings.Contains(err.Error(), "no such mount") {
		t.Error(err)
	}
	if err := resolveError(t, v, "vault://sys/x#api_key"); !strings.Contains(err.Error(), `type "system"`) {
		t.Error(err)
	}
	if got := resolve(t, v, "a literal"); got != "a literal" {
		t.Errorf("got %q for a literal", got)
	}
	if err := resolveError(t, v, "vault://"+canary+"/x"); err.Temporary() {
		t.Error(err)
	}
}

// TestVaultKVVersion reads where a token may not ask for the mount.
func TestVaultKVVersion(t *testing.T) {
	t.Parallel()
	server := startVault(t)
	address, err := url.Parse(server.addr)
	if err != nil {
		t.Fatal(err)
	}
	closed := http.NewServeMux()
	closed.HandleFunc("/v1/sys/internal/", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`{"errors":["permission denied"]}`))
	})
	closed.Handle("/", httputil.NewSingleHostReverseProxy(address))
	proxy := httptest.NewServer(closed)
	defer proxy.Close()
	one, two := server.mountKV(t, "team/", "1"), server.mountKV(t, "team/", "2")
	server.write(t, one+"/a/paymo", map[string]any{"x": "one"})
	server.write(t, two+"/data/a/paymo", map[string]any{"data": map[string]any{"x": "two"}})
	token := server.createToken(t, &api.TokenCreateRequest{Policies: []string{server.policy(t, one+"/*", two+"/data/*")}})
	env := map[string]string{"VAULT_ADDR": proxy.URL, "VAULT_TOKEN": token}

	if err := resolveError(t, newVault(t, env), "vault://"+one+"/a/paymo#x"); !strings.Contains(err.Error(), "VAULT_KV_VERSION") {
		t.Error(err)
	}
	for version, mount := range map[string]string{"1": one, "2": two} {
		env := maps.Clone(env)
		env["VAULT_KV_VERSION"] = version
		env["PAYMO_API_KEY"] = "vault://" + mount + "/a/paymo#x"
		v := newVault(t, env)
		if got, want := resolve(t, v, env["PAYMO_API_KEY"]), map[string]string{"1": "one", "2": "two"}[version]; got != want {
			t.Errorf("version %s: got %q, want %q", version, got, want)
		}
		if status, err := v.Check(t.Context()); err != nil || fmt.Sprint(status.KVVersion) != version {
			t.Errorf("version %s: got %+v, %v", version, status, err)
		}
		if err := resolveError(t, v, "vault://"+mount+"/a/nothing#x"); !err.Missing() && !err.Denied() {
			t.Error(err)
		}
	}
}

func TestVaultRotation(t *testing.T) {
	t.Parallel()
	server := startVault(t)
	path := unique(t)
	v := newVault(t, map[string]string{"VAULT_ADDR": server.addr, "VAULT_TOKEN": server.token})
	for _, key := range []string{"old", "new"} {
		server.write(t, "secret/data/"+path, map[string]any{"data": map[string]any{"key": key}})
		if got := resolve(t, v, "vault://secret/"+path+"#key"); got != key {
			t.Errorf("got %q, want %q", got, key)
		}
	}
}

func TestVaultDenied(t *testing.T) {
	t.Parallel()
	server := startVault(t)
	mount := server.mountKV(t, "", "2")
	server.write(t, mount+"/data/mine", map[string]any{"data": map[string]any{"key": "k"}})
	server.write(t, mount+"/data/theirs", map[string]any{"data": map[string]any{"key": canary}})
	env := server.appRole(t, map[string]any{"token_policies": server.policy(t, mount+"/data/mine"), "token_ttl": "1h"})
	v := newVault(t, env)

	if got := resolve(t, v, "vault://"+mount+"/mine#key"); got != "k" {
		t.Errorf("got %q", got)
	}
	token := v.currentSession().token
	err := resolveError(t, v, "vault://"+mount+"/theirs#key")
	if !err.Denied() || err.Temporary() || !strings.Contains(err.Error(), mount+"/data/theirs") {
		t.Error(err)
	}
	if v.currentSession().token != token {
		t.Error("a denial with a living token led to another login")
	}
}

// TestVaultTokenEnds lets the token end without anyone renewing it, as in a short
// command, and with many readers at once.
func TestVaultTokenEnds(t *testing.T) {
	t.Parallel()
	server := startVault(t)
	mount := server.mountKV(t, "", "2")
	server.write(t, mount+"/data/p", map[string]any{"data": map[string]any{"key": "k"}})
	v := newVault(t, server.appRole(t, map[string]any{"token_policies": server.policy(t, mount+"/data/p"), "token_ttl": "1h"}))
	reference := "vault://" + mount + "/p#key"
	resolve(t, v, reference)
	first := v.currentSession().token
	if err := server.admin.Auth().Token().RevokeTree(first); err != nil {
		t.Fatal(err)
	}
	var readers sync.WaitGroup
	for range 8 {
		readers.Go(func() {
			if got, err := v.Resolve(t.Context(), reference); err != nil || got != "k" {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	readers.Wait()
	if v.currentSession().token == first {
		t.Error("the ended token is still in use")
	}
}

// TestVaultRun keeps a token of a few seconds alive: renewed up to its greatest
// age, and replaced then.
func TestVaultRun(t *testing.T) {
	t.Parallel()
	server := startVault(t)
	mount := server.mountKV(t, "", "2")
	server.write(t, mount+"/data/p", map[string]any{"data": map[string]any{"key": "k"}})
	env := server.appRole(t, map[string]any{"token_policies": server.policy(t, mount+"/data/p"), "token_ttl": "2s", "token_max_ttl": "4s"})
	env["PAYMO_API_KEY"] = "vault://" + mount + "/p#key"
	v := newVault(t, env)
	running(t, v)

	var first session
	eventually(t, "log in unasked", func() error {
		if first = v.currentSession(); first.token == "" {
			return errors.New("no token")
		}
		return nil
	})
	eventually(t, "renew", func() error {
		if s := v.currentSession(); s.token == first.token && !s.ends.After(first.ends) {
			return errors.New("not renewed")
		}
		return nil
	})
	eventually(t, "log in again", func() error {
		if got, err := v.Resolve(t.Context(), env["PAYMO_API_KEY"]); err != nil || got != "k" {
			t.Fatalf("got %q, %v", got, err)
		}
		if v.currentSession().token == first.token {
			return errors.New("still the first token")
		}
		return nil
	})
}

func TestVaultSecretIDFile(t *testing.T) {
	t.Parallel()
	server := startVault(t)
	env := server.appRole(t, map[string]any{"token_ttl": "1h"})
	file := filepath.Join(t.TempDir(), "secret-id")
	secretID := env["VAULT_SECRET_ID"]
	delete(env, "VAULT_SECRET_ID")
	env["VAULT_SECRET_ID_FILE"] = file
	env["PAYMO_API_KEY"] = "literal"
	v := newVault(t, env)

	if err := resolveError(t, v, "vault://secret/x#y"); !err.Temporary() || !strings.Contains(err.Error(), file) {
		t.Errorf("no file: %v", err)
	}
	writeFile(t, file, "")
	if err := resolveError(t, v, "vault://secret/x#y"); !strings.Contains(err.Error(), "empty") {
		t.Errorf("empty file: %v", err)
	}
	writeFile(t, file, canary)
	if err := resolveError(t, v, "vault://secret/x#y"); err.Temporary() || !strings.Contains(err.Error(), "VAULT_SECRET_ID_FILE") {
		t.Errorf("wrong secret id: %v", err)
	}
	writeFile(t, file, secretID+"\n")
	if status, err := v.Check(t.Context()); err != nil || status.Method != LoginAppRole || status.Policies != 1 || status.TTL == 0 {
		t.Errorf("got %+v, %v", status, err)
	}
}

func TestVaultTokenFile(t *testing.T) {
	t.Parallel()
	server := startVault(t)
	mount := server.mountKV(t, "", "2")
	server.write(t, mount+"/data/p", map[string]any{"data": map[string]any{"key": "k"}})
	policy := server.policy(t, mount+"/data/p")
	home := t.TempDir()
	for name, env := range map[string]map[string]string{
		"named": {"VAULT_ADDR": server.addr, "VAULT_TOKEN_FILE": filepath.Join(home, "token")},
		"home":  {"VAULT_ADDR": server.addr, "HOME": home},
	} {
		file := env["VAULT_TOKEN_FILE"]
		if file == "" {
			file = filepath.Join(home, ".vault-token")
		}
		v := newVault(t, env)
		if err := resolveError(t, v, "vault://"+mount+"/p#key"); !err.Temporary() || !strings.Contains(err.Error(), "VAULT_TOKEN_FILE") {
			t.Errorf("%s: no file: %v", name, err)
		}
		for range 2 {
			// With and without the right to ask about itself.
			for _, bare := range []bool{false, true} {
				token := server.createToken(t, &api.TokenCreateRequest{Policies: []string{policy}, TTL: "1h", NoDefaultPolicy: bare})
				writeFile(t, file, token+"\n")
				if got := resolve(t, v, "vault://"+mount+"/p#key"); got != "k" {
					t.Errorf("%s: got %q", name, got)
				}
				if v.currentSession().token != token {
					t.Errorf("%s: the file's token is not the one in use", name)
				}
				if err := server.admin.Auth().Token().RevokeTree(token); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := resolveError(t, v, "vault://"+mount+"/p#key"); !err.Denied() {
			t.Errorf("%s: revoked: %v", name, err)
		}
	}
}

// TestVaultDown stops Vault under a running client and starts it again.
func TestVaultDown(t *testing.T) {
	t.Parallel()
	server := startStoppableVault(t)
	server.write(t, "secret/data/p", map[string]any{"data": map[string]any{"key": "k"}})
	env := server.appRole(t, map[string]any{"token_policies": server.policy(t, "secret/data/p"), "token_ttl": "2s"})
	env["PAYMO_API_KEY"] = "vault://secret/p#key"
	up, late := newVault(t, env), newVault(t, env)
	running(t, up)
	if got := resolve(t, up, env["PAYMO_API_KEY"]); got != "k" {
		t.Errorf("got %q", got)
	}
	server.Stop(t)
	running(t, late) // comes up without Vault
	for _, v := range []*Vault{up, late} {
		start := time.Now()
		err := resolveError(t, v, env["PAYMO_API_KEY"])
		if !err.Temporary() || !strings.Contains(err.Error(), server.addr) || time.Since(start) > vaultTimeout+time.Second {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
	}
	server.Start(t)
	for _, v := range []*Vault{up, late} {
		eventually(t, "work again", func() error {
			_, err := v.Resolve(t.Context(), env["PAYMO_API_KEY"])
			return err
		})
	}
}

// TestVaultSealed seals Vault.
func TestVaultSealed(t *testing.T) {
	t.Parallel()
	server := startStoppableVault(t)
	v := newVault(t, map[string]string{"VAULT_ADDR": server.addr, "VAULT_TOKEN": server.token})
	if _, err := v.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := server.admin.Sys().Seal(); err != nil {
		t.Fatal(err)
	}
	if err := resolveError(t, v, "vault://secret/p#key"); !err.Temporary() || !strings.Contains(err.Error(), "unseal") {
		t.Error(err)
	}
}

// TestVaultAnswers covers servers that no real Vault plays: silent, broken,
// talkative about what they were sent, and Kubernetes.
func TestVaultAnswers(t *testing.T) {
	t.Parallel()
	silent := make(chan struct{})
	t.Cleanup(func() { close(silent) })
	errorBody := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	for name, test := range map[string]struct {
		handler   http.HandlerFunc
		temporary bool
		text      string
	}{
		"silent":    {func(_ http.ResponseWriter, r *http.Request) { <-silent }, true, "no answer"},
		"broken":    {errorBody(500, `{"errors":["internal error"]}`), true, "internal error"},
		"proxy":     {errorBody(502, "<html>"+canary), true, "Bad Gateway"},
		"throttled": {errorBody(429, `{"errors":["quota"]}`), true, "wait"},
		"talkative": {errorBody(400, `{"errors":["`+canary+` is wrong, so is `+canary+`"]}`), false, "[redacted] is wrong"},
		"html":      {errorBody(200, "<html>"+canary), false, "not understood"},
		"tokenless": {errorBody(200, `{"data":{}}`), false, "no token"},
		"cut":       {func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }, true, "cannot be reached"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(test.handler)
			t.Cleanup(server.CloseClientConnections)
			v := newVault(t, map[string]string{"VAULT_ADDR": server.URL, "VAULT_ROLE_ID": canary, "VAULT_SECRET_ID": canary})
			start := time.Now()
			err := resolveError(t, v, "vault://secret/p#key")
			if err.Temporary() != test.temporary || !strings.Contains(err.Error(), test.text) || time.Since(start) > vaultTimeout+time.Second {
				t.Errorf("after %s, temporary %t: %v", time.Since(start), err.Temporary(), err)
			}
			if exitCode(err) == exitOK {
				t.Error("exit code 0")
			}
		})
	}
}

func TestVaultTLS(t *testing.T) {
	t.Parallel()
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
	server := httptest.NewTLSServer(handler)
	defer server.Close()
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	plain := httptest.NewServer(handler)
	defer plain.Close()
	for _, addr := range []string{server.URL, "https://" + strings.TrimPrefix(plain.URL, "http://")} {
		v := newVault(t, map[string]string{"VAULT_ADDR": addr, "VAULT_TOKEN": canary})
		if err := resolveError(t, v, "vault://secret/p#key"); err.Temporary() || !strings.Contains(err.Error(), "VAULT_CACERT") {
			t.Errorf("%s: %v", addr, err)
		}
	}
	v := newVault(t, map[string]string{"VAULT_ADDR": server.URL, "VAULT_TOKEN": canary, "VAULT_SKIP_VERIFY": "true"})
	if err := resolveError(t, v, "vault://secret/p#key"); strings.Contains(err.Error(), "VAULT_CACERT") {
		t.Error(err)
	}
	config, err := LoadConfig(environment(map[string]string{"VAULT_CACERT_BYTES": "no certificate"}), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	_, err = NewVault(config.Vault, nil)
	problemsOf(t, err)
}

// TestVaultFromEnvFile takes all that Vault's client needs from a file, against a
// process environment that says otherwise to whoever asks it. Not parallel: it
// sets that environment.
func TestVaultFromEnvFile(t *testing.T) {
	t.Setenv("VAULT_TOKEN", "stray")
	t.Setenv("VAULT_NAMESPACE", "stray")
	t.Setenv("VAULT_ADDR", "http://127.0.0.1:1")
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Vault-Token") != "filed" || r.Header.Get("X-Vault-Namespace") != "team" {
			t.Errorf("%s: token %q, namespace %q", r.URL.Path, r.Header.Get("X-Vault-Token"), r.Header.Get("X-Vault-Namespace"))
		}
		_, _ = w.Write([]byte(`{"data":{"path":"secret/","type":"kv","key":"k","ttl":0,"renewable":false}}`))
	}))
	defer server.Close()
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	authorityFile, file := filepath.Join(t.TempDir(), "ca.pem"), filepath.Join(t.TempDir(), "env")
	writeFile(t, authorityFile, string(authority))
	for _, authority := range []string{"VAULT_CACERT=" + authorityFile, "VAULT_CAPATH=" + filepath.Dir(authorityFile), "VAULT_CACERT_BYTES='" + string(authority) + "'"} {
		writeFile(t, file, "VAULT_ADDR="+server.URL+"\nVAULT_TOKEN=filed\nVAULT_NAMESPACE=team\nVAULT_TLS_SERVER_NAME=example.com\n"+authority+"\n")
		env, err := ReadEnvironment(nil, file)
		if err != nil {
			t.Fatal(err)
		}
		config, err := LoadConfig(env, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		v, err := NewVault(config.Vault, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := resolve(t, v, "vault://secret/p#key"); got != "k" {
			t.Errorf("got %q", got)
		}
		v.Close()
	}
}

// TestVaultKubernetes logs in with the pod's token, read anew at each login, and
// sends the namespace along.
func TestVaultKubernetes(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "token")
	var logins []string
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /v1/auth/k8s/login", func(w http.ResponseWriter, r *http.Request) {
		var body struct{ JWT, Role string }
		_ = json.NewDecoder(r.Body).Decode(&body)
		logins = append(logins, body.Role+" "+body.JWT+" "+r.Header.Get("X-Vault-Namespace")+r.Header.Get("X-Vault-Token"))
		_, _ = fmt.Fprintf(w, `{"auth":{"client_token":"t%d","lease_duration":3600,"renewable":true}}`, len(logins))
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("X-Vault-Token") != "t2":
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`{"errors":["permission denied"]}`))
		case strings.HasPrefix(r.URL.Path, "/v1/sys/"):
			_, _ = w.Write([]byte(`{"data":{"path":"secret/","type":"kv"}}`))
		default:
			_, _ = w.Write([]byte(`{"data":{"key":"k"}}`))
		}
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	v := newVault(t, map[string]string{"VAULT_ADDR": server.URL, "VAULT_K8S_ROLE": "r", "VAULT_AUTH_MOUNT": "k8s", "VAULT_NAMESPACE": "n"})
	v.serviceAccount = file
	writeFile(t, file, "jwt1")
	if _, err := v.token(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	writeFile(t, file, "jwt2\n")
	if got := resolve(t, v, "vault://secret/p#key"); got != "k" {
		t.Errorf("got %q", got)
	}
	if got := strings.Join(logins, ", "); got != "r jwt1 n, r jwt2 n" {
		t.Errorf("logins: %s", got)
	}
}

// TestVaultRunLeavesNothing is not parallel: it counts goroutines.
func TestVaultRunLeavesNothing(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"auth":{"client_token":"t","lease_duration":1,"renewable":true},"data":{"path":"secret/","type":"kv","key":"k"}}`))
	}))
	defer server.Close()
	for _, variables := range []map[string]string{
		{"VAULT_ADDR": server.URL, "VAULT_ROLE_ID": "r", "VAULT_SECRET_ID": "s"},
		{"VAULT_ADDR": "http://127.0.0.1:1", "VAULT_TOKEN": "t"},
		{"VAULT_ADDR": server.URL, "PAYMO_API_KEY": "literal"},
	} {
		config, err := LoadConfig(environment(variables), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		v, err := NewVault(config.Vault, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- v.Run(ctx) }()
		_, _ = v.Resolve(ctx, "vault://secret/p#key")
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run returned %v", err)
		}
		v.Close()
	}
}

// running runs a client until the test ends.
func running(t *testing.T, v *Vault) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- v.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run returned %v", err)
		}
	})
}

func writeFile(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
