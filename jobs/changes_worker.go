package jobs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// changesQueue is the queue of what Paymo tells of: it waits for no sync.
const changesQueue = "changes"

// maxChanges is how many tables' changes are brought at once.
const maxChanges = 2

// changesBeat is how often a table's changes are asked for while more of them come in: what
// comes meanwhile goes along in one request.
const changesBeat = 250 * time.Millisecond

// mostFailures is how often Paymo may fail at single objects, one after the other, before it
// is taken to be away.
const mostFailures = 2

// mergeTime is how long the merge of what was told may take.
const mergeTime = time.Second

// confirmAfter is how long after it was told Paymo is asked for what is merged already, and
// that no sync has read again since.
const confirmAfter = time.Hour

// The turns of ChangesArgs.
const (
	turnNow   = 0 // at once
	turnAgain = 1 // at once, asked for while the job of turn 0 was at work
	turnOld   = 2 // what is merged already, and was told of a while ago
	turnLast  = 3 // at once, asked for while those of turn 0 and 1 were at work
)

// ChangesArgs asks for the changes of a table to be brought, all that wait when the job
// works. Which they are is in the database, an object and kind of change once: so that of
// ten thousand calls a few jobs come, a request serves a hundred objects, and nothing is
// lost that is told while one works.
type ChangesArgs struct {
	Account string `json:"account" river:"unique"`
	Table   string `json:"table" river:"unique"`
	Turn    int    `json:"turn" river:"unique"`
}

// Kind is the job's name in the queue.
func (ChangesArgs) Kind() string { return "changes" }

// InsertOpts has one of a turn at a time.
func (ChangesArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{MaxAttempts: 5, Queue: changesQueue, UniqueOpts: unfinished()}
}

// askForChanges has the changes of the tables brought that wait.
func askForChanges(ctx context.Context, client *river.Client[pgx.Tx], account string, now, old []string) (err error) {
	if _, err := askInTurn(ctx, client, account, turnOld, old); err != nil {
		return err
	}
	// One that works may have looked for changes before there were these.
	for _, turn := range []int{turnNow, turnAgain, turnLast} {
		if now, err = askInTurn(ctx, client, account, turn, now); err != nil {
			return err
		}
	}
	return nil
}

// askInTurn asks for the changes of the tables, and returns those of which a job of the turn
// works.
func askInTurn(ctx context.Context, client *river.Client[pgx.Tx], account string, turn int, tables []string) (busy []string, err error) {
	if len(tables) == 0 {
		return nil, nil
	}
	params := make([]river.InsertManyParams, len(tables))
	for i, table := range tables {
		params[i] = river.InsertManyParams{Args: ChangesArgs{Account: account, Table: table, Turn: turn}}
	}
	results, err := client.InsertMany(ctx, params)
	if err != nil {
		return nil, fmt.Errorf("queue what Paymo told of: %w", err)
	}
	for i, result := range results {
		if result.UniqueSkippedAsDuplicate && result.Job.State == rivertype.JobStateRunning {
			busy = append(busy, tables[i])
		}
	}
	return busy, nil
}

// ChangesWorker brings the changes that Paymo tells of.
type ChangesWorker struct {
	river.WorkerDefaults[ChangesArgs]
	Syncer  *Syncer
	Brought func(Brought, error) // called after every request's worth; may be nil
	sync    *SyncWorker          // knows what follows a table
}

// Work brings what waits, a request's worth after the other.
func (w *ChangesWorker) Work(ctx context.Context, job *river.Job[ChangesArgs]) error {
	resource, ok := catalog.Lookup(job.Args.Table)
	if !ok || resource.Model == "" {
		return river.JobCancel(fmt.Errorf("paymo tells of no changes of a table %q", job.Args.Table))
	}
	began, err := w.Syncer.Store.Now(ctx)
	if err == nil {
		err = w.Syncer.BringAll(ctx, resource, job.Args.Turn != turnOld, began.Add(-confirmAfter), func(brought Brought, err error) { w.note(ctx, brought, err) })
	}
	if err != nil {
		return toQueue(ctx, Outcome{}, err)
	}
	return nil
}

