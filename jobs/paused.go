package jobs

import (
	"context"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// paused says why the table stands still, none when it does not.
func (s *Syncer) paused(ctx context.Context, resource *catalog.Resource, checkpoint sink.Checkpoint) (Doubt, error) {
	if !checkpoint.PausedAt.IsZero() {
		return Doubt{CausePaused, sink.PausedReason(checkpoint)}, nil
	}
	if resource.Listings[0] != catalog.WithParent {
		return Doubt{}, nil
	}
	parent, err := s.Store.Checkpoint(ctx, resource.Embedded.Parent)
	if err != nil || parent.PausedAt.IsZero() {
		return Doubt{}, err
	}
	return parentPaused(resource.Embedded.Parent), nil
}

// parentPaused says that a table stands still with another one.
func parentPaused(parent string) Doubt {
	return doubtf(CauseParentPaused, "its %s, with which it comes, are paused by an operator", parent)
}

// pausedOutcome is what comes of a sync of a table that stands still: nothing was read,
// and nothing is written to the ledger.
func pausedOutcome(table string, mode Mode, why Doubt) Outcome {
	return Outcome{Table: table, Mode: mode, State: sink.StatePaused, Reason: why.Sentence, Cause: why.Cause}
}

// pausedError means that an operator has paused the table's syncs, or those of the table
// with which its rows come.
type pausedError struct{ why Doubt }

func (e *pausedError) Error() string { return "the table is paused: " + e.why.Sentence }
