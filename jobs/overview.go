package jobs

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// Overview is where everything stands at one moment: what the status command and the
// status page show, and what metrics and alerts are made of.
type Overview struct {
	At      time.Time
	Account AccountOverview
	Budget  sink.BudgetState
	Tables  []TableOverview  // in the catalogue's order
	Queue   map[string]int64 // jobs that are not finished, by River's state; nil: not looked at
	Latest  []sink.Run       // the last runs of all tables, the last one first
	Hooks   HooksOverview
}

// HooksOverview is where the hooks stand by which Paymo tells of changes.
type HooksOverview struct {
	Own    []sink.Hook // by table
	Silent []string    // tables of those that do not tell of all changes, as far as is known
	sink.Lag
}

// AccountOverview is the Paymo that the warehouse is of, and whose key reads it.
type AccountOverview struct {
	Name   string
	Pinned bool  // false before the first sync: then there is nothing else
	Doubt  Cause // why the key may not be any more what it was when it was accepted; "" when nothing says so
	sink.Identity
}

// Admin reports whether the key sees the whole account, as far as is known.
func (a AccountOverview) Admin() bool { return a.Role == AdminRole && a.Doubt == "" }

// Doubted says why the key may not be any more what it was when it was accepted, "" when
// nothing says so.
func (a AccountOverview) Doubted() string {
	switch a.Doubt {
	case causeWell:
		return ""
	case CauseRole:
		return "the key has lost rights since"
	case CauseIdentity:
		return "the key is another account's now"
	}
	return "Paymo refuses the key now"
}

// TableOverview is where one table stands.
type TableOverview struct {
	sink.TableStatus
	Cause   Cause         // what its reason is about, "" when it is ok
	Advice  string        // what to do about it, "" when nothing
	NextRun time.Time     // of its next sync, zero while it is paused
	Age     time.Duration // since when changes may be missing; zero when that is not known
	Overdue time.Duration // how long the sync has been due that should have followed; zero when none is due
	Failed  int           // how many of its last runs failed, one after the other
	Found   Freshness     // which changes are found when
}

// OverviewConfig is what an overview is read from. All of it is required but Pool, Share and Latest.
type OverviewConfig struct {
	Pool   *pgxpool.Pool // of the queue; nil: it is not looked at
	Store  *sink.Store
	Tables []TableSchedule
	Full   Schedule // of the full syncs of all tables
	Share  int      // percentage of Paymo's limit that is used; 0: all of it
	Runs   int      // last runs of each table; at least 1
	Latest int      // last runs of all tables; 0: none
}

// ReadOverview reads where everything stands. It changes nothing.
func ReadOverview(ctx context.Context, config OverviewConfig) (Overview, error) {
	overview := Overview{Account: AccountOverview{Name: config.Store.Account()}}
	var err error
	if overview.At, err = config.Store.Now(ctx); err != nil {
		return Overview{}, err
	}
	if overview.Account.Identity, overview.Account.Pinned, err = config.Store.Identity(ctx); err != nil {
		return Overview{}, err
	}
	if overview.Budget, err = config.Store.Budget(config.Share).State(ctx); err != nil {
		return Overview{}, err
	}
	if config.Pool != nil {
		if overview.Queue, err = queueDepth(ctx, config.Pool); err != nil {
			return Overview{}, err
		}
	}
	resources := make([]*catalog.Resource, len(config.Tables))
	for i, table := range config.Tables {
		resources[i] = table.Resource
	}
	statuses, err := config.Store.Status(ctx, resources, max(1, config.Runs))
	if err != nil {
		return Overview{}, err
	}
	if overview.Hooks, err = readHooks(ctx, config.Store, overview.At); err != nil {
		return Overview{}, err
	}
	for i, status := range statuses {
		schedule := config.Tables[i].now(overview.Hooks.of(status.Table), overview.At)
		overview.Tables = append(overview.Tables, newTableOverview(config, TableSchedule{Resource: config.Tables[i].Resource, Schedule: schedule}, status, overview.At))
	}
	overview.followParents()
	overview.doubtRole()
	if config.Latest > 0 {
		overview.Latest, err = config.Store.Runs(ctx, sink.RunFilter{Limit: config.Latest})
	}
	return overview, err
}

