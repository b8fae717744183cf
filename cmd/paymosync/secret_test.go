package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// TestSecretStaysSecret prints, logs and encodes a secret in every way, alone,
// within a configuration and within a struct's hidden field.
func TestSecretStaysSecret(t *testing.T) {
	t.Parallel()
	const canary = "canary-5f1c"
	c, err := LoadConfig(environment(map[string]string{
		"DATABASE_URL": "postgres://u:" + canary + "@h/d", "PAYMO_API_KEY": canary,
		"VAULT_ROLE_ID": canary, "VAULT_SECRET_ID": canary,
	}), someDay())
	if err != nil {
		t.Fatal(err)
	}
	secret := NewSecret(canary)
	type hidden struct {
		secret Secret
		config Config
	}
	var out bytes.Buffer
	for _, value := range []any{secret, &secret, []Secret{secret}, map[string]Secret{"x": secret}, hidden{secret, c}, &hidden{secret, c}, c, &c, c.Vault, c.Paymo} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T"} {
			fmt.Fprintf(&out, verb+"\n", value)
		}
	}
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(handler).Info("x", "config", c, "vault", c.Vault, "secret", secret, "paymo", &c.Paymo, "list", []Secret{secret})
	}
	encoded, err := json.Marshal(map[string]any{"paymo": c.Paymo, "config": c, "secret": &secret})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(encoded)
	for _, form := range []string{canary, base64.StdEncoding.EncodeToString([]byte(canary))[:12], fmt.Sprintf("%x", canary)} {
		for line := range strings.Lines(out.String()) {
			if strings.Contains(line, form) {
				t.Errorf("shown: %s", line)
			}
		}
	}
	if secret.Reveal() != canary {
		t.Error("Reveal does not give the secret")
	}
}

func TestSecretString(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"": "", "x": redacted, "vault://a/b#c": "vault://a/b#c", "vault://a": redacted} {
		if got := fmt.Sprint(NewSecret(text)); got != want {
			t.Errorf("%q prints as %q, want %q", text, got, want)
		}
	}
	if got := fmt.Sprintf("%#v %q", NewSecret("x"), NewSecret("x")); got != `"[redacted]" "[redacted]"` {
		t.Errorf("got %s", got)
	}
}
