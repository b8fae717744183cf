package webhook

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/paymosync/paymosync/jobs"
)

const (
	// secretFresh is how long a secret that was read serves those who sign with it.
	secretFresh = time.Minute
	// secretRecent is how soon after that it is read again because a signature differs: it
	// may have been made with the new one.
	secretRecent = 5 * time.Second
	// strangerWait is how long a call whose signature is not known waits for that.
	strangerWait = time.Second
	// oldAccepted is for how long what is signed with the secret of before is let in: calls
	// that were underway, and hooks that did not get the new one yet.
	oldAccepted = time.Hour
)

// errEmptySecret means that there is no secret at the reference.
var errEmptySecret = errors.New("PAYMO_WEBHOOK_SECRET: the secret is empty: write one into it with vault kv put")

// Secret is the account's secret for Paymo's calls. It is read when it is needed, so that it can
// be changed in Vault while the service runs; for a while the one of before is let in too.
// Safe for concurrent use.
type Secret struct {
	resolve func(context.Context) (string, error)
	now     func() time.Time
	reads   singleflight.Group

	mu        sync.Mutex // guards what follows
	text      hidden
	before    hidden
	changedAt time.Time
	readAt    time.Time
	triedAt   time.Time
	failure   error // of the last try
}

// hidden is a text that is not printed, whichever way what holds it is: fmt ignores the
// methods of unexported fields. The zero one is empty.
type hidden func() string

func hide(text string) hidden { return func() string { return text } }

func (h hidden) reveal() string {
	if h == nil {
		return ""
	}
	return h()
}

// NewSecret makes a Secret of what resolves its reference.
func NewSecret(resolve func(context.Context) (string, error)) *Secret {
	return &Secret{resolve: resolve, now: time.Now}
}

// String names it and does not show it.
func (s *Secret) String() string { return "[webhook secret]" }

// Read is the secret as it is now: that of which the hooks' secrets are made.
func (s *Secret) Read(ctx context.Context) (string, error) {
	if err := s.refresh(ctx, secretRecent); err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.reveal(), nil
}

// signer is whose signature a body has.
type signer int

const (
	nobody  signer = iota
	account        // the account's secret itself: of a check, or of a hook that another user made by hand
	ourHook        // the secret of the account's own hook of the model
)

// signer finds out who signed what is said to be told of a model, with the secret of now
// or, for a while, with that of before.
func (s *Secret) signer(ctx context.Context, model string, body, signature []byte) (signer, error) {
	if err := s.refresh(ctx, secretFresh); err != nil && !s.isKnown() {
		return nobody, err
	}
	by := s.compare(model, body, signature)
	// Where it cannot be read again, what was read before is all there is. Those who guess are
	// not to take all places meanwhile.
	ctx, cancel := context.WithTimeout(ctx, strangerWait)
	defer cancel()
	if by == nobody && s.refresh(ctx, secretRecent) == nil {
		by = s.compare(model, body, signature)
	}
	return by, nil
}

func (s *Secret) isKnown() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.reveal() != ""
}

func (s *Secret) compare(model string, body, signature []byte) signer {
	s.mu.Lock()
	now, before := s.text.reveal(), s.before.reveal()
	if s.now().Sub(s.changedAt) > oldAccepted {
		before = ""
	}
	s.mu.Unlock()
	for _, secret := range []string{now, before} {
		switch {
		case secret == "":
		case isSignature(signature, body, jobs.HookSecret(secret, model)):
			return ourHook
		case isSignature(signature, body, secret):
			return account
		}
	}
	return nobody
}

// refresh makes sure that what is known is not older than the age. It is not tried more
// often than every secretRecent, whoever calls.
func (s *Secret) refresh(ctx context.Context, age time.Duration) error {
	if due, err := s.due(age); !due {
		return err
	}
	// One read serves all who wait, so that it ends with none of them.
	read := s.reads.DoChan("", func() (any, error) {
		if due, err := s.due(age); !due { // the one before ended meanwhile
			return nil, err
		}
		return nil, s.read(context.WithoutCancel(ctx))
	})
	select {
	case <-ctx.Done():
		return ctx.Err()
	case result := <-read:
		return result.Err
	}
}

// due reports whether what is known is older than the age and may be read; where it may not
// yet, the error is that of the last try.
func (s *Secret) due(age time.Duration) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	switch {
	case !s.readAt.IsZero() && now.Sub(s.readAt) < age:
		return false, nil
	case !s.triedAt.IsZero() && now.Sub(s.triedAt) < secretRecent:
		return false, s.failure
	}
	return true, nil
}

func (s *Secret) read(ctx context.Context) error {
	text, err := s.resolve(ctx)
	// A file that was put into Vault ends in a new line.
	text = strings.TrimRight(text, "\r\n")
	if err == nil && text == "" {
		err = errEmptySecret
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.triedAt, s.failure = s.now(), err
	if err != nil {
		return err
	}
	s.readAt = s.triedAt
	if text != s.text.reveal() {
		s.before, s.text, s.changedAt = s.text, hide(text), s.triedAt
	}
	return nil
}
