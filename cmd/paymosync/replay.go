package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

func (p *program) replayCommand() *cobra.Command {
	var all bool
	command := &cobra.Command{
		Use:   "replay [HASH | TABLE]",
		Short: "Make rows of records in quarantine that can become some by now",
		Long: `Try records in quarantine again: one by its hash, those of a table, or --all. Nothing is
asked of Paymo: what is kept is decoded with the columns of this version, and merged
unless the table has a newer version of the row. A record that became a row leaves the
quarantine; one that still cannot stays, and its problem is said. A table that was
degraded because of its quarantine alone is so no longer when that is empty.

Exit code: 0 when every record became a row, 1 when one did not.`,
		Example: "  paymosync quarantine replay 3f2a\n  paymosync quarantine replay projects\n  paymosync quarantine replay --all",
		Args:    usage(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case all && len(args) > 0:
				return &usageError{fmt.Errorf("give --all or %s, not both", args[0])}
			case !all && len(args) == 0:
				return &usageError{errors.New("name a hash or a table, or give --all")}
			}
			which := ""
			if !all {
				which = args[0]
			}
			_, isTable := catalog.Lookup(which)
			if which != "" && !isTable && !isHash(which) {
				_, err := tableNamed(which)
				return err
			}
			config, err := p.config("WAREHOUSE_URL")
			if err != nil {
				return err
			}
			return p.replay(cmd.Context(), config, which)
		},
		ValidArgsFunction: completeTables,
	}
	command.Flags().BoolVar(&all, "all", false, "try every record")
	return command
}

// replay tries again the records that are named by a table or a hash, all with "".
func (p *program) replay(ctx context.Context, config Config, which string) error {
	log := p.logger(config, slog.LevelError)
	vault, err := NewVault(config.Vault, log)
	if err != nil {
		return err
	}
	defer vault.Close()
	warehouse, err := openPrepared(ctx, config, vault, log)
	if err != nil {
		return err
	}
	defer warehouse.Close()
	client, err := newClient(config, vault, nil, "") // it decodes, and asks nothing
	if err != nil {
		return err
	}
	r := &replaying{program: p, store: storeOf(warehouse, config), client: client}
	records, err := r.find(ctx, which)
	if err != nil {
		return err
	}
	byTable := map[string][]sink.Quarantined{}
	for _, record := range records {
		byTable[record.Table] = append(byTable[record.Table], record)
	}
	for _, resource := range catalog.All() {
		if found := byTable[resource.Table]; len(found) > 0 {
			if err := r.table(ctx, resource, found); err != nil {
				return err
			}
		}
	}
	_, err = fmt.Fprintf(p.out, "%s left the quarantine, %s in it.\n", counted(r.released, "record"), stayed(r.stayed))
	if err == nil && r.stayed > 0 {
		err = errUnwell
	}
	return err
}

func stayed(n int64) string {
	if n == 1 {
		return "1 stays"
	}
	return grouped(n) + " stay"
}

// replaying is a replay while it lasts.
type replaying struct {
	*program
	store            *sink.Store
	client           *paymo.Client
	released, stayed int64
}

func (r *replaying) find(ctx context.Context, which string) ([]sink.Quarantined, error) {
	if _, isTable := catalog.Lookup(which); which == "" || isTable {
		return r.store.Quarantined(ctx, which)
	}
	record, err := r.store.QuarantinedRecord(ctx, which)
	return []sink.Quarantined{record}, err
}