// table is where a table stands, nil for one that is not looked at.
func (o *Overview) table(name string) *TableOverview {
	for i := range o.Tables {
		if o.Tables[i].Table == name {
			return &o.Tables[i]
		}
	}
	return nil
}

// followParents says of tables that come with others that they are as late as those: a
// sync of theirs brings what the other's has brought, and when that is paused they stand
// still with it.
func (o *Overview) followParents() {
	for i := range o.Tables {
		t := &o.Tables[i]
		resource, ok := catalog.Lookup(t.Table)
		if !ok || resource.Listings[0] != catalog.WithParent {
			continue
		}
		parent := o.table(resource.Embedded.Parent)
		if parent == nil {
			continue
		}
		t.Overdue = parent.Overdue
		if parent.State == sink.StatePaused && t.State != sink.StatePaused {
			why := parentPaused(parent.Table)
			t.State, t.Reason, t.Cause, t.Advice = sink.StatePaused, why.Sentence, why.Cause, Advice(t.Table, why.Cause)
			t.NextRun = time.Time{}
		}
	}
}

// doubtRole says of a key that was refused, or lost rights, that it is not any more who it
// was: what is known of it is from before.
func (o *Overview) doubtRole() {
	for _, t := range o.Tables {
		if t.Cause == CauseRole || t.Cause == CauseKeyRefused || t.Cause == CauseIdentity {
			o.Account.Doubt = t.Cause
			return
		}
	}
}

// lateSlack is by how much a table may be behind a tick, because Paymo's clock is or the
// sync began before it, and count as synced at it.
const lateSlack = 5 * time.Minute

func newTableOverview(config OverviewConfig, table TableSchedule, status sink.TableStatus, now time.Time) TableOverview {
	t := TableOverview{TableStatus: status, Cause: causeOfStatusRow(status), Found: Contract(table.Resource, status.Capabilities)}
	t.Advice = Advice(status.Table, t.Cause)
	if status.State != sink.StatePaused {
		t.NextRun = earliest(table.Schedule.Next(now), config.Full.Next(now))
	}
	if status.FreshAsOf != nil {
		t.Age = max(0, now.Sub(*status.FreshAsOf))
		since := *status.FreshAsOf
		if status.ResumedAt != nil {
			since = later(since, *status.ResumedAt)
		}
		if due := table.Schedule.Next(since.Add(lateSlack)); !due.IsZero() && status.State != sink.StatePaused {
			t.Overdue = max(0, now.Sub(due))
		}
	}
	for _, run := range status.Recent {
		if run.State == sink.RunRunning || run.State == sink.RunInterrupted || run.Mode == string(Backfill) || run.Mode == string(Repair) {
			continue // it tells nothing of the table's syncs
		}
		if run.State != sink.StateFailing {
			break
		}
		t.Failed++
	}
	return t
}

// causeOfStatusRow is the cause that the checkpoint names. A table that was never synced
// has no checkpoint, and one that an older version settled has no cause in it.
func causeOfStatusRow(status sink.TableStatus) Cause {
	switch {
	case status.State == sink.StateOK:
		return causeWell
	case status.Cause != "":
		return Cause(status.Cause)
	case status.Reason == sink.Unsynced:
		return CauseUnsynced
	}
	return CauseOther
}

// earliest is the first of two times that are to come, where a zero one never comes.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// queueDepth counts the sync jobs that are not finished, by River's state.
func queueDepth(ctx context.Context, pool *pgxpool.Pool) (map[string]int64, error) {
	rows, err := pool.Query(ctx, `
		SELECT state::text, count(*)
		FROM `+pgx.Identifier{QueueSchema, "river_job"}.Sanitize()+`
		WHERE kind = $1 AND finalized_at IS NULL
		GROUP BY state`, SyncArgs{}.Kind())
	if err != nil {
		return nil, fmt.Errorf("count the jobs of the queue: %w", err)
	}
	depth := map[string]int64{}
	for _, state := range queueStates() {
		depth[state] = 0
	}
	var state string
	var n int64
	if _, err := pgx.ForEachRow(rows, []any{&state, &n}, func() error { depth[state] = n; return nil }); err != nil {
		return nil, fmt.Errorf("count the jobs of the queue: %w", err)
	}
	return depth, nil
}

// queueStates are River's states of jobs that are not finished.
func queueStates() []string {
	return []string{"available", "pending", "retryable", "running", "scheduled"}
}
