package main

import (
	"strings"
	"testing"
)

func TestParseReference(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Reference{
		"vault://secret/paymo#api_key": {"secret/paymo", "api_key"},
		"vault://team/kv/a/b-c#x.y":    {"team/kv/a/b-c", "x.y"},
	} {
		if got, err := ParseReference(text); err != nil || got != want || got.String() != text {
			t.Errorf("%s: got %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "canary", "vault://", "vault://a#canary", "vault://a/#canary", "vault:///a#canary", "vault://a/b", "vault://a/b#",
		"vault://a/../b#canary", "vault://a/b?canary#c", "vault://a/b#c#d", "vault://a/ b#c", "vault://a//b#c", "Vault://a/b#c"} {
		if got, err := ParseReference(text); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: got %+v, %v", text, got, err)
		}
	}
}

func FuzzParseReference(f *testing.F) {
	f.Add("vault://secret/paymo#api_key")
	f.Add("vault://a/b#c#d")
	f.Fuzz(func(t *testing.T, text string) {
		reference, err := ParseReference(text)
		if err != nil {
			return
		}
		if reference.String() != text {
			t.Errorf("%q became %q", text, reference)
		}
		if reference.Field == "" || strings.Contains(reference.Location, "//") || !strings.Contains(reference.Location, "/") {
			t.Errorf("%q gives %+v", text, reference)
		}
	})
}
