package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

const (
	// pulseEvery is how often a process says that it is alive, and looks for jobs of
	// others that are not.
	pulseEvery = 5 * time.Second
	// pulseTerm is how long a job is taken as worked after its process was heard last: as
	// long as a table's lease outlives its owner.
	pulseTerm = 15 * time.Second
	// pulseMark is where a running job's metadata says when its process was heard last.
	pulseMark = "paymosync:alive_at"
)

// pulse tells the other processes which jobs this one works, and lets go the jobs of
// those that have ended, or that could not tell the database that a job was done. River's
// own rescue only knows how long a job has run, so that it has to wait for longer than
// any job may take. All times are the database's.
type pulse struct {
	river.MiddlewareDefaults
	pool  *pgxpool.Pool
	clock *queueClock
	log   *slog.Logger
	every time.Duration
	term  time.Duration

	heard  time.Time // when the database heard the last beat
	steady time.Time // since when it heard all of them

	mu     sync.Mutex
	worked map[int64]time.Time // jobs, and since when this process works them
}

func newPulse(pool *pgxpool.Pool, clock *queueClock, log *slog.Logger) *pulse {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &pulse{pool: pool, clock: clock, log: log, every: pulseEvery, term: pulseTerm, worked: map[int64]time.Time{}}
}

// Work knows of the job while it is worked.
func (p *pulse) Work(ctx context.Context, job *rivertype.JobRow, work func(context.Context) error) error {
	p.mu.Lock()
	p.worked[job.ID] = time.Now()
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(p.worked, job.ID)
		p.mu.Unlock()
	}()
	return work(ctx)
}

// run beats until done is closed.
func (p *pulse) run(ctx context.Context, done <-chan struct{}) {
	ticker := time.NewTicker(p.every)
	defer ticker.Stop()
	p.heard, p.steady = time.Now(), time.Now()
	for {
		select {
		case <-done:
			return
		case <-ticker.C:
		}
		trying, cancel := context.WithTimeout(ctx, p.every)
		if err := p.beat(trying); err != nil {
			p.log.WarnContext(ctx, "the queue does not hear of this process", "error", err)
		}
		cancel()
	}
}

// beat says that this process is alive, and lets go what is not worked.
func (p *pulse) beat(ctx context.Context) error {
	if err := p.readClock(ctx); err != nil {
		return err
	}
	if ids := p.jobs(); len(ids) > 0 {
		if _, err := p.pool.Exec(ctx, `
			WITH mine AS (
				SELECT id
				FROM `+jobTable+`
				WHERE id = ANY ($1) AND state = 'running'
				FOR UPDATE SKIP LOCKED
			)
			UPDATE `+jobTable+` AS j
			SET metadata = j.metadata || jsonb_build_object($2::text, clock_timestamp())
			FROM mine
			WHERE j.id = mine.id`, ids, pulseMark); err != nil {
			return fmt.Errorf("say which jobs are worked: %w", err)
		}
	}
	now := time.Now()
	if now.Sub(p.heard) > 2*p.every {
		p.steady = now
	}
	p.heard = now
	if now.Sub(p.steady) < p.term { // the others may not have been heard either
		return nil
	}
	return p.rescue(ctx)
}

// jobTable is River's table of jobs.
const jobTable = QueueSchema + ".river_job"

// jobs are those that this process works. One that should have ended long ago is worked
// no more, whatever its worker does.
func (p *pulse) jobs() []int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.DeleteFunc(p.worked, func(_ int64, since time.Time) bool { return time.Since(since) > jobRescue })
	return slices.Collect(maps.Keys(p.worked))
}

// readClock sets the queue's clock by the database's.
func (p *pulse) readClock(ctx context.Context) error {
	asked := time.Now()
	var now time.Time
	if err := p.pool.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&now); err != nil {
		return fmt.Errorf("read the database's clock: %w", err)
	}
	p.clock.set(now, asked)
	return nil
}

// rescue lets the jobs go that no process works: at once again, as long as they have
// attempts left. A job whose process is only slow to be heard is safe to be worked
// twice, since one of both waits for the table's lease.
func (p *pulse) rescue(ctx context.Context) error {
	rows, err := p.pool.Query(ctx, `
		WITH dead AS (
			SELECT id, CASE
					WHEN metadata ? 'cancel_attempted_at' THEN 'cancelled'
					WHEN attempt < max_attempts THEN 'available'
					ELSE 'discarded'
				END::`+QueueSchema+`.river_job_state AS state
			FROM `+jobTable+`
			WHERE state = 'running' AND greatest(attempted_at, (metadata ->> $1)::timestamptz) < clock_timestamp() - $2::interval
			FOR UPDATE SKIP LOCKED
		)
		UPDATE `+jobTable+` AS j
		SET state = dead.state,
			finalized_at = CASE WHEN dead.state <> 'available' THEN clock_timestamp() END,
			scheduled_at = CASE WHEN dead.state = 'available' THEN clock_timestamp() ELSE j.scheduled_at END,
			errors = array_append(j.errors, jsonb_build_object('at', clock_timestamp(), 'attempt', j.attempt, 'error', 'the process that worked it was not heard of any more', 'trace', ''))
		FROM dead
		WHERE j.id = dead.id
		RETURNING j.kind, coalesce(j.args ->> 'table', ''), j.attempted_by[cardinality(j.attempted_by)], j.state::text`, pulseMark, p.term)
	if err != nil {
		return fmt.Errorf("let jobs go that nobody works: %w", err)
	}
	var kind, table, by, state string
	if _, err := pgx.ForEachRow(rows, []any{&kind, &table, &by, &state}, func() error {
		p.log.WarnContext(ctx, "a job was worked by a process that is not heard of any more", "kind", kind, "table", table, "process", by, "now", state)
		return nil
	}); err != nil {
		return fmt.Errorf("let jobs go that nobody works: %w", err)
	}
	return nil
}
