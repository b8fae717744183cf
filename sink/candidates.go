package sink

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// Slice says of which rows of the table a page brings all that there are. Live rows
// among them that the page lacks become candidates of the sweep; rows that the page
// holds are none any more.
//
// Of a range of ids, rows that no list brings are left out: see Extent.
type Slice struct {
	From, To *int64    // ids, half-open; nil is open
	Column   string    // with Parents: rows whose column holds one of them, whatever their ids
	Parents  []int64   // ids of another table
	Since    time.Time // rows about an earlier time (Resource.When) are left out; zero: none
	Rest     bool      // the page alone says nothing of what is missing: Expect has made every row a candidate
}

// found are the places of the candidates with the ids $3. Each is looked up by itself:
// candidates come and go by the million, and a planner who takes them for a few would
// read them all for every page.
const found = `ARRAY(
				SELECT c.ctid
				FROM unnest($3::bigint[]) AS asked (id)
				CROSS JOIN LATERAL (
					SELECT ctid
					FROM paymosync.candidates
					WHERE account = $1 AND table_name = $2 AND row_id = asked.id
					LIMIT 1
				) AS c
				WHERE EXISTS (SELECT FROM paymosync.candidates WHERE account = $1 AND table_name = $2)
			)`

// sift strikes the page's records off the candidates, and makes candidates of the rows
// that it should have brought and did not. A row that was written after the page was
// requested is none: the page cannot know it.
func (l *Lease) sift(batch *pgx.Batch, page Page) error {
	ids := make([]int64, 0, len(page.Records))
	for i := range page.Records {
		ids = append(ids, page.Records[i].ID)
	}
	slices.Sort(ids)
	if len(ids) > 0 {
		batch.Queue(`
			DELETE FROM paymosync.candidates
			WHERE ctid = ANY (`+found+`)`, l.store.account, l.table, ids)
	}
	if page.Slice == nil || page.Slice.Rest {
		return nil
	}
	var d demands
	account, table, held := d.parameter(l.store.account), d.parameter(l.table), d.parameter(ids)
	if err := d.of(page.Resource, *page.Slice); err != nil {
		return err
	}
	d.add("t._synced_at <= " + d.parameter(page.RequestedAt))
	// EXCEPT, because its time is linear whatever the planner knows of the table.
	batch.Queue(`
		INSERT INTO paymosync.candidates (account, table_name, row_id)
		SELECT `+account+`::text, `+table+`::text, missing.id
		FROM (
			SELECT t.id
			FROM `+l.store.name(l.table)+` AS t
			`+d.where()+`
			EXCEPT
			SELECT unnest(`+held+`::bigint[])
		) AS missing
		ON CONFLICT DO NOTHING`, d.parameters...)
	return nil
}

// of demands live rows of the slice.
func (d *demands) of(r *catalog.Resource, slice Slice) error {
	d.add("t._deleted_at IS NULL")
	if slice.Column != "" {
		if _, ok := r.Column(slice.Column); !ok {
			return fmt.Errorf("slice %s: no column %s", r.Table, slice.Column)
		}
		d.add("t." + quote(slice.Column) + " = ANY (" + d.parameter(slice.Parents) + "::bigint[])")
	} else {
		d.add(isListed(r))
	}
	if slice.From != nil {
		d.add("t.id >= " + d.parameter(*slice.From))
	}
	if slice.To != nil {
		d.add("t.id < " + d.parameter(*slice.To))
	}
	if !slice.Since.IsZero() {
		d.add(about(r) + " >= " + d.parameter(slice.Since))
	}
	return nil
}

