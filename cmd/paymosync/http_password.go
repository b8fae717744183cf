package main

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

const (
	// passwordFresh is how long a password that was read serves: an old one opens the
	// pages for no longer than that.
	passwordFresh = time.Minute
	// passwordRecent is how soon after that it is read again because a guess differs:
	// the guess may be the new one.
	passwordRecent = 5 * time.Second
	// passwordRetry is how soon a read that failed is tried again.
	passwordRetry = 2 * time.Second
)

// errEmptyPassword means that Vault holds no password at the reference.
var errEmptyPassword = errors.New("HTTP_PASSWORD: the secret is empty: write a password into it with vault kv put")

// httpPassword is the password of the pages. It is read when it is needed, so that
// it can be changed in Vault while the service runs, and kept as a digest.
type httpPassword struct {
	secret  Secret
	resolve func(context.Context, string) (string, error)
	log     *slog.Logger
	now     func() time.Time

	reads singleflight.Group

	mu       sync.Mutex // guards what follows
	digest   [sha256.Size]byte
	readAt   time.Time
	failure  error
	failedAt time.Time
}

// newHTTPPassword makes the password of what HTTP_PASSWORD says, or nil if that is
// not set.
func newHTTPPassword(secret Secret, resolve func(context.Context, string) (string, error), log *slog.Logger) *httpPassword {
	if !secret.IsSet() {
		return nil
	}
	return &httpPassword{secret: secret, resolve: resolve, log: log, now: time.Now}
}

// is reports whether the guess is the password. It fails when the password cannot be
// read.
func (p *httpPassword) is(ctx context.Context, guess string) (bool, error) {
	digest := sha256.Sum256([]byte(guess))
	known, err := p.read(ctx, passwordFresh)
	if err != nil {
		return false, err
	}
	if subtle.ConstantTimeCompare(digest[:], known[:]) == 1 {
		return true, nil
	}
	known, err = p.read(ctx, passwordRecent)
	// Where it cannot be read again, what was read before still counts.
	return err == nil && subtle.ConstantTimeCompare(digest[:], known[:]) == 1, nil
}

// read gives the digest of the password, not older than the given age.
func (p *httpPassword) read(ctx context.Context, age time.Duration) ([sha256.Size]byte, error) {
	p.mu.Lock()
	digest, now := p.digest, p.now()
	fresh := !p.readAt.IsZero() && now.Sub(p.readAt) < age
	failure := p.failure
	if now.Sub(p.failedAt) >= passwordRetry {
		failure = nil
	}
	p.mu.Unlock()
	if fresh || failure != nil {
		if fresh {
			failure = nil
		}
		return digest, failure
	}
	// One read serves all who wait, so that it ends with none of them.
	read := p.reads.DoChan("", func() (any, error) { return p.ask(context.WithoutCancel(ctx)) })
	select {
	case <-ctx.Done():
		return digest, ctx.Err()
	case result := <-read:
		digest, _ = result.Val.([sha256.Size]byte)
		return digest, result.Err
	}
}

// ask reads the password, from Vault if it lies there.
func (p *httpPassword) ask(ctx context.Context) ([sha256.Size]byte, error) {
	text, err := p.resolve(ctx, p.secret.Reveal())
	// A file that was put into Vault ends in a new line, which nobody can type.
	text = strings.TrimRight(text, "\r\n")
	if err == nil && text == "" {
		err = errEmptyPassword
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		p.failure, p.failedAt = err, p.now()
		p.log.WarnContext(ctx, "the password of the pages cannot be read", "error", describe(err))
		return [sha256.Size]byte{}, err
	}
	p.digest, p.readAt, p.failure = sha256.Sum256([]byte(text)), p.now(), nil
	return p.digest, nil
}
