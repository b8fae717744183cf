package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/sink"
)

// synced is what came of a table's sync, as the command prints it.
type synced struct {
	jobs.Outcome
	Advice string     `json:"advice,omitempty"`       // what to do about its state, "" when nothing
	From   string     `json:"from,omitempty"`         // the first day of a backfill
	To     string     `json:"to,omitempty"`           // and its last one, "" for no end
	WentOn *time.Time `json:"went_on_from,omitempty"` // when the backfill began that this one went on with; the counts are those of both
}

// addOutcomes sums what the parts of one sync did.
func addOutcomes(total, part jobs.Outcome) jobs.Outcome {
	part.Inserted += total.Inserted
	part.Updated += total.Updated
	part.Unchanged += total.Unchanged
	part.Tombstoned += total.Tombstoned
	part.Quarantined += total.Quarantined
	part.Requests += total.Requests
	part.Waited += total.Waited
	part.Bytes += total.Bytes
	return part
}

// verdict is what the outcomes mean for the exit code.
func verdict(ctx context.Context, outcomes []synced) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if !allWell(outcomes) {
		return errUnwell
	}
	return nil
}

// allWell reports whether no table is degraded, failing or interrupted.
func allWell(outcomes []synced) bool {
	return !slices.ContainsFunc(outcomes, func(o synced) bool {
		return o.State != sink.StateOK && o.State != sink.StateUnavailable && o.State != sink.StatePaused
	})
}

// printOutcomes prints the summary: a line a table, what is wrong in words with what to
// do about it, and the sum.
func (p *program) printOutcomes(outcomes []synced) error {
	look := p.look()
	columns := []column{
		{header: "table", worth: 10}, {header: "state", worth: 9}, {header: "new", worth: 8, right: true}, {header: "changed", worth: 7, right: true},
		{header: "deleted", worth: 6, right: true}, {header: "took", worth: 5, right: true}, {header: "unchanged", worth: 3, right: true},
		{header: "requests", worth: 4, right: true}, {header: "waited", worth: 2, right: true}, {header: "mode", worth: 1},
	}
	var sum jobs.Outcome
	var notes []note
	for _, o := range outcomes {
		sum = addOutcomes(sum, o.Outcome)
		for i, cell := range []string{
			o.Table, look.state(o.State), grouped(o.Inserted), grouped(o.Updated), grouped(o.Tombstoned), span(o.Took),
			grouped(o.Unchanged), grouped(int64(o.Requests)), span(o.Waited), string(o.Mode),
		} {
			columns[i].cells = append(columns[i].cells, cell)
		}
		notes = append(notes, note{table: o.Table, state: o.State, reason: o.Reason, cause: o.Cause})
	}
	var earlier strings.Builder
	for _, o := range outcomes {
		if o.WentOn != nil {
			fmt.Fprintf(&earlier, "%s went on from the backfill that began at %s; the numbers are those of both.\n", o.Table, o.WentOn.UTC().Format(time.RFC3339))
		}
	}
	text := fmt.Sprintf("%s new, %s changed, %s deleted, %s unchanged; %s.", counted(sum.Inserted, "row"), grouped(sum.Updated),
		grouped(sum.Tombstoned), grouped(sum.Unchanged), counted(int64(sum.Requests), "request"))
	switch {
	case !slices.ContainsFunc(outcomes, func(o synced) bool { return o.State != sink.StatePaused }):
		text = "Nothing was read: " + counted(int64(len(outcomes)), "table") + " paused."
	case sum.Inserted+sum.Updated+sum.Tombstoned == 0 && allWell(outcomes):
		text = fmt.Sprintf("Nothing new: no row of the warehouse was written (%s read, %s).", counted(sum.Unchanged, "row"), counted(int64(sum.Requests), "request"))
	}
	why := look.summarise(notes)
	if why != "" {
		why += "\n"
	}
	_, err := fmt.Fprintf(p.out, "%s\n\n%s%s%s", strings.Join(look.table(columns), "\n"), why, earlier.String(), wrapped(text, "", look.width))
	return err
}