// ForgetCandidates drops the table's candidates: a new full begins.
func (l *Lease) ForgetCandidates(ctx context.Context) error {
	return l.transact(ctx, "forget the candidates of", func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			DELETE FROM paymosync.candidates
			WHERE account = $1 AND table_name = $2`, l.store.account, l.table)
		return err
	})
}

// Expect makes a candidate of every live row that lists bring, of those that are about
// an earlier time than since (zero: none) not: what the pages then bring is struck off,
// and what is left was missing in all of them.
func (l *Lease) Expect(ctx context.Context, r *catalog.Resource, since time.Time) error {
	return l.transact(ctx, "expect the rows of", func(tx pgx.Tx) error {
		var d demands
		account, table := d.parameter(l.store.account), d.parameter(l.table)
		if err := d.of(r, Slice{Since: since}); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `
			INSERT INTO paymosync.candidates (account, table_name, row_id)
			SELECT `+account+`::text, `+table+`::text, t.id
			FROM `+l.store.name(l.table)+` AS t
			`+d.where()+`
			ORDER BY t.id
			ON CONFLICT DO NOTHING`, d.parameters...)
		if err != nil {
			return err
		}
		return analyse(ctx, tx)
	})
}

// analyse tells the planner that there are many candidates now. Where the role does not
// own the table that is passed over.
func analyse(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, `ANALYZE paymosync.candidates`)
	return err
}

// AddOrphans makes candidates of the live rows whose column is null or names a row that
// the parent table lacks or has tombstoned, and returns how many were none before. With
// an empty parent it is those whose column is null alone.
func (l *Lease) AddOrphans(ctx context.Context, r *catalog.Resource, column, parent string) (int64, error) {
	var added int64
	err := l.transact(ctx, "look for orphans in", func(tx pgx.Tx) error {
		if _, ok := r.Column(column); !ok {
			return fmt.Errorf("no column %s", column)
		}
		orphaned := "t." + quote(column) + " IS NULL"
		if parent != "" {
			orphaned = `NOT EXISTS (
				SELECT
				FROM ` + l.store.name(parent) + ` AS p
				WHERE p.id = t.` + quote(column) + ` AND p._deleted_at IS NULL
			)`
		}
		tag, err := tx.Exec(ctx, `
			INSERT INTO paymosync.candidates (account, table_name, row_id)
			SELECT $1::text, $2::text, t.id
			FROM `+l.store.name(l.table)+` AS t
			WHERE t._deleted_at IS NULL AND `+orphaned+`
			ORDER BY t.id
			ON CONFLICT DO NOTHING`, l.store.account, l.table)
		added = tag.RowsAffected()
		if err != nil || added == 0 {
			return err
		}
		return analyse(ctx, tx)
	})
	if err != nil {
		return 0, err
	}
	return added, nil
}

// ExpireVerdicts makes the candidates open again when none of them was asked for in the
// last so long: what was said of them then may not hold any more.
func (l *Lease) ExpireVerdicts(ctx context.Context, idle time.Duration) error {
	return l.transact(ctx, "reopen the candidates of", func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			UPDATE paymosync.candidates
			SET verdict = NULL,
				asked_at = NULL
			WHERE account = $1 AND table_name = $2 AND verdict IS NOT NULL AND (
				SELECT max(asked_at)
				FROM paymosync.candidates
				WHERE account = $1 AND table_name = $2
			) < clock_timestamp() - $3::interval`, l.store.account, l.table, idle)
		return err
	})
}

// Candidates counts the rows that a full has not met.
type Candidates struct {
	Open        int64 // still to be asked for
	Gone        int64 // Paymo does not know them: what a sweep may tombstone
	Unexplained int64 // of those that are gone: no deletion of an owner explains it
	Unsure      int64 // the answers proved nothing
}

// Candidates counts the table's candidates. One that is gone counts as unexplained
// unless Explain has marked it or one of the rows that own it was tombstoned since the
// table was read whole; one whose
// row was written since it was asked for counts as nothing.
func (l *Lease) Candidates(ctx context.Context, r *catalog.Resource) (Candidates, error) {
	var c Candidates
	err := l.transact(ctx, "count the candidates of", func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, `
			SELECT count(*) FILTER (WHERE c.verdict IS NULL),
				count(*) FILTER (WHERE t.id IS NOT NULL),
				count(*) FILTER (WHERE t.id IS NOT NULL AND NOT `+l.store.isExplained(r)+`),
				count(*) FILTER (WHERE c.verdict = 'unsure')
			FROM paymosync.candidates AS c
			LEFT JOIN `+l.store.name(l.table)+` AS t ON t.id = c.row_id AND `+mayGo+`
			WHERE c.account = $1 AND c.table_name = $2`, l.store.account, l.table).
			Scan(&c.Open, &c.Gone, &c.Unexplained, &c.Unsure)
	})
	if err != nil {
		return Candidates{}, err
	}
	return c, nil
}

// OpenCandidates are the ids of candidates that were not asked for yet, least first
// and at most limit.
func (l *Lease) OpenCandidates(ctx context.Context, limit int) ([]int64, error) {
	return l.ids(ctx, "read the candidates of", `
		SELECT row_id
		FROM paymosync.candidates
		WHERE account = $1 AND table_name = $2 AND verdict IS NULL
		ORDER BY row_id
		LIMIT $3`, l.store.account, l.table, limit)
}

// Judge notes which candidates are gone and of which the answers proved nothing, by
// what was asked at the time, saves the checkpoint with it and counts the cost in the
// run. Ids that are no candidates any more are passed over.
func (l *Lease) Judge(ctx context.Context, run int64, gone, unsure []int64, askedAt time.Time, cost Cost, cp Checkpoint) error {
	var batch pgx.Batch
	l.saveCheckpoint(&batch, cp)
	for verdict, ids := range map[string][]int64{"gone": gone, "unsure": unsure} {
		batch.Queue(`
			UPDATE paymosync.candidates
			SET verdict = $4,
				asked_at = $5
			WHERE ctid = ANY (`+found+`)`, l.store.account, l.table, ids, verdict, askedAt)
	}
	l.countRun(&batch, run, tally{cost: cost})
	return l.transactBatch(ctx, "judge the candidates of", &batch)
}

// ids reads ids in a transaction that holds the lease.
func (l *Lease) ids(ctx context.Context, what, query string, parameters ...any) (ids []int64, err error) {
	err = l.transact(ctx, what, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, query, parameters...)
		if err != nil {
			return err
		}
		ids, err = pgx.CollectRows(rows, pgx.RowTo[int64])
		return err
	})
	return ids, err
}
