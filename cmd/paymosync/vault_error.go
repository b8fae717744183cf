package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/hashicorp/vault/api"
)

// VaultError says why a secret could not be read or a login failed, and what to
// do about it. It holds no token, no credential and no secret, and wraps only
// what cannot hold any.
type VaultError struct {
	Op     string // what was being done, to what
	Status int    // of Vault's answer, 0 if there was none
	Reason string // what Vault or the network said
	Hint   string // what to do

	temporary bool
	missing   bool
	cause     error
}

// Error is one line: what was done, why it failed, what to do.
func (e *VaultError) Error() string {
	text := e.Op + ": " + e.Reason
	if e.Status != 0 {
		text += fmt.Sprintf(" (status %d)", e.Status)
	}
	if e.Hint != "" {
		text += ": " + e.Hint
	}
	return text
}

// Unwrap is a context's or the network's error, or nil.
func (e *VaultError) Unwrap() error { return e.cause }

// Temporary reports whether waiting may cure it: Vault is sealed, unreachable,
// slow, overloaded or broken. The rest needs a person.
func (e *VaultError) Temporary() bool { return e.temporary }

// Denied reports whether Vault refused: the token has ended or its policies do
// not reach.
func (e *VaultError) Denied() bool { return e.Status == http.StatusForbidden }

// tokenEnded reports whether Vault does not know the token, rather than that the
// token's policies do not reach. Older ones do not tell the two apart.
func (e *VaultError) tokenEnded() bool {
	return e.Denied() && strings.Contains(e.Reason, "invalid token")
}

// Refused reports whether Vault answered and would answer the same again: what was
// asked for is wrong or not allowed.
func (e *VaultError) Refused() bool {
	return e.Status >= http.StatusBadRequest && e.Status < http.StatusInternalServerError && !e.temporary
}

// interrupted reports whether the caller gave up; there is nothing to mend then.
func (e *VaultError) interrupted() bool { return errors.Is(e.cause, context.Canceled) }

// Missing reports whether there is no such secret or field.
func (e *VaultError) Missing() bool { return e.missing }

// fail makes a *VaultError of what Vault's client returned.
func (v *Vault) fail(op string, err error) *VaultError {
	e := &VaultError{Op: op}
	var response *api.ResponseError
	var transport *url.Error
	var network net.Error
	var file *fs.PathError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		e.Reason, e.temporary, e.cause = "no answer from "+v.String()+" in time", true, context.DeadlineExceeded
		e.Hint = "check that it is up and can be reached"
	case errors.Is(err, context.Canceled):
		e.Reason, e.temporary, e.cause = "interrupted", true, context.Canceled
	case errors.As(err, &response):
		e.answered(response)
	case tlsCause(err):
		e.Reason = v.String() + " cannot be trusted: " + innermost(err).Error()
		e.Hint = "check VAULT_ADDR, and give its certificate authority in VAULT_CACERT"
	case errors.As(err, &transport):
		e.Reason, e.temporary, e.cause = v.String()+" cannot be reached: "+transport.Err.Error(), true, transport.Err
		e.Hint = "check that it is up, and VAULT_ADDR"
	case errors.As(err, &file):
		e.Reason, e.temporary, e.cause = fmt.Sprintf("cannot read %s: %v", file.Path, file.Err), true, file
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &network):
		e.Reason, e.temporary = "the answer of "+v.String()+" broke off", true
	default:
		e.Reason = "the answer of " + v.String() + " is not understood: " + err.Error()
	}
	e.Reason = v.scrub(e.Reason)
	return e
}

// answered fills in what Vault's answer means.
func (e *VaultError) answered(response *api.ResponseError) {
	e.Status = response.StatusCode
	e.Reason = strings.Join(strings.Fields(strings.Join(response.Errors, "; ")), " ")
	if response.RawError || e.Reason == "" {
		// Some proxy's page, of any length and holding anything.
		e.Reason = http.StatusText(e.Status)
	}
	const longest = 300
	if len(e.Reason) > longest {
		e.Reason = e.Reason[:longest] + "…"
	}
	switch {
	case e.Status == http.StatusServiceUnavailable:
		e.temporary, e.Hint = true, "unseal Vault, or wait for it"
	case e.Status == http.StatusTooManyRequests || e.Status == http.StatusPreconditionFailed:
		e.temporary, e.Hint = true, "Vault asks to wait"
	case e.Status == 472 || e.Status == 473 || e.Status >= 500:
		e.temporary, e.Hint = true, "look into Vault's own log"
	}
}

func innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

// scrub takes the tokens and credentials that are known out of a text: a server
// may repeat what it was sent.
func (v *Vault) scrub(text string) string {
	v.mu.Lock()
	secrets := []string{v.session.token, v.credential, v.config.Token.Reveal(), v.config.RoleID.Reveal(), v.config.SecretID.Reveal()}
	v.mu.Unlock()
	for _, secret := range secrets {
		// A word of a few letters, such as a trial's "root", would tear holes in
		// every sentence.
		if len(secret) >= 8 {
			text = strings.ReplaceAll(text, secret, redacted)
		}
	}
	return text
}
