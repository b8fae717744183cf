package sink

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// Alert is something that is wrong, or was until a moment ago.
type Alert struct {
	Cause     string
	Subject   string // the table, or the field of one, that it is about; "": the account
	Sentence  string
	RaisedAt  time.Time
	ClearedAt *time.Time // when it was over; nil: it goes on
	ToldAt    *time.Time // when people were told of it as it is now; nil: they are still to be told
}

// Same reports whether another alert is about the same.
func (a Alert) Same(b Alert) bool { return a.Cause == b.Cause && a.Subject == b.Subject }

// NoteAlerts notes what is wrong now, and with it what is over. What ends before people
// were told of it leaves no trace, and what comes back before they were told of its end
// goes on as if nothing had been. What people were told stays in their words. Of what is hidden nothing can be said: it stays as it is.
func (s *Store) NoteAlerts(ctx context.Context, now, hidden []Alert) error {
	causes, subjects, sentences := make([]string, len(now)), make([]string, len(now)), make([]string, len(now))
	for i, alert := range now {
		causes[i], subjects[i], sentences[i] = alert.Cause, alert.Subject, alert.Sentence
	}
	keptCauses, keptSubjects := slices.Clone(causes), slices.Clone(subjects)
	for _, alert := range hidden {
		keptCauses, keptSubjects = append(keptCauses, alert.Cause), append(keptSubjects, alert.Subject)
	}
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			INSERT INTO paymosync.alerts AS a (account, cause, subject, sentence)
			SELECT DISTINCT ON (n.cause, n.subject) $1, n.cause, n.subject, n.sentence
			FROM unnest($2::text[], $3::text[], $4::text[]) AS n (cause, subject, sentence)
			ON CONFLICT (account, cause, subject) DO UPDATE SET
				sentence = CASE WHEN a.tried_at IS NULL THEN EXCLUDED.sentence ELSE a.sentence END,
				told_at = CASE WHEN a.cleared_at IS NULL THEN a.told_at ELSE clock_timestamp() END,
				cleared_at = NULL`, s.account, causes, subjects, sentences)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `
			WITH over AS (
				SELECT a.cause, a.subject, coalesce(a.tried_at, a.told_at) IS NULL AS untold
				FROM paymosync.alerts AS a
				WHERE a.account = $1
					AND a.cleared_at IS NULL
					AND (a.cause, a.subject) NOT IN (SELECT * FROM unnest($2::text[], $3::text[]))
			), dropped AS (
				DELETE FROM paymosync.alerts AS a
				USING over AS o
				WHERE a.account = $1 AND (a.cause, a.subject) = (o.cause, o.subject) AND o.untold
			)
			UPDATE paymosync.alerts AS a
			SET cleared_at = clock_timestamp(),
				told_at = NULL
			FROM over AS o
			WHERE a.account = $1 AND (a.cause, a.subject) = (o.cause, o.subject) AND NOT o.untold`, s.account, keptCauses, keptSubjects)
		return err
	})
	if err != nil {
		return fmt.Errorf("note what is wrong: %w", err)
	}
	return nil
}

// Alerts reads what is wrong, and what is over but not yet told so, by cause and subject.
func (s *Store) Alerts(ctx context.Context) ([]Alert, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT cause, subject, sentence, raised_at, cleared_at, told_at
		FROM paymosync.alerts
		WHERE account = $1
		ORDER BY cause, subject`, s.account)
	if err != nil {
		return nil, fmt.Errorf("read the alerts: %w", err)
	}
	alerts, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Alert])
	if err != nil {
		return nil, fmt.Errorf("read the alerts: %w", err)
	}
	return alerts, nil
}

// Trying notes that people are about to be told of the alerts: should nobody come to note
// whether they were, they are told of their end all the same.
func (s *Store) Trying(ctx context.Context, alerts []Alert) error {
	for _, alert := range alerts {
		_, err := s.pool.Exec(ctx, `
			UPDATE paymosync.alerts
			SET tried_at = clock_timestamp()
			WHERE account = $1 AND cause = $2 AND subject = $3 AND tried_at IS NULL`, s.account, alert.Cause, alert.Subject)
		if err != nil {
			return fmt.Errorf("note that alerts are about to be told: %w", err)
		}
	}
	return nil
}

// Untold takes Trying back: the message was refused.
func (s *Store) Untold(ctx context.Context, alerts []Alert) error {
	for _, alert := range alerts {
		_, err := s.pool.Exec(ctx, `
			UPDATE paymosync.alerts
			SET tried_at = NULL
			WHERE account = $1 AND cause = $2 AND subject = $3 AND cleared_at IS NULL`, s.account, alert.Cause, alert.Subject)
		if err != nil {
			return fmt.Errorf("note that alerts are still to be told: %w", err)
		}
	}
	return nil
}

// Told notes that people were told of the alerts as they were read. Those that are over
// are forgotten.
func (s *Store) Told(ctx context.Context, alerts []Alert) error {
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		for _, alert := range alerts {
			_, err := tx.Exec(ctx, `
				WITH over AS (
					DELETE FROM paymosync.alerts
					WHERE account = $1 AND cause = $2 AND subject = $3 AND cleared_at = $4
				)
				UPDATE paymosync.alerts
				SET told_at = clock_timestamp()
				WHERE account = $1 AND cause = $2 AND subject = $3 AND cleared_at IS NULL AND $4::timestamptz IS NULL`,
				s.account, alert.Cause, alert.Subject, alert.ClearedAt)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("note that alerts were told: %w", err)
	}
	return nil
}
