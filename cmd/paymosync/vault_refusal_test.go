package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// lockingVault plays a Vault with one AppRole in memory: it locks the role as the
// real one does.
type lockingVault struct {
	good string // secret id

	mu     sync.Mutex
	logins int
	failed int // in a row, each within fifteen minutes of the one before
	last   time.Time
	locked bool // at any time
	down   bool
}

// RoundTrip answers a request.
func (l *lockingVault) RoundTrip(req *http.Request) (*http.Response, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	status, body := http.StatusOK, `{"data":{"path":"secret/","type":"kv","key":"k"}}`
	if strings.HasSuffix(req.URL.Path, "/login") {
		status, body = l.login(req)
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: req}, nil
}

func (l *lockingVault) login(req *http.Request) (int, string) {
	const window = 15 * time.Minute
	l.logins++
	var shown struct {
		SecretID string `json:"secret_id"`
	}
	_ = json.NewDecoder(req.Body).Decode(&shown)
	recent := time.Since(l.last) <= window
	switch {
	case l.down:
		return http.StatusServiceUnavailable, `{"errors":["Vault is sealed"]}`
	case l.failed >= 5 && recent:
		l.locked = true
		return http.StatusForbidden, `{"errors":["permission denied"]}`
	case shown.SecretID == l.good:
		l.failed = 0
		return http.StatusOK, `{"auth":{"client_token":"t","lease_duration":3600}}`
	}
	if !recent {
		l.failed = 0
	}
	l.failed++
	l.last = time.Now()
	return http.StatusBadRequest, `{"errors":["invalid role or secret ID"]}`
}

func (l *lockingVault) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.logins
}

func (l *lockingVault) setDown(down bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = down
}

// newLockingVault gives a client of a lockingVault, and the file of its secret id.
func newLockingVault(t *testing.T) (*lockingVault, *Vault, string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret-id")
	server := &lockingVault{good: "good"}
	v := newVault(t, map[string]string{"VAULT_ADDR": "http://vault.test", "VAULT_ROLE_ID": "r", "VAULT_SECRET_ID_FILE": file})
	v.http.Transport = server
	return server, v, file
}

// TestVaultRefused runs a service for a day with a secret id that has ended. It must
// not lock the role, and a good one must work at once.
func TestVaultRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server, v, file := newLockingVault(t)
		writeFile(t, file, canary)
		running(t, v)
		for minute := range 24 * 60 {
			for range 3 { // jobs
				if err := resolveError(t, v, "vault://secret/p#key"); err.Temporary() || !strings.Contains(err.Error(), "VAULT_SECRET_ID_FILE") {
					t.Fatal(err)
				}
			}
			if most := 1 + minute/16; server.count() > most {
				t.Fatalf("%d logins after %d minutes", server.count(), minute)
			}
			<-time.After(time.Minute)
		}
		if server.locked {
			t.Error("the role was locked")
		}
		if server.count() < 2 {
			t.Error("the login was never tried again")
		}
		writeFile(t, file, "good\n")
		if got := resolve(t, v, "vault://secret/p#key"); got != "k" {
			t.Errorf("got %q", got)
		}
	})
}

// TestVaultRefusedRun leaves the login to Run alone.
func TestVaultRefusedRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server, v, file := newLockingVault(t)
		writeFile(t, file, "wrong")
		running(t, v)
		<-time.After(10 * time.Minute)
		if n := server.count(); n != 1 {
			t.Errorf("%d logins", n)
		}
		writeFile(t, file, "good")
		<-time.After(vaultLook)
		synctest.Wait()
		if v.currentSession().token == "" {
			t.Error("the good secret id is not taken")
		}
	})
}

// TestVaultRefusedLater tells refusals that are kept, and for how long, from
// failures that pass.
func TestVaultRefusedLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server, v, file := newLockingVault(t)
		writeFile(t, file, "good")
		server.setDown(true)
		if err := resolveError(t, v, "vault://secret/p#key"); !err.Temporary() {
			t.Error(err)
		}
		server.setDown(false)
		resolve(t, v, "vault://secret/p#key")
	})
	synctest.Test(t, func(t *testing.T) {
		server, v, file := newLockingVault(t)
		server.failed, server.last = 5, time.Now()
		writeFile(t, file, "good")
		for range 3 {
			err := resolveError(t, v, "vault://secret/p#key")
			if !err.Denied() || !strings.Contains(err.Error(), "vault write -f sys/locked-users/<accessor>/unlock/<role id>") {
				t.Error(err)
			}
		}
		if n := server.count(); n != 1 {
			t.Errorf("%d logins to a locked role", n)
		}
		server.failed = 0 // unlocked
		<-time.After(vaultRefusedWait)
		resolve(t, v, "vault://secret/p#key")
	})
}

// TestVaultLockout is the same with Vault's own lockout.
func TestVaultLockout(t *testing.T) {
	t.Parallel()
	server := startVault(t)
	mount := server.mountKV(t, "", "2")
	server.write(t, mount+"/data/p", map[string]any{"data": map[string]any{"key": "k"}})
	env := server.appRole(t, map[string]any{"token_policies": server.policy(t, mount+"/data/p"), "token_ttl": "1h"})
	good, file := env["VAULT_SECRET_ID"], filepath.Join(t.TempDir(), "secret-id")
	delete(env, "VAULT_SECRET_ID")
	env["VAULT_SECRET_ID_FILE"] = file
	env["PAYMO_API_KEY"] = "vault://" + mount + "/p#key"
	v := newVault(t, env)
	writeFile(t, file, canary)
	running(t, v)
	var jobs sync.WaitGroup
	for range 8 {
		jobs.Go(func() {
			for range 10 {
				ctx, cancel := context.WithTimeout(t.Context(), vaultTimeout)
				var vaultErr *VaultError
				if _, err := v.Resolve(ctx, env["PAYMO_API_KEY"]); !errors.As(err, &vaultErr) || vaultErr.Status != http.StatusBadRequest {
					t.Errorf("a wrong secret id: %v", err)
				}
				cancel()
			}
		})
	}
	jobs.Wait()
	writeFile(t, file, good)
	if got := resolve(t, v, env["PAYMO_API_KEY"]); got != "k" {
		t.Errorf("got %q", got)
	}

	// Others may lock it all the same.
	for n := range 6 {
		writeFile(t, file, fmt.Sprintf("%s-%d", canary, n))
		_ = resolveError(t, newVault(t, env), env["PAYMO_API_KEY"])
	}
	writeFile(t, file, good)
	if err := resolveError(t, newVault(t, env), env["PAYMO_API_KEY"]); !err.Denied() || !strings.Contains(err.Error(), "locked the role") {
		t.Error(err)
	}
}
