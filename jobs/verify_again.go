package jobs

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// suspects are the ids of rows on which Paymo and the warehouse seem to disagree.
type suspects struct {
	differ []int64
	extra  []int64
}

func (s suspects) none() bool { return len(s.differ)+len(s.extra) == 0 }

// again is the second reading of suspects, under the table's lease.
type again struct {
	*verification
	run      *run
	extra    []int64 // suspects that the listing lacked, sorted
	gone     []int64 // of them, those that Paymo does not have
	unlisted int64   // of them, those that Paymo has
	unsure   int64   // rows of which Paymo does not tell
}

// readAgain reads suspects once more, and mends what differs if that is asked for.
func (v *verification) readAgain(ctx context.Context, s suspects) error {
	return v.patiently(ctx, func() error {
		return v.Store.WithLease(ctx, v.req.Resource.Table, v.Owner, func(ctx context.Context, lease *sink.Lease) error {
			a, err := v.secondRun(ctx, lease, s)
			if err != nil {
				return err
			}
			err = a.end(ctx, a.readAll(ctx, s))
			v.spent(a.run)
			return err
		})
	})
}

// secondRun prepares the second reading.
func (v *verification) secondRun(ctx context.Context, lease *sink.Lease, s suspects) (*again, error) {
	checkpoint, err := lease.Checkpoint(ctx)
	if err != nil {
		return nil, err
	}
	first := v.first.progress
	r := &run{
		Syncer: v.Syncer, lease: lease, resource: v.req.Resource, checkpoint: checkpoint, accept: v.req.AcceptDeletes, begun: time.Now(),
		living: append([]int64{}, v.check.seen.spread()...),
		progress: &Progress{
			Mode: Repair, StartedAt: v.check.began, Layout: first.Layout, Listing: first.Listing,
			Seen: first.Seen, Listed: first.Listed, Longest: first.Longest,
		},
		outcome: Outcome{Table: v.req.Resource.Table, Mode: Repair},
	}
	if v.req.Repair {
		if r.progress.Run, err = lease.StartRun(ctx, string(Repair), ReasonManual); err != nil {
			return nil, err
		}
	}
	return &again{verification: v, run: r, extra: s.extra}, nil
}

// end writes a repair into the ledger. The table's state and checkpoint stay as they are.
func (a *again) end(ctx context.Context, err error) error {
	if !a.req.Repair {
		return err
	}
	state, sentence := sink.StateOK, fmt.Sprintf("%s repaired", rows(a.out.Repaired))
	ending := ctx
	switch {
	case ctx.Err() != nil:
		state, sentence = sink.RunInterrupted, "interrupted; what was repaired stays"
		settling, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
		defer cancel()
		ending = settling
	case err != nil:
		state, sentence = sink.StateFailing, err.Error()
	case a.out.Found() > a.out.Repaired:
		state, sentence = sink.StateDegraded, fmt.Sprintf("%d of %s repaired", a.out.Repaired, rows(a.out.Found()))
	}
	saveErr := a.run.lease.EndRun(ending, a.run.progress.Run, sink.Ending{State: state, Sentence: sentence, Cause: string(CauseOf(err))}, a.run.spent, a.run.checkpoint)
	a.run.spent = sink.Cost{}
	if err == nil {
		err = saveErr
	}
	return err
}

// readAll reads all suspects, a request's worth at a time.
func (a *again) readAll(ctx context.Context, s suspects) error {
	if err := a.patiently(ctx, func() error { return a.run.identify(ctx, 0) }); err != nil {
		return err
	}
	if err := a.believe(ctx); err != nil {
		return err
	}
	for _, part := range []struct {
		ids    []int64
		lookup func(context.Context, []int64) (verdict, error)
	}{{s.differ, a.lookup}, {a.extra, a.run.ask}} {
		for ids := range slices.Chunk(part.ids, mostIDs) {
			if err := a.patiently(ctx, func() error { return a.readChunk(ctx, ids, part.lookup) }); err != nil {
				return err
			}
			a.Watch(a.out.Table, Moment{Mode: Repair, Rows: a.run.progress.Seen, Requests: a.first.outcome.Requests + a.run.outcome.Requests})
		}
	}
	if err := a.sweep(ctx); err != nil {
		return err
	}
	if a.unlisted+a.unsure > 0 {
		a.whole = false
	}
	switch {
	case a.out.Reason != "":
	case a.unlisted > 0:
		a.out.Reason = a.run.incomplete(a.unlisted).Sentence
	case a.unsure > 0:
		a.out.Reason = fmt.Sprintf("%s seem to differ, and Paymo does not show them when it is asked for them", rows(a.unsure))
	}
	return nil
}

// believe drops the rows that the listing lacked where they say nothing: the key is not
// shown every row, or a few of many show that the listing is to blame.
func (a *again) believe(ctx context.Context) error {
	n := int64(len(a.extra))
	switch {
	case n == 0:
		return nil
	case !a.run.seesAll():
		a.out.Reason = fmt.Sprintf("%s are not listed; the key's role is %s, which sees a part of the account", rows(n), a.guard.role())
		a.extra, a.searched = nil, false
		return nil
	case n <= guardFloor:
		return nil
	}
	told := false
	for i := 0; i < len(a.extra); i += max(1, len(a.extra)/boundaryRows) {
		var page *paymo.Page
		err := a.patiently(ctx, func() (err error) {
			page, _, err = a.run.find(ctx, a.extra[i])
			return err
		})
		switch {
		case err != nil:
			return err
		case page == nil:
			told = true
		case shows(page, a.extra[i]):
			a.out.Reason = a.run.incomplete(n).Sentence
			a.extra, a.whole = nil, false
			return nil
		}
	}
	if !told {
		a.out.Reason = undecided(n).Sentence
		a.extra, a.searched = nil, false
	}
	return nil
}

