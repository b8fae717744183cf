package main

import (
	"maps"
	"testing"

	"github.com/paymosync/paymosync/paymo/paymotest"
	"github.com/paymosync/paymosync/sink/sinktest"
)

// newVaultWorld is newWorld with the key in Vault, read by an AppRole whose token has
// the given times.
func newVaultWorld(t *testing.T, vault *vaultServer, company paymotest.Config, role map[string]any) *world {
	t.Helper()
	return withVault(newWorldOn(t, company, sinktest.Database(t)), vault, role)
}

// withVault moves the world's key into Vault.
func withVault(w *world, vault *vaultServer, role map[string]any) *world {
	w.t.Helper()
	path := unique(w.t)
	storeKey(w, vault, path, w.variables["PAYMO_API_KEY"])
	role["token_policies"] = []string{vault.policy(w.t, "secret/data/"+path)}
	maps.Copy(w.variables, vault.appRole(w.t, role))
	w.variables["PAYMO_API_KEY"] = "vault://secret/" + path + "#api_key"
	return w
}

func storeKey(w *world, vault *vaultServer, path, key string) {
	w.t.Helper()
	if _, err := vault.admin.KVv2("secret").Put(w.t.Context(), path, map[string]any{"api_key": key}); err != nil {
		w.t.Fatal(err)
	}
}
