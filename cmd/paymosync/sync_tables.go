package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// atOnce is how many tables the sync command reads at once.
const atOnce = 4

// How long a sync that works in slices makes room, between two of them, for jobs that
// wait for the table: longer than they wait before they look again.
const (
	roomMost = 7 * time.Second
	roomLook = 250 * time.Millisecond
)

// syncTables syncs the tables, several at once, in the order in which a first load
// serves people best.
func syncTables(ctx context.Context, config Config, requests []jobs.Request, progress *progress, log *slog.Logger) ([]synced, error) {
	for _, text := range slices.Concat(config.Warnings(), config.Notices()) {
		progress.say(text)
	}
	vault, err := NewVault(config.Vault, log)
	if err != nil {
		return nil, err
	}
	defer vault.Close()
	warehouse, err := openPrepared(ctx, config, vault, log)
	if err != nil {
		return nil, err
	}
	opened, err := besideWarehouse(ctx, config, vault, warehouse)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	spans, err := newTraces(config.Traces, log)
	if err != nil {
		return nil, err
	}
	defer spans.stop(ctx)
	syncer, err := newSyncer(ctx, config, vault, warehouse, log, progress, spans, spans.transport())
	if err != nil {
		return nil, err
	}
	outcomes := make([]synced, len(requests))
	ended := endings(requests)
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i, req := range requests {
		group.Go(func() error {
			table := req.Resource.Table
			defer close(ended[table])
			awaitParents(ctx, req.Resource, ended)
			progress.begin(table)
			outcomes[i] = tableSync{syncer: syncer, databases: opened, progress: progress}.toEnd(ctx, req)
			progress.end(outcomes[i].Outcome)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	identity, pinned, err := syncer.Store.Identity(context.WithoutCancel(ctx))
	if err == nil && pinned && identity.Role != jobs.AdminRole {
		progress.say(fmt.Sprintf("The key's role is %s: it sees a part of the account, and prices may be blank. An Admin's key sees all.", identity.Role))
	}
	return outcomes, err
}

// endings are channels that are closed when the tables were synced.
func endings(requests []jobs.Request) map[string]chan struct{} {
	ended := make(map[string]chan struct{}, len(requests))
	for _, req := range requests {
		ended[req.Resource.Table] = make(chan struct{})
	}
	return ended
}

// awaitParents waits, before a table is synced whose rows are read by those of others,
// until those were synced, if they are going to be. They come earlier in the catalogue, so
// that they are under way by then whatever the number of tables at once is.
func awaitParents(ctx context.Context, resource *catalog.Resource, ended map[string]chan struct{}) {
	for _, table := range parentsOf(resource) {
		parent, ok := ended[table]
		if !ok {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-parent:
		}
	}
}

// parentsOf are the tables that another one is read by, or may come to be read by: those
// of which Paymo demands a filter on them. What has windows of time does without.
func parentsOf(r *catalog.Resource) []string {
	if r.Strict == "" || r.Window != "" {
		return nil
	}
	parents := slices.DeleteFunc([]string{r.Scope.Parent, r.Embedded.Parent}, func(table string) bool { return table == "" })
	return slices.Compact(parents)
}

// tableSync syncs one table after another, to its end.
type tableSync struct {
	databases
	syncer   *jobs.Syncer
	progress *progress
}

// toEnd syncs one table, whatever has to be waited for meanwhile.
func (s tableSync) toEnd(ctx context.Context, req jobs.Request) synced {
	began, clockErr := s.syncer.Store.Now(ctx)
	total := synced{Outcome: s.throughout(ctx, req)}
	total.Advice = jobs.Advice(total.Table, total.Cause)
	if req.Mode != jobs.Backfill {
		return total
	}
	total.From = req.From.Format(time.DateOnly)
	if !req.To.IsZero() {
		total.To = req.To.AddDate(0, 0, -1).Format(time.DateOnly)
	}
	if clockErr == nil {
		s.recall(ctx, &total, began)
	}
	return total
}

// recall adds what the earlier parts of a backfill did to what it did since it began this
// time. The ledger has one run for all of them; where it cannot be asked, nothing is added.
func (s tableSync) recall(ctx context.Context, o *synced, began time.Time) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recallTime)
	defer cancel()
	var first time.Time
	all, waited := o.Outcome, int64(0)
	err := s.warehouse.QueryRow(ctx, `
		SELECT started_at, inserted, updated, unchanged, tombstoned, quarantined, requests, waited_ms, bytes
		FROM paymosync.runs
		WHERE account = $1 AND table_name = $2 AND mode = $3 AND started_at < $4 AND (finished_at IS NULL OR finished_at >= $4)
		ORDER BY started_at DESC
		LIMIT 1`, catalog.DefaultAccount, o.Table, string(jobs.Backfill), began).
		Scan(&first, &all.Inserted, &all.Updated, &all.Unchanged, &all.Tombstoned, &all.Quarantined, &all.Requests, &waited, &all.Bytes)
	if err != nil {
		return
	}
	all.Waited = time.Duration(waited) * time.Millisecond
	o.Outcome, o.WentOn = all, &first
}

// recallTime is how long the ledger may take to tell of a backfill.
const recallTime = 5 * time.Second

// throughout syncs one table and waits for what only takes waiting: the rate limit, and
// another process's lease. Between the slices of its work it makes room for others.
func (s tableSync) throughout(ctx context.Context, req jobs.Request) jobs.Outcome {
	var total jobs.Outcome
	started := time.Now()
	for {
		outcome, err := s.syncer.Sync(ctx, req)
		total = addOutcomes(total, outcome)
		s.progress.slice(req.Resource.Table, outcome)
		wait, retry := jobs.RetryIn(err)
		switch {
		case err == nil && outcome.Unfinished && ctx.Err() == nil:
			s.makeRoom(ctx, req.Resource.Table)
		case retry:
			s.progress.waiting(req.Resource.Table, err, wait)
			if sleep(ctx, wait) {
				total.Waited += wait
			}
		default:
			if err != nil && total.State != sink.StateFailing {
				total.State, total.Reason, total.Cause = sink.StateFailing, describe(err), jobs.CauseOf(err)
			}
			if ctx.Err() != nil {
				total.State, total.Reason, total.Cause = sink.RunInterrupted, keptWords(req.Mode), ""
			}
			total.Took = time.Since(started)
			return total
		}
	}
}

func keptWords(mode jobs.Mode) string {
	if mode == jobs.Backfill {
		return "what was read is kept, a backfill of the same dates goes on"
	}
	return "what was read is kept, the next sync goes on"
}

// makeRoom lets the service's jobs go first that wait for the table's lease: they look
// for it every few seconds only. Jobs that nobody works are not waited for long.
func (s tableSync) makeRoom(ctx context.Context, table string) {
	if s.queue == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 2*roomMost) // the queue may be out of reach
	defer cancel()
	for until := time.Now().Add(roomMost); time.Now().Before(until); {
		var waiting bool
		err := s.queue.QueryRow(ctx, `
			SELECT EXISTS (
				SELECT
				FROM `+jobs.QueueSchema+`.river_job
				WHERE kind = $1 AND args ->> 'table' = $2
					AND (state IN ('available', 'running') OR state = 'scheduled' AND scheduled_at < now() + $3)
			)`, jobs.SyncArgs{}.Kind(), table, roomMost).Scan(&waiting)
		if err != nil || !waiting || !sleep(ctx, roomLook) {
			return
		}
	}
}

// sleep reports false when the context ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
