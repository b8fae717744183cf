package sink

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Visit is a lease for what cannot wait for a table's sync to end: the changes that Paymo
// tells of. Another process may hold the table's lease meanwhile. Each transaction of a
// visit waits for the page that is being written, and the next page for it; which version
// of a row wins is decided row by row either way. A visit saves no checkpoint and counts
// in no run. To a table that was never synced it is ErrLeaseLost.
func (s *Store) Visit(table string) *Lease { return &Lease{store: s, table: table, visit: true} }

// Bury marks those of the rows deleted that Paymo was asked for at the time and said to be
// gone, unless they were written since. It settles the changes that told of it, or has them
// wait for a later look: another page may bring a row back that was read before.
func (l *Lease) Bury(ctx context.Context, ids []int64, asked time.Time, changes []Change, again bool) (tombstoned int64, err error) {
	err = l.transact(ctx, "mark rows deleted in", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `
			UPDATE `+l.store.name(l.table)+`
			SET _deleted_at = statement_timestamp(),
				_synced_at = statement_timestamp()
			WHERE id = ANY ($1::bigint[]) AND _deleted_at IS NULL AND _synced_at <= $2`, ids, asked)
		if err != nil {
			return err
		}
		tombstoned = tag.RowsAffected()
		var batch pgx.Batch
		what := settled
		if again {
			what = deferred
		}
		l.store.queueChanges(&batch, changes, what)
		return tx.SendBatch(ctx, &batch).Close()
	})
	if err != nil {
		return 0, err
	}
	return tombstoned, nil
}

// Departed are those of the ids of which no row is to be made from what Paymo told alone:
// their rows are marked deleted, or it told that they are gone and that was looked at, or is
// being.
func (s *Store) Departed(ctx context.Context, table string, ids []int64) ([]int64, error) {
	return s.ids(ctx, "read which objects are gone of "+table, `
		SELECT id
		FROM `+s.name(table)+`
		WHERE id = ANY ($1::bigint[]) AND _deleted_at IS NOT NULL
		UNION
		SELECT row_id
		FROM paymosync.changes
		WHERE account = $2 AND table_name = $3 AND row_id = ANY ($1::bigint[]) AND kind = 'gone'
			AND settled_at IS NULL AND (merged_at IS NOT NULL OR claimed_until > clock_timestamp())
		ORDER BY id`, ids, s.account, table)
}

// LookAgain has the deletions of objects wait as if they were told anew that were looked at,
// or are being: their rows came into the table meanwhile. It returns how many there are.
func (s *Store) LookAgain(ctx context.Context, table string, ids []int64) (int64, error) {
	tag, err := s.pool.Exec(ctx, `
		WITH looked AS (
			SELECT row_id
			FROM paymosync.changes
			WHERE account = $1 AND table_name = $2 AND row_id = ANY ($3::bigint[]) AND kind = 'gone'
				AND settled_at IS NULL AND (merged_at IS NOT NULL OR claimed_until > clock_timestamp())
			ORDER BY row_id
			FOR NO KEY UPDATE
		)
		UPDATE paymosync.changes AS c
		SET times = c.times % 1000000000 + 1, -- whoever looks does not end it
			claimed_until = '-infinity',
			merged_at = NULL
		FROM looked AS l
		WHERE c.account = $1 AND c.table_name = $2 AND (c.row_id, c.kind) = (l.row_id, 'gone')`, s.account, table, ids)
	if err != nil {
		return 0, fmt.Errorf("have deletions of %s looked at again: %w", table, err)
	}
	return tag.RowsAffected(), nil
}
