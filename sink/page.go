package sink

import (
	"context"
	"errors"
	"fmt"
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

	Settles    []Change // that it brings, but for those of which it is stale
	Tells      []Change // that it tells of, as Paymo did, which was not asked
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
	page.Records = newest(page.Records)
	result, err := l.apply(ctx, page, false)
	if _, refused := refusal(err); refused || unsupported(err) {
		return l.apply(ctx, page, true)
	}
	return result, err
}

// apply makes as few round trips as it can, unless it has to be careful: then it finds the
// records that PostgreSQL refuses.
func (l *Lease) apply(ctx context.Context, page Page, careful bool) (Result, error) {
	var first pgx.Batch
	// Before the merge, so that the rows that it inserts need not be looked through.
	if err := l.sift(&first, page); err != nil {
		return Result{}, fmt.Errorf("merge a page into %s: %w", l.table, err)
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
	var ground ground
	if !careful && m.mayCopy(page.Records) {
		ground.look(&first, m.sql.table, page.Records)
	}
	drift := l.store.drift.fresh(l.table, page.Unknown)
	var result Result
	err := l.transactAfter(ctx, "merge a page into", &first, func(tx pgx.Tx) (err error) {
		switch {
		case careful:
			result, err = m.merge(ctx, tx, page.Records)
		case ground.free:
			result, err = m.copy(ctx, tx, page.Records, ground.now)
		default:
			result, err = m.write(ctx, tx, page.Records)
		}
		if err != nil {
			return err
		}
		for _, reject := range page.Rejects {
			if err := l.quarantine(ctx, tx, reject); err != nil {
				return err
			}
			result.Quarantined++
		}
		var last pgx.Batch
		l.recordDrift(&last, drift)
		l.settle(&last, page.Settles, result.Stale...)
		l.tell(&last, page.Tells, result.Stale)
		if !l.visit {
			l.saveCheckpoint(&last, page.Checkpoint)
			l.countRun(&last, page.Run, tally{result: result, stripped: page.Stripped, dropped: page.Dropped, cost: page.Cost})
		}
		return tx.SendBatch(ctx, &last).Close()
	})
	if err != nil {
		return Result{}, err
	}
	l.store.drift.recorded(l.table, drift)
	return result, nil
}
