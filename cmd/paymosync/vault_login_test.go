package main

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/vault/api"
	"go.uber.org/goleak"
)

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
	env := server.appRole(t, map[string]any{"token_policies": server.policy(t, mount+"/data/p"), "token_ttl": "2s", "token_max_ttl": "5s"})
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
		s := v.currentSession()
		if s.token != first.token {
			t.Fatal("another login where a renewal would do")
		}
		if !s.ends.After(first.ends) {
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

// TestVaultRenew tells a renewal that did its work from one that calls for a login.
func TestVaultRenew(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status    int
		body      string
		fixed     bool          // the token cannot be renewed
		left      time.Duration // of the token
		renewed   bool
		temporary bool
	}{
		"long":          {200, `{"auth":{"client_token":"t","lease_duration":3600,"renewable":true}}`, false, time.Minute, true, false},
		"shortened":     {200, `{"auth":{"client_token":"t","lease_duration":1300,"renewable":true}}`, false, time.Minute, true, false},
		"near its age":  {200, `{"auth":{"client_token":"t","lease_duration":1100,"renewable":true}}`, false, time.Minute, false, false},
		"not renewable": {500, `{}`, true, time.Minute, false, false},
		"ended":         {403, `{"errors":["permission denied"]}`, false, time.Minute, false, false},
		"sealed":        {503, `{"errors":["Vault is sealed"]}`, false, time.Minute, false, true},
		"sealed, ended": {503, `{"errors":["Vault is sealed"]}`, false, -time.Minute, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(test.status)
				_, _ = w.Write([]byte(test.body))
			}))
			defer server.Close()
			v := newVault(t, map[string]string{"VAULT_ADDR": server.URL, "VAULT_TOKEN": "t"})
			renewed, err := v.renew(t.Context(), session{token: "t", ttl: time.Hour, renewable: !test.fixed, ends: time.Now().Add(test.left)})
			if renewed != test.renewed || (err != nil) != test.temporary {
				t.Errorf("got %t, %v", renewed, err)
			}
		})
	}
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

//nolint:paralleltest // it counts goroutines
func TestVaultRunLeavesNothing(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"auth":{"client_token":"t","lease_duration":1,"renewable":true},"data":{"path":"secret/","type":"kv","key":"k"}}`))
	}))
	defer server.Close()
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent()) // before the server closes what was left open
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
	}
}
