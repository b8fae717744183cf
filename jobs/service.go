package jobs

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// QueueSchema is the PostgreSQL schema of River's tables.
const QueueSchema = "river"

// SoftStop is how long a stopping service lets its jobs end by themselves before it
// interrupts them. What they have read is committed either way.
const SoftStop = 10 * time.Second

// maxWorkers is how many tables are synced at once. Paymo's rate limit leaves
// little for more.
const maxWorkers = 4

// Schedule tells when something is due; robfig/cron's schedules are ones.
type Schedule interface{ Next(time.Time) time.Time }

// TableSchedule is when a table is synced incrementally.
type TableSchedule struct {
	Resource *catalog.Resource
	Schedule Schedule
	Heard    Schedule // while hooks tell of all its changes; nil: Schedule
}

// now is when the table is synced as long as its hook is as it is.
func (t TableSchedule) now(hook *sink.Hook, at time.Time) Schedule {
	if t.Heard == nil || hook == nil || !works(*hook, at) {
		return t.Schedule
	}
	return t.Heard
}

// works reports whether a hook tells of all changes, as far as is known.
func works(hook sink.Hook, at time.Time) bool {
	return hook.Reached && (hook.LastStatus == 0 || hook.LastStatus/100 == 2) && !silent(hook, at)
}

// silent reports whether a hook left changes out, or cannot be heard.
func silent(hook sink.Hook, at time.Time) bool {
	return hook.SilentSince != nil || at.Sub(hook.ListenedAt) >= sink.DeafFor || at.Sub(hook.SeenAt) >= 3*hooksFresh
}

// ServiceConfig is what the queue needs. Pool, Syncer, Tables, Full and Log are required.
type ServiceConfig struct {
	Pool   *pgxpool.Pool // of the queue's database, which may be another than the warehouse's
	Syncer *Syncer
	Tables []TableSchedule
	Full   Schedule // of the full syncs of all tables
	Share  int      // percentage of Paymo's limit that is used; 0: all of it
	Log    *slog.Logger
	Alerts AlertConfig    // of whom to tell what is wrong; the zero value tells nobody
	Keep   sink.Retention // of the bookkeeping; the zero value keeps all
	Poll   bool           // the queue is looked into, where a pooler keeps sessions from being told
	Jobs   time.Duration  // for how long finished jobs are kept; 0: River's defaults

	Hooks   *HookConfig          // the hooks at Paymo that are to be kept; nil: none
	Brought func(Brought, error) // called after every batch of changes; may be nil
}

// Service is the River client that syncs the tables on schedule. Any number of processes
// may run one on the same database: they share the work, and one of them, the leader,
// keeps the schedule.
type Service struct {
	*river.Client[pgx.Tx]
	store   *sink.Store
	changes *ChangesWorker
	pulse   *pulse
	stopped chan struct{}
}

// Start starts the service; ending the context stops it softly.
func (s *Service) Start(ctx context.Context) error {
	if err := s.pulse.readClock(ctx); err != nil {
		return err
	}
	s.Missed() // what came before it started
	if err := s.Client.Start(ctx); err != nil {
		return err
	}
	go func() {
		defer close(s.stopped)
		s.pulse.run(context.WithoutCancel(ctx), s.Client.Stopped())
	}()
	return nil
}

// Stopped is closed when a service that was started has stopped.
func (s *Service) Stopped() <-chan struct{} { return s.stopped }

