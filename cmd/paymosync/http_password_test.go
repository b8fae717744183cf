package main

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// The password may lie in Vault and be changed there while the service runs; without
// Vault nobody is let in, once what was read is old.
func TestHTTPPasswordInVault(t *testing.T) {
	t.Parallel()
	server := startStoppableVault(t)
	write := func(password string) {
		t.Helper()
		if _, err := server.admin.KVv2("secret").Put(t.Context(), "web", map[string]any{"password": password}); err != nil {
			t.Fatal(err)
		}
	}
	write("first-canary\n") // as a file leaves it
	config, err := LoadConfig(environment(map[string]string{
		"VAULT_ADDR": server.addr, "VAULT_TOKEN": server.token, "PAYMO_API_KEY": "k", "HTTP_PASSWORD": "vault://secret/web#password",
	}), someDay())
	if err != nil {
		t.Fatal(err)
	}
	vault, err := NewVault(config.Vault, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(vault.Close)
	var later atomic.Int64
	s := newSite(t, false, "", httpConfig{Page: shownPage()})
	password := newHTTPPassword(config.HTTPPassword, vault.Resolve, newSiteLog(s))
	password.now = func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
	s.handler = newHTTPServer(httpConfig{Address: "0.0.0.0:1", Health: newHealth(vault, config), Password: password, Page: shownPage(), River: shownPage(), Log: newSiteLog(s)}).handler(false)

	s.mustAnswer(http.StatusOK, "GET", "/", knowing("first-canary"))
	s.mustAnswer(http.StatusUnauthorized, "GET", "/", knowing(""))
	write("second-canary")
	later.Add(int64(passwordRecent)) // the old one still serves, and so does the new one
	s.mustAnswer(http.StatusOK, "GET", "/", knowing("first-canary"))
	s.mustAnswer(http.StatusOK, "GET", "/", knowing("second-canary"))
	s.mustAnswer(http.StatusUnauthorized, "GET", "/", knowing("first-canary"))

	write("third-canary")
	later.Add(int64(passwordFresh)) // by then the old one is forgotten, whoever asks
	s.mustAnswer(http.StatusUnauthorized, "GET", "/", knowing("second-canary"))
	s.mustAnswer(http.StatusOK, "GET", "/", knowing("third-canary"))

	server.Stop(t)
	later.Add(int64(passwordRecent))
	s.mustAnswer(http.StatusOK, "GET", "/", knowing("third-canary"))
	s.mustAnswer(http.StatusUnauthorized, "GET", "/", knowing("guess"))
	later.Add(int64(passwordFresh))
	answer := s.mustAnswer(http.StatusServiceUnavailable, "GET", "/", knowing("third-canary"), "HTTP_PASSWORD cannot be read from Vault")
	if strings.Contains(answer.Body.String(), server.addr) || answer.Header().Get("Retry-After") == "" {
		t.Errorf("it says %s, %v", answer.Body, answer.Header())
	}
	s.mustAnswer(http.StatusUnauthorized, "GET", "/", nil) // who gives none learns nothing
	s.mustAnswer(http.StatusOK, "GET", "/livez", nil)
	server.Start(t)
	later.Add(int64(passwordRetry))
	eventually(t, "it is served again", func() error {
		later.Add(int64(passwordRetry))
		if answer := s.ask("GET", "/", knowing("third-canary")); answer.Code != http.StatusOK {
			return errors.New(answer.Body.String())
		}
		return nil
	})
	write("")
	later.Add(int64(passwordFresh))
	s.mustAnswer(http.StatusServiceUnavailable, "GET", "/", knowing(""))
	if log := s.log.String(); strings.Contains(log, "canary") || !strings.Contains(log, "cannot be read") || !strings.Contains(log, server.addr) {
		t.Errorf("the log: %s", log)
	}
}

// The password is read again when it is old or a guess differs, and not at once after that
// failed. An empty one opens nothing.
func TestHTTPPasswordReads(t *testing.T) {
	t.Parallel()
	var reads atomic.Int64
	var failure atomic.Pointer[error]
	s := newSite(t, false, "", httpConfig{})
	var later atomic.Int64
	password := newHTTPPassword(NewSecret("vault://a/b#c"), func(context.Context, string) (string, error) {
		reads.Add(1)
		if failed := failure.Load(); failed != nil {
			return "", *failed
		}
		return "secret", nil
	}, newSiteLog(s))
	password.now = func() time.Time { return time.Unix(1_800_000_000, 0).Add(time.Duration(later.Load())) }
	mustBe := func(guess string, want bool, wantErr bool, count int64) {
		t.Helper()
		right, err := password.is(t.Context(), guess)
		if right != want || (err != nil) != wantErr || reads.Load() != count {
			t.Errorf("%q: %v, %v after %d reads, want %v, error %v, %d", guess, right, err, reads.Load(), want, wantErr, count)
		}
	}
	mustBe("secret", true, false, 1)
	mustBe("guess", false, false, 1)
	mustBe("secret", true, false, 1)
	later.Add(int64(passwordRecent))
	mustBe("guess", false, false, 2)
	mustBe("guess", false, false, 2)
	later.Add(int64(passwordFresh))
	err := errors.New("down")
	failure.Store(&err)
	mustBe("secret", false, true, 3)
	mustBe("secret", false, true, 3)
	later.Add(int64(passwordRetry))
	mustBe("secret", false, true, 4)
	failure.Store(nil)
	later.Add(int64(passwordRetry))
	mustBe("secret", true, false, 5)
	empty := newHTTPPassword(NewSecret("vault://a/b#c"), func(context.Context, string) (string, error) { return "\n", nil }, newSiteLog(s))
	if right, err := empty.is(t.Context(), ""); right || !errors.Is(err, errEmptyPassword) {
		t.Errorf("nothing opens where the secret is empty: %v, %v", right, err)
	}
	if newHTTPPassword(Secret{}, nil, nil) != nil {
		t.Error("there is a password where none is set")
	}
}
