package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/paymosync/paymosync/paymo/paymotest"
)

// demoSchedule is when the demo looks for what Paymo does not tell of: often enough to
// watch.
const demoSchedule = "@every 10s"

// demoQuestion is what the demo asks the warehouse.
const demoQuestion = `SELECT c.name AS client, p.name AS project, count(*) AS entries,
       round(sum(e.duration) / 3600.0, 1) AS hours
FROM paymo.time_entries e
JOIN paymo.projects p ON p.id = e.project_id
JOIN paymo.clients c ON c.id = p.client_id
WHERE e._deleted_at IS NULL
  AND coalesce(e.date, e.start_time::date) > current_date - 30
GROUP BY c.name, p.name
ORDER BY hours DESC NULLS LAST
LIMIT 8`

// demoOptions are the flags of the demo.
type demoOptions struct {
	users, projects, entries int
	seed                     uint64
	once                     bool
}

func (p *program) demoCommand() *cobra.Command {
	var o demoOptions
	command := &cobra.Command{
		Use:   "demo",
		Short: "Sync a made-up company, without an account",
		Long: `Sync a made-up company, without an account: a fake Paymo and a PostgreSQL are
started, the first sync runs, and the warehouse answers a question. Then the service
keeps it fresh while the company works on, until Ctrl-C, which stops all of it and
deletes its data.

The PostgreSQL is that of DATABASE_URL if it is set, where the demo makes a database
of its own and drops it at the end; else one started from the server's programs on
this machine; else, for an ordinary user, one whose programs are downloaded once.

Exit code: 0 when it was ended while the company worked on, or after --once; 1 when
something failed, 2 for wrong usage, 130 when interrupted before.`,
		Example: "  paymosync demo\n  paymosync demo --once --entries 100000",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.validate(); err != nil {
				return err
			}
			return p.demo(cmd.Context(), o)
		},
	}
	flags := command.Flags()
	flags.IntVar(&o.users, "users", 12, "people of the company")
	flags.IntVar(&o.projects, "projects", 30, "its projects")
	flags.IntVar(&o.entries, "entries", 20000, "its time entries, over three years")
	flags.Uint64Var(&o.seed, "seed", 1, "another number makes another company")
	flags.BoolVar(&o.once, "once", false, "end after the question and its answer")
	return command
}

func (o demoOptions) validate() error {
	for _, size := range []struct {
		flag        string
		value, most int
	}{{"users", o.users, 1000}, {"projects", o.projects, 10_000}, {"entries", o.entries, 10_000_000}} {
		if size.value < 1 || size.value > size.most {
			return &usageError{fmt.Errorf("--%s %d: give a number from 1 to %s", size.flag, size.value, grouped(int64(size.most)))}
		}
	}
	return nil
}

// demoPart is something that the demo started and has to stop.
type demoPart struct {
	name    string
	address string
	stopped string // said when it is
	stop    func() error
}

// demo runs the demo to its end, and leaves nothing running however it ends.
func (p *program) demo(ctx context.Context, o demoOptions) (err error) {
	p.tell("paymosync demo: a made-up company, synced into a warehouse of its own.\n")
	var parts []demoPart
	defer func() {
		if err != nil && ctx.Err() != nil {
			err = ctx.Err() // what failed, failed by being interrupted
		}
		err = errors.Join(err, p.stopDemo(parts))
	}()
	database, err := p.startDemoDatabase(ctx)
	if err != nil {
		return err
	}
	parts = append(parts, database.demoPart)
	p.tell("  %-12s %s", database.name, database.address)
	company, err := startDemoPaymo(ctx, o)
	if err != nil {
		return err
	}
	parts = append(parts, company.demoPart)
	p.tell("  %-12s %s", company.name, company.address)

	address, err := freeAddress(ctx)
	if err != nil {
		return err
	}
	config, err := demoConfig(database.url, company.url, address)
	if err != nil {
		return err
	}
	if err := p.demoSync(ctx, config, o, database); err != nil || o.once {
		p.tell("")
		return err
	}
	return p.demoServe(ctx, config, company.fake)
}

