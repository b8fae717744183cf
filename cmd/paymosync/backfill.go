package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo/catalog"
)

// backfillSlice is how long a backfill works before it gives a table's lease back, so
// that the scheduled syncs of the table are not held up.
const backfillSlice = 30 * time.Second

func (p *program) backfillCommand() *cobra.Command {
	var from, to string
	var asJSON bool
	command := &cobra.Command{
		Use:   "backfill --from DATE [TABLE...]",
		Short: "Read a range of dates anew",
		Long: `Read everything about a range of dates anew, and merge it: of the tables named, or of
all that are configured and can be read so.

--from and --to are days in UTC, and both belong to the range: --to 2024-12-31 includes
that day; without --to the range has no end. What counts is the day that a row is about:
the day that was worked or planned, and for rows without such a day the one on which
they were made.

Scheduled syncs of the same tables go on meanwhile. A backfill that is interrupted goes
on when it is run again with the same dates, within a day; what it says it did is then
what all its parts did.

Exit code: 0 when every table is ok, paused or unavailable, 1 when one is degraded or failing, 2
for a configuration or a table that is wrong, 130 when interrupted.`,
		Example: "  paymosync backfill --from 2024-01-01 --to 2024-12-31\n  paymosync backfill time_entries --from 2024-01-01",
		RunE: func(cmd *cobra.Command, args []string) error {
			days, err := parseDays(from, to)
			if err != nil {
				return err
			}
			config, err := p.config("WAREHOUSE_URL")
			if err != nil {
				return err
			}
			requests, left, err := backfillRequests(config, args, days)
			if err != nil {
				return err
			}
			if left != "" {
				fmt.Fprintln(p.err, left)
			}
			return p.sync(cmd.Context(), config, requests, asJSON)
		},
		ValidArgsFunction: completeTables,
	}
	command.Flags().StringVar(&from, "from", "", "the first `DATE` to read: YYYY-MM-DD, in UTC")
	command.Flags().StringVar(&to, "to", "", "the last `DATE` to read: YYYY-MM-DD, in UTC; no end if left out")
	command.Flags().BoolVar(&asJSON, "json", false, "print the outcomes as JSON")
	return command
}

// days are a range of days: from the one to before the other. A zero end is none.
type days struct{ from, before time.Time }

// parseDays reads the days as people give them, the last one included.
func parseDays(from, to string) (days, error) {
	if from == "" {
		return days{}, &usageError{errors.New("--from is not given: it is the first day to read, such as --from 2024-01-01")}
	}
	var d days
	var err error
	if d.from, err = parsePastDay("--from", from); err != nil {
		return days{}, err
	}
	if to == "" {
		return d, nil
	}
	last, err := parseDay("--to", to)
	if err != nil {
		return days{}, err
	}
	if last.Before(d.from) {
		return days{}, &usageError{fmt.Errorf("--to %s lies before --from %s: give the last day to read", to, from)}
	}
	d.before = last.AddDate(0, 0, 1)
	return d, nil
}

// backfillRequests are what the command asks for: one backfill for each table. left says
// which tables are left out, because nothing that old is read of them; who named one is
// refused.
func backfillRequests(config Config, args []string, days days) (requests []jobs.Request, left string, err error) {
	chosen, err := chosenTables(config, args)
	if err != nil {
		return nil, "", err
	}
	var short []string
	for _, resource := range chosen {
		if reason := noBackfill(resource); reason != "" {
			if len(args) > 0 {
				return nil, "", &usageError{errors.New(reason)}
			}
			continue
		}
		if resource.Window != "" && days.from.Before(config.StartDate) {
			short = append(short, resource.Table)
			continue
		}
		requests = append(requests, jobs.Request{
			Resource: resource, Mode: jobs.Backfill, Reason: jobs.ReasonManual, Work: backfillSlice, From: days.from, To: days.before,
		})
	}
	if len(short) > 0 {
		reason := fmt.Sprintf("--from %s lies before SYNC_START_DATE, %s, and nothing older is read of %s",
			days.from.Format(time.DateOnly), config.StartDate.Format(time.DateOnly), strings.Join(short, " and "))
		if len(args) > 0 || len(requests) == 0 {
			return nil, "", &usageError{fmt.Errorf("%s: begin there, or set an earlier one", reason)}
		}
		left = "Left out: " + reason + "."
	}
	if len(requests) == 0 {
		return nil, "", &usageError{fmt.Errorf("none of the configured tables can be read by dates: name one that can, such as %s", strings.Join(backfillable()[:2], " or "))}
	}
	return requests, left, nil
}

// noBackfill says why a table cannot be read by dates, "" where it can.
func noBackfill(r *catalog.Resource) string {
	switch {
	case r.Singleton:
		return fmt.Sprintf("%s is one row, without a date: paymosync sync --full %s", r.Table, r.Table)
	case comesWithParents(r):
		return fmt.Sprintf("%s come with %s: backfill %s, or sync --full %s", r.Table, r.Embedded.Parent, r.Embedded.Parent, r.Table)
	}
	return ""
}

// backfillable are the tables that can be read by dates.
func backfillable() []string {
	var tables []string
	for _, r := range catalog.All() {
		if noBackfill(r) == "" {
			tables = append(tables, r.Table)
		}
	}
	return tables
}
