package jobs

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// claimTerm is for how long one process looks after changes that it claimed: as long as a
// job may take.
const claimTerm = jobRescue

// mostSinglyTold is how many objects are asked for one by one before what Paymo said is
// written: under a limit of a request a second that a few jobs share, more would not come to
// an end within a job's time.
const mostSinglyTold = 10

// Brought is what came of changes that Paymo told of.
type Brought struct {
	Table      string          `json:"table"`
	Changes    int             `json:"changes"`
	Requests   int             `json:"requests"`
	Inserted   int64           `json:"inserted"`
	Updated    int64           `json:"updated"`
	Tombstoned int64           `json:"tombstoned"`
	Lags       []time.Duration `json:"-"` // of each change, from when it happened to when it was in the table
}

// wrote reports whether rows were written.
func (b Brought) wrote() bool { return b.Inserted+b.Updated+b.Tombstoned > 0 }

// BringChanges reads at most so many of the objects of a table of which Paymo told that they
// changed, in a request where that can be, and merges them; one that is gone is marked
// deleted where Paymo confirms that. Urgent is where the table does not have one of them yet; else only those
// are read that were told of before the time. It reports none when no change waits. It
// needs no lease: a sync of the table may be underway.
//
// What a table is not ready for is left to its syncs: one that was never read whole, is
// paused, or whose key is refused.
func (s *Syncer) BringChanges(ctx context.Context, resource *catalog.Resource, urgent bool, before time.Time, most int) (brought Brought, err error) {
	brought.Table = resource.Table
	claim := sink.Claim{Table: resource.Table, Urgent: urgent, Limit: most, Term: claimTerm}
	if !urgent {
		claim.Before = before
	}
	changes, err := s.Store.ClaimChanges(ctx, claim)
	if err != nil || len(changes) == 0 {
		return brought, err
	}
	brought.Changes = len(changes)
	ctx, span := s.startTable(ctx, "changes", resource.Table)
	defer span.End()
	defer func() {
		if err != nil && !(most == 1 && failed(err)) { // others may try, at once
			settling, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
			defer cancel()
			err = errors.Join(err, s.Store.UnclaimChanges(settling, changes))
		}
	}()
	checkpoint, err := s.Store.Checkpoint(ctx, resource.Table)
	if err != nil {
		return brought, err
	}
	ready, err := s.readyForChanges(ctx, resource, checkpoint)
	if err != nil {
		return brought, err
	}
	idle := slices.Clone(changes)
	if ready {
		if idle, err = s.Store.Superseded(ctx, changes); err != nil {
			return brought, err
		}
	}
	end, again := s.Store.SettleChanges, urgent && changes[0].Kind == sink.Gone
	if again {
		end = s.Store.DeferChanges // a row may be on its way into the table
	}
	changes = slices.DeleteFunc(changes, func(change sink.Change) bool { return slices.Contains(idle, change) })
	if err := end(ctx, idle); err != nil {
		return brought, err
	}
	if len(changes) == 0 {
		return brought, nil
	}
	r := &run{Syncer: s, lease: s.Store.Visit(resource.Table), resource: resource, checkpoint: checkpoint, progress: &Progress{Mode: Incremental}, begun: time.Now(), span: span, patient: true}
	if err = r.identify(ctx, 0); err == nil {
		if changes[0].Kind == sink.Gone {
			err = r.bringGone(ctx, changes, again)
		} else if err = r.bringChanged(ctx, changes); err == nil {
			_, err = s.Store.LookAgain(ctx, resource.Table, idsOf(changes))
		}
	}
	brought.Requests = r.outcome.Requests
	brought.Inserted, brought.Updated, brought.Tombstoned = r.outcome.Inserted, r.outcome.Updated, r.outcome.Tombstoned
	if err == nil {
		for _, change := range changes {
			if change.Lag > 0 {
				brought.Lags = append(brought.Lags, change.Lag)
			}
		}
	}
	s.logBrought(ctx, brought, err)
	return brought, err
}

// readyForChanges reports whether changes may go into the table before its next sync.
func (s *Syncer) readyForChanges(ctx context.Context, resource *catalog.Resource, checkpoint sink.Checkpoint) (bool, error) {
	if checkpoint.FullAt.IsZero() || checkpoint.Layout != s.layout(resource) {
		return false, nil
	}
	why, err := s.paused(ctx, resource, checkpoint)
	return !why.some(), err
}

// bringChanged merges the objects as they are now.
func (r *run) bringChanged(ctx context.Context, changes []sink.Change) error {
	ids := idsOf(changes)
	if r.works(filterIDs) {
		page, at, err := r.askFor(ctx, r.resource, paymo.Query{Where: r.synced().In("id", ids...)})
		var api *paymo.APIError
		refused := badRequest(err) || errors.As(err, &api) && (api.Denied() || api.NotFound())
		if err != nil && !refused {
			return err
		}
		strays := err == nil && slices.ContainsFunc(recordIDs(page), func(id int64) bool { return !slices.Contains(ids, id) })
		if err == nil && !strays {
			there := foundFirst(changes, recordIDs(page))
			r.settles = changes[:newestFirst(changes[:there], page)]
			if err := r.bring(ctx, page, at); err != nil {
				return err
			}
			return r.bringMissing(ctx, changes[there:])
		}
	}
	for i, change := range changes { // one by one
		page, at, err := r.find(ctx, change.ID)
		if err != nil {
			return err
		}
		if page == nil {
			page = &paymo.Page{}
		}
		r.settles = changes[i : i+newestFirst(changes[i:i+1], page)]
		if err := r.bring(ctx, page, at); err != nil {
			return err
		}
	}
	return nil
}

