package sink

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// Unscoped returns those of the rows whose column for Scope is empty: a list that
// demands a filter on it hides them.
func (s *Store) Unscoped(ctx context.Context, r *catalog.Resource, ids []int64) ([]int64, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT id
		FROM `+pgx.Identifier{s.schema, r.Table}.Sanitize()+`
		WHERE id = ANY ($1) AND `+quote(r.OwnerScope())+` IS NULL`, ids)
	if err != nil {
		return nil, fmt.Errorf("read which rows of %s have no %s: %w", r.Table, r.OwnerScope(), err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return nil, fmt.Errorf("read which rows of %s have no %s: %w", r.Table, r.OwnerScope(), err)
	}
	return found, nil
}

// Unsynced is the reason of a table that no sync has read yet.
const Unsynced = "not synced yet"
