package paymo_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paymosync/paymosync/paymo"
)

// keys is a source of keys that tests replace. It counts how often it is asked.
type keys struct {
	mu    sync.Mutex
	key   string
	err   error
	reads int
}

func (k *keys) read(context.Context) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.reads++
	return k.key, k.err
}

func (k *keys) set(key string, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.key, k.err = key, err
}

// from makes a client read its key from the source, and send it as the scheme says.
func (k *keys) from(scheme paymo.Scheme) func(*paymo.Config) {
	return func(c *paymo.Config) { c.Key, c.Scheme = k.read, scheme }
}

func TestKeyIsRotated(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		scheme  paymo.Scheme
		accepts func(string) string
		asks    bool
	}{
		{paymo.SchemeRaw, func(key string) string { return key }, false},
		{paymo.SchemeBasic, basic, false},
		{paymo.SchemeAuto, func(key string) string { return key }, false},
		{paymo.SchemeAuto, basic, true},
	} {
		source := &keys{key: "first"}
		server := &gate{header: test.accepts("first")}
		client := newClient(t, server, source.from(test.scheme))
		for _, key := range []string{"first", "second", "third"} {
			source.set(key, nil)
			server.open(test.accepts(key))
			for range 3 {
				page, err := list(t, client)
				if want := map[string]int{"first": 1, "second": 2, "third": 3}[key]; err != nil || page.Key != want {
					t.Fatalf("%s, %s key: page %+v: %v; want key %d", test.scheme, key, page, err, want)
				}
			}
		}
		reads, requests := 3, 9+2 // each of two rotations costs a request
		if test.asks {            // and so does asking for the scheme
			reads, requests = reads+1, requests+1
		}
		if sent := server.sent(); source.reads != reads || len(sent) != requests {
			t.Errorf("%s: the key was read %d times, want %d; sent %q, want %d", test.scheme, source.reads, reads, sent, requests)
		}
	}
}

// A source that never gives the same key twice is not followed without end.
func TestKeyRotatesWithoutEnd(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	server := &gate{header: "x"}
	client := newClient(t, server, func(c *paymo.Config) {
		c.Key = func(context.Context) (string, error) { return fmt.Sprint("key-", n.Add(1)), nil }
	})
	page, err := list(t, client)
	var api *paymo.APIError
	if !errors.As(err, &api) || !api.Unauthorized() || page.Requests != 4 {
		t.Errorf("%d requests: %v; want 4 and a refusal", page.Requests, err)
	}
}

func TestKeyIsHeldForAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		source := &keys{key: key}
		client := newPipeClient(t, play(ok()), source.from(paymo.SchemeRaw))
		for _, step := range []struct {
			wait  time.Duration
			reads int
		}{{0, 1}, {59 * time.Second, 1}, {time.Second, 2}, {time.Second, 2}, {time.Minute, 3}} {
			pass(step.wait)
			if page, err := list(t, client); err != nil || page.Key != 1 {
				t.Fatalf("page %+v: %v", page, err)
			}
			if source.reads != step.reads {
				t.Errorf("%s later: read %d times, want %d", step.wait, source.reads, step.reads)
			}
		}
		source.set("", errors.New("sealed"))
		pass(time.Minute)
		if _, err := list(t, client); err == nil {
			t.Error("a key that was held for a minute is sent")
		}
	})
}

func TestKeySourceFails(t *testing.T) {
	t.Parallel()
	sealed := errors.New("vault is sealed")
	for _, test := range []struct {
		key     string
		err     error
		problem string
	}{
		{"", sealed, "get the API key: vault is sealed"},
		{"", nil, "get the API key: the secret is empty"},
		{" \n", nil, "get the API key: the secret is empty"},
		{"two words", nil, "get the API key: the secret is no API key"},
		{"two\nlines", nil, "get the API key: the secret is no API key"},
		{"schlüssel", nil, "get the API key: the secret is no API key"},
		{"\ufeffkey", nil, "get the API key: the secret is no API key"},
	} {
		source := &keys{key: test.key, err: test.err}
		server := play(ok())
		client := newClient(t, server, source.from(paymo.SchemeAuto))
		page, err := list(t, client)
		var failure *paymo.KeyError
		if !errors.As(err, &failure) || test.err != nil && !errors.Is(err, test.err) || !strings.HasPrefix(err.Error(), test.problem) {
			t.Errorf("%q: the error is %v, want %s", test.key, err, test.problem)
		}
		if page == nil || page.Requests != 0 || server.count() != 0 {
			t.Errorf("%q: page %+v, %d requests", test.key, page, server.count())
		}
		source.set("key\n", nil)
		if _, err := list(t, client); err != nil || server.sent()[0] != "key" {
			t.Errorf("afterwards: sent %q: %v", server.sent(), err)
		}
	}
}

// After a 401 both count: that the key was refused and that no other could be had.
func TestKeySourceFailsAfterRefusal(t *testing.T) {
	t.Parallel()
	source := &keys{key: key}
	server := play(func(w http.ResponseWriter, _ *http.Request) {
		source.set("", errors.New("vault is sealed"))
		w.WriteHeader(http.StatusUnauthorized)
	})
	page, err := list(t, newClient(t, server, source.from(paymo.SchemeAuto)))
	var failure *paymo.KeyError
	var api *paymo.APIError
	if !errors.As(err, &failure) || !errors.As(err, &api) || !api.Unauthorized() || page.Requests != 1 {
		t.Errorf("page %+v: %v", page, err)
	}
	if text := err.Error(); strings.Contains(text, "\n") || !strings.HasSuffix(text, "; get the API key: vault is sealed") {
		t.Errorf("the error reads %q", text)
	}
}

// A slow source holds up nobody who does not want to wait for it.
func TestKeySourceIsSlow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := newPipeClient(t, play(ok()), func(c *paymo.Config) {
			c.Key = func(ctx context.Context) (string, error) {
				select {
				case <-ctx.Done():
					return "", errors.New("gave up") // and hides why
				case <-time.After(time.Hour):
					return key, nil
				}
			}
		})
		began := time.Now()
		var group sync.WaitGroup
		for i := range 3 {
			group.Go(func() {
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(time.Duration(i+1)*time.Second, func() { cancel(errors.New("stopping")) })
				_, err := client.List(ctx, resource(t, "clients"), paymo.Query{})
				if !errors.Is(err, context.Canceled) || err.Error() != "GET /api/clients: context canceled: stopping" {
					t.Errorf("the error is %v", err)
				}
			})
		}
		group.Wait()
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("the last returned after %s", took)
		}
	})
}

func TestKeyIsReadOnceForAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var reads atomic.Int64
		client := newPipeClient(t, play(ok()), func(c *paymo.Config) {
			c.Key = func(context.Context) (string, error) {
				reads.Add(1)
				pass(time.Second)
				return key, nil
			}
		})
		var group sync.WaitGroup
		for range 10 {
			group.Go(func() {
				if page, err := list(t, client); err != nil || page.Key != 1 {
					t.Errorf("page %+v: %v", page, err)
				}
			})
		}
		group.Wait()
		if n := reads.Load(); n != 1 {
			t.Errorf("the key was read %d times", n)
		}
	})
}
