package sink_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// BenchmarkMerge measures the ways to write a page of time entries, all of them new, by
// the size of the page. The merge and COPY are what Apply chooses between; the others are
// what it might have been.
func BenchmarkMerge(b *testing.B) {
	for _, path := range []struct {
		name  string
		write func(*table, []catalog.Record) error
	}{
		{"copy", copyPage},
		{"merge", mergePage},
		{"staging", stagePage},
		{"batch", batchPage},
	} {
		for _, size := range pageSizes() {
			b.Run(fmt.Sprintf("%s/%d", path.name, size), func(b *testing.B) {
				tb := newTable(b, "time_entries")
				next := int64(1)
				records := tb.fresh(next, size)
				for b.Loop() {
					next = renumber(records, next)
					if err := path.write(tb, records); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(size)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
				if n := value[int64](b, tb.pool, `SELECT count(*) FROM paymo.time_entries`); n != size*int64(b.N) {
					b.Errorf("%d rows were written, want %d", n, size*int64(b.N))
				}
			})
		}
	}
}

// BenchmarkMergeEqual measures pages in which nothing is new, in a table of 100,000 rows
// that nobody has analysed, and in one that was.
func BenchmarkMergeEqual(b *testing.B) {
	const rows = 100_000
	for _, analysed := range []bool{false, true} {
		tb := newTable(b, "time_entries")
		exec(b, tb.pool, `ALTER TABLE paymo.time_entries SET (autovacuum_enabled = off)`)
		tb.merge(tb.fresh(1, rows)...)
		if analysed {
			exec(b, tb.pool, `ANALYZE paymo.time_entries`)
		}
		for _, size := range pageSizes() {
			b.Run(fmt.Sprintf("analysed=%v/%d", analysed, size), func(b *testing.B) {
				page := tb.page(tb.fresh(rows/2, size)...)
				page.Volatile = true
				for b.Loop() {
					if got := tb.apply(page); got.Unchanged != size {
						b.Fatalf("%+v", got)
					}
				}
				b.ReportMetric(float64(size)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			})
		}
	}
}

func pageSizes() []int64 { return []int64{100, 500, 1000, 1600, 2500, 5000} }

// renumber gives records ids from next on, and returns the one after them.
func renumber(records []catalog.Record, next int64) int64 {
	for i := range records {
		records[i].ID = next
		records[i].Values[0].Text = itoa(next)
		next++
	}
	return next
}

// copyPage has Apply find that all rows are new.
func copyPage(tb *table, records []catalog.Record) error {
	_, err := tb.lease.Apply(tb.t.Context(), tb.page(records...))
	return err
}

// mergePage has Apply count what came late, which only a merge does.
func mergePage(tb *table, records []catalog.Record) error {
	page := tb.page(records...)
	page.LateBefore = page.RequestedAt
	_, err := tb.lease.Apply(tb.t.Context(), page)
	return err
}

// stagePage copies into a staging table and merges from there.
func stagePage(tb *table, records []catalog.Record) error {
	ctx := tb.t.Context()
	names, casts := columnsOf(tb.resource)
	return pgx.BeginFunc(ctx, tb.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `CREATE TEMPORARY TABLE IF NOT EXISTS staging (`+strings.Join(names, " text, ")+` text) ON COMMIT DELETE ROWS`); err != nil {
			return err
		}
		var rows bytes.Buffer
		for _, record := range records {
			for i, v := range record.Values {
				if i > 0 {
					rows.WriteByte('\t')
				}
				if v.State == catalog.Set {
					rows.WriteString(v.Text)
				} else {
					rows.WriteString(`\N`)
				}
			}
			rows.WriteByte('\n')
		}
		if _, err := tx.Conn().PgConn().CopyFrom(ctx, &rows, `COPY staging FROM STDIN`); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `
			INSERT INTO paymo.time_entries (`+strings.Join(names, ", ")+`, _synced_at)
			SELECT `+strings.Join(casts, ", ")+`, statement_timestamp()
			FROM staging AS p
			LEFT JOIN paymo.time_entries AS t ON t.id = p.id::bigint
			WHERE t.id IS NULL
			`+onConflict(names))
		return err
	})
}

// batchPage sends an upsert for each record, all at once.
func batchPage(tb *table, records []catalog.Record) error {
	ctx := tb.t.Context()
	names, _ := columnsOf(tb.resource)
	var values []string
	for i, column := range tb.resource.Stored() {
		values = append(values, fmt.Sprintf("$%d::text::%s", i+1, column.Kind.SQLType()))
	}
	sql := `INSERT INTO paymo.time_entries (` + strings.Join(names, ", ") + `, _synced_at) VALUES (` + strings.Join(values, ", ") + `, now()) ` + onConflict(names)
	var batch pgx.Batch
	for _, record := range records {
		arguments := make([]any, len(record.Values))
		for i, v := range record.Values {
			if v.State == catalog.Set {
				arguments[i] = v.Text
			}
		}
		batch.Queue(sql, arguments...)
	}
	return tb.pool.SendBatch(ctx, &batch).Close()
}

func columnsOf(r *catalog.Resource) (names, casts []string) {
	for _, column := range r.Stored() {
		name := pgx.Identifier{column.Name}.Sanitize()
		names = append(names, name)
		casts = append(casts, "p."+name+"::"+column.Kind.SQLType())
	}
	return names, casts
}

func onConflict(names []string) string {
	var sets []string
	for _, name := range names[1:] {
		sets = append(sets, name+" = EXCLUDED."+name)
	}
	return `ON CONFLICT (id) DO UPDATE SET ` + strings.Join(sets, ", ") + `, _synced_at = EXCLUDED._synced_at`
}
