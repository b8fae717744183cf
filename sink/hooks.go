package sink

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Hook is one of the account's own hooks at Paymo.
type Hook struct {
	ID          int64
	Table       string // whose changes it tells of
	TargetURL   string
	SecretMark  string    // tells whether it was made with the secret of now
	SureSince   time.Time // what happened before it may not have been heard
	SeenAt      time.Time // when Paymo last listed it
	LastStatus  int       // how its last call was answered, as Paymo has it; 0: it made none
	ListenedAt  time.Time // when a service last said that it listens
	HeardAt     *time.Time
	Reached     bool       // calls come in: one of the hooks with the same URL and secret was heard
	SilentSince *time.Time // since when a sync finds changes that it did not tell of
}

// Hooks are the account's own hooks, by table.
func (s *Store) Hooks(ctx context.Context) ([]Hook, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT hook_id, table_name, target_url, secret_mark, sure_since, seen_at, last_status, listened_at, heard_at,
			bool_or(heard_at IS NOT NULL) OVER (PARTITION BY target_url, secret_mark), silent_since
		FROM paymosync.hooks
		WHERE account = $1
		ORDER BY table_name, hook_id`, s.account)
	if err == nil {
		var hooks []Hook
		if hooks, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Hook]); err == nil {
			return hooks, nil
		}
	}
	return nil, fmt.Errorf("read which hooks are the account's own: %w", err)
}

// HookOf is the table's own hook, nil where there is none.
func (s *Store) HookOf(ctx context.Context, table string) (*Hook, error) {
	hooks, err := s.Hooks(ctx)
	if err != nil {
		return nil, err
	}
	for _, hook := range hooks {
		if hook.Table == table {
			return &hook, nil
		}
	}
	return nil, nil
}

// KeepHook remembers that a hook is the account's own, and that Paymo has it now.
func (s *Store) KeepHook(ctx context.Context, hook Hook) error {
	_, err := s.pool.Exec(ctx, `
		INSERT INTO paymosync.hooks AS h (account, hook_id, table_name, target_url, secret_mark, last_status)
		VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (account, hook_id) DO UPDATE SET
			table_name = EXCLUDED.table_name,
			target_url = EXCLUDED.target_url,
			secret_mark = EXCLUDED.secret_mark,
			last_status = EXCLUDED.last_status,
			sure_since = CASE
				WHEN (h.target_url, h.secret_mark) = (EXCLUDED.target_url, EXCLUDED.secret_mark) THEN h.sure_since
				ELSE EXCLUDED.sure_since
			END,
			seen_at = EXCLUDED.seen_at`,
		s.account, hook.ID, hook.Table, hook.TargetURL, hook.SecretMark, hook.LastStatus)
	if err != nil {
		return fmt.Errorf("remember hook %d: %w", hook.ID, err)
	}
	return nil
}

// ForgetHook forgets a hook that Paymo does not have any more.
func (s *Store) ForgetHook(ctx context.Context, id int64) error {
	if _, err := s.pool.Exec(ctx, `DELETE FROM paymosync.hooks WHERE account = $1 AND hook_id = $2`, s.account, id); err != nil {
		return fmt.Errorf("forget hook %d: %w", id, err)
	}
	return nil
}

// Listen says that a service listens to the hooks. Where none did for a while, what happened
// before is not sure to have been heard.
func (s *Store) Listen(ctx context.Context) error {
	return s.changeHooks(ctx, "say that the hooks are listened to", `
		listened_at = clock_timestamp(),
		sure_since = CASE WHEN h.listened_at < clock_timestamp() - $2::interval THEN clock_timestamp() ELSE h.sure_since END`, DeafFor)
}

// Miss says that calls may not have been taken: what happened before is not sure to have been
// heard.
func (s *Store) Miss(ctx context.Context) error {
	return s.changeHooks(ctx, "say that calls may have been missed", `sure_since = clock_timestamp()`)
}

// changeHooks changes all of the account's hooks, in one order with those who note changes,
// so that neither waits for the other.
func (s *Store) changeHooks(ctx context.Context, what, set string, arguments ...any) error {
	_, err := s.pool.Exec(ctx, `
		WITH own AS (
			SELECT hook_id
			FROM paymosync.hooks
			WHERE account = $1
			ORDER BY hook_id
			FOR NO KEY UPDATE
		)
		UPDATE paymosync.hooks AS h
		SET `+set+`
		FROM own
		WHERE h.account = $1 AND h.hook_id = own.hook_id`, append([]any{s.account}, arguments...)...)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// DeafFor is after how long without a service that listens calls were missed.
const DeafFor = 5 * time.Minute

// HearSync holds what is in the table after a sync that began at the time against what its
// hooks told of, each change once. Where they left one out they are silent; they are so
// until they were heard again and a sync finds nothing that they left out. What happened a
// moment ago is for the next sync, and what happened before it was sure to be heard is no
// sign of anything.
func (s *Store) HearSync(ctx context.Context, table string, began time.Time) error {
	_, err := s.pool.Exec(ctx, `
		WITH own AS (
			SELECT greatest(max(sure_since) + $4::interval, min(checked_until), $3::timestamptz - $5::interval) AS since
			FROM paymosync.hooks
			WHERE account = $1 AND table_name = $2
		), unheard AS (
			SELECT EXISTS (
				SELECT
				FROM `+s.name(table)+` AS t
				CROSS JOIN own
				WHERE t._deleted_at IS NULL
					AND t.updated_on >= own.since AND t.updated_on < $3::timestamptz - $4::interval
					AND NOT EXISTS (
						SELECT
						FROM paymosync.changes AS c
						WHERE c.account = $1 AND c.table_name = $2 AND c.row_id = t.id AND c.heard_at >= t.updated_on - $4::interval
					)
			) AS some
		)
		UPDATE paymosync.hooks AS h
		SET checked_until = greatest(h.checked_until, $3::timestamptz - $4::interval),
			silent_since = CASE
				WHEN u.some THEN coalesce(h.silent_since, clock_timestamp())
				WHEN h.heard_at > h.silent_since THEN NULL
				ELSE h.silent_since
			END
		FROM unheard AS u
		WHERE h.account = $1 AND h.table_name = $2`,
		s.account, table, began, unheardFor, changesKept-time.Hour)
	if err != nil {
		return fmt.Errorf("hold the sync of %s against its hooks: %w", table, err)
	}
	return nil
}

// unheardFor is how long a change may be underway, and by how much clocks may differ.
const unheardFor = time.Minute
