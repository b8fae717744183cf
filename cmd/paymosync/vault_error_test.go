package main

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

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

// silent says nothing for as long as the connection lives.
func silent(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // or the end of the connection is not seen
	<-r.Context().Done()
}

// TestVaultAnswers covers servers that no real Vault plays: silent, broken,
// talkative about what they were sent, and Kubernetes.
func TestVaultAnswers(t *testing.T) {
	t.Parallel()
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
		"silent":    {silent, true, "no answer"},
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
			t.Cleanup(server.Close)
			t.Cleanup(server.CloseClientConnections) // first: some handlers wait for it
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
	_, err := NewVault(VaultConfig{CACertBytes: "no certificate"}, nil)
	problemsOf(t, err)
}
