package sink

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// WrittenUntil is a time, by the database's clock, of which this holds: every row of the table
// that was written before is visible now, and rows that are committed later bear a later
// _synced_at. It waits for the page that is being written, if there is one.
func (s *Store) WrittenUntil(ctx context.Context, table string) (time.Time, error) {
	var at time.Time
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			SELECT
			FROM paymosync.leases
			WHERE account = $1 AND table_name = $2
			FOR SHARE`, s.account, table)
		if err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&at)
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("wait for the rows of %s: %w", table, err)
	}
	return at, nil
}

// WrittenSince reports whether a row of the table was written at the time or later.
func (s *Store) WrittenSince(ctx context.Context, table string, since time.Time) (bool, error) {
	var written bool
	err := s.pool.QueryRow(ctx, `
		SELECT EXISTS (
			SELECT 1
			FROM `+s.name(table)+`
			WHERE _synced_at >= $1
		)`, since).Scan(&written)
	if err != nil {
		return false, fmt.Errorf("look for rows of %s that were written: %w", table, err)
	}
	return written, nil
}

// Active are the live rows of a table of parents that changed since the time, or that
// have rows of the resource which did.
func (s *Store) Active(ctx context.Context, r *catalog.Resource, parent string, since time.Time) ([]int64, error) {
	children := ""
	if column := r.OwnerScope(); column != "" {
		children = `
				OR EXISTS (
					SELECT
					FROM ` + pgx.Identifier{s.schema, r.Table}.Sanitize() + ` AS c
					WHERE c.` + quote(column) + ` = p.id AND c.updated_on >= $1
				)`
	}
	rows, err := s.pool.Query(ctx, `
		SELECT p.id
		FROM `+pgx.Identifier{s.schema, parent}.Sanitize()+` AS p
		WHERE p._deleted_at IS NULL
			AND (
				p.updated_on >= $1`+children+`
			)
		ORDER BY p.id`, since)
	if err != nil {
		return nil, fmt.Errorf("read which %s are active: %w", parent, err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return nil, fmt.Errorf("read which %s are active: %w", parent, err)
	}
	return ids, nil
}