// BringAll brings what waits of a table, as BringChanges does, and tells of each time. Where
// Paymo fails at many it is asked for fewer, so that an object at which it always fails holds
// up no others: it waits until nobody looks after it any more.
func (s *Syncer) BringAll(ctx context.Context, resource *catalog.Resource, urgent bool, before time.Time, tell func(Brought, error)) error {
	most, failures := mostIDs, 0
	for {
		brought, err := s.BringChanges(ctx, resource, urgent, before, most)
		if brought.Changes == 0 && err == nil {
			return nil
		}
		tell(brought, err)
		switch {
		case err == nil:
			most, failures = min(2*most, mostIDs), 0
		case !failed(err) || failures == mostFailures:
			return err
		case brought.Changes > 1:
			most = brought.Changes / 2
		default:
			failures++
		}
		select {
		case <-ctx.Done(): // those who interrupt do not wait for the rest
			return ctx.Err()
		case <-time.After(changesBeat):
		}
	}
}

// failed reports whether Paymo could not answer, which may be for what it was asked.
func failed(err error) bool {
	api, is := errors.AsType[*paymo.APIError](err)
	return is && api.Status >= http.StatusInternalServerError
}

// note tells of what was brought, and has follow what comes with it.
func (w *ChangesWorker) note(ctx context.Context, brought Brought, err error) {
	if w.Brought != nil {
		w.Brought(brought, err)
	}
	if brought.wrote() {
		w.sync.follow(ctx, SyncArgs{Account: w.Syncer.Store.Account(), Table: brought.Table})
	}
}

// Timeout is above the time after which a job hands itself back.
func (w *ChangesWorker) Timeout(*river.Job[ChangesArgs]) time.Duration { return jobTimeout }

// NextRetry is soon: what waits is to be there within seconds.
func (w *ChangesWorker) NextRetry(job *river.Job[ChangesArgs]) time.Time {
	return w.sync.clock.Now().Add(time.Duration(job.Attempt) * 2 * time.Second)
}

// NoteChanges takes what Paymo told of, of tables that are synced. It is noted in the
// database when it returns, and most of it is in its tables.
func (s *Service) NoteChanges(ctx context.Context, told []Told) error {
	changes := make([]sink.Change, len(told))
	bodies := map[string]map[int64][][]byte{}
	for i, t := range told {
		changes[i] = t.Change
		if bodies[t.Table] == nil {
			bodies[t.Table] = map[int64][][]byte{}
		}
		bodies[t.Table][t.ID] = append(bodies[t.Table][t.ID], t.Body)
	}
	noted, err := s.store.NoteChanges(ctx, changes)
	if err == nil {
		err = s.changes.sync.admitMissed(ctx)
	}
	if err != nil {
		return err
	}
	byTable := map[string][]sink.Change{}
	for _, change := range noted {
		byTable[change.Table] = append(byTable[change.Table], change)
	}
	var now []string
	for _, table := range slices.Sorted(maps.Keys(byTable)) {
		resource, ok := catalog.Lookup(table)
		if !ok {
			continue
		}
		brought, ask, err := s.mergeTold(ctx, resource, byTable[table], bodies[table])
		if err != nil { // Paymo is asked
			s.changes.Syncer.Log.DebugContext(ctx, "what Paymo told is not merged", "table", table, "error", err)
		}
		if brought.Changes > 0 {
			s.changes.note(ctx, brought, nil)
		}
		if ask {
			now = append(now, table)
		}
	}
	asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	return askForChanges(asking, s.Client, s.store.Account(), now, nil)
}

// mergeTold merges what was told of a table, unless that has to wait: the calls of the others
// wait for it.
func (s *Service) mergeTold(ctx context.Context, resource *catalog.Resource, changes []sink.Change, bodies map[int64][][]byte) (brought Brought, ask bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, mergeTime)
	defer cancel()
	return s.changes.Syncer.mergeTold(ctx, resource, changes, bodies)
}
