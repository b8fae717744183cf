package jobs

import (
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
}

// ServiceConfig is what the queue needs. Pool, Syncer, Tables, Full and Log are required.
type ServiceConfig struct {
	Pool   *pgxpool.Pool
	Syncer *Syncer
	Tables []TableSchedule
	Full   Schedule // of the full syncs of all tables
	Log    *slog.Logger
	Alerts AlertConfig    // of whom to tell what is wrong; the zero value tells nobody
	Keep   sink.Retention // of the bookkeeping; the zero value keeps all
	Jobs   time.Duration  // for how long finished jobs are kept; 0: River's defaults
}

// NewService makes the River client that syncs the tables on schedule. It starts
// nothing. Start it with a context; ending that context stops it softly.
//
// River keeps the schedule in the leader's memory, so every table is also due when
// a leader starts: the sync then decides by the checkpoint what there is to do.
func NewService(config ServiceConfig) (*river.Client[pgx.Tx], error) {
	workers := river.NewWorkers()
	worker := &SyncWorker{Syncer: config.Syncer}
	for _, table := range config.Tables {
		worker.Tables = append(worker.Tables, table.Resource)
	}
	if err := river.AddWorkerSafely(workers, worker); err != nil {
		return nil, err
	}
	account := config.Syncer.Store.Account()
	if err := addUpkeep(workers, config); err != nil {
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
	return river.NewClient(riverpgxv5.New(config.Pool), &river.Config{
		CancelledJobRetentionPeriod: config.Jobs,
		CompletedJobRetentionPeriod: config.Jobs,
		DiscardedJobRetentionPeriod: config.Jobs,
		JobTimeout:                  jobTimeout,
		Logger:                      config.Log,
		PeriodicJobs:                append(periodic, periodicUpkeep(config, account)...),
		Plugins:                     queueTraces(config.Syncer.Traces),
		Queues:                      map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: maxWorkers}, upkeepQueue: {MaxWorkers: 1}},
		RescueStuckJobsAfter:        jobRescue,
		Schema:                      QueueSchema,
		SoftStopTimeout:             SoftStop,
		Workers:                     workers,
	})
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
func addUpkeep(workers *river.Workers, config ServiceConfig) error {
	store := config.Syncer.Store
	return errors.Join(
		river.AddWorkerSafely(workers, &AlertWorker{
			Overview: OverviewConfig{Pool: config.Pool, Store: store, Tables: config.Tables, Full: config.Full, Runs: config.Alerts.FailedRuns + sidelong},
			Alerts:   config.Alerts,
		}),
		river.AddWorkerSafely(workers, &PruneWorker{Store: store, Keep: config.Keep, Log: config.Syncer.Log}),
	)
}

// periodicUpkeep is when old bookkeeping is dropped and, where people are to be told, when
// is looked for what is wrong.
func periodicUpkeep(config ServiceConfig, account string) []*river.PeriodicJob {
	upkeep := []*river.PeriodicJob{river.NewPeriodicJob(river.PeriodicInterval(pruneEvery),
		func() (river.JobArgs, *river.InsertOpts) { return PruneArgs{Account: account}, nil },
		&river.PeriodicJobOpts{ID: "prune", RunOnStart: true})}
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
