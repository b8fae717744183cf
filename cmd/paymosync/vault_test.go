package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/vault/api"
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
