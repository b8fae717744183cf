package paymo_test

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/paymotest"
)

// basic is how a key goes into the header by Paymo's reference.
func basic(key string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(key+":"))
}

// gate answers as clients would be, and lets in only those who send the header.
type gate struct {
	mu     sync.Mutex
	header string
	log    []string
}

func (g *gate) open(header string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.header = header
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	sent := strings.Join(r.Header.Values("Authorization"), "|")
	g.mu.Lock()
	g.log = append(g.log, sent)
	open := sent == g.header
	g.mu.Unlock()
	if !open {
		http.Error(w, "<h1>401</h1>", http.StatusUnauthorized)
		return
	}
	ok()(w, r)
}

// sent are the headers that came since the last call.
func (g *gate) sent() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	log := g.log
	g.log = nil
	return log
}

func TestParseScheme(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]paymo.Scheme{"": paymo.SchemeAuto, "auto": paymo.SchemeAuto, "raw": paymo.SchemeRaw, "basic": paymo.SchemeBasic} {
		if got, err := paymo.ParseScheme(name); got != want || err != nil {
			t.Errorf("%q is %q: %v", name, got, err)
		}
	}
	for _, name := range []string{"Raw", "bearer", " raw"} {
		if _, err := paymo.ParseScheme(name); err == nil || !strings.Contains(err.Error(), "auto, raw or basic") {
			t.Errorf("%q: the error is %v", name, err)
		}
	}
}

func TestScheme(t *testing.T) {
	t.Parallel()
	raw, basic := key, basic(key)
	for _, test := range []struct {
		name            string
		scheme, learned paymo.Scheme
		accepts         string
		sent            []string // for the first call
		then            []string // for the second
		inUse           paymo.Scheme
		known           bool
		refused         bool
	}{
		{name: "auto meets raw", scheme: paymo.SchemeAuto, accepts: raw, sent: []string{raw}, then: []string{raw}, inUse: paymo.SchemeRaw, known: true},
		{name: "auto meets basic", scheme: paymo.SchemeAuto, accepts: basic, sent: []string{raw, basic}, then: []string{basic}, inUse: paymo.SchemeBasic, known: true},
		{name: "none is auto", accepts: basic, sent: []string{raw, basic}, then: []string{basic}, inUse: paymo.SchemeBasic, known: true},
		{name: "auto meets neither", scheme: paymo.SchemeAuto, accepts: "x", sent: []string{raw, basic}, then: []string{raw}, inUse: paymo.SchemeRaw, refused: true},
		{name: "learned raw", scheme: paymo.SchemeAuto, learned: paymo.SchemeRaw, accepts: raw, sent: []string{raw}, then: []string{raw}, inUse: paymo.SchemeRaw, known: true},
		{name: "learned basic", scheme: paymo.SchemeAuto, learned: paymo.SchemeBasic, accepts: basic, sent: []string{basic}, then: []string{basic}, inUse: paymo.SchemeBasic, known: true},
		{name: "learned raw fails", scheme: paymo.SchemeAuto, learned: paymo.SchemeRaw, accepts: basic, sent: []string{raw, basic}, then: []string{basic}, inUse: paymo.SchemeBasic, known: true},
		{name: "learned basic fails", scheme: paymo.SchemeAuto, learned: paymo.SchemeBasic, accepts: raw, sent: []string{basic, raw}, then: []string{raw}, inUse: paymo.SchemeRaw, known: true},
		{name: "learned auto is none", scheme: paymo.SchemeAuto, learned: paymo.SchemeAuto, accepts: raw, sent: []string{raw}, then: []string{raw}, inUse: paymo.SchemeRaw, known: true},
		{name: "raw", scheme: paymo.SchemeRaw, accepts: raw, sent: []string{raw}, then: []string{raw}, inUse: paymo.SchemeRaw, known: true},
		{name: "raw never tries basic", scheme: paymo.SchemeRaw, learned: paymo.SchemeBasic, accepts: basic, sent: []string{raw}, then: []string{raw}, inUse: paymo.SchemeRaw, known: true, refused: true},
		{name: "basic", scheme: paymo.SchemeBasic, accepts: basic, sent: []string{basic}, then: []string{basic}, inUse: paymo.SchemeBasic, known: true},
		{name: "basic never tries raw", scheme: paymo.SchemeBasic, learned: paymo.SchemeRaw, accepts: raw, sent: []string{basic}, then: []string{basic}, inUse: paymo.SchemeBasic, known: true, refused: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := &gate{header: test.accepts}
			client := newClient(t, server, func(c *paymo.Config) { c.Scheme, c.LearnedScheme = test.scheme, test.learned })
			for _, want := range [][]string{test.sent, test.then} {
				page, err := list(t, client)
				var api *paymo.APIError
				if errors.As(err, &api) != test.refused || test.refused && !api.Unauthorized() {
					t.Errorf("the error is %v, want a refusal: %v", err, test.refused)
				}
				if sent := server.sent(); !slices.Equal(sent, want) {
					t.Errorf("sent %q, want %q", sent, want)
				}
				if page == nil || page.Requests != len(want) {
					t.Errorf("page %+v, want the cost of %d requests", page, len(want))
				}
			}
			if scheme, known := client.Scheme(); scheme != test.inUse || known != test.known {
				t.Errorf("in use is %s, known: %v; want %s, %v", scheme, known, test.inUse, test.known)
			}
		})
	}
}

