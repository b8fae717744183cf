package sink

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// mayGo is the condition that candidate c may take its row t from the table: the row is
// live and is still the one that was asked for.
const mayGo = `c.verdict = 'gone' AND t._deleted_at IS NULL AND t._synced_at <= c.asked_at`

// isExplained is the condition that a deletion that is known explains that of row t,
// candidate c: it is marked so, or one of the rows that own t was tombstoned since the
// table $2 of account $1 was read whole. A row that was there after its owner had gone
// did not go with it.
func (s *Store) isExplained(r *catalog.Resource) string {
	explanations := []string{"c.explained"}
	for _, name := range r.Owners {
		if c, ok := r.Column(name); ok && c.Ref != "" {
			explanations = append(explanations, `EXISTS (
				SELECT
				FROM `+s.name(c.Ref)+` AS o
				WHERE o.id = t.`+quote(name)+` AND o._deleted_at >= (
					SELECT coalesce(max(full_at), '-infinity')
					FROM paymosync.checkpoints
					WHERE account = $1 AND table_name = $2
				)
			)`)
		}
	}
	return "(" + strings.Join(explanations, " OR ") + ")"
}

// Explained returns those of the table's candidates whose deletion one that is known
// explains.
func (l *Lease) Explained(ctx context.Context, r *catalog.Resource, candidates []int64) ([]int64, error) {
	return l.ids(ctx, "read which candidates are explained in", `
		SELECT c.row_id
		FROM paymosync.candidates AS c
		JOIN `+l.store.name(r.Table)+` AS t
			ON t.id = c.row_id
		WHERE c.account = $1 AND c.table_name = $2 AND c.row_id = ANY ($3::bigint[])
			AND `+l.store.isExplained(r)+`
		ORDER BY c.row_id`, l.store.account, r.Table, candidates)
}

// SuspectOwners are the rows that the column's table has as live or not at all, and
// whose own deletion would explain candidates that are gone: those that own the most of
// them first, at most limit.
func (l *Lease) SuspectOwners(ctx context.Context, r *catalog.Resource, column string, limit int) ([]int64, error) {
	c, ok := r.Column(column)
	if !ok || c.Ref == "" {
		return nil, fmt.Errorf("read the owners of %s: column %s holds none", l.table, column)
	}
	owner := "t." + quote(column)
	return l.ids(ctx, "read the owners of", `
		SELECT `+owner+`
		FROM paymosync.candidates AS c
		JOIN `+l.store.name(l.table)+` AS t ON t.id = c.row_id AND `+mayGo+`
		WHERE c.account = $1 AND c.table_name = $2 AND `+owner+` IS NOT NULL
			AND NOT `+l.store.isExplained(r)+`
			AND NOT EXISTS (SELECT FROM `+l.store.name(c.Ref)+` AS o WHERE o.id = `+owner+` AND o._deleted_at IS NOT NULL)
		GROUP BY `+owner+`
		ORDER BY count(*) DESC, `+owner+`
		LIMIT $3`, l.store.account, l.table, limit)
}

// Explain marks the candidates that are gone and whose column names one of the owners:
// the owners were found to be gone themselves.
func (l *Lease) Explain(ctx context.Context, r *catalog.Resource, column string, owners []int64) error {
	return l.transact(ctx, "explain the candidates of", func(tx pgx.Tx) error {
		if _, ok := r.Column(column); !ok {
			return fmt.Errorf("no column %s", column)
		}
		_, err := tx.Exec(ctx, `
			UPDATE paymosync.candidates AS c
			SET explained = true
			FROM `+l.store.name(l.table)+` AS t
			WHERE c.account = $1 AND c.table_name = $2 AND c.verdict = 'gone' AND NOT c.explained
				AND t.id = c.row_id AND t.`+quote(column)+` = ANY ($3::bigint[])`, l.store.account, l.table, owners)
		return err
	})
}

// Sweep tombstones the rows of the candidates that are gone, those whose deletion
// nothing explains only if asked, and counts them in the run. A row that was written
// since it was asked for stays. The candidates that it used go, and so do those whose
// row is not live any more or was written since.
func (l *Lease) Sweep(ctx context.Context, r *catalog.Resource, run int64, unexplained bool) (tombstoned int64, err error) {
	err = l.transact(ctx, "sweep", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `
			UPDATE `+l.store.name(l.table)+` AS t
			SET _deleted_at = statement_timestamp(),
				_synced_at = statement_timestamp()
			FROM paymosync.candidates AS c
			WHERE c.account = $1 AND c.table_name = $2 AND t.id = c.row_id AND `+mayGo+`
				AND ($3 OR `+l.store.isExplained(r)+`)`, l.store.account, l.table, unexplained)
		if err != nil {
			return err
		}
		tombstoned = tag.RowsAffected()
		_, err = tx.Exec(ctx, `
			DELETE FROM paymosync.candidates AS c
			WHERE c.account = $1 AND c.table_name = $2 AND NOT EXISTS (
				SELECT
				FROM `+l.store.name(l.table)+` AS t
				WHERE t.id = c.row_id AND t._deleted_at IS NULL AND (c.asked_at IS NULL OR t._synced_at <= c.asked_at)
			)`, l.store.account, l.table)
		if err != nil {
			return err
		}
		var batch pgx.Batch
		l.countRun(&batch, run, tally{tombstoned: tombstoned})
		return tx.SendBatch(ctx, &batch).Close()
	})
	if err != nil {
		return 0, err
	}
	return tombstoned, nil
}

// Sentinels are the ids of live rows of the resource's table, which may be another than
// the lease's, that lists bring and that are no candidates: about half of them the least
// ids, the others the greatest, at most limit together. An answer that lacks one of them
// is not whole.
func (l *Lease) Sentinels(ctx context.Context, r *catalog.Resource, limit int) ([]int64, error) {
	live := `
			SELECT t.id
			FROM ` + l.store.name(r.Table) + ` AS t
			WHERE t._deleted_at IS NULL AND ` + isListed(r) + ` AND (
				SELECT c.row_id
				FROM paymosync.candidates AS c
				WHERE c.account = $1 AND c.table_name = $2 AND c.row_id = t.id
				LIMIT 1
			) IS NULL`
	return l.ids(ctx, "read sentinels of", `
		(`+live+`
			ORDER BY t.id
			LIMIT $3)
		UNION
		(`+live+`
			ORDER BY t.id DESC
			LIMIT $4)
		ORDER BY id`, l.store.account, r.Table, (limit+1)/2, limit/2)
}
