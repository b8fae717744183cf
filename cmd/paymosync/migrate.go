package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/paymosync/paymosync/migrations"
)

func (p *program) migrateCommand() *cobra.Command {
	command := &cobra.Command{
		Use:     "migrate",
		Short:   "Bring the database to this version's layout",
		Example: "  paymosync migrate up\n  paymosync migrate status",
		Args:    cobra.NoArgs,
		RunE:    p.withDatabases(p.migrateUp),
	}
	command.AddCommand(
		&cobra.Command{
			Use: "up", Short: "Apply what is pending", Example: "  paymosync migrate up",
			Args: usage(cobra.NoArgs), RunE: p.withDatabases(p.migrateUp),
		},
		&cobra.Command{
			Use: "status", Short: "List every migration and when it was applied", Example: "  paymosync migrate status",
			Args: usage(cobra.NoArgs), RunE: p.withDatabases(p.migrateStatus),
		},
	)
	return command
}

// withDatabases runs a command that needs the databases, whatever their layout: those
// whose addresses are known.
func (p *program) withDatabases(work func(context.Context, databases) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		config, err := p.config("WAREHOUSE_URL")
		if err != nil {
			return err
		}
		vault, err := NewVault(config.Vault, p.logger(config, slog.LevelError))
		if err != nil {
			return err
		}
		defer vault.Close()
		opened, err := openDatabases(cmd.Context(), config, vault)
		if err != nil {
			return err
		}
		defer opened.Close()
		return work(cmd.Context(), opened)
	}
}

func (p *program) migrateUp(ctx context.Context, opened databases) error {
	nothing := true
	for _, d := range opened.all() {
		applied, err := migrations.Up(ctx, d.Pool, d.schema, d.sets...)
		for _, step := range applied {
			if _, printErr := fmt.Fprintf(p.out, "applied %s in %s\n", step, span(step.Took)); printErr != nil {
				return errors.Join(err, printErr)
			}
		}
		if err != nil {
			return err
		}
		nothing = nothing && len(applied) == 0
	}
	if nothing {
		_, err := fmt.Fprintln(p.out, "nothing to apply: the database has this version's layout")
		return err
	}
	return nil
}

func (p *program) migrateStatus(ctx context.Context, opened databases) error {
	w := p.newTable("set", "version", "name", "applied")
	numbers(w, "version")
	for _, d := range opened.all() {
		steps, err := migrations.Status(ctx, d.Pool, d.schema, d.sets...)
		if err != nil {
			return err
		}
		for _, step := range steps {
			applied := "pending"
			if !step.Pending() {
				applied = step.AppliedAt.UTC().Format(time.RFC3339)
			}
			w.AppendRow(table.Row{step.Set, step.Version, step.Name, applied})
		}
	}
	w.Render()
	return nil
}
