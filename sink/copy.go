package sink

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// copyFloor is the number of records from which on COPY is worth its round trips.
const copyFloor = 200

// mayCopy reports whether the records may be copied if they are all new: they are many,
// and nothing must be counted that only a merge counts.
func (m merger) mayCopy(records []catalog.Record) bool {
	return len(records) >= copyFloor && m.lateBefore.IsZero()
}

// ground is where a page's rows will lie in the table.
type ground struct {
	free bool // no row lies there
	now  time.Time
}

// look has a transaction look at it.
func (g *ground) look(batch *pgx.Batch, table string, records []catalog.Record) {
	lowest, highest := records[0].ID, records[0].ID
	for i := range records {
		lowest, highest = min(lowest, records[i].ID), max(highest, records[i].ID)
	}
	batch.Queue(`SELECT NOT EXISTS (SELECT FROM `+table+` WHERE id BETWEEN $1 AND $2), statement_timestamp()`, lowest, highest).
		QueryRow(func(row pgx.Row) error { return row.Scan(&g.free, &g.now) })
}

// copy writes a page whose rows are all new, which takes PostgreSQL about half of the time
// that a merge takes.
func (m merger) copy(ctx context.Context, tx pgx.Tx, records []catalog.Record, now time.Time) (Result, error) {
	_, err := tx.Conn().PgConn().CopyFrom(ctx, bytes.NewReader(encodeRows(records, now)), m.sql.copy)
	if err != nil {
		return Result{}, err
	}
	return Result{Inserted: int64(len(records))}, nil
}

// copySQL is the statement whose input encodeRows makes.
func copySQL(table string, columns []catalog.Column) string {
	names := make([]string, 0, len(columns)+3)
	for _, c := range columns {
		names = append(names, quote(c.Name))
	}
	return fmt.Sprintf("COPY %s (%s) FROM STDIN", table, strings.Join(append(names, "_synced_at", "_extra", "_issues"), ", "))
}

// encodeRows turns records into the lines of a COPY in text format: the columns, when
// they are synced, _extra and _issues.
func encodeRows(records []catalog.Record, synced time.Time) []byte {
	at := append(append([]byte{'\t'}, timestamp(synced)...), '\t')
	size := 0
	for i := range records {
		size += len(at) + len(records[i].Extra) + len(records[i].Issues) + 8
		for _, v := range records[i].Values {
			size += len(v.Text) + 3
		}
	}
	rows := make([]byte, 0, size+size/16)
	for i := range records {
		for c, v := range records[i].Values {
			if c > 0 {
				rows = append(rows, '\t')
			}
			rows = appendField(rows, v.Text, v.State == catalog.Set)
		}
		rows = append(rows, at...)
		rows = append(appendField(rows, records[i].Extra, records[i].Extra != ""), '\t')
		rows = append(appendField(rows, records[i].Issues, records[i].Issues != ""), '\n')
	}
	return rows
}

// appendField appends a text as a field of a COPY, or a null.
func appendField(dst []byte, text string, set bool) []byte {
	if !set {
		return append(dst, `\N`...)
	}
	for {
		i := strings.IndexAny(text, "\\\t\n\r")
		if i < 0 {
			return append(dst, text...)
		}
		dst = append(append(dst, text[:i]...), '\\')
		switch text[i] {
		case '\t':
			dst = append(dst, 't')
		case '\n':
			dst = append(dst, 'n')
		case '\r':
			dst = append(dst, 'r')
		default:
			dst = append(dst, '\\')
		}
		text = text[i+1:]
	}
}

// unsupported reports whether PostgreSQL cannot COPY into the table, as with row security
// or a view.
func unsupported(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && slices.Contains([]string{"0A000", "42809"}, pg.Code)
}
