package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// shortHash is how much of a record's hash is shown to people.
const shortHash = 12

// quarantined is a record in quarantine as it is printed.
type quarantined struct {
	Table     string          `json:"table"`
	Hash      string          `json:"hash"`
	Problem   string          `json:"problem"`
	FirstSeen time.Time       `json:"first_seen"`
	LastSeen  time.Time       `json:"last_seen"`
	Payload   json.RawMessage `json:"payload,omitempty"`
}

func newQuarantined(r sink.Quarantined) quarantined {
	return quarantined{Table: r.Table, Hash: r.Hash, Problem: r.Problem, FirstSeen: r.FirstSeen, LastSeen: r.LastSeen}
}

func (p *program) quarantineCommand() *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "quarantine",
		Short: "Look at records that cannot become rows, and try them again",
		Long: `Look at the records of Paymo that cannot become rows, and try them again.

They are kept whole, but for fields that are secret.`,
		Example: "  paymosync quarantine list\n  paymosync quarantine show 3f2a\n  paymosync quarantine replay projects",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	list := &cobra.Command{
		Use: "list [TABLE]", Short: "List what is in quarantine", Example: "  paymosync quarantine list\n  paymosync quarantine list projects",
		Args: usage(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			table := strings.Join(args, "")
			if len(args) > 0 {
				if _, err := tableNamed(table); err != nil {
					return err
				}
			}
			return p.withQuarantine(cmd.Context(), func(ctx context.Context, store *sink.Store) error {
				records, err := store.Quarantined(ctx, table)
				if err != nil {
					return err
				}
				return p.printQuarantine(records, table, asJSON)
			})
		},
		ValidArgsFunction: completeTables,
	}
	show := &cobra.Command{
		Use: "show HASH", Short: "Print one record, found by the beginning of its hash", Example: "  paymosync quarantine show 3f2a",
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !isHash(args[0]) {
				return &usageError{fmt.Errorf("%q is not the beginning of a hash: paymosync quarantine list shows them", args[0])}
			}
			return p.withQuarantine(cmd.Context(), func(ctx context.Context, store *sink.Store) error {
				record, err := store.QuarantinedRecord(ctx, args[0])
				if err != nil {
					return err
				}
				return p.printRecord(record, asJSON)
			})
		},
	}
	for _, c := range []*cobra.Command{list, show} {
		c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	}
	command.AddCommand(list, show, p.replayCommand())
	return command
}

// withQuarantine does work that looks into the quarantine and changes nothing.
func (p *program) withQuarantine(ctx context.Context, work func(context.Context, *sink.Store) error) error {
	config, err := p.config("WAREHOUSE_URL")
	if err != nil {
		return err
	}
	warehouse, err := p.openToLook(ctx, config)
	if err != nil {
		return err
	}
	defer warehouse.Close()
	return work(ctx, storeOf(warehouse, config))
}

func storeOf(warehouse *database, config Config) *sink.Store {
	return sink.New(warehouse.Pool, config.WarehouseSchema, catalog.DefaultAccount)
}

// isHash reports whether the text may be the beginning of a hash.
func isHash(text string) bool { return regexp.MustCompile(`^[0-9A-Fa-f]{1,64}$`).MatchString(text) }

// printQuarantine prints the records of a table, of all of them where it is "".
func (p *program) printQuarantine(records []sink.Quarantined, table string, asJSON bool) error {
	if asJSON {
		all := make([]quarantined, len(records))
		for i, r := range records {
			all[i] = newQuarantined(r)
		}
		return p.printJSON(all)
	}
	if len(records) == 0 {
		of := ""
		if table != "" {
			of = " of " + table
		}
		_, err := fmt.Fprintf(p.out, "Nothing%s is in quarantine.\n", of)
		return err
	}
	now := time.Now()
	w := p.newTable("table", "hash", "first seen", "last seen", "problem")
	for _, r := range records {
		w.AppendRow([]any{r.Table, r.Hash[:min(shortHash, len(r.Hash))], ago(&r.FirstSeen, now), ago(&r.LastSeen, now), r.Problem})
	}
	w.Render()
	return nil
}

func (p *program) printRecord(record sink.Quarantined, asJSON bool) error {
	if asJSON {
		shown := newQuarantined(record)
		shown.Payload = json.RawMessage(record.Payload)
		if !json.Valid(shown.Payload) {
			text, err := json.Marshal(record.Payload)
			if err != nil {
				return errors.New("the record's payload is no JSON")
			}
			shown.Payload = text
		}
		return p.printJSON(shown)
	}
	_, err := fmt.Fprintf(p.out, "table       %s\nhash        %s\nproblem     %s\nfirst seen  %s\nlast seen   %s\n\n%s\n",
		record.Table, record.Hash, record.Problem+advice(record.Table, record.Problem),
		record.FirstSeen.UTC().Format(time.RFC3339), record.LastSeen.UTC().Format(time.RFC3339), indented(record.Payload))
	return err
}

// indented is JSON as people read it: numbers and the order of fields stay as they are.
func indented(payload string) string {
	var out bytes.Buffer
	if err := json.Indent(&out, []byte(payload), "", "  "); err != nil {
		return payload // it is no JSON
	}
	return out.String()
}
