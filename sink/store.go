// Package sink is paymosync's PostgreSQL: it merges pages of records into the
// warehouse's tables and keeps the bookkeeping (checkpoints, leases, the ledger of
// runs, quarantine, the account's identity, its rate budget) in the same
// transactions, so that data and bookmark can never disagree.
//
// A Store is safe for concurrent use. What writes rows goes through a Lease: one
// writer a table, checked by every page transaction.
package sink

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// Store is one account's warehouse and bookkeeping in one database.
type Store struct {
	pool      *pgxpool.Pool
	schema    string
	account   string
	merges    map[string]mergeSQL
	leaseTerm time.Duration
	drift     drift
	counts    counts
}

// New makes a Store for the account, whose tables are in the warehouse schema.
// The database must have been migrated. The pool stays the caller's.
func New(pool *pgxpool.Pool, schema, account string) *Store {
	merges := make(map[string]mergeSQL)
	for _, r := range catalog.All() {
		merges[r.Table] = newMergeSQL(schema, r)
	}
	return &Store{pool: pool, schema: schema, account: account, merges: merges, leaseTerm: leaseTerm}
}

// Account is the account's name.
func (s *Store) Account() string { return s.account }

// name is a table of the warehouse as SQL.
func (s *Store) name(table string) string { return pgx.Identifier{s.schema, table}.Sanitize() }

// Layout names where a table's rows are and which columns they have. A checkpoint
// that was made with another layout says nothing about them.
func (s *Store) Layout(r *catalog.Resource) string { return s.schema + " " + r.Hash() }

// Reaches reports whether the table holds a row, tombstoned or not, that was changed
// in Paymo at or after the time. One whose cursor no row reaches has lost rows: it
// was emptied, or restored from an older backup. While records of it are in quarantine
// the newest may be among them, and any row will do.
func (s *Store) Reaches(ctx context.Context, table string, updated time.Time) (bool, error) {
	var reaches bool
	err := s.pool.QueryRow(ctx, `
		SELECT EXISTS (
			SELECT 1
			FROM `+pgx.Identifier{s.schema, table}.Sanitize()+`
			WHERE updated_on >= $1
				OR EXISTS (SELECT 1 FROM paymosync.quarantine WHERE account = $2 AND table_name = $3)
		)`, updated, s.account, table).Scan(&reaches)
	if err != nil {
		return false, fmt.Errorf("look for the newest row of %s: %w", table, err)
	}
	return reaches, nil
}

// Now is the database's clock, the only one that orders pages and rows.
func (s *Store) Now(ctx context.Context) (time.Time, error) {
	var now time.Time
	if err := s.pool.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&now); err != nil {
		return time.Time{}, fmt.Errorf("read the database's clock: %w", err)
	}
	return now, nil
}

// IDs are the ids of a table's live rows, least first: the parents of a listing
// that goes one parent at a time.
func (s *Store) IDs(ctx context.Context, table string) ([]int64, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT id
		FROM `+pgx.Identifier{s.schema, table}.Sanitize()+`
		WHERE _deleted_at IS NULL
		ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("read the ids of %s: %w", table, err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return nil, fmt.Errorf("read the ids of %s: %w", table, err)
	}
	return ids, nil
}

// Temporary reports whether an error of this package is likely to pass by itself:
// the connection broke, the server stops or starts, or transactions collided.
func Temporary(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch pg.Code[:2] {
		case "08", "40", "53", "57", "58":
			return true
		}
		// Read-only for now; the transaction was silent for too long; lock not available.
		return pg.Code == "25006" || pg.Code == "25P03" || pg.Code == "55P03"
	}
	var connect *pgconn.ConnectError
	return errors.As(err, &connect) || pgconn.SafeToRetry(err) || pgconn.Timeout(err)
}

// RefusedByDatabase reports whether PostgreSQL refused something, which waiting does not
// mend.
func RefusedByDatabase(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && !Temporary(err)
}

// MissingColumn reports whether an error says that a column is not there.
func MissingColumn(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pg.Code == "42703"
}

// Missing reports whether an error says that a table or a schema is not there.
func Missing(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (pg.Code == "42P01" || pg.Code == "3F000")
}

// denied reports whether an error says that the role may not do it.
func denied(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pg.Code == "42501"
}
