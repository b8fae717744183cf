package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/vault/api"
)

// TestVaultHintToken gives Vault tokens that it does not know: the fault lies in the
// login, not in mounts or policies.
func TestVaultHintToken(t *testing.T) {
	t.Parallel()
	server := startVault(t)
	home := t.TempDir()
	for _, file := range []string{".vault-token", "token"} {
		writeFile(t, filepath.Join(home, file), canary)
	}
	for hint, env := range map[string]map[string]string{
		"check VAULT_TOKEN":                  {"VAULT_TOKEN": canary},
		"check VAULT_TOKEN_FILE":             {"VAULT_TOKEN_FILE": filepath.Join(home, "token")},
		"check the token in " + home + "/.v": {"HOME": home},
	} {
		env["VAULT_ADDR"] = server.addr
		for _, version := range []string{"", "1", "2"} {
			env["VAULT_KV_VERSION"] = version
			err := resolveError(t, newVault(t, env), "vault://secret/p#key")
			if !err.Denied() || !strings.Contains(err.Error(), hint) || strings.Contains(err.Error(), "mount,") || strings.Contains(err.Error(), "policies") {
				t.Errorf("version %q: %v, want %q", version, err, hint)
			}
		}
	}
}

// TestVaultHintData writes data/ into the reference, under a policy that reads the
// one secret alone.
func TestVaultHintData(t *testing.T) {
	t.Parallel()
	server := startVault(t)
	mount := server.mountKV(t, "", "2")
	server.write(t, mount+"/data/p", map[string]any{"data": map[string]any{"key": "k"}})
	token := server.createToken(t, &api.TokenCreateRequest{Policies: []string{server.policy(t, mount+"/data/p")}})
	for _, version := range []string{"", "2"} {
		v := newVault(t, map[string]string{"VAULT_ADDR": server.addr, "VAULT_TOKEN": token, "VAULT_KV_VERSION": version})
		if err := resolveError(t, v, "vault://"+mount+"/data/p#key"); !err.Denied() || !strings.Contains(err.Error(), "leave out data/") {
			t.Errorf("version %q: %v", version, err)
		}
	}
}

// TestVaultHintVersion sets VAULT_KV_VERSION to that of the other engine.
func TestVaultHintVersion(t *testing.T) {
	t.Parallel()
	server := startVault(t)
	one, two := server.mountKV(t, "", "1"), server.mountKV(t, "", "2")
	server.write(t, one+"/p", map[string]any{"key": "k"})
	server.write(t, two+"/data/p", map[string]any{"data": map[string]any{"key": "k"}})
	token := server.createToken(t, &api.TokenCreateRequest{Policies: []string{server.policy(t, one+"/p", two+"/data/p")}})
	for version, mount := range map[string]string{"1": two, "2": one} {
		for _, token := range []string{server.token, token} {
			v := newVault(t, map[string]string{"VAULT_ADDR": server.addr, "VAULT_TOKEN": token, "VAULT_KV_VERSION": version})
			if err := resolveError(t, v, "vault://"+mount+"/p#key"); !strings.Contains(err.Error(), "VAULT_KV_VERSION") {
				t.Errorf("version %s: %v", version, err)
			}
		}
	}
	v := newVault(t, map[string]string{"VAULT_ADDR": server.addr, "VAULT_TOKEN": server.token})
	if err := resolveError(t, v, "vault://"+two+"/nothing#key"); strings.Contains(err.Error(), "VAULT_KV_VERSION") {
		t.Errorf("nobody set it: %v", err)
	}
}

// TestVaultHintInterrupted gives up while Vault is asked: there is nothing to check.
func TestVaultHintInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	silent := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		cancel()
		<-silent
	}))
	defer server.Close()
	defer close(silent)
	v := newVault(t, map[string]string{"VAULT_ADDR": server.URL, "VAULT_ROLE_ID": "r", "VAULT_SECRET_ID": "s"})
	_, err := v.Resolve(ctx, "vault://secret/p#key")
	if !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "check") {
		t.Errorf("got %v", err)
	}
}
