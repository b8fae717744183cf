package sink

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// Quarantined is a record that could not become a row.
type Quarantined struct {
	Table     string
	Hash      string // SHA-256 of the payload, in hexadecimal
	Payload   string // the record as JSON, without secret fields
	Problem   string // why, in words
	FirstSeen time.Time
	LastSeen  time.Time
}

// Quarantined reads the quarantine of a table, of all of them where table is "": by
// table, the records that were met last first.
func (s *Store) Quarantined(ctx context.Context, table string) ([]Quarantined, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT table_name, hash, payload, problem, first_seen, last_seen
		FROM paymosync.quarantine
		WHERE account = $1 AND $2 IN ('', table_name)
		ORDER BY table_name, last_seen DESC, hash`, s.account, table)
	if err != nil {
		return nil, fmt.Errorf("read the quarantine: %w", err)
	}
	records, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Quarantined])
	if err != nil {
		return nil, fmt.Errorf("read the quarantine: %w", err)
	}
	return records, nil
}

// QuarantinedRecord reads the one record in quarantine whose hash begins with the
// prefix; none and several are errors that say so.
func (s *Store) QuarantinedRecord(ctx context.Context, hashPrefix string) (Quarantined, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT table_name, hash, payload, problem, first_seen, last_seen
		FROM paymosync.quarantine
		WHERE account = $1 AND starts_with(hash, lower($2))
		ORDER BY hash, table_name
		LIMIT 2`, s.account, hashPrefix)
	if err != nil {
		return Quarantined{}, fmt.Errorf("look into the quarantine: %w", err)
	}
	records, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Quarantined])
	switch {
	case err != nil:
		return Quarantined{}, fmt.Errorf("look into the quarantine: %w", err)
	case len(records) == 0:
		return Quarantined{}, fmt.Errorf("no record in quarantine has a hash that begins with %q", hashPrefix)
	case len(records) == 1:
		return records[0], nil
	case records[0].Hash == records[1].Hash:
		return Quarantined{}, fmt.Errorf("the record %s is in quarantine for both %s and %s",
			records[0].Hash, records[0].Table, records[1].Table)
	}
	return Quarantined{}, fmt.Errorf("several records in quarantine have a hash that begins with %q: give more of it", hashPrefix)
}

// Release drops one record from the table's quarantine. One that is not there is no
// error: a full may have found it well meanwhile.
func (l *Lease) Release(ctx context.Context, hash string) error {
	return l.transact(ctx, "release a record from the quarantine of", func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			DELETE FROM paymosync.quarantine
			WHERE account = $1 AND table_name = $2 AND hash = $3`, l.store.account, l.table, hash)
		return err
	})
}

// ForgetQuarantine drops the quarantined records of the table that were last seen
// before the time: a complete full has not met them again. It returns how many are
// left.
func (l *Lease) ForgetQuarantine(ctx context.Context, before time.Time) (left int64, err error) {
	err = l.transact(ctx, "tidy the quarantine of", func(tx pgx.Tx) error {
		if !before.IsZero() {
			_, err := tx.Exec(ctx, `
				DELETE FROM paymosync.quarantine
				WHERE account = $1 AND table_name = $2 AND last_seen < $3`, l.store.account, l.table, before)
			if err != nil {
				return err
			}
		}
		return tx.QueryRow(ctx, `
			SELECT count(*)
			FROM paymosync.quarantine
			WHERE account = $1 AND table_name = $2`, l.store.account, l.table).Scan(&left)
	})
	return left, err
}

// RefusedAgain tidies up after a record of the quarantine was tried again, at the time or
// later, and refused again: it stays as old as it is, so that it never passes for newer
// than a row that was written since. It returns why it was refused.
func (l *Lease) RefusedAgain(ctx context.Context, record Quarantined, tried time.Time) (problem string, err error) {
	err = l.transact(ctx, "keep a record in the quarantine of", func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, `
			WITH again AS (
				UPDATE paymosync.quarantine
				SET first_seen = $4,
					last_seen = $5
				WHERE account = $1 AND table_name = $2 AND last_seen >= $6
				RETURNING hash, problem
			), old AS (
				DELETE FROM paymosync.quarantine
				WHERE account = $1 AND table_name = $2 AND hash = $3 AND hash NOT IN (SELECT hash FROM again)
			)
			SELECT problem
			FROM again
			LIMIT 1`, l.store.account, l.table, record.Hash, record.FirstSeen, record.LastSeen, tried).Scan(&problem)
	})
	return problem, err
}

// quarantine keeps a record that cannot become a row.
func (l *Lease) quarantine(ctx context.Context, tx pgx.Tx, reject catalog.Reject) error {
	hash := sha256.Sum256([]byte(reject.Payload))
	_, err := tx.Exec(ctx, `
		INSERT INTO paymosync.quarantine AS q (account, table_name, hash, payload, problem)
		VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (account, table_name, hash) DO UPDATE SET
			problem = EXCLUDED.problem,
			last_seen = EXCLUDED.last_seen`,
		l.store.account, l.table, hex.EncodeToString(hash[:]), reject.Payload, reject.Problem)
	if err != nil {
		return fmt.Errorf("quarantine a record: %w", err)
	}
	return nil
}
