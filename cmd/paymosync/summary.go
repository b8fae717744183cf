package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/sink"
)

// synced is what came of a table's sync, as the command prints it.
type synced struct {
	jobs.Outcome
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

// printOutcomes prints the summary: a line a table, what is wrong in words, and the
// sum. A narrow terminal gets fewer columns.
func (p *program) printOutcomes(outcomes []synced) error {
	header := table.Row{"table", "state", "new", "changed", "deleted", "took"}
	narrow := p.narrow()
	if !narrow {
		header = append(header, "unchanged", "requests", "waited", "mode")
	}
	w := p.newTable(header...)
	numbers(w, "new", "changed", "deleted", "unchanged", "requests", "took", "waited")
	var sum jobs.Outcome
	var notes []note
	for _, o := range outcomes {
		sum = addOutcomes(sum, o.Outcome)
		row := table.Row{o.Table, p.state(o.State), grouped(o.Inserted), grouped(o.Updated), grouped(o.Tombstoned), span(o.Took)}
		if !narrow {
			row = append(row, grouped(o.Unchanged), o.Requests, span(o.Waited), o.Mode)
		}
		w.AppendRow(row)
		notes = append(notes, note{o.Table, o.State, o.Reason})
	}
	w.Render()
	var earlier strings.Builder
	for _, o := range outcomes {
		if o.WentOn != nil {
			fmt.Fprintf(&earlier, "%s went on from the backfill that began at %s; the numbers are those of both.\n", o.Table, o.WentOn.UTC().Format(time.RFC3339))
		}
	}
	text := fmt.Sprintf("%s new, %s changed, %s deleted, %s unchanged; %s.", counted(sum.Inserted, "row"), grouped(sum.Updated),
		grouped(sum.Tombstoned), grouped(sum.Unchanged), counted(int64(sum.Requests), "request"))
	if sum.Inserted+sum.Updated+sum.Tombstoned == 0 && allWell(outcomes) {
		text = fmt.Sprintf("Nothing new: no row of the warehouse was written (%s read, %s).", counted(sum.Unchanged, "row"), counted(int64(sum.Requests), "request"))
	}
	_, err := fmt.Fprintf(p.out, "\n%s%s%s\n", summarise(notes), earlier.String(), text)
	return err
}

// note is what is to be said about a table's state.
type note struct{ table, state, reason string }

// summarise says why tables are not ok, a line for each reason.
func summarise(notes []note) string {
	var order []string
	tables := map[string][]string{}
	for _, n := range notes {
		if n.reason == "" {
			continue
		}
		text := n.state + ": " + n.reason
		if tables[text] == nil {
			order = append(order, text)
		}
		tables[text] = append(tables[text], n.table)
	}
	var lines strings.Builder
	for _, text := range order {
		who := tables[text][0]
		if n := len(tables[text]); n > 1 {
			who = fmt.Sprintf("%d tables (%s, …)", n, who)
		}
		fmt.Fprintf(&lines, "%s %s\n", who, text)
	}
	return lines.String()
}
