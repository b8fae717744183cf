package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

func (p *program) tablesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "tables [TABLE]",
		Short: "List the tables, or the columns of one",
		Long: `List the tables that Paymo's resources fill, or the columns of one.

Nothing is asked of Paymo or of the database.`,
		Example:           "  paymosync tables\n  paymosync tables time_entries",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeTables,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				p.printTables()
				return nil
			}
			resource, err := tableNamed(args[0])
			if err != nil {
				return err
			}
			p.printColumns(resource)
			return nil
		},
	}
}

func (p *program) printTables() {
	w := p.newTable("table", "columns", "paymo endpoint", "read by")
	numbers(w, "columns")
	for _, r := range catalog.All() {
		ways := make([]string, len(r.Listings))
		for i, listing := range r.Listings {
			ways[i] = listing.String()
		}
		w.AppendRow(table.Row{r.Table, len(r.Stored()), r.Path, strings.Join(ways, ", else ")})
	}
	w.Render()
}

func (p *program) printColumns(r *catalog.Resource) {
	w := p.newTable("column", "type", "references", "notes")
	for _, c := range r.Stored() {
		reference := ""
		if c.Ref != "" {
			reference = c.Ref + ".id"
		}
		var notes []string
		for _, note := range []struct {
			holds bool
			text  string
		}{
			{c.Note != "", c.Note},
			{c.Has(catalog.PII), "personal data"},
			{c.Has(catalog.Undocumented), "undocumented: may be absent"},
			{c.Has(catalog.Volatile), "moves without updated_on"},
		} {
			if note.holds {
				notes = append(notes, note.text)
			}
		}
		w.AppendRow(table.Row{c.Name, c.Kind.SQLType(), reference, strings.Join(notes, "; ")})
	}
	w.Render()
}

func (p *program) resetCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "reset TABLE",
		Short: "Forget a table's checkpoint and keep its rows",
		Long: `Forget a table's checkpoint and keep its rows: the next sync reads everything.

A table that another process is syncing is waited for.`,
		Example:           "  paymosync reset time_entries",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeTables,
		RunE: func(cmd *cobra.Command, args []string) error {
			resource, err := tableNamed(args[0])
			if err != nil {
				return err
			}
			config, err := p.config("WAREHOUSE_URL")
			if err != nil {
				return err
			}
			return p.reset(cmd.Context(), config, resource)
		},
	}
}

func (p *program) reset(ctx context.Context, config Config, resource *catalog.Resource) error {
	vault, err := NewVault(config.Vault, p.logger(config, slog.LevelError))
	if err != nil {
		return err
	}
	defer vault.Close()
	warehouse, err := openPrepared(ctx, config, vault, p.logger(config, slog.LevelError))
	if err != nil {
		return err
	}
	defer warehouse.Close()
	store := storeOf(warehouse, config)
	err = whenFree(ctx, p, func() error {
		return store.WithLease(ctx, resource.Table, processName(), func(ctx context.Context, lease *sink.Lease) error {
			return lease.ResetCheckpoint(ctx)
		})
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.out, "%s has no checkpoint now; its rows stay, and the next sync reads everything.\n", resource.Table)
	return err
}
