package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// kept is a secret as it lies in Vault.
type kept struct {
	mu    sync.Mutex
	text  string
	err   error
	reads int
	slow  time.Duration // a read takes so long
}

func (k *kept) resolve(ctx context.Context) (string, error) {
	k.mu.Lock()
	k.reads++
	slow := k.slow
	k.mu.Unlock()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case <-time.After(slow):
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.text, k.err
}

func (k *kept) put(text string, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.text, k.err = text, err
}

func (k *kept) count() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.reads
}

var errAway = errors.New("vault is away")

// signedWith is a call of its own that is signed with the secret.
func signedWith(secret string) call {
	body := fmt.Sprintf(`{"id":%d}`, 1+rand.Int64N(1<<50))
	return call{event: "model.update.Task", body: body, signature: signature("model.update.Task", body, secret)}
}

// pass lets time pass.
func pass(d time.Duration) { <-time.After(d) }

// After the secret was changed, what is signed with the new one is let in within seconds, and
// what is signed with the old one for an hour.
func TestRotation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		vault := &kept{text: "the first"}
		r := newReceiving(t, NewSecret(vault.resolve))
		r.must(signedWith("the first"), http.StatusOK, Noted)
		r.must(signedWith("the second"), http.StatusUnauthorized, BadSignature)
		vault.put("the second", nil)
		pass(secretRecent)
		r.must(signedWith("the second"), http.StatusOK, Noted)
		for range 6 {
			r.must(signedWith("the first"), http.StatusOK, Noted)
			r.must(signedWith("the second"), http.StatusOK, Noted)
			pass(10*time.Minute - time.Second)
		}
		r.must(signedWith("the first"), http.StatusOK, Noted) // an hour less six seconds
		pass(10 * time.Second)
		r.must(signedWith("the first"), http.StatusUnauthorized, BadSignature)
		r.must(signedWith("the second"), http.StatusOK, Noted)
		// Only the last two are let in, however fast they follow.
		vault.put("the third", nil)
		pass(secretRecent)
		r.must(signedWith("the third"), http.StatusOK, Noted)
		vault.put("the fourth", nil)
		pass(secretRecent)
		r.must(signedWith("the fourth"), http.StatusOK, Noted)
		r.must(signedWith("the third"), http.StatusOK, Noted)
		r.must(signedWith("the second"), http.StatusUnauthorized, BadSignature)
	})
}

// A hook that was not told of the new secret yet does not keep the old one alive: it is read
// again though it still fits.
func TestOldSecretEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		vault := &kept{text: "the first"}
		r := newReceiving(t, NewSecret(vault.resolve))
		r.must(signedWith("the first"), http.StatusOK, Noted)
		vault.put("the second", nil)
		began := time.Now()
		for time.Since(began) < secretFresh+oldAccepted {
			r.must(signedWith("the first"), http.StatusOK, Noted)
			pass(20 * time.Second)
		}
		pass(20 * time.Second)
		r.must(signedWith("the first"), http.StatusUnauthorized, BadSignature)
	})
}

// While Vault is away, what was read is kept; where nothing was read yet, callers are sent
// away for now.
func TestVaultAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		vault := &kept{err: errAway}
		secret := NewSecret(vault.resolve)
		r := newReceiving(t, secret)
		r.must(signedWith("the first"), http.StatusServiceUnavailable, Unready)
		if _, err := secret.Read(t.Context()); !errors.Is(err, errAway) {
			t.Errorf("read: %v", err)
		}
		vault.put("the first", nil)
		r.must(signedWith("the first"), http.StatusServiceUnavailable, Unready) // is not tried again yet
		pass(secretRecent)
		r.must(signedWith("the first"), http.StatusOK, Noted)
		for _, gone := range []struct {
			text string
			err  error
		}{{"", errAway}, {"", nil}, {"\r\n", nil}} {
			vault.put(gone.text, gone.err)
			pass(2 * time.Hour)
			r.must(signedWith("the first"), http.StatusOK, Noted)
			r.must(signedWith(gone.text), http.StatusUnauthorized, BadSignature)
			if _, err := secret.Read(t.Context()); err == nil || gone.err != nil && !errors.Is(err, gone.err) || gone.err == nil && !errors.Is(err, errEmptySecret) {
				t.Errorf("read: %v", err)
			}
		}
		// It is there again, and another one.
		vault.put("the second\n", nil)
		pass(secretRecent)
		r.must(signedWith("the second"), http.StatusOK, Noted)
		r.must(signedWith("the first"), http.StatusOK, Noted)
		if text, err := secret.Read(t.Context()); text != "the second" || err != nil {
			t.Errorf("read %q, %v", text, err)
		}
	})
}

