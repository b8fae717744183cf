package main

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEnvFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "env")
	text := `# a comment
PAYMO_API_KEY=vault://kv/paymo#key
SYNC_SCHEDULES=time_entries=*/5 * * * *;reports=0 6 * * *
export LOG_LEVEL=debug
LOG_FORMAT="json"
HTTP_ADDR=
DATABASE_URL='host=h password=pa$$word dbname=d'
VAULT_ADDR=http://vault:8200
VAULT_HEADERS={}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	env, err := ReadEnvironment([]string{"LOG_LEVEL=error", "LOG_FORMAT=", "VAULT_MAX_RETRIES=0"}, file)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"PAYMO_API_KEY":  "vault://kv/paymo#key",
		"SYNC_SCHEDULES": "time_entries=*/5 * * * *;reports=0 6 * * *",
		"LOG_LEVEL":      "error", // the environment wins
		"LOG_FORMAT":     "json",  // but not with nothing
		"DATABASE_URL":   "host=h password=pa$$word dbname=d",
		"VAULT_ADDR":     "http://vault:8200",
		"VAULT_HEADERS":  "{}", "VAULT_MAX_RETRIES": "0",
	}
	if diff := cmp.Diff(want, maps.Collect(maps.All(env.values))); diff != "" {
		t.Errorf("variables (-want +got):\n%s", diff)
	}
	c, err := LoadConfig(env, someDay())
	if err != nil {
		t.Fatal(err)
	}
	if c.Vault.Address != "http://vault:8200" || !cmp.Equal(c.Warnings(), []string{"VAULT_HEADERS is not read from a file: set it in the environment"}) {
		t.Errorf("address %q, warnings %q", c.Vault.Address, c.Warnings())
	}
}

func TestEnvFileBad(t *testing.T) {
	t.Parallel()
	_, err := ReadEnvironment(nil, "/nowhere/env")
	if problemsOf(t, err); !strings.Contains(err.Error(), "/nowhere/env") {
		t.Error(err)
	}
	file := filepath.Join(t.TempDir(), "env")
	if err := os.WriteFile(file, []byte("LOG_LEVEL=info\nPAYMO_API_KEY=\"canary\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = ReadEnvironment(nil, file)
	if problemsOf(t, err); !strings.Contains(err.Error(), "line 2") || strings.Contains(err.Error(), "canary") {
		t.Error(err)
	}
}

// TestEnvFileDollar keeps values whole: nothing is put in for a $.
func TestEnvFileDollar(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "env")
	text := "# $HOME\nLOG_LEVEL=info # not $HOME\nVAULT_CACERT_BYTES=\"a\nb\"\nA='$x\n$y'\n%s\n"
	for line, bad := range map[string]bool{
		"DATABASE_URL=postgres://u:canary$word@h/d": true, "export DATABASE_URL=\"canary$word\"": true, "DATABASE_URL=canary$": true, "DATABASE_URL=canary #$x # y": true,
		"DATABASE_URL='pa$word'": false, "DATABASE_URL=x # $y": false,
	} {
		writeFile(t, file, strings.Replace(text, "%s", line, 1))
		_, err := ReadEnvironment(nil, file)
		if !bad {
			if err != nil {
				t.Errorf("%s: %v", line, err)
			}
			continue
		}
		if problems := problemsOf(t, err); len(problems) != 1 || !strings.Contains(err.Error(), file+", line 7: DATABASE_URL") ||
			!strings.Contains(err.Error(), "single quotes") || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", line, err)
		}
	}
}