// NewService makes a service. It starts nothing.
//
// River keeps the schedule in the leader's memory, so every table is also due when
// a leader starts: the sync then decides by the checkpoint what there is to do.
func NewService(config ServiceConfig) (*Service, error) {
	clock := &queueClock{}
	pulse := newPulse(config.Pool, clock, config.Log)
	workers := river.NewWorkers()
	worker := &SyncWorker{Syncer: config.Syncer, clock: clock, hooks: config.Hooks != nil}
	for _, table := range config.Tables {
		worker.Tables = append(worker.Tables, table.Resource)
		worker.schedules = append(worker.schedules, table)
	}
	if err := river.AddWorkerSafely(workers, worker); err != nil {
		return nil, err
	}
	changes := &ChangesWorker{Syncer: config.Syncer, Brought: config.Brought, sync: worker}
	if err := river.AddWorkerSafely(workers, changes); err != nil {
		return nil, err
	}
	account := config.Syncer.Store.Account()
	if err := addUpkeep(workers, config, clock); err != nil {
		return nil, err
	}
	var periodic []*river.PeriodicJob
	for _, table := range config.Tables {
		if !table.Resource.Readable() {
			return nil, errors.New("there is no way to sync " + table.Resource.Table)
		}
		args := SyncArgs{Account: account, Table: table.Resource.Table, Reason: ReasonSchedule}
		periodic = append(periodic,
			periodicSync(args, Incremental, table.Schedule, true),
			periodicSync(args, Full, config.Full, false),
		)
	}
	client, err := river.NewClient(riverpgxv5.New(config.Pool), &river.Config{
		CancelledJobRetentionPeriod: config.Jobs,
		CompletedJobRetentionPeriod: config.Jobs,
		DiscardedJobRetentionPeriod: config.Jobs,
		JobTimeout:                  jobTimeout,
		Logger:                      config.Log,
		PollOnly:                    config.Poll,
		PeriodicJobs:                append(periodic, periodicUpkeep(config, account)...),
		Plugins:                     append(queueTraces(config.Syncer.Traces), pulse),
		Queues:                      map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: maxWorkers}, upkeepQueue: {MaxWorkers: 1}, changesQueue: {MaxWorkers: maxChanges}},
		RescueStuckJobsAfter:        riverRescue,
		Schema:                      QueueSchema,
		SoftStopTimeout:             SoftStop,
		Test:                        river.TestConfig{Time: clock}, // the only way to give it a clock
		Workers:                     workers,
	})
	if err != nil {
		return nil, err
	}
	worker.client = client
	return &Service{Client: client, store: config.Syncer.Store, changes: changes, pulse: pulse, stopped: make(chan struct{})}, nil
}

func periodicSync(args SyncArgs, mode Mode, schedule Schedule, onStart bool) *river.PeriodicJob {
	args.Mode = mode
	return river.NewPeriodicJob(schedule,
		func() (river.JobArgs, *river.InsertOpts) { return args, nil },
		&river.PeriodicJobOpts{ID: "sync_" + args.Table + "_" + string(mode), RunOnStart: onStart})
}

// sidelong is how many of a table's last runs may be ones that say nothing of its syncs:
// those that were interrupted, backfills and repairs.
const sidelong = 20

// addUpkeep adds what works the jobs that are no syncs.
func addUpkeep(workers *river.Workers, config ServiceConfig, clock *queueClock) error {
	store := config.Syncer.Store
	return errors.Join(
		river.AddWorkerSafely(workers, &AlertWorker{
			Overview: OverviewConfig{Pool: config.Pool, Store: store, Tables: config.Tables, Full: config.Full, Share: config.Share, Runs: config.Alerts.FailedRuns + sidelong},
			Alerts:   config.Alerts,
		}),
		river.AddWorkerSafely(workers, &KeepHooksWorker{Keeper: newHookKeeper(config)}),
		river.AddWorkerSafely(workers, &PruneWorker{Store: store, Keep: config.Keep, Log: config.Syncer.Log}),
	)
}

// periodicUpkeep is when old bookkeeping is dropped and, where people are to be told, when
// is looked for what is wrong.
func periodicUpkeep(config ServiceConfig, account string) []*river.PeriodicJob {
	upkeep := []*river.PeriodicJob{river.NewPeriodicJob(river.PeriodicInterval(pruneEvery),
		func() (river.JobArgs, *river.InsertOpts) { return PruneArgs{Account: account}, nil },
		&river.PeriodicJobOpts{ID: "prune", RunOnStart: true})}
	if config.Hooks != nil {
		upkeep = append(upkeep, river.NewPeriodicJob(river.PeriodicInterval(keepHooksEvery),
			func() (river.JobArgs, *river.InsertOpts) { return KeepHooksArgs{Account: account}, nil },
			&river.PeriodicJobOpts{ID: "keep_hooks", RunOnStart: true}))
	}
	if config.Alerts.Tell == nil {
		return upkeep
	}
	every := config.Alerts.Every
	if every == 0 {
		every = alertEvery
	}
	return append(upkeep, river.NewPeriodicJob(river.PeriodicInterval(every),
		func() (river.JobArgs, *river.InsertOpts) { return AlertArgs{Account: account}, nil },
		&river.PeriodicJobOpts{ID: "alert", RunOnStart: true}))
}

// newHookKeeper is nil where no hooks are to be kept.
func newHookKeeper(config ServiceConfig) *HookKeeper {
	if config.Hooks == nil {
		return nil
	}
	keeper := &HookKeeper{Syncer: config.Syncer, HookConfig: *config.Hooks}
	for _, table := range config.Tables {
		keeper.Tables = append(keeper.Tables, table.Resource)
	}
	return keeper
}
