package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// atOnce is how many tables the sync command reads at once.
const atOnce = 4

func (p *program) syncCommand() *cobra.Command {
	var full, asJSON bool
	command := &cobra.Command{
		Use:   "sync [TABLE...]",
		Short: "Sync now, in this process",
		Long: `Sync the tables now, in this process: those named, or all that are configured.

It takes the same leases as the service and waits for a table that another
process is syncing. Only what changed is read, unless a full sync is due or
--full asks for it.

Exit code: 0 when every table is ok or unavailable, 1 when one is degraded or
failing, 2 for a configuration that is wrong, 130 when interrupted.`,
		Example: "  paymosync sync\n  paymosync sync time_entries projects\n  paymosync sync --full --json",
		RunE: func(cmd *cobra.Command, args []string) error {
			config, err := p.config("DATABASE_URL")
			if err != nil {
				return err
			}
			resources, err := chosenTables(config, args)
			if err != nil {
				return err
			}
			mode := jobs.Incremental
			if full {
				mode = jobs.Full
			}
			return p.sync(cmd.Context(), config, resources, mode, asJSON)
		},
		ValidArgsFunction: completeTables,
	}
	command.Flags().BoolVar(&full, "full", false, "read everything, not only what changed")
	command.Flags().BoolVar(&asJSON, "json", false, "print the outcomes as JSON")
	return command
}

// sync syncs the tables and prints what came of it.
func (p *program) sync(ctx context.Context, config Config, resources []*catalog.Resource, mode jobs.Mode, asJSON bool) error {
	progress := newProgress(p.err, len(resources))
	// The outcomes say it all, but whoever asked for debugging is to see it.
	level := slog.LevelError
	if config.LogLevel < slog.LevelInfo {
		level = config.LogLevel
	}
	log := terminal{out: p.out, err: progress}.logger(config, level)
	outcomes, err := syncTables(ctx, config, resources, mode, progress, log)
	progress.stop()
	if err != nil {
		return err
	}
	if asJSON {
		err = p.printJSON(outcomes)
	} else {
		err = p.printOutcomes(outcomes)
	}
	if err != nil {
		return err
	}
	return verdict(ctx, outcomes)
}

