package main

import (
	"context"
	"math/rand/v2"
	"time"
)

// How long Run waits: between two tries that fail, at least and at most; at least
// between two steps, so that a token of a second's life does not spin it; at most,
// with nothing to tend.
const (
	vaultRetryFirst = time.Second
	vaultRetryLast  = time.Minute
	vaultStep       = 500 * time.Millisecond
	vaultIdle       = 24 * time.Hour
)

// Run keeps a token for Vault alive until the context ends, and then returns nil:
// it logs in, renews the token, and logs in again when that does no more. It goes
// on trying while Vault is down or refuses. Without a reference in the
// configuration it only waits.
func (v *Vault) Run(ctx context.Context) error {
	defer v.Close()
	if len(v.config.References) == 0 {
		<-ctx.Done()
		return nil
	}
	retry := vaultRetryFirst
	for {
		wait, err := v.tend(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			wait = retry/2 + rand.N(retry/2)
			retry = min(2*retry, vaultRetryLast)
			v.logger.WarnContext(ctx, "no token for vault, trying again", "error", err, "wait", wait.String())
		} else {
			retry = vaultRetryFirst
		}
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
