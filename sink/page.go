package sink

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// Page is what one request brought, and where the sync stands after it.
type Page struct {
	Run         int64 // the ledger's row
	Resource    *catalog.Resource
	Records     []catalog.Record
	Rejects     []catalog.Reject
	RequestedAt time.Time // the database's clock before the request was sent
	Volatile    bool      // volatile columns count as a difference: fulls, backfills, repairs
	Slice       *Slice    // nil: the page says nothing of rows that it lacks
	LateBefore  time.Time // incrementals should have brought what changed until then; zero: nothing is late
	MayBlank    bool      // the page may empty columns: see ErrBlanks
	Clock       time.Time // Paymo's, at about the time of the page: a row with an updated_on after it is no newer version; zero: unknown
	Force       bool      // the page wins over rows with a newer updated_on: a repair

	Unknown  map[string]string // fields that the catalogue does not know → their JSON type
	Stripped int               // values without the U+0000 that they came with
	Dropped  int               // unknown fields that smell of a secret

	Checkpoint Checkpoint
	Cost       Cost
}

// Cost is what Paymo's replies took.
type Cost struct {
	Requests int
	Waited   time.Duration // for the rate budget
	Bytes    int64
}

// ErrBlanks means that a page empties columns of rows that have a value there. A key
// that lost its rights brings such pages, so the caller asks whose key it is, and
// applies the page again with MayBlank.
var ErrBlanks = errors.New("the page empties columns")

// Apply merges the page and saves the checkpoint and the run's counts in one
// transaction: all of it, or nothing. Its records are no candidates of the sweep any
// more; rows that its slice lacks become some.
func (l *Lease) Apply(ctx context.Context, page Page) (Result, error) {
	var result Result
	drift := l.store.drift.fresh(l.table, page.Unknown)
	err := l.transact(ctx, "merge a page into", func(tx pgx.Tx) error {
		// Before the merge, so that the rows that it inserts need not be looked through.
		if err := l.sift(ctx, tx, page); err != nil {
			return err
		}
		m := merger{
			sql:         l.store.merges[page.Resource.Table],
			volatile:    page.Volatile,
			mayBlank:    page.MayBlank,
			clock:       page.Clock,
			force:       page.Force,
			requestedAt: page.RequestedAt,
			lateBefore:  page.LateBefore,
			refuse:      l.quarantine,
		}
		var err error
		if result, err = m.merge(ctx, tx, newest(page.Records)); err != nil {
			return err
		}
		for _, reject := range page.Rejects {
			if err := l.quarantine(ctx, tx, reject); err != nil {
				return err
			}
			result.Quarantined++
		}
		if err := l.recordDrift(ctx, tx, drift); err != nil {
			return err
		}
		if err := l.saveCheckpoint(ctx, tx, page.Checkpoint); err != nil {
			return err
		}
		return l.countRun(ctx, tx, page.Run, tally{result: result, stripped: page.Stripped, dropped: page.Dropped, cost: page.Cost})
	})
	if err != nil {
		return Result{}, err
	}
	l.store.drift.recorded(l.table, drift)
	return result, nil
}
