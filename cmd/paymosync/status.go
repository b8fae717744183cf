package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo/catalog"
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
	Estimated    bool                       `json:"rows_estimated"` // counting takes too long, or is held up
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

// statusOptions are the flags of status, and the tables that it is asked about.
type statusOptions struct {
	tables []*catalog.Resource // none: all that are configured
	asJSON bool
	watch  time.Duration // 0: once
}

func (p *program) statusCommand() *cobra.Command {
	var o statusOptions
	command := &cobra.Command{
		Use:   "status [TABLE...]",
		Short: "Show where each table stands",
		Long: `Show whose Paymo it is, what is left of its rate budget, and where each table stands:
its state, its rows, how fresh they are, its last run and its next one. Below that: why
tables are not ok and what to do about it, and which changes in Paymo are found when.

With --watch it is shown anew every few seconds, until q or Ctrl-C. Where no terminal is,
only what changes is printed, with the time.

Exit code: 0 when every table is ok, paused or unavailable, 1 when one is degraded
or failing, 2 for a configuration that is wrong. With --watch: 0 after q, 130 after
Ctrl-C or another signal.`,
		Example: "  paymosync status\n  paymosync status time_entries projects\n  paymosync status --watch=2s\n" +
			"  paymosync status --json | jq '.[] | select(.state != \"ok\")'",
		ValidArgsFunction: completeTables,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.validate(cmd.Flags().Changed("watch"), args); err != nil {
				return err
			}
			var err error
			if o.tables, err = chosenTables(Config{}, args); err != nil {
				return err
			}
			config, err := p.config("WAREHOUSE_URL")
			if err != nil {
				return err
			}
			opened, err := p.openAllToLook(cmd.Context(), config)
			if err != nil {
				return err
			}
			if o.watch > 0 {
				// A database that hangs is not waited for: q ends the program at once.
				defer func() { go opened.Close() }()
				return p.watchStatus(cmd.Context(), config, opened, o)
			}
			defer opened.Close()
			return p.status(cmd.Context(), config, opened, o)
		},
	}
	command.Flags().BoolVar(&o.asJSON, "json", false, "print JSON")
	command.Flags().DurationVar(&o.watch, "watch", 0, "show it anew every so often, until q or Ctrl-C")
	command.Flags().Lookup("watch").NoOptDefVal = "5s"
	return command
}

// validate refuses what does not go together.
func (o statusOptions) validate(watch bool, args []string) error {
	switch {
	case !watch:
		return nil
	case o.asJSON:
		return &usageError{errors.New("--watch is for people, and --json for programs: give one of them")}
	case o.watch < time.Second || o.watch > time.Hour:
		return &usageError{fmt.Errorf("--watch=%s: give a duration from 1s to 1h", o.watch)}
	}
	for _, arg := range args {
		if _, err := time.ParseDuration(arg); err == nil {
			return &usageError{fmt.Errorf("there is no table %q: did you mean --watch=%s?", arg, arg)}
		}
	}
	return nil
}

// openToLook opens the warehouse for a command that only looks at it.
func (p *program) openToLook(ctx context.Context, config Config) (*database, error) {
	vault, err := NewVault(config.Vault, p.logger(config, slog.LevelError))
	if err != nil {
		return nil, err
	}
	defer vault.Close()
	return openMigrated(ctx, config, vault, nil)
}

// openAllToLook is openToLook with the queue, where its address is known.
func (p *program) openAllToLook(ctx context.Context, config Config) (databases, error) {
	vault, err := NewVault(config.Vault, p.logger(config, slog.LevelError))
	if err != nil {
		return databases{}, err
	}
	defer vault.Close()
	opened, err := openDatabases(ctx, config, vault)
	if err != nil {
		return databases{}, err
	}
	for _, database := range opened.all() {
		if err := database.layout(ctx); err != nil {
			opened.Close()
			return databases{}, err
		}
	}
	return opened, nil
}

// status prints where the tables stand, once.
func (p *program) status(ctx context.Context, config Config, opened databases, o statusOptions) error {
	status, err := readStatus(ctx, config, opened, o.tables)
	if err != nil {
		return err
	}
	if o.asJSON {
		err = p.printJSON(status.tables)
	} else {
		_, err = fmt.Fprint(p.out, status.page(p.look()))
	}
	if err != nil {
		return err
	}
	return status.verdict()
}

// statusReport is where everything stands, as it is printed.
type statusReport struct {
	jobs.Overview
	tables []tableReport // as Overview's are
}

// readStatus reads where the tables stand, or all that are configured.
func readStatus(ctx context.Context, config Config, opened databases, tables []*catalog.Resource) (statusReport, error) {
	from := newOverviewConfig(config, opened, 1, 0)
	if len(tables) > 0 {
		from.Tables = nil
		for _, resource := range tables {
			from.Tables = append(from.Tables, scheduleOf(config, resource))
		}
	}
	overview, err := jobs.ReadOverview(ctx, from)
	if err != nil {
		return statusReport{}, err
	}
	status := statusReport{Overview: overview, tables: make([]tableReport, len(overview.Tables))}
	for i, t := range overview.Tables {
		if !slices.Contains(config.Tables, t.Table) {
			t.NextRun = time.Time{} // the service does not sync it
		}
		status.tables[i] = newTableReport(t)
	}
	return status, nil
}

// verdict is what the states mean for the exit code.
func (s statusReport) verdict() error {
	for _, t := range s.tables {
		if t.State == sink.StateDegraded || t.State == sink.StateFailing {
			return errUnwell
		}
	}
	return nil
}

func newTableReport(s jobs.TableOverview) tableReport {
	report := tableReport{
		Table: s.Table, State: s.State, Reason: s.Reason, Cause: s.Cause, Advice: s.Advice, Rows: s.Rows, Estimated: s.Estimated,
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

// ways are what was learned of how the server may be asked. The doubt about a listing is
// among what was learned; the reason of the table's state tells it.
func ways(learned map[string]sink.Capability) map[string]sink.Capability {
	ways := maps.Clone(learned)
	delete(ways, jobs.WholeListing)
	return ways
}
