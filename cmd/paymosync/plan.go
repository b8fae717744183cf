package main

import (
	"context"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/paymosync/paymosync/jobs"
)

// planOptions are the flags of plan.
type planOptions struct {
	full     bool
	asJSON   bool
	requests bool // all of them
	one      bool // table is planned, which was named
}

func (p *program) planCommand() *cobra.Command {
	var o planOptions
	command := &cobra.Command{
		Use:   "plan [TABLE...]",
		Short: "Show which requests a sync would make, and make none",
		Long: `Show which requests a sync of the tables would make now, and how long they take at
the rate budget as it stands: of those named, or of all that are configured. The
database is read alone: nothing is written, and nothing asked of Paymo.

Each sync is rehearsed against a Paymo that has what the warehouse has. So the plan
of an incremental is exact where nothing has changed in Paymo, and changes may add
requests. The numbers of a full, and those of a first load above all, are estimates
and marked with ~.

Of a single table the requests are listed; --requests lists those of all tables.

Exit code: 0, or 1 where the database cannot be read, 2 for a configuration that is
wrong.`,
		Example:           "  paymosync plan\n  paymosync plan --full\n  paymosync plan time_entries\n  paymosync plan --json | jq '.requests'",
		ValidArgsFunction: completeTables,
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := chosenTables(Config{}, args); err != nil {
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
			requests, err := syncRequests(resources, o.full, nil)
			if err != nil {
				return err
			}
			o.one = len(args) > 0 && len(resources) == 1
			return p.plan(cmd.Context(), config, requests, o)
		},
	}
	command.Flags().BoolVar(&o.full, "full", false, "plan syncs that read everything")
	command.Flags().BoolVar(&o.requests, "requests", false, "list every request")
	command.Flags().BoolVar(&o.asJSON, "json", false, "print the plan as JSON")
	return command
}

// plan plans the syncs and prints what they come to.
func (p *program) plan(ctx context.Context, config Config, requests []jobs.Request, o planOptions) error {
	vault, err := NewVault(config.Vault, p.logger(config, slog.LevelError))
	if err != nil {
		return err
	}
	defer vault.Close()
	warehouse, err := openReadOnly(ctx, config, vault)
	if err != nil {
		return err
	}
	defer warehouse.Close()
	plan, err := jobs.MakePlan(ctx, jobs.PlanConfig{
		Store: storeOf(warehouse, config), StartDate: config.StartDate, FullDue: fullDue(config.FullSchedule), Share: config.Paymo.Share,
	}, requests)
	if err != nil {
		return err
	}
	if o.asJSON {
		return p.printJSON(plan)
	}
	return p.printPlan(plan, o)
}
