package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// How long Run waits: between two tries that fail for a while, at least and at most;
// before it looks whether a refused credential was replaced; at least between two
// steps, so that a token of a second's life does not spin it; at most, with nothing
// to tend.
const (
	vaultRetryFirst = time.Second
	vaultRetryLast  = time.Minute
	vaultLook       = 5 * time.Second
	vaultStep       = 500 * time.Millisecond
	vaultIdle       = 24 * time.Hour
)

// Run keeps a token for Vault alive until the context ends, and then returns nil:
// it logs in, renews the token, and logs in again when that does no more. It goes
// on trying while Vault is down; a credential that Vault refused is tried again
// when it has changed, or after some minutes. Without a reference in the
// configuration it only waits.
func (v *Vault) Run(ctx context.Context) error {
	defer v.Close()
	if !v.config.needed() {
		<-ctx.Done()
		return nil
	}
	retry := vaultRetryFirst
	var last error
	for {
		wait, err := v.tend(ctx)
		if ctx.Err() != nil {
			return nil
		}
		var vaultErr *VaultError
		switch {
		case err == nil:
			retry = vaultRetryFirst
		case errors.As(err, &vaultErr) && vaultErr.Refused():
			wait, retry = vaultLook, vaultRetryFirst
			if !errors.Is(err, last) { // else Vault was not asked again
				v.logger.WarnContext(ctx, "vault refuses the login, waiting for another credential", "error", err)
			}
		default:
			wait = retry/2 + rand.N(retry/2)
			retry = min(2*retry, vaultRetryLast)
			v.logger.WarnContext(ctx, "no token for vault, trying again", "error", err, "wait", wait.String())
		}
		last = err
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-v.changed:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// tend does what the session needs now and tells how long it needs nothing.
func (v *Vault) tend(ctx context.Context) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, vaultTimeout)
	defer cancel()
	unlock, err := v.lock(ctx)
	if err != nil {
		return 0, err
	}
	defer unlock()

	s := v.currentSession()
	if s.token != "" && (s.due.IsZero() || time.Now().Before(s.due)) {
		return untilDue(s), nil
	}
	renewed := false
	if s.token != "" {
		if renewed, err = v.renew(ctx, s); err != nil {
			return 0, err
		}
	}
	if !renewed {
		if err := v.login(ctx); err != nil {
			return 0, err
		}
	}
	return untilDue(v.currentSession()), nil
}

func untilDue(s session) time.Duration {
	if s.due.IsZero() {
		return vaultIdle
	}
	return max(vaultStep, time.Until(s.due))
}
