package main

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// newOverviewConfig says what is looked at: the configured tables, with so many runs of
// each, and so many of all together.
func newOverviewConfig(config Config, pool *pgxpool.Pool, runs, latest int) jobs.OverviewConfig {
	return jobs.OverviewConfig{
		Pool:   pool,
		Store:  sink.New(pool, config.WarehouseSchema, catalog.DefaultAccount),
		Tables: tableSchedules(config),
		Full:   config.FullSchedule,
		Runs:   runs,
		Latest: latest,
	}
}

// overviewLife is how long an overview serves everybody who asks: the page, the metrics
// and what they are asked by may come often, and counting rows is work.
const overviewLife = 2 * time.Second

// overviewRuns is how many runs of each table, and of all together, a service looks at.
const overviewRuns = 20

// overviews reads overviews, one at a time, and lets those who ask meanwhile share it.
// Safe for concurrent use.
type overviews struct {
	config jobs.OverviewConfig

	mu   sync.Mutex
	last jobs.Overview
	read time.Time
}

// Read is the overview, at most overviewLife old.
func (o *overviews) Read(ctx context.Context) (jobs.Overview, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if time.Since(o.read) < overviewLife {
		return o.last, nil
	}
	overview, err := jobs.ReadOverview(ctx, o.config)
	if err != nil {
		return jobs.Overview{}, err
	}
	o.last, o.read = overview, time.Now()
	return overview, nil
}

// Forget has the next one be read anew: something was changed that it should show.
func (o *overviews) Forget() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.read = time.Time{}
}
