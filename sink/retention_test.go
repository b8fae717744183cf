package sink_test

import (
	"testing"
	"time"

	"github.com/paymosync/paymosync/sink"
)

// What is older than it is kept goes; the last run of every table, what still runs and
// what another account has stays. A second time there is nothing to do.
func TestPrune(t *testing.T) {
	t.Parallel()
	tb := newTable(t, "tasks")
	exec(t, tb.pool, `DELETE FROM paymosync.runs`)
	exec(t, tb.pool, `
		INSERT INTO paymosync.runs (account, table_name, mode, reason, state, started_at, finished_at)
		SELECT 'default', 'tasks', 'incremental', 'schedule', 'ok', at, at
		FROM generate_series(now() - interval '100 days', now() - interval '1 hour', interval '10 minutes') AS at`)
	exec(t, tb.pool, `
		INSERT INTO paymosync.runs (account, table_name, mode, reason, state, started_at, finished_at)
		VALUES
			('default', 'users', 'full', 'manual', 'failing', now() - interval '99 days', now() - interval '99 days'),
			('default', 'users', 'full', 'manual', 'ok', now() - interval '98 days', now() - interval '98 days'),
			('default', 'clients', 'full', 'manual', 'running', now() - interval '99 days', NULL),
			('default', 'clients', 'full', 'manual', 'ok', now() - interval '98 days', now() - interval '98 days'),
			('other', 'users', 'full', 'manual', 'ok', now() - interval '99 days', now() - interval '99 days'),
			('other', 'users', 'full', 'manual', 'ok', now() - interval '98 days', now() - interval '98 days')`)
	exec(t, tb.pool, `
		INSERT INTO paymosync.quarantine (account, table_name, hash, payload, problem, last_seen)
		VALUES
			('default', 'tasks', 'a', '{}', 'p', now() - interval '400 days'),
			('default', 'tasks', 'b', '{}', 'p', now()),
			('default', 'users', 'a', '{}', 'p', now() - interval '400 days'),
			('default', 'clients', 'a', '{}', 'p', now() - interval '400 days')`)
	exec(t, tb.pool, `
		INSERT INTO paymosync.checkpoints (account, table_name, full_at, paused_at)
		VALUES
			('default', 'tasks', now(), NULL),
			('default', 'users', now(), now()), -- which is paused
			('default', 'clients', now() - interval '500 days', NULL) -- of which no full has looked for it since
		ON CONFLICT (account, table_name) DO UPDATE SET full_at = EXCLUDED.full_at`)
	count := func(where string) (n int) {
		t.Helper()
		if err := tb.pool.QueryRow(t.Context(), `SELECT count(*) FROM `+where).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	const day = 24 * time.Hour
	if pruned, err := tb.store.Prune(t.Context(), sink.Retention{}); err != nil || pruned != (sink.Pruned{}) {
		t.Errorf("kept for ever: %+v, %v", pruned, err)
	}
	old := count(`paymosync.runs WHERE account = 'default' AND table_name = 'tasks' AND started_at < now() - interval '50 days'`)
	pruned, err := tb.store.Prune(t.Context(), sink.Retention{Runs: 50 * day, Quarantine: 365 * day})
	if err != nil || pruned.Runs < int64(old) || pruned.Quarantine != 1 {
		t.Errorf("%+v of %d, %v", pruned, old, err)
	}
	for where, want := range map[string]int{
		`paymosync.runs WHERE account = 'default' AND table_name = 'tasks' AND started_at < now() - interval '50 days'`: 0,
		`paymosync.runs WHERE account = 'default' AND table_name = 'users' AND state = 'ok'`:                            1,
		`paymosync.runs WHERE account = 'default' AND table_name = 'users'`:                                             1,
		`paymosync.runs WHERE account = 'default' AND table_name = 'clients'`:                                           2,
		`paymosync.runs WHERE account = 'other'`:                                                                        2,
		`paymosync.quarantine WHERE table_name = 'tasks'`:                                                               1,
		`paymosync.quarantine WHERE table_name <> 'tasks'`:                                                              2,
	} {
		if got := count(where); got != want {
			t.Errorf("%s: %d, want %d", where, got, want)
		}
	}
	if pruned, err := tb.store.Prune(t.Context(), sink.Retention{Runs: 50 * day, Quarantine: 365 * day}); err != nil || pruned != (sink.Pruned{}) {
		t.Errorf("a second time: %+v, %v", pruned, err)
	}
}