// readChunk reads some of the suspects again.
func (a *again) readChunk(ctx context.Context, ids []int64, lookup func(context.Context, []int64) (verdict, error)) error {
	v, err := lookup(ctx, ids)
	if err != nil {
		return err
	}
	for _, reply := range v.found {
		reply.page.Records = slices.DeleteFunc(reply.page.Records, func(record catalog.Record) bool { return !slices.Contains(ids, record.ID) })
		reply.page.Rejects = nil
		if err := a.readReply(ctx, reply); err != nil {
			return err
		}
	}
	a.unsure += int64(len(v.unsure))
	a.run.progress.Swept.Bare = a.run.progress.Swept.Bare || v.bare
	return a.missed(ctx, v.gone)
}

// lookup asks for rows by their ids; a resource of one object is asked for that.
func (a *again) lookup(ctx context.Context, ids []int64) (verdict, error) {
	if a.first.progress.Listing != catalog.Single {
		return a.run.lookup(ctx, a.req.Resource, ids)
	}
	page, at, err := a.run.askFor(ctx, a.req.Resource, paymo.Query{})
	if err != nil {
		return verdict{}, err
	}
	return verdict{found: []reply{{page, at}}}, nil
}

// missed counts the rows that Paymo does not have. One that the listing brought was
// deleted since.
func (a *again) missed(ctx context.Context, gone []int64) error {
	var extra []int64
	for _, id := range gone {
		if _, expected := slices.BinarySearch(a.extra, id); expected {
			extra = append(extra, id)
		} else {
			a.out.Pending++
		}
	}
	if len(extra) == 0 {
		return nil
	}
	still, err := a.Store.Unwritten(ctx, a.req.Resource, extra, a.check.began)
	if err != nil {
		return err
	}
	a.out.Pending += int64(len(extra) - len(still))
	a.out.Extra += Count(len(still))
	a.gone = append(a.gone, still...)
	return nil
}

// readReply compares the records of a second reading, and merges those that differ if a
// repair is asked for.
func (a *again) readReply(ctx context.Context, reply reply) error {
	differences, err := a.Store.Compare(ctx, a.req.Resource, reply.page.Records, true)
	if err != nil {
		return err
	}
	byID := make(map[int64]sink.Difference, len(differences))
	for _, d := range differences {
		byID[d.ID] = d
	}
	var confirmed []catalog.Record
	for _, record := range reply.page.Records {
		d, differs := byID[record.ID]
		pending := a.changed(record.Updated, reply.page.Date) || differs && d.SyncedAt.After(a.check.began)
		_, unlisted := slices.BinarySearch(a.extra, record.ID)
		switch {
		case d.Refused != "":
			a.check.unusable[uint64(record.ID)] = struct{}{}
		case pending:
			a.out.Pending++
		case unlisted && !differs:
			a.unlisted++
		case !differs:
			a.out.Pending++
		default:
			if unlisted {
				a.unlisted++
			}
			confirmed = append(confirmed, record)
		}
	}
	if len(confirmed) == 0 {
		return nil
	}
	left := map[int64]bool{}
	if a.req.Repair {
		if left, err = a.mend(ctx, reply, confirmed); err != nil {
			return err
		}
	}
	for _, record := range confirmed {
		a.tell(byID[record.ID], a.req.Repair && !left[record.ID])
	}
	return nil
}

// changed reports whether a record changed since the comparison began, by Paymo's clock.
func (a *again) changed(updated, answered time.Time) bool {
	horizon := a.first.progress.Horizon
	return !horizon.IsZero() && updated.After(horizon) && (answered.IsZero() || !updated.After(answered))
}

// tell counts a row that differs, and keeps it as an example.
func (a *again) tell(d sink.Difference, repaired bool) {
	difference := RowDifference{ID: d.ID, Kind: RowDifferent, Columns: d.Columns, Older: older(d.Columns), Repaired: repaired}
	switch {
	case d.Missing:
		difference.Kind = RowMissing
		a.out.Missing++
	case d.Deleted:
		difference.Kind = RowDeleted
		a.out.Missing++
	default:
		a.out.Different++
	}
	a.show(difference)
}

// older reports whether the columns that differ show that Paymo's version of a row is
// older than the warehouse's.
func older(columns []sink.ColumnDifference) bool {
	at := slices.IndexFunc(columns, func(c sink.ColumnDifference) bool { return c.Name == "updated_on" })
	if at < 0 || columns[at].Warehouse == nil || columns[at].Paymo == nil {
		return false
	}
	ours, known := parseStamp(*columns[at].Warehouse)
	theirs, told := parseStamp(*columns[at].Paymo)
	return known && told && theirs.Before(ours)
}

// parseStamp reads a time as PostgreSQL writes it.
func parseStamp(text string) (time.Time, bool) {
	for _, zone := range []string{"Z07", "Z07:00", "Z07:00:00"} {
		if at, err := time.Parse(time.DateTime+zone, text); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

func (a *again) show(difference RowDifference) {
	if difference.Repaired {
		a.out.Repaired++
	}
	if len(a.out.Rows) < mostExamples {
		a.out.Rows = append(a.out.Rows, difference)
	}
}