// newestFirst sorts the changes of which the page does not hold an older version than was
// told of before the others, and returns how many they are. The others wait until nobody
// looks after them any more.
func newestFirst(changes []sink.Change, page *paymo.Page) (n int) {
	for i, change := range changes {
		at := slices.IndexFunc(page.Records, func(record catalog.Record) bool { return record.ID == change.ID })
		if at < 0 || change.AnsweredBy(page.Records[at].Updated) {
			changes[n], changes[i] = change, changes[n]
			n++
		}
	}
	return n
}

// foundFirst sorts the changes of which the objects were found before the others, and returns
// how many they are.
func foundFirst(changes []sink.Change, found []int64) (n int) {
	for i, change := range changes {
		if slices.Contains(found, change.ID) {
			changes[n], changes[i] = change, changes[n]
			n++
		}
	}
	return n
}

// synced is a filter that every row meets that is synced at all.
func (r *run) synced() paymo.Where {
	if r.resource.Window != "" && !r.StartDate.IsZero() {
		return paymo.Where{}.Interval(r.resource.Window, r.StartDate, windowsEnd())
	}
	return demanded(r.resource)
}

// bringMissing finds out what became of objects that are not there, and that the table has.
// Nobody told that they were deleted.
func (r *run) bringMissing(ctx context.Context, changes []sink.Change) error {
	if len(changes) == 0 {
		return nil
	}
	live, err := r.Store.Live(ctx, r.resource, idsOf(changes))
	if err != nil {
		return err
	}
	if len(live) == 0 {
		return r.Store.SettleChanges(ctx, changes)
	}
	return r.lay(ctx, live, changes, false)
}

// bringGone marks the objects deleted of which Paymo told that they are, and says so when it
// is asked.
// The first time they are asked for again later.
func (r *run) bringGone(ctx context.Context, changes []sink.Change, again bool) error {
	most := mostIDs
	if !listsTell(r.resource) || !r.works(filterIDs) {
		most = mostSinglyTold
	}
	for some := range slices.Chunk(changes, most) {
		if err := r.lay(ctx, idsOf(some), some, again); err != nil {
			return err
		}
	}
	return nil
}

// lay marks those of the rows deleted that Paymo does not have any more, and merges those
// that it has.
func (r *run) lay(ctx context.Context, ids []int64, changes []sink.Change, again bool) error {
	asked, err := r.Store.Now(ctx)
	if err != nil {
		return err
	}
	v, err := r.lookup(ctx, r.resource, ids)
	if err != nil {
		return err
	}
	for _, found := range v.found {
		if err := r.bring(ctx, found.page, found.at); err != nil {
			return err
		}
	}
	gone := v.gone
	// The answer of before may be an old one: to a key that lost its rights since, rows look
	// gone.
	if len(gone) > 0 {
		if err := r.reidentify(ctx); err != nil {
			return err
		}
	}
	if !r.seesAll() || v.bare {
		gone = nil // the next sweep decides
	}
	n, err := r.lease.Bury(ctx, gone, asked, changes, again)
	r.outcome.Tombstoned += n
	return err
}

// bring merges a page of objects that changed; of those that the table has in a newer
// version the one of now is asked for.
func (r *run) bring(ctx context.Context, page *paymo.Page, at time.Time) error {
	settles := r.settles
	result, err := r.merge(ctx, page, at, nil, r.checkpoint)
	if err != nil || len(result.Stale) == 0 {
		return err
	}
	if err := r.refetch(ctx, result.Stale, r.checkpoint); err != nil {
		return err
	}
	return r.Store.SettleChanges(ctx, slices.DeleteFunc(slices.Clone(settles), func(change sink.Change) bool {
		return !slices.Contains(result.Stale, change.ID)
	}))
}

func idsOf(changes []sink.Change) []int64 {
	ids := make([]int64, len(changes))
	for i, change := range changes {
		ids[i] = change.ID
	}
	return ids
}

// logBrought writes the one line of a batch of changes.
func (s *Syncer) logBrought(ctx context.Context, b Brought, err error) {
	attributes := []slog.Attr{
		slog.String("table", b.Table), slog.Int("changes", b.Changes), slog.Int("requests", b.Requests),
		slog.Int64("inserted", b.Inserted), slog.Int64("updated", b.Updated), slog.Int64("tombstoned", b.Tombstoned),
	}
	level := slog.LevelInfo
	if len(b.Lags) > 0 {
		attributes = append(attributes, slog.Duration("lag", slices.Max(b.Lags).Round(time.Millisecond)))
	}
	if err != nil {
		level = slog.LevelWarn
		if _, limited := errors.AsType[*paymo.RateLimitError](err); limited {
			level = slog.LevelDebug // it comes again
		}
		attributes = append(attributes, slog.String("error", err.Error()))
	}
	s.Log.LogAttrs(ctx, level, "changes", attributes...)
}
