package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// overlap is how far the cursor stays behind the newest change: a row may become
// visible a little later than its updated_on says.
const overlap = time.Minute

// SyncerConfig is what a Syncer needs. Client, Store and Owner are required.
type SyncerConfig struct {
	Client            *paymo.Client
	Bulk              *paymo.Client // for first loads, backfills and comparisons, which can wait; nil: Client
	Store             *sink.Store
	BaseURL           string                            // of the Paymo that the account is pinned to
	Owner             string                            // of leases: names this process
	AcceptRole        string                            // a weaker role that the operator accepts
	SweepWithoutAdmin bool                              // rows are marked deleted though the key is not an Admin's
	StartDate         time.Time                         // windows begin here, zero: everything
	FullDue           func(last, now time.Time) bool    // whether a full is due; nil: only when there was none
	Log               *slog.Logger                      // nil: discarded
	Watch             func(table string, moment Moment) // called after every page; may be nil
	Ended             func(outcome Outcome, err error)  // called after every sync; may be nil
	Traces            trace.TracerProvider              // nil: no traces
}

// Syncer syncs one account's tables, one at a time or several at once.
type Syncer struct {
	SyncerConfig
	guard  guard
	tracer trace.Tracer
}

// NewSyncer makes a Syncer. It starts nothing.
func NewSyncer(config SyncerConfig) *Syncer {
	if config.Bulk == nil {
		config.Bulk = config.Client
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	if config.FullDue == nil {
		config.FullDue = func(last, _ time.Time) bool { return last.IsZero() }
	}
	if config.Watch == nil {
		config.Watch = func(string, Moment) {}
	}
	if config.Ended == nil {
		config.Ended = func(Outcome, error) {}
	}
	return &Syncer{SyncerConfig: config, tracer: newTracer(config.Traces)}
}

// Request asks for one sync of one table.
type Request struct {
	Resource      *catalog.Resource
	Mode          Mode
	Reason        string
	Work          time.Duration // hand back after this long; 0: go on to the end
	From, To      time.Time     // of a backfill: rows about days from the one to before the other; a zero To is open
	AcceptDeletes bool          // rows that are gone from Paymo are marked deleted, however many nothing explains
}

// Moment is how far a sync is, for whoever watches.
type Moment struct {
	Mode     Mode
	Rows     int64   // read so far
	Requests int     // made so far
	Left     float64 // share still to read, from 1 to 0
	Known    bool    // whether Left is known
}

// Outcome is what came of a sync: the ledger's row, the job's output and the line
// of a summary.
type Outcome struct {
	Table       string        `json:"table"`
	Mode        Mode          `json:"mode"`
	State       string        `json:"state"`
	Reason      string        `json:"reason"`
	Cause       Cause         `json:"cause,omitempty"` // what the reason is about, "" when the table is ok
	Inserted    int64         `json:"inserted"`
	Updated     int64         `json:"updated"`
	Unchanged   int64         `json:"unchanged"`
	Tombstoned  int64         `json:"tombstoned"`
	Quarantined int64         `json:"quarantined"`
	Requests    int           `json:"requests"`
	Waited      time.Duration `json:"waited_ns"`
	Bytes       int64         `json:"bytes"`
	Took        time.Duration `json:"took_ns"`
	Unfinished  bool          `json:"unfinished"` // progress was saved, the rest is still to be read
}

// Sync syncs one table. It holds the table's lease meanwhile and writes the ledger.
//
// An error says why the table could not be read to its end; what was read is
// committed, with its progress. A table that Paymo does not serve, or whose rows are
// kept with a doubt, is no error: the outcome's state says so. When another process
// has the lease the error is a *sink.HeldError and nothing was done.
func (s *Syncer) Sync(ctx context.Context, req Request) (Outcome, error) {
	started := time.Now()
	ctx, span := s.startTable(ctx, "sync", req.Resource.Table)
	defer span.End()
	outcome := Outcome{Table: req.Resource.Table, Mode: req.Mode, State: sink.RunRunning}
	err := s.Store.WithLease(ctx, req.Resource.Table, s.Owner, func(ctx context.Context, lease *sink.Lease) error {
		run, err := s.begin(ctx, lease, req)
		if paused, ok := errors.AsType[*pausedError](err); ok {
			outcome = pausedOutcome(req.Resource.Table, req.Mode, paused.why)
			return nil
		}
		if err != nil {
			return err
		}
		run.span = span
		err = run.end(ctx, run.read(ctx))
		outcome = run.outcome
		return err
	})
	if err != nil && ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
		err = fmt.Errorf("%w: %w", ctx.Err(), err) // what was interrupted does not always say so
	}
	outcome.Took = time.Since(started)
	outcome.describe(span)
	conclude(span, err)
	s.logOutcome(ctx, outcome, err)
	s.Ended(outcome, err)
	return outcome, err
}

