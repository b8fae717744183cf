package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/paymosync/paymosync/cmd/paymosync/web"
	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/sink"
)

const (
	// pageRefresh is how often an open status page is read anew.
	pageRefresh = 30 * time.Second
	// pageTime is how long the database may take for it, below httpWriteTimeout.
	pageTime = 20 * time.Second
)

// pages are what is served once there is a database.
type pages struct{ status, river, webhook lateHandler }

// close serves them no more.
func (p *pages) close() {
	p.status.set(nil)
	p.river.set(nil)
	p.webhook.set(nil)
}

// open serves them from now on. What runs beside the requests ends with the context.
func (p *pages) open(ctx context.Context, controls *controls, queueLog, log *slog.Logger) error {
	ui, err := startRiverUI(ctx, controls.queue.Client, queueLog)
	if err != nil {
		return err
	}
	status, err := web.New(web.Config{
		Read: controls.read, Sync: controls.sync, Pause: controls.pause, Resume: controls.resume,
		Version: version(), Refresh: pageRefresh, River: "/river/", Log: log.With("part", "page"),
	})
	if err != nil {
		return fmt.Errorf("make the status page: %w", err)
	}
	p.river.set(ui)
	p.status.set(status)
	return nil
}

// controls are what the status page shows and does.
type controls struct {
	overview *overviews
	queue    *jobs.Service
	store    *sink.Store
}

func (c *controls) read(ctx context.Context) (jobs.Overview, error) {
	ctx, cancel := context.WithTimeout(ctx, pageTime)
	defer cancel()
	overview, err := c.overview.Read(ctx)
	return overview, plainly(err)
}

// sync asks for a sync of a table. One that waits for its time, or to be tried again,
// is let go now.
func (c *controls) sync(ctx context.Context, table string, mode jobs.Mode) (queued bool, err error) {
	defer c.overview.Forget()
	args := jobs.SyncArgs{Account: c.store.Account(), Table: table, Mode: mode, Reason: jobs.ReasonManual}
	result, err := c.queue.Insert(ctx, args, nil)
	if err != nil {
		return false, plainly(fmt.Errorf("queue a sync of %s: %w", table, err))
	}
	if !result.UniqueSkippedAsDuplicate {
		return true, nil
	}
	if state := result.Job.State; state == rivertype.JobStateScheduled || state == rivertype.JobStateRetryable {
		if _, err = c.queue.JobRetry(ctx, result.Job.ID); err != nil && !errors.Is(err, river.ErrNotFound) {
			return false, plainly(fmt.Errorf("let the sync of %s go now: %w", table, err))
		}
	}
	return false, nil
}

func (c *controls) pause(ctx context.Context, table string) (changed bool, err error) {
	defer c.overview.Forget()
	changed, err = c.store.Pause(ctx, table)
	return changed, plainly(err)
}

func (c *controls) resume(ctx context.Context, table string) (changed bool, err error) {
	defer c.overview.Forget()
	changed, err = c.store.Resume(ctx, table)
	return changed, plainly(err)
}

// plainly is an error in the words that people read.
func plainly(err error) error {
	if err == nil {
		return nil
	}
	return errors.New(describe(err))
}
