package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/paymosync/paymosync/paymo/paymotest"
	"github.com/paymosync/paymosync/sink"
)

// demoWatch is how often the demo asks the ledger what was synced.
const demoWatch = 500 * time.Millisecond

// demoServe runs the service while the company works, and says what changes, until
// the context ends. That is how it is meant to end, so it is no error.
func (p *program) demoServe(ctx context.Context, config Config, company *paymotest.Server) error {
	log := p.logger(config, slog.LevelError)
	vault, err := NewVault(config.Vault, log)
	if err != nil {
		return err
	}
	defer vault.Close()
	// The terminal shows ^C where its cursor is: go on below it.
	stopping := context.AfterFunc(ctx, func() { p.tell("\nStopping. Ctrl-C again ends it at once.") })
	defer stopping()
	group, serving := errgroup.WithContext(ctx)
	health, pages, meters := newHealth(vault, config), &pages{}, newMeters(config, log)
	web := newHTTPServer(httpConfig{
		Address: config.HTTPAddr, Health: health, Page: &pages.status, River: &pages.river, Metrics: meters,
		Webhook: webhookHandler(config, &pages.webhook), Log: log,
	})
	group.Go(func() error { return web.serve(serving) })
	group.Go(func() error { return work(serving, config, vault, health, pages, meters, log) })
	group.Go(func() error {
		company.Call(serving)
		return nil
	})
	group.Go(func() error { return p.tellChanges(serving, config.DatabaseURL.Reveal()) })
	group.Go(func() error {
		company.Live(serving, demoRate)
		return nil
	})
	if err := group.Wait(); err != nil && ctx.Err() == nil {
		return err
	}
	p.tell("Stopped the service.")
	return nil
}

// freeAddress is one on this machine where nobody listens.
func freeAddress(ctx context.Context) (string, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return listener.Addr().String(), listener.Close()
}

// tellChanges says what each sync wrote, from the ledger, and what Paymo told of, until the
// context ends.
func (p *program) tellChanges(ctx context.Context, database string) error {
	conn, err := pgx.Connect(ctx, database)
	if err != nil {
		return fmt.Errorf("watch the ledger: %w", err)
	}
	// The context has ended by then.
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	tick := time.NewTicker(demoWatch)
	defer tick.Stop()
	told, err := recentRuns(ctx, conn)
	if err != nil {
		return err
	}
	heard := time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		runs, err := recentRuns(ctx, conn)
		if err != nil {
			return err
		}
		for _, run := range runs {
			if !slices.ContainsFunc(told, func(old demoRun) bool { return old.ID == run.ID }) {
				p.tell("%s", run)
			}
		}
		told = runs
		if heard, err = p.tellHeard(ctx, conn, heard); err != nil {
			return err
		}
	}
}

// tellHeard says which changes that Paymo told of came to their tables since the time, and
// returns when the last of them did.
func (p *program) tellHeard(ctx context.Context, conn *pgx.Conn, since time.Time) (time.Time, error) {
	rows, err := conn.Query(ctx, `
		SELECT table_name, count(*), max(merged_at), max(extract(epoch FROM merged_at - heard_at))::float8
		FROM paymosync.changes
		WHERE merged_at > $1
		GROUP BY table_name
		ORDER BY table_name`, since)
	if err != nil {
		return since, fmt.Errorf("watch what Paymo tells of: %w", err)
	}
	var table string
	var n int64
	var merged time.Time
	var took float64
	last := since
	_, err = pgx.ForEachRow(rows, []any{&table, &n, &merged, &took}, func() error {
		p.tell("%s  %s: %s told by Paymo, in the table %.2fs later", merged.Local().Format(time.TimeOnly), table, counted(n, "change"), took)
		if merged.After(last) {
			last = merged
		}
		return nil
	})
	if err != nil {
		return since, fmt.Errorf("watch what Paymo tells of: %w", err)
	}
	return last, nil
}

// demoRun is a run that wrote something, or could not read its table.
type demoRun struct {
	ID                int64
	Table             string
	FinishedAt        time.Time
	Inserted, Updated int64
	State, Sentence   string
}

// recentRuns are those of the last minute. A run that ended later may have begun
// earlier, so the newest id is no bookmark.
func recentRuns(ctx context.Context, conn *pgx.Conn) ([]demoRun, error) {
	rows, err := conn.Query(ctx, `
		SELECT id, table_name, finished_at, inserted, updated, state, sentence
		FROM paymosync.runs
		WHERE finished_at > clock_timestamp() - interval '1 minute'
			AND (inserted + updated > 0 OR state IN ('degraded', 'failing'))
		ORDER BY finished_at, id`)
	if err != nil {
		return nil, fmt.Errorf("watch the ledger: %w", err)
	}
	runs, err := pgx.CollectRows(rows, pgx.RowToStructByPos[demoRun])
	if err != nil {
		return nil, fmt.Errorf("watch the ledger: %w", err)
	}
	return runs, nil
}

// String is a line such as "12:00:05  time_entries: 2 new, 1 changed".
func (r demoRun) String() string {
	var what []string
	for _, rows := range []struct {
		n    int64
		text string
	}{{r.Inserted, "new"}, {r.Updated, "changed"}} {
		if rows.n > 0 {
			what = append(what, grouped(rows.n)+" "+rows.text)
		}
	}
	if r.State != sink.StateOK {
		what = append(what, r.State+": "+r.Sentence)
	}
	return fmt.Sprintf("%s  %s: %s", r.FinishedAt.Local().Format(time.TimeOnly), r.Table, strings.Join(what, ", "))
}