// demoConfig is the configuration of the demo. Nothing of the environment goes into
// it: it may be that of a real warehouse.
func demoConfig(database, paymo, address string) (Config, error) {
	env, err := ReadEnvironment([]string{
		"DATABASE_URL=" + database,
		"PAYMO_API_KEY=" + paymotest.DefaultKey,
		"PAYMO_BASE_URL=" + paymo,
		"SYNC_SCHEDULE=" + demoSchedule,
		"HTTP_ADDR=" + address,
		"PUBLIC_URL=http://" + address,
		"PAYMO_WEBHOOK_SECRET=" + rand.Text(),
	}, "")
	if err != nil {
		return Config{}, err
	}
	config, err := LoadConfig(env, time.Now(), "DATABASE_URL")
	config.warnings = nil // the key opens nothing
	return config, err
}

// demoSync runs the first sync and shows what came of it.
func (p *program) demoSync(ctx context.Context, config Config, o demoOptions, database demoDatabase) error {
	p.tell("\nThe first sync reads everything (paymosync sync):\n")
	resources, err := chosenTables(config, nil)
	if err != nil {
		return err
	}
	requests, err := syncRequests(resources, false, nil)
	if err != nil {
		return err
	}
	if err := p.sync(ctx, config, requests, false); err != nil {
		return err
	}
	opened, err := p.openAllToLook(ctx, config)
	if err != nil {
		return fmt.Errorf("open the demo's database: %w", err)
	}
	defer opened.Close()
	p.tell("\nWhere each table stands (paymosync status):\n")
	if err := p.status(ctx, config, opened, statusOptions{}); err != nil {
		return err
	}
	p.tell("\nA question to the warehouse: what took the last 30 days' hours?\n\n  %s\n", strings.ReplaceAll(demoQuestion, "\n", "\n  "))
	if err := p.printAnswer(ctx, opened.warehouse.Pool, demoQuestion); err != nil {
		return err
	}
	if !o.once {
		p.tell("\nThe company works on. Paymo tells the service of most changes; it looks for others every 10 seconds.\nThe status page is at http://%s/. Ask your own questions meanwhile; the tables are in the schema paymo:\n\n  %s\n\nCtrl-C stops everything and deletes the data.\n", config.HTTPAddr, database.psql)
	}
	return nil
}

// printAnswer runs a query and prints its rows.
func (p *program) printAnswer(ctx context.Context, pool *pgxpool.Pool, query string) error {
	// The simple protocol gives every value as text.
	rows, err := pool.Query(ctx, query, pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		return fmt.Errorf("ask the warehouse: %w", err)
	}
	defer rows.Close()
	var header table.Row
	var right []string
	for _, field := range rows.FieldDescriptions() {
		header = append(header, field.Name)
		if field.DataTypeOID == pgtype.NumericOID || field.DataTypeOID == pgtype.Int8OID {
			right = append(right, field.Name)
		}
	}
	w := p.newTable(header...)
	numbers(w, right...)
	for rows.Next() {
		var row table.Row
		for _, value := range rows.RawValues() {
			row = append(row, string(value))
		}
		w.AppendRow(row)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read the warehouse's answer: %w", err)
	}
	w.Render()
	if w.Length() == 0 {
		p.tell("(no rows)")
	}
	return nil
}

// stopDemo stops the parts, the last one first.
func (p *program) stopDemo(parts []demoPart) error {
	var errs []error
	for _, part := range slices.Backward(parts) {
		if err := part.stop(); err != nil {
			errs = append(errs, err)
			continue
		}
		p.tell("%s", part.stopped)
	}
	return errors.Join(errs...)
}

// tell prints a line for the person who watches.
func (p *program) tell(format string, args ...any) { fmt.Fprintf(p.out, format+"\n", args...) }
