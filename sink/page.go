package sink

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
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
	Checkpoint  Checkpoint
	Cost        Cost
}

// Cost is what Paymo's replies took.
type Cost struct {
	Requests int
	Waited   time.Duration // for the rate budget
	Bytes    int64
}

// Apply merges the page and saves the checkpoint and the run's counts in one
// transaction: all of it, or nothing.
func (l *Lease) Apply(ctx context.Context, page Page) (Result, error) {
	var result Result
	err := l.transact(ctx, "merge a page into", func(tx pgx.Tx) error {
		m := merger{
			sql:         l.store.merges[page.Resource.Table],
			volatile:    page.Volatile,
			requestedAt: page.RequestedAt,
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
		if err := l.saveCheckpoint(ctx, tx, page.Checkpoint); err != nil {
			return err
		}
		return l.countRun(ctx, tx, page.Run, result, page.Cost)
	})
	if err != nil {
		return Result{}, err
	}
	return result, nil
}

// ForgetQuarantine drops the quarantined records of the table that were last seen
// before the time: a complete full has not met them again. It returns how many are
// left.
func (l *Lease) ForgetQuarantine(ctx context.Context, before time.Time) (left int64, err error) {
	err = l.transact(ctx, "tidy the quarantine of", func(tx pgx.Tx) error {
		if !before.IsZero() {
			_, err := tx.Exec(ctx, `
				DELETE FROM paymosync.quarantine
				WHERE account = $1 AND table_name = $2 AND last_seen < $3`, l.store.account, l.table, before)
			if err != nil {
				return err
			}
		}
		return tx.QueryRow(ctx, `
			SELECT count(*)
			FROM paymosync.quarantine
			WHERE account = $1 AND table_name = $2`, l.store.account, l.table).Scan(&left)
	})
	return left, err
}

// quarantine keeps a record that cannot become a row.
func (l *Lease) quarantine(ctx context.Context, tx pgx.Tx, reject catalog.Reject) error {
	hash := sha256.Sum256([]byte(reject.Payload))
	_, err := tx.Exec(ctx, `
		INSERT INTO paymosync.quarantine AS q (account, table_name, hash, payload, problem)
		VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (account, table_name, hash) DO UPDATE SET
			problem = EXCLUDED.problem,
			last_seen = EXCLUDED.last_seen`,
		l.store.account, l.table, hex.EncodeToString(hash[:]), reject.Payload, reject.Problem)
	if err != nil {
		return fmt.Errorf("quarantine a record: %w", err)
	}
	return nil
}
