package main

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/paymosync/paymosync/jobs"
)

// newOverviewConfig says what is looked at: the configured tables, with so many runs of
// each, and so many of all together.
func newOverviewConfig(config Config, opened databases, runs, latest int) jobs.OverviewConfig {
	look := jobs.OverviewConfig{
		Store:  storeOf(opened.warehouse, config),
		Tables: tableSchedules(config),
		Full:   config.FullSchedule,
		Share:  config.Paymo.Share,
		Runs:   runs,
		Latest: latest,
	}
	if opened.queue != nil {
		look.Pool = opened.queue.Pool
	}
	return look
}

// overviewLife is how long an overview serves everybody who asks: the page, the metrics
// and what they are asked by may come often, and counting rows is work.
const overviewLife = 2 * time.Second

// overviewRuns is how many runs of each table, and of all together, a service looks at.
const overviewRuns = 20

// overviewLimit is how long reading an overview may take.
const overviewLimit = 20 * time.Second

// overviews reads overviews, one at a time, and lets those who ask meanwhile share it, or
// its failure. Safe for concurrent use.
type overviews struct {
	config jobs.OverviewConfig
	reads  singleflight.Group

	mu   sync.Mutex // guards what follows
	last jobs.Overview
	err  error
	read time.Time
}

// Read is the overview, at most overviewLife old. Whoever waits may leave before it is
// read.
func (o *overviews) Read(ctx context.Context) (jobs.Overview, error) {
	if overview, err, ok := o.known(); ok {
		return overview, err
	}
	read := o.reads.DoChan("", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), overviewLimit)
		defer cancel()
		overview, err := jobs.ReadOverview(ctx, o.config)
		o.mu.Lock()
		defer o.mu.Unlock()
		o.last, o.err, o.read = overview, err, time.Now()
		return overview, err
	})
	select {
	case <-ctx.Done():
		return jobs.Overview{}, ctx.Err()
	case result := <-read:
		overview, _ := result.Val.(jobs.Overview)
		return overview, result.Err
	}
}

func (o *overviews) known() (overview jobs.Overview, err error, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.last, o.err, time.Since(o.read) < overviewLife
}

// Forget has the next one be read anew: something was changed that it should show.
func (o *overviews) Forget() {
	o.reads.Forget("")
	o.mu.Lock()
	defer o.mu.Unlock()
	o.read = time.Time{}
}
