package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestVaultSettings gives Vault's client variables that it reads by itself and does
// not understand. Not parallel: it sets the environment.
func TestVaultSettings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	writeFile(t, file, "x")
	for _, test := range [][2]string{
		{"VAULT_MAX_RETRIES", canary}, {"VAULT_RATE_LIMIT", canary}, {"VAULT_CLIENT_TIMEOUT", canary},
		{"VAULT_SRV_LOOKUP", canary}, {"VAULT_DISABLE_REDIRECTS", canary}, {"VAULT_PROXY_ADDR", "::" + canary},
		{"VAULT_HTTP_PROXY", "::" + canary}, {"VAULT_CAPATH", file}, {"VAULT_HEADERS", canary},
	} {
		t.Run(test[0], func(t *testing.T) {
			t.Setenv(test[0], test[1])
			_, err := NewVault(VaultConfig{}, nil)
			problems := problemsOf(t, err)
			if len(problems) != 1 || problems[0].Variable != test[0] || strings.Contains(err.Error(), canary) {
				t.Errorf("got %v", err)
			}
		})
	}
	_, err := NewVault(VaultConfig{CAPath: file}, nil)
	if problemsOf(t, err)[0].Variable != "VAULT_CAPATH" {
		t.Error(err)
	}
}
