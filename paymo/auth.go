package paymo

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// Scheme is how the key goes into the Authorization header.
type Scheme string

// The schemes.
const (
	SchemeAuto  Scheme = "auto"  // ask once which of the two works
	SchemeRaw   Scheme = "raw"   // the bare key, as integrators' guides say
	SchemeBasic Scheme = "basic" // Basic base64(key:), as Paymo's reference says
)

// ParseScheme reads a scheme's name; empty is auto.
func ParseScheme(name string) (Scheme, error) {
	switch scheme := Scheme(name); scheme {
	case "":
		return SchemeAuto, nil
	case SchemeAuto, SchemeRaw, SchemeBasic:
		return scheme, nil
	}
	return "", fmt.Errorf("%q is no scheme: it is auto, raw or basic", name)
}

func (s Scheme) header(key string) string {
	if s == SchemeBasic {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(key+":"))
	}
	return key
}

func (s Scheme) other() Scheme {
	if s == SchemeBasic {
		return SchemeRaw
	}
	return SchemeBasic
}

// How long a key is held in memory, and how long a refused key is not probed again.
const (
	keyTTL     = time.Minute
	probeEvery = time.Minute
)

// credential is one way to ask: a key and how it is sent.
type credential struct {
	key    string
	number int // of the key, counted from 1; another key has another number
	scheme Scheme
	probe  bool // nobody knows whether it works: its holder has the turn until it does
}

// Format keeps the key out of whatever is printed.
func (c credential) Format(out fmt.State, _ rune) { _, _ = io.WriteString(out, "[key]") }

// auth holds the key for a short while and knows which scheme works.
type auth struct {
	source func(context.Context) (string, error)
	auto   bool
	turn   chan struct{} // holds one while somebody reads the key or probes a scheme

	mu       sync.Mutex
	key      string
	number   int    // of the key
	last     string // the key that bears the number, also while none is held
	readAt   time.Time
	scheme   Scheme
	known    bool      // scheme is known to have worked
	vain     string    // the key whose last probe was in vain
	probedAt time.Time // when that was
}

func newAuth(source func(context.Context) (string, error), scheme, learned Scheme) *auth {
	a := &auth{
		source: source, auto: scheme == SchemeAuto || scheme == "", turn: make(chan struct{}, 1),
		scheme: scheme, known: true,
	}
	if a.auto {
		a.scheme, a.known = SchemeRaw, false
		if learned == SchemeRaw || learned == SchemeBasic {
			a.scheme, a.known = learned, true
		}
	}
	return a
}

// Format keeps the key out of whatever is printed.
func (a *auth) Format(out fmt.State, _ rune) { _, _ = io.WriteString(out, "[key]") }

// current is the credential to send now. The key is read when there is none or it
// was held for long enough.
func (a *auth) current(ctx context.Context) (credential, error) {
	if held, ok := a.held(); ok {
		return held, nil
	}
	if err := a.take(ctx); err != nil {
		return credential{}, err
	}
	defer a.release()
	if held, ok := a.held(); ok { // somebody else has read it meanwhile
		return held, nil
	}
	return a.read(ctx)
}

// held is the credential to send, unless the key has to be read first.
func (a *auth) held() (held credential, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.now(), a.key != "" && time.Since(a.readAt) < keyTTL
}

// now needs mu.
func (a *auth) now() credential {
	return credential{key: a.key, number: a.number, scheme: a.scheme}
}

// take waits for the turn. One at a time reads the key or probes, so that many
// callers cost no more than one, and those who wait can be told to stop.
func (a *auth) take(ctx context.Context) error {
	select {
	case a.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ended(ctx)
	}
}

func (a *auth) release() { <-a.turn }

// read asks for the key. It needs the turn.
func (a *auth) read(ctx context.Context) (credential, error) {
	asked := time.Now()
	key, err := a.source(ctx)
	if err != nil {
		return credential{}, &KeyError{cause: err}
	}
	key = strings.TrimSpace(key) // what is typed or piped into a secret often ends with a newline
	if key == "" {
		return credential{}, &KeyError{cause: errors.New("the secret is empty")}
	}
	if strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return credential{}, &KeyError{cause: errors.New("the secret is no API key: it holds white space or characters that are not ASCII")}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if key != a.last {
		a.last = key
		a.number++
	}
	a.key, a.readAt = key, asked
	return a.now(), nil
}

// refused takes a credential that was answered with 401 and returns what to try
// next; ok is false when there is nothing. First the key is read again, because it
// may have been rotated, then the other scheme is tried, by one caller for all: the
// others wait for what comes of it. A key that is refused both ways is not probed
// again for a while, whatever the number of callers.
func (a *auth) refused(ctx context.Context, tried credential) (next credential, ok bool, err error) {
	if tried.probe {
		a.giveUp(tried)
		return credential{}, false, nil
	}
	if err := a.take(ctx); err != nil {
		return credential{}, false, err
	}
	defer func() {
		if !next.probe {
			a.release()
		}
	}()
	if next, settled := a.settled(tried); settled {
		return next, next.key != "", nil
	}
	next, err = a.read(ctx)
	switch {
	case err != nil:
		return credential{}, false, err
	case next.key != tried.key:
		return next, true, nil
	case a.auto:
		next.scheme, next.probe = next.scheme.other(), true
		return next, true, nil
	}
	a.giveUp(tried)
	return credential{}, false, nil
}

// settled tells what others found out since the credential was made: another one to
// try, or, with the zero credential, that there is none.
func (a *auth) settled(tried credential) (next credential, settled bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.key != "" && (tried.key != a.key || tried.scheme != a.scheme):
		return a.now(), true
	case tried.key == a.vain && time.Since(a.probedAt) < probeEvery:
		return credential{}, true
	}
	return credential{}, false
}

// giveUp notes that a key is refused. It is read again for the next request: it may
// have been replaced.
func (a *auth) giveUp(tried credential) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.vain, a.probedAt = tried.key, time.Now()
	a.key = ""
}

// accepted notes the credential that worked.
func (a *auth) accepted(worked credential) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if worked.key == a.key {
		a.scheme, a.known, a.vain = worked.scheme, true, ""
	}
}

// inUse is the scheme that is sent now, and whether it is known to work.
func (a *auth) inUse() (Scheme, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.scheme, a.known
}
