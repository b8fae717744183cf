package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

func (p *program) pauseCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "pause TABLE...",
		Short: "Stop the syncs of tables, until they are resumed",
		Long: `Stop the syncs of tables, until they are resumed: those of the service, and those of
paymosync sync and backfill. A sync that is under way ends first. The rows stay as they
are, and paymosync verify still compares them.

Exit code: 0, also for a table that was paused before; 2 for a table that is not there.`,
		Example:           "  paymosync pause time_entries\n  paymosync pause invoices estimates",
		Args:              someTables,
		ValidArgsFunction: completeTables,
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.eachNamed(cmd.Context(), args, pauseTable)
		},
	}
}

func (p *program) resumeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "resume TABLE...",
		Short: "Let the syncs of paused tables go on",
		Long: `Let the syncs of paused tables go on. What changed meanwhile is read by the next one; a
first load or a full that was under way goes on where it was within a day, and begins
anew after that.

Exit code: 0, also for a table that was not paused; 2 for a table that is not there.`,
		Example:           "  paymosync resume time_entries",
		Args:              someTables,
		ValidArgsFunction: completeTables,
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.eachNamed(cmd.Context(), args, resumeTable)
		},
	}
}

// someTables wants the name of a table at least.
func someTables(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return errors.New("name the tables; paymosync tables lists them")
	}
	return nil
}

// eachNamed does something with each of the tables that are named, and says what came of
// it. A name that is no table's stops it before the first.
func (p *program) eachNamed(ctx context.Context, names []string, do func(context.Context, Config, *sink.Store, *catalog.Resource, io.Writer) error) error {
	resources, err := chosenTables(Config{}, names)
	if err != nil {
		return err
	}
	config, err := p.config("WAREHOUSE_URL")
	if err != nil {
		return err
	}
	warehouse, err := p.openToLook(ctx, config)
	if err != nil {
		return err
	}
	defer warehouse.Close()
	for _, resource := range resources {
		if err := do(ctx, config, storeOf(warehouse, config), resource, p.out); err != nil {
			return err
		}
	}
	return nil
}

// pauseTable pauses a table.
func pauseTable(ctx context.Context, _ Config, store *sink.Store, resource *catalog.Resource, out io.Writer) error {
	table := resource.Table
	changed, err := store.Pause(ctx, table)
	if err != nil {
		return err
	}
	words := fmt.Sprintf("%s is paused now: nothing is read of it until paymosync resume %s.", table, table)
	if !changed {
		checkpoint, err := store.Checkpoint(ctx, table)
		if err != nil {
			return err
		}
		words = fmt.Sprintf("%s was paused already, since %s.", table, checkpoint.PausedAt.UTC().Format(time.RFC3339))
	}
	if children := childrenOf(resource); len(children) > 0 {
		words += fmt.Sprintf("\n    %s come with %s, and stand still too until then.",
			strings.Join(children, " and "), table)
	}
	_, err = fmt.Fprintln(out, words)
	return err
}

// resumeTable resumes a table.
func resumeTable(ctx context.Context, config Config, store *sink.Store, resource *catalog.Resource, out io.Writer) error {
	table := resource.Table
	changed, err := store.Resume(ctx, table)
	if err != nil {
		return err
	}
	now, err := store.Now(ctx)
	if err != nil {
		return err
	}
	words := table + " goes on"
	if !changed {
		words = table + " was not paused"
	}
	_, err = fmt.Fprintf(out, "%s: %s.\n", words, nextWords(config, table, now))
	return err
}

// nextWords say when the service syncs a table next.
func nextWords(config Config, table string, now time.Time) string {
	byHand := "paymosync sync " + table
	if !slices.Contains(config.Tables, table) {
		return "the service leaves it out, by SYNC_TABLES or SYNC_EXCLUDE_TABLES; " + byHand + " reads it"
	}
	next := config.ScheduleOf(table).Next(now)
	if full := config.FullSchedule.Next(now); next.IsZero() || !full.IsZero() && full.Before(next) {
		next = full
	}
	if next.IsZero() {
		return "no schedule has it; " + byHand + " reads it"
	}
	return fmt.Sprintf("the service syncs it next in %s, at %s; %s does it now", span(next.Sub(now)), next.UTC().Format(time.RFC3339), byHand)
}

// childrenOf are the tables whose rows come with those of the table.
func childrenOf(parent *catalog.Resource) []string {
	var tables []string
	for _, r := range catalog.All() {
		if comesWithParents(r) && r.Embedded.Parent == parent.Table {
			tables = append(tables, r.Table)
		}
	}
	return tables
}