// table tries the records of one table, under its lease and as one run of the ledger.
func (r *replaying) table(ctx context.Context, resource *catalog.Resource, records []sink.Quarantined) error {
	return whenFree(ctx, r.program, func() error {
		return r.store.WithLease(ctx, resource.Table, processName(), func(ctx context.Context, lease *sink.Lease) error {
			checkpoint, err := lease.Checkpoint(ctx)
			if err != nil {
				return err
			}
			run, err := lease.StartRun(ctx, string(jobs.Repair), jobs.ReasonManual)
			if err != nil {
				return err
			}
			stayed := r.stayed
			for _, record := range records {
				problem, err := r.record(ctx, lease, resource, record, sink.Page{Run: run, Resource: resource, Checkpoint: checkpoint})
				if err != nil {
					return err
				}
				if err := r.tell(record, problem); err != nil {
					return err
				}
			}
			left, err := lease.ForgetQuarantine(ctx, time.Time{})
			if err != nil {
				return err
			}
			checkpoint.State, checkpoint.Reason = settled(checkpoint.State, checkpoint.Reason, left)
			if checkpoint.State == sink.StateOK {
				checkpoint.Cause = ""
			}
			ending := sink.Ending{State: sink.StateOK}
			if n := r.stayed - stayed; n > 0 {
				ending = sink.Ending{State: sink.StateDegraded, Sentence: counted(n, "record") + " of the quarantine still cannot become rows", Cause: string(jobs.CauseQuarantine)}
			}
			return lease.EndRun(ctx, run, ending, sink.Cost{}, checkpoint)
		})
	})
}

// settled is the state of a table, and its reason, when so many of its records are left in
// quarantine: only a reason that was about the quarantine changes.
func settled(state, reason string, left int64) (string, string) {
	about := regexp.MustCompile(`^(?:1 record is|\d+ records are) in quarantine`)
	switch {
	case state != sink.StateDegraded || !about.MatchString(reason):
		return state, reason
	case left == 0:
		return sink.StateOK, ""
	case left == 1:
		return state, about.ReplaceAllString(reason, "1 record is in quarantine")
	}
	return state, about.ReplaceAllString(reason, fmt.Sprintf("%d records are in quarantine", left))
}

// record tries one record. It returns why it stays in quarantine, "" when it left.
func (r *replaying) record(ctx context.Context, lease *sink.Lease, resource *catalog.Resource, record sink.Quarantined, write sink.Page) (problem string, err error) {
	page, err := r.client.DecodeRow(resource, []byte(record.Payload))
	if err != nil {
		return record.Problem, nil //nolint:nilerr // it is no JSON: what was said of it then is all that can be said
	}
	if len(page.Rejects) > 0 {
		return page.Rejects[0].Problem, nil
	}
	tried, err := r.store.Now(ctx)
	if err != nil {
		return "", err
	}
	// Any row that was written since is newer than the record.
	write.Records, write.RequestedAt, write.Volatile = page.Records, record.LastSeen, true
	write.Unknown, write.Stripped, write.Dropped = page.Unknown, page.Stripped, page.Dropped
	result, err := lease.Apply(ctx, write)
	switch {
	case errors.Is(err, sink.ErrBlanks):
		return "it would empty columns of the row: paymosync sync --full " + resource.Table + " asks Paymo for it", nil
	case err != nil:
		return "", err
	case result.Quarantined == 0:
		return "", lease.Release(ctx, record.Hash)
	}
	return lease.RefusedAgain(ctx, record, tried)
}

// tell says what came of a record.
func (r *replaying) tell(record sink.Quarantined, problem string) error {
	what := "is released"
	if problem == "" {
		r.released++
	} else {
		r.stayed++
		what = "stays: " + problem + advice(record.Table, problem)
	}
	_, err := fmt.Fprintf(r.out, "%s %s %s\n", record.Table, record.Hash[:min(shortHash, len(record.Hash))], what)
	return err
}

// advice says what to do about a problem that only Paymo can mend, "" for another one.
func advice(table, problem string) string {
	if !strings.HasPrefix(problem, "the id is ") {
		return ""
	}
	return ": mend it in Paymo, then run paymosync sync --full " + table
}

// whenFree does work that needs a table's lease, and waits while another process has it.
func whenFree(ctx context.Context, p *program, work func() error) error {
	for said := ""; ; {
		err := work()
		held, ok := errors.AsType[*sink.HeldError](err)
		if !ok {
			return err
		}
		if text := fmt.Sprintf("waiting: %s\n", held); text != said {
			said = text
			fmt.Fprint(p.err, text)
		}
		if !sleep(ctx, time.Second) {
			return ctx.Err()
		}
	}
}
