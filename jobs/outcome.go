package jobs

import (
	"context"
	"errors"
	"time"

	"github.com/riverqueue/river"

	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/sink"
)

// How long a job waits for what another process, another table or Vault holds up.
const (
	heldWait    = 5 * time.Second
	parentsWait = 10 * time.Second
	keyWait     = 15 * time.Second
)

// toQueue says to River what is to become of a job: the only place that knows both
// vocabularies.
//
//   - done, degraded, unavailable: the job is complete
//   - the work's time is over: at once again, no attempt used
//   - rate limited, lease held, parents not read yet, Vault out of reach: again after the
//     wait, no attempt used
//   - key, company or role refused: cancelled with the reason; the next tick tries again
//   - interrupted: the context's error, which River takes as not an attempt
//   - anything else: retried, a few attempts
func toQueue(ctx context.Context, outcome Outcome, err error) error {
	var limited *paymo.RateLimitError
	var held *sink.HeldError
	var parents *ParentsError
	var key *paymo.KeyError
	switch {
	case err == nil && outcome.Unfinished:
		return river.JobSnooze(0)
	case err == nil:
		return nil
	case errors.As(err, &limited):
		return river.JobSnooze(limited.Wait)
	case errors.As(err, &held):
		return river.JobSnooze(heldWait)
	case errors.As(err, &parents):
		return river.JobSnooze(parentsWait)
	case ctx.Err() != nil:
		return errors.Join(err, ctx.Err())
	case errors.As(err, &key) && temporary(err):
		return river.JobSnooze(keyWait)
	case Refused(err):
		return river.JobCancel(err)
	}
	return err
}

// Refused reports whether trying again is in vain until somebody changes something:
// the key cannot be had or is refused, or it is not the one that the warehouse
// belongs to.
func Refused(err error) bool {
	var key *paymo.KeyError
	var identity *IdentityError
	var role *RoleError
	var api *paymo.APIError
	return errors.As(err, &key) && !temporary(err) || errors.As(err, &identity) || errors.As(err, &role) ||
		errors.As(err, &api) && (api.Unauthorized() || api.Denied())
}

// temporary reports whether an error says of itself that it will pass.
func temporary(err error) bool {
	var passing interface{ Temporary() bool }
	return errors.As(err, &passing) && passing.Temporary()
}

// RetryIn is how long to wait before trying again what failed by the error, where
// only waiting is needed; ok is false where it is not.
func RetryIn(err error) (wait time.Duration, ok bool) {
	var limited *paymo.RateLimitError
	var held *sink.HeldError
	switch {
	case errors.As(err, &limited):
		return limited.Wait, true
	case errors.As(err, &held):
		return min(max(held.For, 100*time.Millisecond), time.Second), true
	}
	return 0, false
}
