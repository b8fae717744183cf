package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/paymosync/paymosync/cmd/paymosync/metrics"
	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// openRetry is how often a starting service tries what is not there yet.
const openRetry = 2 * time.Second

func (p *program) serveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Keep the warehouse fresh on schedule",
		Long: `Keep the warehouse fresh on schedule, until a signal.

On HTTP_ADDR it serves /livez and /readyz and, behind HTTP_PASSWORD, its pages. On
SIGTERM, SIGINT or SIGHUP it takes no new jobs, gives the running ones 10 seconds to
end and interrupts what is left; it exits within 20 seconds and loses nothing that was
read.`,
		Example: "  paymosync serve\n  paymosync serve --env-file /etc/paymosync.env",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := p.config("DATABASE_URL")
			if err != nil {
				return err
			}
			log := p.logger(config, config.LogLevel)
			if err := serve(cmd.Context(), config, log); err != nil {
				log.ErrorContext(context.WithoutCancel(cmd.Context()), "stopped", "error", describe(err))
				return &saidError{err}
			}
			log.InfoContext(context.WithoutCancel(cmd.Context()), "stopped")
			return nil
		},
	}
}

// serve runs the service until the context ends. What it needs and cannot reach
// yet, it waits for, and says so.
func serve(ctx context.Context, config Config, log *slog.Logger) error {
	log.InfoContext(ctx, "starting", "version", version(), "config", config)
	for _, text := range config.Warnings() {
		log.WarnContext(ctx, "configuration", "note", text)
	}
	for _, text := range config.Notices() {
		log.InfoContext(ctx, "configuration", "note", text)
	}
	vault, err := NewVault(config.Vault, log)
	if err != nil {
		return err
	}
	health, pages := newHealth(vault, config), &pages{}
	meters := newMeters(config, log)
	web := newHTTPServer(httpConfig{
		Address: config.HTTPAddr, Health: health, Page: &pages.status, River: &pages.river, Metrics: meters, Webhook: webhookHandler(config, &pages.webhook), Log: log,
		Password: newHTTPPassword(config.HTTPPassword, vault.Resolve, log),
	})
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return vault.Run(ctx) })
	group.Go(func() error { return web.serve(ctx) })
	group.Go(func() error { return work(ctx, config, vault, health, pages, meters, log) })
	return group.Wait()
}

// work syncs on schedule until the context ends. A database or a Vault that is down at the
// start is waited for; anything else that is wrong is an error.
func work(ctx context.Context, config Config, vault *Vault, health *health, pages *pages, meters *metrics.Metrics, log *slog.Logger) error {
	for {
		err := startWork(ctx, config, vault, health, pages, meters, log)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // what failed, failed by being interrupted
		}
		if err == nil || !passing(err) {
			return err
		}
		health.waitFor(err)
		log.WarnContext(ctx, "not ready, trying again", "error", describe(err), "wait", openRetry)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(openRetry):
		}
	}
}

// startWork opens the databases and works until the context ends. The pages are served
// meanwhile, unless they are nil.
func startWork(ctx context.Context, config Config, vault *Vault, health *health, pages *pages, meters *metrics.Metrics, log *slog.Logger) error {
	databases, err := openAllPrepared(ctx, config, vault, log)
	if err != nil {
		return err
	}
	defer databases.Close()
	spans, err := newTraces(config.Traces, log)
	if err != nil {
		return err
	}
	defer spans.stop(ctx)
	syncer, err := newSyncer(ctx, config, vault, databases.warehouse, log, nil, spans, meters.Transport(health.paymo.around(spans.transport())))
	if err != nil {
		return err
	}
	syncer.Ended = meters.Ended
	overview := &overviews{config: newOverviewConfig(config, databases, overviewRuns, overviewRuns)}
	meters.Read(overview.Read)
	defer meters.Read(nil)
	queueLog := slog.New(quieter{log.Handler()}).With("part", "queue")
	secret := newWebhookSecret(config, vault)
	service, err := jobs.NewService(jobs.ServiceConfig{
		Pool: databases.queue.Pool, Syncer: syncer, Tables: tableSchedules(config), Full: config.FullSchedule, Share: config.Paymo.Share,
		Alerts: newAlertConfig(config, vault),
		Keep:   sink.Retention{Runs: config.Operate.KeepRuns, Quarantine: config.Operate.KeepQuarantine},
		Jobs:   config.Operate.KeepJobs,
		Poll:   config.QueuePollOnly,
		Hooks:  newHookConfig(config, secret), Brought: meters.Brought,
		Log: queueLog,
	})
	if err != nil {
		return fmt.Errorf("make the queue: %w", err)
	}
	if pages != nil {
		if err := pages.open(ctx, &controls{overview, service, syncer.Store}, queueLog, log); err != nil {
			return err
		}
		pages.webhook.set(newWebhookReceiver(config, secret, service, meters, log))
		defer pages.close()
	}
	tellOfHooks(ctx, config, syncer.Store, log)
	if err := service.Start(ctx); err != nil {
		return fmt.Errorf("start the queue: %w", err)
	}
	log.InfoContext(ctx, "ready", "tables", len(tableSchedules(config)))
	health.ready(databases.all()...)
	<-service.Stopped()
	return nil
}

// passing reports whether what went wrong at the start may be over soon: a database or a
// Vault that is down, or a connection that was cut while something was asked on it.
func passing(err error) bool {
	var temporary interface{ Temporary() bool }
	var cut *net.OpError
	return sink.Temporary(err) || errors.As(err, &temporary) && temporary.Temporary() ||
		errors.As(err, &cut) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

func openAllPrepared(ctx context.Context, config Config, vault *Vault, log *slog.Logger) (databases, error) {
	warehouse, err := openPrepared(ctx, config, vault, log)
	if err != nil || !config.WarehouseURL.IsSet() {
		return databases{warehouse, warehouse}, err
	}
	queue, err := openPreparedAt(ctx, config, config.queuePlace(), vault, log)
	if err != nil {
		warehouse.Close()
	}
	return databases{warehouse, queue}, err
}

// newMeters makes the metrics of a service.
func newMeters(config Config, log *slog.Logger) *metrics.Metrics {
	return metrics.New(metrics.Config{Version: version(), Tables: config.Tables, Log: log})
}

// tableSchedules are the tables to sync, and when.
func tableSchedules(config Config) []jobs.TableSchedule {
	var schedules []jobs.TableSchedule
	for _, name := range config.Tables {
		if resource, ok := catalog.Lookup(name); ok {
			schedules = append(schedules, scheduleOf(config, resource))
		}
	}
	return schedules
}

// scheduleOf is when a table is synced.
func scheduleOf(config Config, resource *catalog.Resource) jobs.TableSchedule {
	schedule := jobs.TableSchedule{Resource: resource, Schedule: config.ScheduleOf(resource.Table)}
	if config.Webhooks.On() && config.Webhooks.Scheduled && resource.Model != "" {
		schedule.Heard = config.Webhooks.Schedule
	}
	return schedule
}
