package main

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/sink"
)

// tableReport is a table's status as it is printed.
type tableReport struct {
	Table        string                     `json:"table"`
	State        string                     `json:"state"`
	Reason       string                     `json:"reason"`
	Cause        jobs.Cause                 `json:"cause"`  // what the reason is about, as a name; "" when the table is ok
	Advice       string                     `json:"advice"` // what to do about it; "" when nothing
	Rows         int64                      `json:"rows"`
	FreshAsOf    *time.Time                 `json:"fresh_as_of"`
	LastFull     *time.Time                 `json:"last_full"`
	LastRun      *runReport                 `json:"last_run"`
	NextRun      *time.Time                 `json:"next_run"`
	Capabilities map[string]sink.Capability `json:"capabilities"`
	Found        jobs.Freshness             `json:"found"` // which changes are found when
}

// runReport is the last run of a table.
type runReport struct {
	Mode       string     `json:"mode"`
	Reason     string     `json:"reason"`
	State      string     `json:"state"`
	StartedAt  time.Time  `json:"started_at"`
	FinishedAt *time.Time `json:"finished_at"`
	Inserted   int64      `json:"inserted"`
	Updated    int64      `json:"updated"`
	Unchanged  int64      `json:"unchanged"`
	Requests   int64      `json:"requests"`
}

func (p *program) statusCommand() *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "status",
		Short: "Show where each table stands",
		Long: `Show where each table stands: its state and why, its rows, how fresh they are, its
last run and its next one; and below, which changes in Paymo are found when.

Exit code: 0 when every table is ok, paused or unavailable, 1 when one is degraded
or failing, 2 for a configuration that is wrong.`,
		Example: "  paymosync status\n  paymosync status --json | jq '.[] | select(.state != \"ok\")'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := p.config("DATABASE_URL")
			if err != nil {
				return err
			}
			pool, err := p.openToLook(cmd.Context(), config)
			if err != nil {
				return err
			}
			defer pool.Close()
			return p.status(cmd.Context(), config, pool, asJSON)
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return command
}

// openToLook opens the database for a command that only looks at it.
func (p *program) openToLook(ctx context.Context, config Config) (*pgxpool.Pool, error) {
	vault, err := NewVault(config.Vault, p.logger(config, slog.LevelError))
	if err != nil {
		return nil, err
	}
	defer vault.Close()
	return openMigrated(ctx, config, vault)
}

func (p *program) status(ctx context.Context, config Config, pool *pgxpool.Pool, asJSON bool) error {
	overview, err := jobs.ReadOverview(ctx, newOverviewConfig(config, pool, 1, 0))
	if err != nil {
		return err
	}
	now := overview.At
	reports := make([]tableReport, len(overview.Tables))
	for i, t := range overview.Tables {
		reports[i] = newTableReport(t)
	}
	if asJSON {
		err = p.printJSON(reports)
	} else {
		err = p.printStatus(reports, now)
	}
	if err != nil {
		return err
	}
	for _, r := range reports {
		if r.State == sink.StateDegraded || r.State == sink.StateFailing {
			return errUnwell
		}
	}
	return nil
}

func newTableReport(s jobs.TableOverview) tableReport {
	report := tableReport{
		Table: s.Table, State: s.State, Reason: s.Reason, Cause: s.Cause, Advice: s.Advice, Rows: s.Rows,
		FreshAsOf: s.FreshAsOf, LastFull: s.FullAt, Capabilities: ways(s.Capabilities), Found: s.Found,
	}
	if !s.NextRun.IsZero() {
		report.NextRun = &s.NextRun
	}
	if run := s.LastRun(); run != nil {
		report.LastRun = &runReport{
			Mode: run.Mode, Reason: run.Reason, State: run.State, StartedAt: run.StartedAt, FinishedAt: run.FinishedAt,
			Inserted: run.Inserted, Updated: run.Updated, Unchanged: run.Unchanged, Requests: run.Requests,
		}
	}
	return report
}

// printStatus prints a line a table, and below them what is not well, in words. A
// narrow terminal gets fewer columns.
func (p *program) printStatus(reports []tableReport, now time.Time) error {
	header := table.Row{"table", "state", "rows", "fresh as of", "last run"}
	narrow := p.narrow()
	if !narrow {
		header = append(header, "last full", "next run")
	}
	w := p.newTable(header...)
	numbers(w, "rows")
	notes := make([]note, len(reports))
	for i, r := range reports {
		notes[i] = note{r.Table, r.State, r.Reason}
		run, next := "-", "-"
		if r.LastRun != nil {
			run = fmt.Sprintf("%s, %s", r.LastRun.Mode, ago(&r.LastRun.StartedAt, now))
			if r.LastRun.State == sink.RunRunning || r.LastRun.State == sink.RunInterrupted {
				run += ", " + r.LastRun.State
			}
		}
		if r.NextRun != nil {
			next = "in " + span(r.NextRun.Sub(now))
		}
		row := table.Row{r.Table, p.state(r.State), grouped(r.Rows), ago(r.FreshAsOf, now), run}
		if !narrow {
			row = append(row, ago(r.LastFull, now), next)
		}
		w.AppendRow(row)
	}
	w.Render()
	if text := summarise(notes); text != "" {
		if _, err := fmt.Fprintf(p.out, "\n%s", text); err != nil {
			return err
		}
	}
	for _, r := range reports {
		for _, name := range slices.Sorted(maps.Keys(r.Capabilities)) {
			if learned := r.Capabilities[name]; !learned.Works {
				if _, err := fmt.Fprintf(p.out, "%s: %s does not work since %s: %s\n", r.Table, name, learned.Since.Format(time.RFC3339), learned.Reason); err != nil {
					return err
				}
			}
		}
	}
	width, _, ok := terminalSize(p.out)
	if !ok {
		width = wideTable
	}
	_, err := fmt.Fprintf(p.out, "\n%s", contracts(reports, width))
	return err
}

// ways are what was learned of how the server may be asked. The doubt about a listing is
// among what was learned; the reason of the table's state tells it.
func ways(learned map[string]sink.Capability) map[string]sink.Capability {
	ways := maps.Clone(learned)
	delete(ways, jobs.WholeListing)
	return ways
}
