package main

import (
	"strings"
	"testing"
)

// A password that is not in DATABASE_URL comes from PGPASSWORD, as it is: there it needs
// no escapes.
func TestPoolSettingsPassword(t *testing.T) {
	t.Setenv("PGPASSWORD", "p@ss/word%40")
	settings, err := poolSettings("DATABASE_URL", "postgres://paymosync@postgres:5432/paymosync?sslmode=disable")
	if err != nil || settings.ConnConfig.Password != "p@ss/word%40" {
		t.Errorf("%v, %v", settings, err)
	}
}

// A number of connections in DATABASE_URL is heeded, or refused where it is too small.
func TestPoolSettings(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]int32{
		"postgres://u:p@h:5432/db":                    maxConns,
		"postgres://u:p@h:5432/db?pool_max_conns=4":   4,
		"postgres://u:p@h:5432/db?pool_max_conns=40":  40,
		"host=h dbname=db pool_max_conns=6":           6,
		"postgres://u@h/db?pool_max_conn_lifetime=1h": maxConns,
	} {
		settings, err := poolSettings("DATABASE_URL", address)
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		if settings.MaxConns < want || strings.Contains(address, "max_conns") && settings.MaxConns != want {
			t.Errorf("%s: %d connections, want %d", address, settings.MaxConns, want)
		}
	}
	_, err := poolSettings("DATABASE_URL", "postgres://u:canary@h:5432/db?pool_max_conns=3")
	if err == nil || exitCode(err) != exitConfig || !strings.HasPrefix(err.Error(), "DATABASE_URL: pool_max_conns=3 is too few: give 4 or more") {
		t.Errorf("three connections: %v", err)
	}
}
