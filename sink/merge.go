package sink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// Result counts what a page did to its table.
type Result struct {
	Inserted    int64
	Updated     int64
	Unchanged   int64
	Quarantined int64
	Late        int64   // differ or are new, and an incremental should have brought them
	Stale       []int64 // differ, but the table's row is newer than the page or its version: fetch them again
}

// Add sums two results.
func (r Result) Add(other Result) Result {
	return Result{
		Inserted:    r.Inserted + other.Inserted,
		Updated:     r.Updated + other.Updated,
		Unchanged:   r.Unchanged + other.Unchanged,
		Quarantined: r.Quarantined + other.Quarantined,
		Late:        r.Late + other.Late,
		Stale:       append(r.Stale, other.Stale...),
	}
}

// merger merges the records of one page within one transaction.
type merger struct {
	sql         mergeSQL
	volatile    bool
	mayBlank    bool
	requestedAt time.Time
	clock       time.Time // zero: unknown
	force       bool
	lateBefore  time.Time // zero: nothing is late
	refuse      func(ctx context.Context, tx pgx.Tx, reject catalog.Reject) error
}

// merge writes the records that are new or differ. A record that PostgreSQL
// refuses is found by halving the page and handed to refuse.
func (m merger) merge(ctx context.Context, tx pgx.Tx, records []catalog.Record) (Result, error) {
	if len(records) == 0 {
		return Result{}, nil
	}
	savepoint, err := tx.Begin(ctx)
	if err != nil {
		return Result{}, err
	}
	result, err := m.write(ctx, savepoint, records)
	if err == nil {
		return result, savepoint.Commit(ctx)
	}
	problem, refused := refusal(err)
	if !refused {
		return Result{}, err
	}
	if err := savepoint.Rollback(ctx); err != nil {
		return Result{}, err
	}
	if len(records) == 1 {
		reject := catalog.Reject{Payload: m.payload(records[0]), Problem: problem}
		return Result{Quarantined: 1}, m.refuse(ctx, tx, reject)
	}
	half := len(records) / 2
	first, err := m.merge(ctx, tx, records[:half])
	if err != nil {
		return Result{}, err
	}
	second, err := m.merge(ctx, tx, records[half:])
	return first.Add(second), err
}

// write writes the records that are new or differ, or none where PostgreSQL refuses one.
func (m merger) write(ctx context.Context, tx pgx.Tx, records []catalog.Record) (Result, error) {
	if len(records) == 0 {
		return Result{}, nil
	}
	arrays := encodeColumns(records, len(m.sql.columns))
	scalars := [][]byte{[]byte(strconv.FormatBool(m.volatile)), timestamp(m.requestedAt), nil, []byte("infinity")}
	if !m.lateBefore.IsZero() {
		scalars[2] = timestamp(m.lateBefore)
	}
	switch {
	case m.force:
		scalars[3] = []byte("-infinity")
	case !m.clock.IsZero():
		scalars[3] = timestamp(m.clock)
	}
	values := append(scalars, arrays...)
	oids := slices.Repeat([]uint32{pgtype.TextArrayOID}, len(values))
	oids[0], oids[1], oids[2], oids[3] = pgtype.BoolOID, pgtype.TimestamptzOID, pgtype.TimestamptzOID, pgtype.TimestamptzOID
	formats := slices.Repeat([]int16{pgx.BinaryFormatCode}, len(values))
	for i := range scalars {
		formats[i] = pgx.TextFormatCode
	}

	reply := tx.Conn().PgConn().ExecParams(ctx, m.sql.text, values, oids, formats, nil).Read()
	if reply.Err != nil {
		return Result{}, reply.Err
	}
	if len(reply.Rows) != 1 || len(reply.Rows[0]) != 5 {
		return Result{}, errors.New("the merge statement did not answer with its one row")
	}
	var result Result
	var blanked int64
	row := reply.Rows[0]
	for i, count := range []*int64{&result.Inserted, &result.Updated, &result.Late, &blanked} {
		var err error
		if *count, err = strconv.ParseInt(string(row[i]), 10, 64); err != nil {
			return Result{}, err
		}
	}
	if blanked > 0 && !m.mayBlank {
		return Result{}, ErrBlanks
	}
	if row[4] != nil {
		for id := range strings.SplitSeq(strings.Trim(string(row[4]), "{}"), ",") {
			stale, err := strconv.ParseInt(id, 10, 64)
			if err != nil {
				return Result{}, err
			}
			result.Stale = append(result.Stale, stale)
		}
	}
	result.Unchanged = int64(len(records)) - result.Inserted - result.Updated - int64(len(result.Stale))
	return result, nil
}

// timestamp is a time as a parameter in text format.
func timestamp(t time.Time) []byte { return []byte(t.Format(time.RFC3339Nano)) }

// payload is what is kept of a record that PostgreSQL refused.
func (m merger) payload(record catalog.Record) string {
	fields := make(map[string]any, len(record.Values))
	for i, v := range record.Values {
		switch v.State {
		case catalog.Set:
			fields[m.sql.columns[i].Name] = v.Text
		case catalog.Null:
			fields[m.sql.columns[i].Name] = nil
		}
	}
	if record.Extra != "" {
		fields["_extra"] = json.RawMessage(record.Extra)
	}
	text, err := json.Marshal(fields)
	if err != nil {
		return fmt.Sprintf(`{"id": %d}`, record.ID)
	}
	return string(text)
}

// refusal reports whether PostgreSQL refused the data itself, and says why.
// Classes 22 (data exception), 23 (integrity) and 54 (a program limit, such as an
// index row that is too large) are about rows.
func refusal(err error) (problem string, refused bool) {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return "", false
	}
	switch pg.Code[:2] {
	case "22", "23", "54":
		return fmt.Sprintf("postgresql refused the row: %s (SQLSTATE %s)", pg.Message, pg.Code), true
	}
	return "", false
}

// newest keeps of records with the same id the one with the newest updated_on, the
// later one where that is equal: a repeated id in one upsert is an error.
func newest(records []catalog.Record) []catalog.Record {
	at := make(map[int64]int, len(records))
	unique := records[:0:0]
	for i, record := range records {
		j, seen := at[record.ID]
		switch {
		case !seen:
			at[record.ID] = len(unique)
			unique = append(unique, records[i])
		case !record.Updated.Before(unique[j].Updated):
			unique[j] = record
		}
	}
	return unique
}
