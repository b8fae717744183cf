package jobs

import (
	"errors"

	"github.com/paymosync/paymosync/sink"
)

// errPaused means that an operator has paused the table's syncs.
var errPaused = errors.New("the table is paused")

// pausedOutcome is what comes of a sync of a table that is paused: nothing was read, and
// nothing is written to the ledger.
func pausedOutcome(table string, mode Mode, checkpoint sink.Checkpoint) Outcome {
	return Outcome{Table: table, Mode: mode, State: sink.StatePaused, Reason: sink.PausedReason(checkpoint), Cause: CausePaused}
}
