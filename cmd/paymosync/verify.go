package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/paymosync/paymosync/jobs"
)

func (p *program) verifyCommand() *cobra.Command {
	var since string
	var repair, asJSON bool
	command := &cobra.Command{
		Use:   "verify [TABLE...]",
		Short: "Compare the warehouse with Paymo, row by row",
		Long: `Read Paymo, and compare it with the warehouse: which rows there are, every value
of them, and the sums that people care about (hours by month and project, totals
of invoices, payments and expenses by month). The tables named are compared, or
all that are configured.

What differs is read once more: what changed since the comparison began is
pending, not a difference. Nothing is written to the tables, unless --repair
is given: then what differs is merged, and what is gone from Paymo is marked
deleted, with the proofs and the guard of a full sync.

--since compares time entries and bookings about that day or later ones, and of
other tables what was changed since: there, rows that Paymo does not have any
more are not looked for.

Exit code: 0 when nothing differs, or everything was repaired; 1 for a difference
or a table that could not be compared; 2 for a configuration that is wrong; 130
when interrupted.`,
		Example: "  paymosync verify\n  paymosync verify time_entries invoices --since 2026-01-01\n  paymosync verify --repair projects",
		RunE: func(cmd *cobra.Command, args []string) error {
			from, err := parseSince(since)
			if err != nil {
				return err
			}
			config, err := p.config("WAREHOUSE_URL")
			if err != nil {
				return err
			}
			resources, err := chosenTables(config, args)
			if err != nil {
				return err
			}
			requests := make([]jobs.VerifyRequest, len(resources))
			for i, resource := range resources {
				requests[i] = jobs.VerifyRequest{Resource: resource, Since: from, Repair: repair}
			}
			return p.verify(cmd.Context(), config, requests, asJSON)
		},
		ValidArgsFunction: completeTables,
	}
	command.Flags().StringVar(&since, "since", "", "compare from this `DATE` on: YYYY-MM-DD, in UTC")
	command.Flags().BoolVar(&repair, "repair", false, "mend what differs")
	command.Flags().BoolVar(&asJSON, "json", false, "print what was found as JSON")
	return command
}

// parseSince is the day that --since names, zero for none.
func parseSince(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	return parsePastDay("--since", text)
}

// parseDay is the day, at midnight UTC, that a flag names.
func parseDay(flag, text string) (time.Time, error) {
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return time.Time{}, &usageError{fmt.Errorf("%s %q is not a day: give it as YYYY-MM-DD, such as 2024-01-31", flag, text)}
	}
	return day, nil
}

// parsePastDay is parseDay for a day that has begun.
func parsePastDay(flag, text string) (time.Time, error) {
	day, err := parseDay(flag, text)
	if err == nil && day.After(time.Now()) {
		return time.Time{}, &usageError{fmt.Errorf("%s %s is still to come", flag, text)}
	}
	return day, err
}

// verify verifies the tables and prints what was found.
func (p *program) verify(ctx context.Context, config Config, requests []jobs.VerifyRequest, asJSON bool) error {
	progress := newProgress(p.err, len(requests))
	log := quietLogger(config, progress)
	found, err := verifyTables(ctx, config, requests, progress, log)
	progress.stop()
	if err != nil {
		return err
	}
	if asJSON {
		err = p.printJSON(found)
	} else {
		err = p.printVerified(found, repairs(requests))
	}
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if slices.ContainsFunc(found, func(v jobs.Verified) bool {
		return v.Verdict == jobs.VerdictDifferent || v.Verdict == jobs.VerdictUnproven
	}) {
		return errUnwell
	}
	return nil
}

// verifyTables verifies the tables, several at once.
func verifyTables(ctx context.Context, config Config, requests []jobs.VerifyRequest, progress *progress, log *slog.Logger) ([]jobs.Verified, error) {
	for _, text := range slices.Concat(config.Warnings(), config.Notices()) {
		progress.say(text)
	}
	vault, err := NewVault(config.Vault, log)
	if err != nil {
		return nil, err
	}
	defer vault.Close()
	warehouse, err := openMigrated(ctx, config, vault, nil)
	if err != nil {
		return nil, err
	}
	defer warehouse.Close()
	spans, err := newTraces(config.Traces, log)
	if err != nil {
		return nil, err
	}
	defer spans.stop(ctx)
	syncer, err := newSyncer(ctx, config, vault, warehouse, log, progress, spans, spans.transport())
	if err != nil {
		return nil, err
	}
	found := make([]jobs.Verified, len(requests))
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i, req := range requests {
		group.Go(func() error {
			table := req.Resource.Table
			progress.begin(table)
			req.Waiting = func(reason error, wait time.Duration) { progress.waiting(table, reason, wait) }
			var err error
			found[i], err = syncer.Verify(ctx, req)
			switch {
			case ctx.Err() != nil:
				found[i].Reason = "interrupted"
			case err != nil:
				found[i].Reason = describe(err)
			}
			progress.verified(found[i])
			return nil
		})
	}
	return found, group.Wait()
}

// verified takes a table off that was verified.
func (p *progress) verified(v jobs.Verified) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = slices.DeleteFunc(p.running, func(t *tableProgress) bool { return t.name == v.Table })
	p.finished++
	p.requests += v.Requests
	if p.board != nil {
		return
	}
	line := fmt.Sprintf("%s: %s, ", v.Table, v.Verdict)
	if v.Paymo != jobs.Unknown {
		line += counted(v.Paymo.Known(), "row") + ", "
	}
	line += fmt.Sprintf("%s, %s", counted(int64(v.Requests), "request"), span(v.Took))
	if v.Reason != "" {
		line += ": " + v.Reason
	}
	fmt.Fprintln(p.out, line)
}

func repairs(requests []jobs.VerifyRequest) bool { return len(requests) > 0 && requests[0].Repair }
