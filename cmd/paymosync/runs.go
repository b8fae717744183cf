package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/paymosync/paymosync/sink"
)

// mostRuns is how many runs one command prints at most.
const mostRuns = 10_000

// runsOptions are the flags of runs.
type runsOptions struct {
	limit           int
	failed, changed bool
	asJSON          bool
}

// runLine is a run of the ledger as it is printed for programs.
type runLine struct {
	ID          int64      `json:"id"`
	Table       string     `json:"table"`
	Mode        string     `json:"mode"`
	Reason      string     `json:"reason"` // why there was one: schedule, manual, …
	State       string     `json:"state"`
	Sentence    string     `json:"sentence"`
	Cause       string     `json:"cause"`
	StartedAt   time.Time  `json:"started_at"`
	FinishedAt  *time.Time `json:"finished_at"`
	Inserted    int64      `json:"inserted"`
	Updated     int64      `json:"updated"`
	Tombstoned  int64      `json:"tombstoned"`
	Unchanged   int64      `json:"unchanged"`
	Quarantined int64      `json:"quarantined"`
	Late        int64      `json:"late"`
	Requests    int64      `json:"requests"`
	WaitedMS    int64      `json:"waited_ms"`
	Bytes       int64      `json:"bytes"`
}

func (p *program) runsCommand() *cobra.Command {
	var o runsOptions
	command := &cobra.Command{
		Use:   "runs [TABLE]",
		Short: "Show the ledger: the last syncs and what came of them",
		Long: `Show the ledger: the last syncs, of all tables or of one, the newest first. For each
it says when it began, what it was for, what came of it, how long it took and how much
of that it waited for Paymo's rate limit; below one that did not end well, why.

A sync that does not end at once, because it waits or hands back, is one run.

Exit code: 0, whatever the runs came to; 2 for a table that is not there.`,
		Example:           "  paymosync runs\n  paymosync runs time_entries --limit 10\n  paymosync runs --failed\n  paymosync runs --changed --json",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeTables,
		RunE: func(cmd *cobra.Command, args []string) error {
			filter, err := o.filter(args)
			if err != nil {
				return err
			}
			config, err := p.config("WAREHOUSE_URL")
			if err != nil {
				return err
			}
			warehouse, err := p.openToLook(cmd.Context(), config)
			if err != nil {
				return err
			}
			defer warehouse.Close()
			return p.runs(cmd.Context(), config, warehouse, filter, o.asJSON)
		},
	}
	flags := command.Flags()
	flags.IntVar(&o.limit, "limit", 50, "how many at most")
	flags.BoolVar(&o.failed, "failed", false, "only those that ended failing or degraded")
	flags.BoolVar(&o.changed, "changed", false, "only those that wrote a row or did not end well")
	flags.BoolVar(&o.asJSON, "json", false, "print JSON")
	return command
}

// filter is what the flags and arguments ask for.
func (o runsOptions) filter(args []string) (sink.RunFilter, error) {
	if o.limit < 1 || o.limit > mostRuns {
		return sink.RunFilter{}, &usageError{fmt.Errorf("--limit %d: give a number from 1 to %s", o.limit, grouped(mostRuns))}
	}
	if o.failed && o.changed {
		return sink.RunFilter{}, &usageError{errors.New("--changed shows what --failed does, and more: give one of them")}
	}
	filter := sink.RunFilter{Limit: o.limit, Busy: o.changed}
	if o.failed {
		filter.States = []string{sink.StateFailing, sink.StateDegraded}
	}
	for _, name := range args {
		resource, err := tableNamed(name)
		if err != nil {
			return sink.RunFilter{}, err
		}
		filter.Table = resource.Table
	}
	return filter, nil
}

func (p *program) runs(ctx context.Context, config Config, warehouse *database, filter sink.RunFilter, asJSON bool) error {
	store := storeOf(warehouse, config)
	now, err := store.Now(ctx)
	if err != nil {
		return err
	}
	runs, err := store.Runs(ctx, filter)
	if err != nil {
		return err
	}
	if asJSON {
		lines := make([]runLine, len(runs))
		for i := range runs {
			lines[i] = newRunLine(&runs[i])
		}
		return p.printJSON(lines)
	}
	words := "There is no such run in the ledger.\n"
	if len(runs) > 0 {
		words = ledgerPage(p.look(), runs, now)
	}
	_, err = fmt.Fprint(p.out, words)
	return err
}

func newRunLine(r *sink.Run) runLine {
	return runLine{
		ID: r.ID, Table: r.Table, Mode: r.Mode, Reason: r.Reason, State: r.State, Sentence: r.Sentence, Cause: r.Cause,
		StartedAt: r.StartedAt, FinishedAt: r.FinishedAt, Inserted: r.Inserted, Updated: r.Updated, Tombstoned: r.Tombstoned,
		Unchanged: r.Unchanged, Quarantined: r.Quarantined, Late: r.Late, Requests: r.Requests, WaitedMS: r.WaitedMS, Bytes: r.Bytes,
	}
}

// ledgerPage lays runs out, a line each, and below those that did not end well the
// sentence.
func ledgerPage(l look, runs []sink.Run, now time.Time) string {
	columns := []column{
		{header: "started", worth: 11}, {header: "table", worth: 12}, {header: "mode", worth: 4}, {header: "why", worth: 3}, {header: "state", worth: 10},
		{header: "took", worth: 9, right: true}, {header: "new", worth: 8, right: true}, {header: "changed", worth: 7, right: true},
		{header: "deleted", worth: 6, right: true}, {header: "unchanged", worth: 1, right: true}, {header: "requests", worth: 5, right: true},
		{header: "waited", worth: 2, right: true},
	}
	for i := range runs {
		r := &runs[i]
		took := r.Took()
		if r.FinishedAt == nil {
			took = now.Sub(r.StartedAt)
		}
		started := r.StartedAt.UTC()
		columns[0].short = append(columns[0].short, started.Format("01-02 15:04Z"))
		for c, cell := range []string{
			started.Format(time.RFC3339), r.Table, r.Mode, r.Reason, l.state(r.State), span(took), grouped(r.Inserted), grouped(r.Updated),
			grouped(r.Tombstoned), grouped(r.Unchanged), grouped(r.Requests), span(time.Duration(r.WaitedMS) * time.Millisecond),
		} {
			columns[c].cells = append(columns[c].cells, cell)
		}
	}
	var page strings.Builder
	lines := l.table(columns)
	page.WriteString(lines[0] + "\n")
	for i := range runs {
		page.WriteString(lines[i+1] + "\n")
		if r := &runs[i]; r.State != sink.StateOK && r.Sentence != "" {
			page.WriteString(l.paint(wrapped(r.Sentence, "    ", l.width), text.Faint))
		}
	}
	return page.String()
}
