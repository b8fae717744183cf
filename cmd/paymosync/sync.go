package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo/catalog"
)

func (p *program) syncCommand() *cobra.Command {
	var full, asJSON bool
	var accept []string
	command := &cobra.Command{
		Use:   "sync [TABLE...]",
		Short: "Sync now, in this process",
		Long: `Sync the tables now, in this process: those named, or all that are configured.

It takes the same leases as the service and waits for a table that another
process is syncing. Only what changed is read, unless a full sync is due or
--full asks for it. A full finds rows that were deleted in Paymo too; where it
stops at many that nothing explains, --accept-deletes lets them go.

Exit code: 0 when every table is ok, paused or unavailable, 1 when one is degraded or
failing, 2 for a configuration that is wrong, 130 when interrupted.`,
		Example: "  paymosync sync\n  paymosync sync time_entries projects\n  paymosync sync --full --json\n" +
			"  paymosync sync --full --accept-deletes tasks tasks",
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("accept-deletes") && len(accept) == 0 {
				accept = []string{""}
			}
			accepted, err := acceptedTables(accept, full)
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
			requests, err := syncRequests(resources, full, accepted)
			if err != nil {
				return err
			}
			return p.sync(cmd.Context(), config, requests, asJSON)
		},
		ValidArgsFunction: completeTables,
	}
	command.Flags().BoolVar(&full, "full", false, "read everything, not only what changed")
	command.Flags().StringSliceVar(&accept, "accept-deletes", nil, "with --full: mark the rows of `TABLE` deleted that are gone from Paymo, however many; may be given again, or a list with commas")
	command.Flags().BoolVar(&asJSON, "json", false, "print the outcomes as JSON")
	return command
}

// acceptedTables are the tables that --accept-deletes names.
func acceptedTables(names []string, full bool) ([]*catalog.Resource, error) {
	for _, name := range names {
		if strings.TrimSpace(name) == "" || strings.HasPrefix(name, "-") {
			return nil, &usageError{errors.New("--accept-deletes needs the name of a table, such as --accept-deletes tasks")}
		}
	}
	if len(names) > 0 && !full {
		return nil, &usageError{fmt.Errorf("--accept-deletes %s goes with --full: only a full sync finds what was deleted", strings.Join(names, ","))}
	}
	var accepted []*catalog.Resource
	for _, name := range names {
		resource, err := tableNamed(strings.TrimSpace(name))
		if err != nil {
			return nil, fmt.Errorf("--accept-deletes: %w", err)
		}
		accepted = append(accepted, resource)
	}
	return accepted, nil
}

// syncRequests are what the command asks for: one sync for each table.
func syncRequests(resources []*catalog.Resource, full bool, accepted []*catalog.Resource) ([]jobs.Request, error) {
	for _, resource := range accepted {
		if !slices.Contains(resources, resource) {
			return nil, &usageError{fmt.Errorf("--accept-deletes names %s, which is not synced: name it as a table to sync, too", resource.Table)}
		}
	}
	requests := make([]jobs.Request, len(resources))
	for i, resource := range resources {
		requests[i] = jobs.Request{Resource: resource, Mode: jobs.Incremental, Reason: jobs.ReasonManual, AcceptDeletes: slices.Contains(accepted, resource)}
		if full {
			requests[i].Mode = jobs.Full
		}
	}
	return requests, nil
}

// sync makes the syncs and prints what came of them.
func (p *program) sync(ctx context.Context, config Config, requests []jobs.Request, asJSON bool) error {
	progress := newProgress(p.err, len(requests))
	log := quietLogger(config, progress)
	outcomes, err := syncTables(ctx, config, requests, progress, log)
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
