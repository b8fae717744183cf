package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// driftReport is how Paymo's records differ from what the catalogue expects.
type driftReport struct {
	Unknown []unknownField  `json:"unknown"`
	Issues  []issueField    `json:"issues"`
	Dropped []droppedFields `json:"dropped"`
}

// unknownField is a field that Paymo sends and no column is for.
type unknownField struct {
	Table     string    `json:"table"`
	Field     string    `json:"field"`
	Type      string    `json:"type"` // of JSON
	FirstSeen time.Time `json:"first_seen"`
	SQL       string    `json:"sql"` // shows its values
}

// issueField is a column with values that do not fit it.
type issueField struct {
	Table string `json:"table"`
	Field string `json:"field"`
	Rows  int64  `json:"rows"`
	SQL   string `json:"sql"` // shows the values
}

// droppedFields counts the values that were dropped because their fields' names smell of
// secrets.
type droppedFields struct {
	Table  string `json:"table"`
	Values int64  `json:"values"` // what is read again counts again
}

func (p *program) driftCommand() *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "drift",
		Short: "Show fields and values of Paymo that have no column, or do not fit it",
		Long: `Show how Paymo's records differ from what this version expects: fields that have no
column, whose values are in _extra, and values that do not fit their column, which are in
_issues. With each comes the query that shows them. Unknown fields whose names smell of
secrets are kept nowhere: how many values were dropped is said for each table.

Exit code: 0, whether there are any or not.`,
		Example: "  paymosync drift\n  paymosync drift --json | jq -r '.unknown[].sql'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := p.config("WAREHOUSE_URL")
			if err != nil {
				return err
			}
			warehouse, err := p.openToLook(cmd.Context(), config)
			if err != nil {
				return err
			}
			defer warehouse.Close()
			report, err := readDrift(cmd.Context(), storeOf(warehouse, config), config.WarehouseSchema)
			if err != nil {
				return err
			}
			if asJSON {
				return p.printJSON(report)
			}
			return p.printDrift(report)
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return command
}

func readDrift(ctx context.Context, store *sink.Store, schema string) (driftReport, error) {
	report := driftReport{Unknown: []unknownField{}, Issues: []issueField{}, Dropped: []droppedFields{}}
	unknown, err := store.Drift(ctx)
	if err != nil {
		return driftReport{}, err
	}
	for _, f := range unknown {
		report.Unknown = append(report.Unknown, unknownField{
			Table: f.Table, Field: f.Field, Type: f.Type, FirstSeen: f.FirstSeen,
			SQL: valuesSQL(schema, f.Table, "_extra", f.Field, f.Type),
		})
	}
	issues, err := store.Issues(ctx, catalog.All())
	if err != nil {
		return driftReport{}, err
	}
	for _, f := range issues {
		report.Issues = append(report.Issues, issueField{
			Table: f.Table, Field: f.Field, Rows: f.Rows,
			SQL: valuesSQL(schema, f.Table, "_issues", f.Field, "array"), // as it came, whatever it is
		})
	}
	dropped, err := store.Dropped(ctx)
	if err != nil {
		return driftReport{}, err
	}
	for _, d := range dropped {
		report.Dropped = append(report.Dropped, droppedFields(d))
	}
	return report, nil
}

// valuesSQL is a query for the values of a field that lie in a JSON column, with the type
// that fits them. Where a row has a value of another type, it is null.
func valuesSQL(schema, table, column, field, kind string) string {
	literal := "'" + strings.ReplaceAll(field, "'", "''") + "'"
	value := column + " ->> " + literal
	fits := func(sqlType string) string {
		return fmt.Sprintf("CASE jsonb_typeof(%s -> %s) WHEN '%s' THEN (%s)::%s END", column, literal, kind, value, sqlType)
	}
	switch kind {
	case "number":
		value = fits("numeric")
	case "boolean":
		value = fits("boolean")
	case "array", "object":
		value = column + " -> " + literal
	}
	return fmt.Sprintf("SELECT id, %s AS %s FROM %s.%s WHERE %s ? %s AND _deleted_at IS NULL ORDER BY id;",
		value, pgx.Identifier{field}.Sanitize(), schema, table, column, literal)
}

func (p *program) printDrift(report driftReport) error {
	if len(report.Unknown)+len(report.Issues)+len(report.Dropped) == 0 {
		_, err := fmt.Fprintln(p.out, "No drift: Paymo was seen to send no field without a column, and every value fits its column.")
		return err
	}
	now := time.Now()
	var queries []string
	if len(report.Unknown) > 0 {
		fmt.Fprint(p.out, "Fields that have no column; their values are in _extra:\n\n")
		w := p.newTable("table", "field", "type", "first seen")
		for _, f := range report.Unknown {
			w.AppendRow(table.Row{f.Table, f.Field, f.Type, ago(&f.FirstSeen, now)})
			queries = append(queries, f.SQL)
		}
		w.Render()
		fmt.Fprintln(p.out)
	}
	if len(report.Issues) > 0 {
		fmt.Fprint(p.out, "Columns with values that do not fit; those are in _issues:\n\n")
		w := p.newTable("table", "field", "rows")
		numbers(w, "rows")
		for _, f := range report.Issues {
			w.AppendRow(table.Row{f.Table, f.Field, grouped(f.Rows)})
			queries = append(queries, f.SQL)
		}
		w.Render()
		fmt.Fprintln(p.out)
	}
	if len(report.Dropped) > 0 {
		fmt.Fprint(p.out, "Fields that were dropped, because their names smell of secrets:\n\n")
		w := p.newTable("table", "values")
		numbers(w, "values")
		for _, d := range report.Dropped {
			w.AppendRow(table.Row{d.Table, grouped(d.Values)})
		}
		w.Render()
		fmt.Fprintln(p.out)
	}
	if len(queries) == 0 {
		return nil
	}
	_, err := fmt.Fprintf(p.out, "To see the values:\n\n%s\n", strings.Join(queries, "\n"))
	return err
}