// syncTables syncs the tables, several at once, in the order in which a first load
// serves people best.
func syncTables(ctx context.Context, config Config, resources []*catalog.Resource, mode jobs.Mode, progress *progress, log *slog.Logger) ([]jobs.Outcome, error) {
	for _, text := range slices.Concat(config.Warnings(), config.Notices()) {
		progress.say(text)
	}
	vault, err := NewVault(config.Vault, log)
	if err != nil {
		return nil, err
	}
	defer vault.Close()
	pool, err := openPrepared(ctx, config, vault, log)
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	syncer, err := newSyncer(ctx, config, vault, pool, log, progress)
	if err != nil {
		return nil, err
	}
	outcomes := make([]jobs.Outcome, len(resources))
	ended := endings(resources)
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i, resource := range resources {
		group.Go(func() error {
			defer close(ended[resource.Table])
			awaitParents(ctx, resource, ended)
			progress.begin(resource.Table)
			outcomes[i] = syncToEnd(ctx, syncer, jobs.Request{Resource: resource, Mode: mode, Reason: jobs.ReasonManual}, progress)
			progress.end(outcomes[i])
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	identity, pinned, err := syncer.Store.Identity(context.WithoutCancel(ctx))
	if err == nil && pinned && identity.Role != jobs.AdminRole {
		progress.say(fmt.Sprintf("The key's role is %s: it sees a part of the account, and prices may be blank. An Admin's key sees all.", identity.Role))
	}
	return outcomes, err
}

// endings are channels that are closed when the tables were synced.
func endings(resources []*catalog.Resource) map[string]chan struct{} {
	ended := make(map[string]chan struct{}, len(resources))
	for _, resource := range resources {
		ended[resource.Table] = make(chan struct{})
	}
	return ended
}

// awaitParents waits, before a table is synced whose rows come with others, until those
// were synced, if they are going to be. They come earlier in the catalogue, so that they
// are under way by then whatever the number of tables at once is.
func awaitParents(ctx context.Context, resource *catalog.Resource, ended map[string]chan struct{}) {
	parent, ok := ended[resource.Embedded.Parent]
	if !ok || !comesWithParents(resource) {
		return
	}
	select {
	case <-ctx.Done():
	case <-parent:
	}
}

// syncToEnd syncs one table and waits for what only takes waiting: the rate limit,
// and another process's lease.
func syncToEnd(ctx context.Context, syncer *jobs.Syncer, req jobs.Request, progress *progress) jobs.Outcome {
	var total jobs.Outcome
	started := time.Now()
	for {
		outcome, err := syncer.Sync(ctx, req)
		total = addOutcomes(total, outcome)
		wait, retry := jobs.RetryIn(err)
		if !retry {
			if err != nil && total.State != sink.StateFailing {
				total.State, total.Reason = sink.StateFailing, describe(err)
			}
			if ctx.Err() != nil {
				total.State, total.Reason = sink.RunInterrupted, "what was read is kept, the next sync goes on"
			}
			total.Took = time.Since(started)
			return total
		}
		progress.waiting(req.Resource.Table, err, wait)
		select {
		case <-ctx.Done():
		case <-time.After(wait):
			total.Waited += wait
		}
	}
}

// addOutcomes sums what the parts of one sync did.
func addOutcomes(total, part jobs.Outcome) jobs.Outcome {
	part.Inserted += total.Inserted
	part.Updated += total.Updated
	part.Unchanged += total.Unchanged
	part.Quarantined += total.Quarantined
	part.Requests += total.Requests
	part.Waited += total.Waited
	part.Bytes += total.Bytes
	return part
}

// verdict is what the outcomes mean for the exit code.
func verdict(ctx context.Context, outcomes []jobs.Outcome) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if !allWell(outcomes) {
		return errUnwell
	}
	return nil
}

// allWell reports whether no table is degraded, failing or interrupted.
func allWell(outcomes []jobs.Outcome) bool {
	return !slices.ContainsFunc(outcomes, func(o jobs.Outcome) bool {
		return o.State != sink.StateOK && o.State != sink.StateUnavailable && o.State != sink.StatePaused
	})
}

// printOutcomes prints the summary: a line a table, what is wrong in words, and the
// sum. A narrow terminal gets fewer columns.
func (p *program) printOutcomes(outcomes []jobs.Outcome) error {
	header := table.Row{"table", "state", "new", "changed", "unchanged", "requests", "took"}
	narrow := p.narrow()
	if !narrow {
		header = append(header, "waited", "mode")
	}
	w := p.newTable(header...)
	numbers(w, "new", "changed", "unchanged", "requests", "took", "waited")
	var sum jobs.Outcome
	var notes []note
	for _, o := range outcomes {
		sum = addOutcomes(sum, o)
		row := table.Row{o.Table, p.state(o.State), grouped(o.Inserted), grouped(o.Updated), grouped(o.Unchanged), o.Requests, span(o.Took)}
		if !narrow {
			row = append(row, span(o.Waited), o.Mode)
		}
		w.AppendRow(row)
		notes = append(notes, note{o.Table, o.State, o.Reason})
	}
	w.Render()
	text := fmt.Sprintf("%s new, %s changed, %s unchanged; %s.",
		counted(sum.Inserted, "row"), grouped(sum.Updated), grouped(sum.Unchanged), counted(int64(sum.Requests), "request"))
	if sum.Inserted+sum.Updated == 0 && allWell(outcomes) {
		text = fmt.Sprintf("Nothing new: no row of the warehouse was written (%s read, %s).", counted(sum.Unchanged, "row"), counted(int64(sum.Requests), "request"))
	}
	_, err := fmt.Fprintf(p.out, "\n%s%s\n", summarise(notes), text)
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
