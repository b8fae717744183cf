package jobs

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// The causes of alerts that are no cause of a table's state.
const (
	AlertFailing Cause = "table_failing" // its last runs failed
	AlertStale   Cause = "table_stale"   // it should have been read long ago
	AlertDrift   Cause = "drift"         // Paymo sends a field that has no column
)

const (
	// driftLife is by how much a full must have begun after a field was met last, to say
	// that the field is not sent any more.
	driftLife = 24 * time.Hour
	// waitPatience is for how long Vault may be away without people being told.
	waitPatience = 10 * time.Minute
	// manyTables is how many tables make one trouble of what befalls them alike.
	manyTables = 4
)

// Limits say how much is too much for an alert.
type Limits struct {
	FailedRuns int           // of a table, one after the other
	StaleAfter time.Duration // by which a sync may be late; 0: for ever
}

// Alarms are what people should be told of.
type Alarms struct {
	Raised []sink.Alert // what is wrong
	Hidden []sink.Alert // of what nothing can be said: the table is paused, or a wider trouble covers it
}

func (a *Alarms) raise(cause Cause, subject, format string, args ...any) {
	a.Raised = append(a.Raised, sink.Alert{Cause: string(cause), Subject: subject, Sentence: fmt.Sprintf(format, args...)})
}

func (a *Alarms) hide(subject string, causes ...Cause) {
	for _, cause := range causes {
		a.Hidden = append(a.Hidden, sink.Alert{Cause: string(cause), Subject: subject})
	}
}

// FindAlarms finds what people should be told of: what befalls many tables alike once, and
// of each other table what is its own.
func FindAlarms(overview Overview, drift []sink.DriftField, limits Limits) Alarms {
	var a Alarms
	troubles := sharedTroubles(overview, limits)
	for _, trouble := range troubles {
		a.raise(trouble.cause, "", "%s → %s", trouble.words(), Advice("TABLE", trouble.cause))
	}
	late := lateTables(overview, limits)
	if len(late) > 0 {
		a.raise(AlertStale, "", "%d tables are stale, %s and others → run paymosync status, and see that the service runs and has its share of Paymo's rate limit", len(late), late[0])
	}
	for _, t := range overview.Tables {
		covered := slices.ContainsFunc(troubles, func(trouble trouble) bool { return slices.Contains(trouble.tables, t.Table) })
		if t.State == sink.StatePaused {
			a.hide(t.Table, CauseGuard, AlertFailing, AlertStale)
			continue
		}
		if doubt := t.Capabilities[WholeListing]; t.Cause == CauseGuard || Cause(doubt.Cause) == CauseGuard {
			reason := t.Reason
			if t.Cause != CauseGuard {
				reason = doubt.Reason
			}
			a.raise(CauseGuard, t.Table, "%s: %s → %s", t.Table, reason, Advice(t.Table, CauseGuard))
		}
		switch {
		case covered:
			a.hide(t.Table, AlertFailing, AlertStale)
		case t.State == sink.StateFailing && t.Failed >= limits.FailedRuns:
			a.raise(AlertFailing, t.Table, "%s fails: %s → %s", t.Table, t.Reason, t.Advice)
			a.hide(t.Table, AlertStale)
		case slices.Contains(late, t.Table):
			a.hide(t.Table, AlertStale)
		case limits.late(t):
			a.raise(AlertStale, t.Table, "%s", staleWords(t))
		}
	}
	for _, field := range drift {
		if t := overview.table(field.Table); (t == nil || t.FullAt == nil || t.FullAt.Sub(field.LastSeen) < driftLife) && !knows(field) {
			a.raise(AlertDrift, field.Table+"."+field.Field, "Paymo sends the field %s of %s, which has no column; its values are in _extra → run paymosync drift", field.Field, field.Table)
		}
	}
	return a
}

// late reports whether a table's sync is late by more than the limit.
func (l Limits) late(t TableOverview) bool {
	return l.StaleAfter > 0 && t.State != sink.StatePaused && t.State != sink.StateUnavailable && t.Overdue > l.StaleAfter
}

// staleWords say that a table is late, with its own reason where there is one.
func staleWords(t TableOverview) string {
	text := fmt.Sprintf("%s is stale: it is as of %s", t.Table, t.FreshAsOf.UTC().Format(time.RFC3339))
	if t.Advice == "" {
		return text + " → run paymosync status, and see that the service runs"
	}
	return fmt.Sprintf("%s; %s: %s → %s", text, t.State, t.Reason, t.Advice)
}

// Shared reports whether a cause lies with the account or the installation: it hits all
// tables alike.
func (c Cause) Shared() bool {
	return c.needsSomebody() || slices.Contains([]Cause{CauseVault, CauseDatabase, CauseUnreachable}, c)
}

// needsSomebody reports whether a shared cause does not pass by itself.
func (c Cause) needsSomebody() bool {
	return slices.Contains([]Cause{CauseRole, CauseIdentity, CauseKeyRefused, CauseKeyMissing, CauseRedirect, CauseTable}, c)
}

// trouble is a cause, and the tables that fail by it.
type trouble struct {
	cause  Cause
	reason string // of the first of them
	tables []string
}

func (t trouble) words() string {
	if len(t.tables) == 1 {
		return fmt.Sprintf("%s fails: %s", t.tables[0], t.reason)
	}
	return fmt.Sprintf("%d tables fail: %s", len(t.tables), t.reason)
}

// sharedTroubles are the causes that hit tables alike: those that do so by their nature,
// and others that many tables fail by. One that may pass by itself counts where a table
// has failed by it often enough, or waits for long.
func sharedTroubles(overview Overview, limits Limits) []trouble {
	var troubles []trouble
	for _, t := range overview.Tables {
		if t.State != sink.StateFailing || !t.Cause.needsSomebody() && t.Failed < limits.FailedRuns && !waits(t, overview.At) {
			continue
		}
		i := slices.IndexFunc(troubles, func(known trouble) bool { return known.cause == t.Cause })
		if i < 0 {
			i, troubles = len(troubles), append(troubles, trouble{cause: t.Cause, reason: strings.TrimPrefix(t.Reason, "waiting: ")})
		}
		troubles[i].tables = append(troubles[i].tables, t.Table)
	}
	return slices.DeleteFunc(troubles, func(t trouble) bool { return !t.cause.Shared() && len(t.tables) < manyTables })
}

// waits reports whether a table's run waits for Vault, and has done so for long.
func waits(t TableOverview, now time.Time) bool {
	run := t.LastRun()
	return t.Cause == CauseVault && run != nil && run.State == sink.RunRunning && now.Sub(run.StartedAt) > waitPatience
}

// lateTables are the tables that are late, where they are many and half of all at least:
// that has one reason.
func lateTables(overview Overview, limits Limits) []string {
	var late []string
	for _, t := range overview.Tables {
		if limits.late(t) {
			late = append(late, t.Table)
		}
	}
	if len(late) < manyTables || 2*len(late) < len(overview.Tables) {
		return nil
	}
	return late
}

// knows reports whether the catalogue has a column for the field by now.
func knows(field sink.DriftField) bool {
	resource, ok := catalog.Lookup(field.Table)
	if !ok {
		return false
	}
	_, ok = resource.Column(field.Field)
	return ok
}
