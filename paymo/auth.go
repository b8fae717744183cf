package paymo

import (
	"context"
	"encoding/base64"
	"fmt"
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
}

// auth holds the key for a short while and knows which scheme works.
type auth struct {
	source func(context.Context) (string, error)
	auto   bool

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
	a := &auth{source: source, auto: scheme == SchemeAuto || scheme == "", scheme: scheme, known: true}
	if a.auto {
		a.scheme, a.known = SchemeRaw, false
		if learned == SchemeRaw || learned == SchemeBasic {
			a.scheme, a.known = learned, true
		}
	}
	return a
}

// current is the credential to send now. The key is read when there is none or it
// was held for long enough.
func (a *auth) current(ctx context.Context) (credential, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.read(ctx, time.Since(a.readAt) < keyTTL); err != nil {
		return credential{}, err
	}
	return a.held(a.scheme), nil
}

func (a *auth) held(scheme Scheme) credential {
	return credential{key: a.key, number: a.number, scheme: scheme}
}

func (a *auth) read(ctx context.Context, held bool) error {
	if a.key != "" && held {
		return nil
	}
	key, err := a.source(ctx)
	if err != nil {
		return &KeyError{cause: err}
	}
	if key == "" {
		return &KeyError{cause: fmt.Errorf("the secret is empty")}
	}
	if key != a.last {
		a.last = key
		a.number++
	}
	a.key, a.readAt = key, time.Now()
	return nil
}

// refused takes a credential that was answered with 401 and returns what to try
// next; ok is false when there is nothing. First the key is read again, because it
// may have been rotated, then the other scheme is tried. A key that is refused both
// ways is not probed again for a while, whatever the number of callers.
func (a *auth) refused(ctx context.Context, tried credential) (next credential, ok bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if tried.key != a.key && a.key != "" { // another caller has read a new key meanwhile
		return a.held(a.scheme), true, nil
	}
	if tried.key == a.vain && time.Since(a.probedAt) < probeEvery {
		return credential{}, false, nil
	}
	if tried.scheme == a.scheme {
		if err := a.read(ctx, false); err != nil {
			return credential{}, false, err
		}
		if a.key != tried.key {
			return a.held(a.scheme), true, nil
		}
		if a.auto {
			return a.held(a.scheme.other()), true, nil
		}
	}
	a.vain, a.probedAt = tried.key, time.Now()
	a.key = "" // it is read again for the next request: it may have been replaced
	return credential{}, false, nil
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
