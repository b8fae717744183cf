package sink

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// Sum asks for the sum of a column for each month, and each value of another column.
type Sum struct {
	Amount string   // what is summed
	When   []string // the first of these that is set says which month, in UTC
	By     string   // "" sums over all rows of a month
	Except []int64  // rows that are counted and not summed
}

// Total is the sum of one month and value.
type Total struct {
	Month  string // YYYY-MM, "" where the rows tell none
	By     string // "" for null too
	Amount string // exact
}

// Totals are what a table holds at one moment.
type Totals struct {
	Rows    int64 // live ones
	Written bool  // rows were written at or after a time
	Totals  []Total
}

// Totals counts and sums the table's live rows: those that are about since or a later
// time where the resource has windows, else those whose updated_on is not earlier; all of
// them where since is zero. Written tells of rows that were written since the other time,
// tombstoned ones too; transactions that were open then count as if they had begun now.
func (s *Store) Totals(ctx context.Context, r *catalog.Resource, sum *Sum, since, written time.Time) (Totals, error) {
	var t Totals
	var d demands
	d.add("t._deleted_at IS NULL")
	switch {
	case since.IsZero():
	case r.Window != "":
		d.add(about(r) + " >= " + d.parameter(since))
	default:
		d.add("t.updated_on >= " + d.parameter(since))
	}
	month, by, amount := "NULL::text", "NULL::text", "NULL::text"
	if sum != nil {
		var times []string
		for _, name := range append([]string{sum.Amount}, sum.When...) {
			c, ok := r.Column(name)
			if !ok {
				return Totals{}, fmt.Errorf("sum %s: no column %s", r.Table, name)
			}
			switch {
			case name == sum.Amount:
				amount = "(sum(t." + quote(name) + ") FILTER (WHERE t.id <> ALL (" + d.parameter(append([]int64{}, sum.Except...)) + "::bigint[])))::text"
			case c.Kind == catalog.Datetime:
				times = append(times, "t."+quote(name)+" AT TIME ZONE 'UTC'")
			default:
				times = append(times, "t."+quote(name)+"::timestamp")
			}
		}
		month = "to_char(coalesce(" + strings.Join(times, ", ") + "), 'YYYY-MM')"
		if sum.By != "" {
			by = "t." + quote(sum.By) + "::text"
		}
	}
	// One transaction, one snapshot: what is counted is what was summed.
	err := pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `
			SELECT coalesce(`+month+`, ''), coalesce(`+by+`, ''), coalesce(`+amount+`, '0'), count(*)
			FROM `+s.name(r.Table)+` AS t
			`+d.where()+`
			GROUP BY 1, 2
			ORDER BY 1, 2`, d.parameters...)
		if err != nil {
			return err
		}
		var total Total
		var count int64
		if _, err := pgx.ForEachRow(rows, []any{&total.Month, &total.By, &total.Amount, &count}, func() error {
			t.Rows += count
			if sum != nil {
				t.Totals = append(t.Totals, total)
			}
			return nil
		}); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `
			SELECT EXISTS (SELECT FROM `+s.name(r.Table)+` WHERE _synced_at >= $1 AND _synced_at <= statement_timestamp())`, written).Scan(&t.Written)
	})
	if err != nil {
		return Totals{}, fmt.Errorf("sum %s: %w", r.Table, err)
	}
	return t, nil
}

// Settled is a time by the database's clock before every transaction began that may write
// and is still open: rows that bear an earlier one are there for whoever looks from now on.
func (s *Store) Settled(ctx context.Context) (time.Time, error) {
	var settled time.Time
	err := s.pool.QueryRow(ctx, `
		SELECT least(clock_timestamp(), min(xact_start))
		FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid()
			AND (backend_xid IS NOT NULL OR xact_start > clock_timestamp() - interval '1 minute')`).Scan(&settled)
	if err != nil {
		return time.Time{}, fmt.Errorf("read when the oldest transaction began: %w", err)
	}
	return settled, nil
}