// begin goes on with an unfinished run, or plans a new one. The error of a table that is
// paused is a *pausedError.
func (s *Syncer) begin(ctx context.Context, lease *sink.Lease, req Request) (*run, error) {
	now, err := s.Store.Now(ctx)
	if err != nil {
		return nil, err
	}
	checkpoint, err := lease.Checkpoint(ctx)
	if err != nil {
		return nil, err
	}
	r := &run{Syncer: s, lease: lease, resource: req.Resource, checkpoint: checkpoint, accept: req.AcceptDeletes, work: req.Work, begun: time.Now()}
	switch why, err := s.paused(ctx, req.Resource, checkpoint); {
	case err != nil:
		return nil, err
	case why.some():
		return nil, &pausedError{why}
	}
	decided, err := r.decide(ctx, req, now)
	if err != nil {
		return nil, err
	}
	if decided.goesOn {
		r.progress.Run, err = lease.ResumeRun(ctx, r.progress.Run, string(r.progress.Mode), req.Reason)
	} else {
		r.progress.Run, err = lease.StartRun(ctx, string(r.progress.Mode), req.Reason)
		r.save(&r.checkpoint)
	}
	if err != nil {
		return nil, err
	}
	r.outcome = Outcome{Table: req.Resource.Table, Mode: r.progress.Mode, State: sink.RunRunning}
	return r, nil
}

// decision is what a sync of a table begins with.
type decision struct {
	why    Why  // it reads everything, or not
	goesOn bool // with an unfinished run
}

// decide chooses the mode, and makes the progress to begin with or to go on with. It
// writes nothing.
func (r *run) decide(ctx context.Context, req Request, now time.Time) (decision, error) {
	if err := r.awaitParents(ctx); err != nil {
		return decision{}, err
	}
	layout := r.layout(r.resource)
	mode, why, err := r.modeFor(ctx, req, layout, now)
	if err != nil {
		return decision{}, err
	}
	saved := r.checkpoint.Progress
	if mode == Backfill {
		saved = r.checkpoint.Backfill
	}
	r.progress = parseProgress(saved, layout, now)
	if r.progress != nil && r.progress.goesOn(mode, req) {
		return decision{why: why, goesOn: true}, nil
	}
	r.progress = &Progress{Mode: mode, StartedAt: now, Layout: layout, From: req.From, To: req.To,
		Excused: r.checkpoint.State == sink.StateDegraded || why == WhyLost || !r.works(batches)}
	if mode == Full {
		r.checkpoint.Capabilities = keptDoubt(r.checkpoint.Capabilities)
		r.checkpoint.LongestReply = 0
	}
	return decision{why: why}, nil
}

// layout is what a checkpoint must have been made with to say anything: the table's
// place and columns, and how far back its windows go.
func (s *Syncer) layout(resource *catalog.Resource) string {
	layout := s.Store.Layout(resource)
	if resource.Window != "" && !s.StartDate.IsZero() {
		layout += " from " + s.StartDate.Format(time.DateOnly)
	}
	return layout
}

// Why says why a sync reads everything, or that it reads what changed.
type Why string

// The reasons.
const (
	WhyChanged Why = "what changed is read"
	WhyAsked   Why = "a full was asked for"
	WhyFirst   Why = "it was never read whole"
	WhyLayout  Why = "its columns, its schema or SYNC_START_DATE changed"
	WhyLost    Why = "the newest rows are missing from the table"
	WhyDue     Why = "a full is due"
)

// modeFor decides whether an incremental must be a full: the first one, one after
// its layout changed or its table lost rows, and one that is due. A full is due by its
// checkpoint, not by having caught the tick; a scheduled one that was made meanwhile is
// not made twice.
func (r *run) modeFor(ctx context.Context, req Request, layout string, now time.Time) (Mode, Why, error) {
	cp := r.checkpoint
	if req.Mode == Backfill {
		return Backfill, WhyAsked, nil
	}
	lost := false
	if !cp.Cursor.IsZero() && !cp.FullAt.IsZero() {
		reaches, err := r.Store.Reaches(ctx, req.Resource.Table, cp.Cursor)
		if err != nil {
			return "", "", err
		}
		lost = !reaches // the table has no row any more that is as new as the cursor
	}
	last := cp.FullAt
	if doubted := cp.Capabilities[WholeListing].Since; doubted.After(last) {
		last = doubted // it is not made again at every tick
	}
	switch {
	case cp.FullAt.IsZero():
		return Full, WhyFirst, nil
	case lost:
		return Full, WhyLost, nil
	case cp.Layout != layout:
		return Full, WhyLayout, nil
	case req.Mode == Full && req.Reason != ReasonSchedule:
		return Full, WhyAsked, nil
	case r.FullDue(last, now):
		return Full, WhyDue, nil
	}
	return Incremental, WhyChanged, nil
}

// logOutcome writes the one wide line of a run.
func (s *Syncer) logOutcome(ctx context.Context, o Outcome, err error) {
	attributes := []slog.Attr{
		slog.String("table", o.Table), slog.String("mode", string(o.Mode)), slog.String("state", o.State),
		slog.Int64("inserted", o.Inserted), slog.Int64("updated", o.Updated), slog.Int64("unchanged", o.Unchanged),
		slog.Int64("tombstoned", o.Tombstoned), slog.Int64("quarantined", o.Quarantined), slog.Int("requests", o.Requests),
		slog.Duration("waited", o.Waited.Round(time.Millisecond)), slog.Int64("bytes", o.Bytes),
		slog.Duration("took", o.Took.Round(time.Millisecond)),
	}
	level := slog.LevelInfo
	switch {
	case o.State == sink.StateFailing || o.State == sink.StateDegraded:
		level = slog.LevelWarn
		attributes = append(attributes, slog.String("cause", string(o.Cause)), slog.String("reason", o.Reason))
	case err != nil:
		level = slog.LevelDebug
		attributes = append(attributes, slog.String("error", err.Error()))
	case o.Reason != "":
		attributes = append(attributes, slog.String("reason", o.Reason))
	}
	s.Log.LogAttrs(ctx, level, "sync", attributes...)
}