// An empty secret lets nobody in who signs with nothing.
func TestEmptySecret(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newReceiving(t, NewSecret(func(context.Context) (string, error) { return "\n", nil }))
		r.must(signedWith(""), http.StatusServiceUnavailable, Unready)
		r.must(signedWith("\n"), http.StatusServiceUnavailable, Unready)
		if len(r.told()) > 0 {
			t.Errorf("noted %+v", r.told())
		}
	})
}

// Those who guess do not have Vault asked more often than every few seconds, whether it
// answers or not, and however many they are.
func TestForgedCalls(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{"it answers": nil, "it is away": errAway} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				vault := &kept{text: "the first", err: err}
				r := newReceiving(t, NewSecret(vault.resolve))
				began := time.Now()
				for time.Since(began) < time.Minute {
					before := vault.count()
					var calls sync.WaitGroup
					for range maxCalls / 2 {
						calls.Go(func() {
							r.send(call{event: sampleEvent, body: sampleBody, signature: sampleSignature})
						})
					}
					calls.Wait()
					if n := vault.count() - before; n > 1 {
						t.Errorf("those who came at once had it read %d times", n)
					}
					pass(100 * time.Millisecond)
				}
				if n := vault.count(); n < 2 || n > int(time.Minute/secretRecent) {
					t.Errorf("%d reads in a minute", n)
				}
				if len(r.told()) > 0 {
					t.Errorf("noted %+v", r.told())
				}
			})
		})
	}
}

// Those who call while it is read wait for that read; it ends with none of them.
func TestSlowVault(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		vault := &kept{text: "the first", slow: 3 * time.Second}
		r := newReceiving(t, NewSecret(vault.resolve))
		ctx, cancel := context.WithCancel(t.Context())
		first := signedWith("the first")
		first.ctx = ctx
		var calls sync.WaitGroup
		calls.Go(func() { r.must(first, http.StatusServiceUnavailable, Unready) })
		pass(time.Second)
		cancel()
		calls.Wait()
		for range 20 {
			calls.Go(func() {
				if got := r.send(signedWith("the first")); got.Code != http.StatusOK {
					t.Errorf("%d", got.Code)
				}
			})
		}
		calls.Wait()
		if vault.count() != 1 {
			t.Errorf("%d reads", vault.count())
		}
	})
}

// Neither the log nor anything that is printed shows a secret or what is signed with it.
func TestSecretStaysSecret(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const canary, second = "canary-5f1c", "canary-second"
		vault := &kept{err: errAway}
		secret := NewSecret(vault.resolve)
		r := newReceiving(t, secret)
		r.must(signedWith(canary), http.StatusServiceUnavailable, Unready)
		vault.put(canary, nil)
		pass(secretRecent)
		r.must(signedWith(canary), http.StatusOK, Noted)
		r.must(signedWith("canary-of-a-guess"), http.StatusUnauthorized, BadSignature)
		vault.put(second, nil)
		pass(secretRecent)
		r.must(signedWith(second), http.StatusOK, Noted)
		r.whenNoting(func(context.Context) error { return errors.New("the database is away") })
		r.must(signedWith(second), http.StatusServiceUnavailable, Unready)
		vault.put("", errAway)
		pass(2 * secretFresh)
		r.must(signedWith(canary), http.StatusServiceUnavailable, Unready)

		out := &r.log
		if !strings.Contains(out.String(), errAway.Error()) || !strings.Contains(out.String(), "the database is away") {
			t.Errorf("the log says nothing of what went wrong: %s", out)
		}
		synctest.Wait() // who reads it has let go of it
		printed(t, out, secret, r.config)
		for _, form := range []string{"canary", fmt.Sprintf("%x", canary), fmt.Sprintf("%x", second)} {
			for line := range strings.Lines(out.String()) {
				if strings.Contains(line, form) {
					t.Errorf("shown: %s", line)
				}
			}
		}
	})
}

// printed prints, logs and encodes a secret in every way.
func printed(t *testing.T, out *bytes.Buffer, secret *Secret, config Config) {
	t.Helper()
	type hidden struct{ secret *Secret }
	for _, value := range []any{secret, []*Secret{secret}, map[string]*Secret{"x": secret}, hidden{secret}, config, &config} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%T"} {
			fmt.Fprintf(out, verb+"\n", value)
		}
	}
	for _, handler := range []slog.Handler{slog.NewTextHandler(out, nil), slog.NewJSONHandler(out, nil)} {
		slog.New(handler).Info("x", "secret", secret, "list", []*Secret{secret})
	}
	encoded, err := json.Marshal(map[string]any{"secret": secret})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(encoded)
}
