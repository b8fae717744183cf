package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
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
		RunE:    p.withDatabase(p.migrateUp),
	}
	command.AddCommand(
		&cobra.Command{
			Use: "up", Short: "Apply what is pending", Example: "  paymosync migrate up",
			Args: usage(cobra.NoArgs), RunE: p.withDatabase(p.migrateUp),
		},
		&cobra.Command{
			Use: "status", Short: "List every migration and when it was applied", Example: "  paymosync migrate status",
			Args: usage(cobra.NoArgs), RunE: p.withDatabase(p.migrateStatus),
		},
	)
	return command
}

// withDatabase runs a command that needs the database, whatever its layout.
func (p *program) withDatabase(work func(context.Context, Config, *pgxpool.Pool) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		config, err := p.config("DATABASE_URL")
		if err != nil {
			return err
		}
		vault, err := NewVault(config.Vault, p.logger(config, slog.LevelError))
		if err != nil {
			return err
		}
		defer vault.Close()
		pool, err := openDatabase(cmd.Context(), config, vault)
		if err != nil {
			return err
		}
		defer pool.Close()
		return work(cmd.Context(), config, pool)
	}
}

func (p *program) migrateUp(ctx context.Context, config Config, pool *pgxpool.Pool) error {
	applied, err := migrations.Up(ctx, pool, config.WarehouseSchema)
	for _, step := range applied {
		if _, printErr := fmt.Fprintf(p.out, "applied %s in %s\n", step, span(step.Took)); printErr != nil {
			return errors.Join(err, printErr)
		}
	}
	if err == nil && len(applied) == 0 {
		_, err = fmt.Fprintln(p.out, "nothing to apply: the database has this version's layout")
	}
	return err
}

func (p *program) migrateStatus(ctx context.Context, config Config, pool *pgxpool.Pool) error {
	steps, err := migrations.Status(ctx, pool, config.WarehouseSchema)
	if err != nil {
		return err
	}
	w := p.newTable("set", "version", "name", "applied")
	numbers(w, "version")
	for _, step := range steps {
		applied := "pending"
		if !step.Pending() {
			applied = step.AppliedAt.UTC().Format(time.RFC3339)
		}
		w.AppendRow(table.Row{step.Set, step.Version, step.Name, applied})
	}
	w.Render()
	return nil
}