func TestMeAsksOnce(t *testing.T) {
	t.Parallel()
	for auth, want := range map[paymotest.Auth]int{paymotest.Raw: 1, paymotest.Basic: 2, paymotest.Both: 1} {
		fake := paymotest.New(paymotest.Config{Auth: auth})
		client := newClient(t, fake, withKey(paymotest.DefaultKey), func(c *paymo.Config) { c.Scheme = paymo.SchemeAuto })
		if _, page, err := client.Me(t.Context()); err != nil || page.Requests != want {
			t.Errorf("%s: page %+v: %v; want %d requests", auth, page, err, want)
		}
		if got := len(fake.Requests()); got != want {
			t.Errorf("%s: %d requests came, want %d", auth, got, want)
		}
	}
}

func TestRefusedKeyIsProbedOnceAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		source := &keys{key: "old"}
		server := &gate{header: "new"}
		client := newPipeClient(t, server, source.from(paymo.SchemeAuto))
		const callers = 20
		call := func(others int) {
			t.Helper()
			var group sync.WaitGroup
			for range callers {
				group.Go(func() {
					var api *paymo.APIError
					if _, err := list(t, client); !errors.As(err, &api) || !api.Unauthorized() {
						t.Errorf("the error is %v, want a refusal", err)
					}
				})
			}
			group.Wait()
			sent := server.sent()
			probes := len(slices.DeleteFunc(slices.Clone(sent), func(s string) bool { return s == "old" }))
			if len(sent) != callers+others || probes != others {
				t.Errorf("%d requests for %d callers, %d of them in the other way; want %d", len(sent), callers, probes, others)
			}
		}
		call(1)
		call(0)
		pass(59 * time.Second)
		call(0)
		pass(2 * time.Second)
		call(1)
		source.set("new", nil)
		page, err := list(t, client)
		if err != nil || page.Requests != 1 || page.Key != 2 {
			t.Errorf("after the key was replaced: page %+v: %v", page, err)
		}
	})
}

// A key that works again is probed again when it is refused.
func TestKeyThatCameBackIsProbed(t *testing.T) {
	t.Parallel()
	server := &gate{header: "x"}
	client := newClient(t, server, func(c *paymo.Config) { c.Scheme = paymo.SchemeAuto })
	if _, err := list(t, client); err == nil {
		t.Fatal("not refused")
	}
	for _, header := range []string{key, basic(key), key} {
		server.open(header)
		if _, err := list(t, client); err != nil {
			t.Errorf("%s is let in: %v", header, err)
		}
	}
}

// Nobody is refused because another caller found the way in the meantime.
func TestManyCallersFindTheSchemeTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &gate{header: basic(key)}
		source := &keys{key: key}
		client := newPipeClient(t, server, source.from(paymo.SchemeAuto))
		for range 2 {
			var group sync.WaitGroup
			for range 20 {
				group.Go(func() {
					if _, err := list(t, client); err != nil {
						t.Error(err)
					}
				})
			}
			group.Wait()
		}
		if sent := server.sent(); len(sent) > 60 || source.reads > 2 {
			t.Errorf("%d requests and %d reads of the key for 40 calls", len(sent), source.reads)
		}
	})
}

// Whoever probes and is interrupted leaves the turn to the others.
func TestProbeIsInterrupted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		probes := 0
		client := newPipeClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") == key {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			if probes++; probes == 1 {
				<-r.Context().Done()
				return
			}
			ok()(w, r)
		}), func(c *paymo.Config) { c.Scheme = paymo.SchemeAuto })
		ctx, cancel := context.WithCancel(t.Context())
		first := make(chan error)
		go func() {
			_, err := client.List(ctx, resource(t, "clients"), paymo.Query{})
			first <- err
		}()
		synctest.Wait()
		second, third := make(chan error, 1), make(chan error, 1)
		impatient, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		go func() {
			_, err := client.List(impatient, resource(t, "clients"), paymo.Query{})
			second <- err
		}()
		go func() {
			_, err := list(t, client)
			third <- err
		}()
		if err := <-second; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("who waits for the probe in vain: %v", err)
		}
		cancel()
		if err := <-first; !errors.Is(err, context.Canceled) {
			t.Errorf("who probes: %v", err)
		}
		if err := <-third; err != nil {
			t.Errorf("who waits: %v", err)
		}
	})
}

// Run with -race: what callers share is the client alone.
func TestClientServesManyAtOnce(t *testing.T) {
	t.Parallel()
	fake := paymotest.New(paymotest.Config{Auth: paymotest.Basic, Clients: 20})
	client := newClient(t, fake, withKey(paymotest.DefaultKey), func(c *paymo.Config) { c.Scheme = paymo.SchemeAuto })
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 5 {
				page, err := client.List(t.Context(), resource(t, "clients"), paymo.Query{})
				if err != nil || page.Rows != 20 {
					t.Errorf("page %+v: %v", page, err)
				}
				client.Scheme()
				client.Rate()
			}
		})
	}
	group.Wait()
	if scheme, known := client.Scheme(); scheme != paymo.SchemeBasic || !known {
		t.Errorf("the scheme is %s, known: %v", scheme, known)
	}
}
