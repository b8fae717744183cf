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

// driftLife is how long after it was met last a field is news.
const driftLife = 48 * time.Hour

// Limits say how much is too much for an alert.
type Limits struct {
	FailedRuns int           // of a table, one after the other
	StaleAfter time.Duration // by which a sync may be late; 0: for ever
}

// late reports whether a table's sync is late by more than the limit.
func (l Limits) late(t TableOverview) bool {
	return l.StaleAfter > 0 && t.State != sink.StatePaused && t.Overdue > l.StaleAfter
}

// Alarms are what people should be told of, in the order of the overview: what concerns
// the account once, and then the tables that have a trouble of their own.
func Alarms(overview Overview, drift []sink.DriftField, limits Limits) []sink.Alert {
	var alarms []sink.Alert
	add := func(cause Cause, subject, format string, args ...any) {
		alarms = append(alarms, sink.Alert{Cause: string(cause), Subject: subject, Sentence: fmt.Sprintf(format, args...)})
	}
	shared := sharedTroubles(overview, limits)
	for _, trouble := range shared {
		add(trouble.cause, "", "%s → %s", trouble.words(), Advice(trouble.tables[0], trouble.cause))
	}
	late := latePart(overview, limits)
	for _, t := range overview.Tables {
		switch {
		case t.State == sink.StatePaused:
		case t.Cause == CauseGuard:
			add(CauseGuard, t.Table, "%s: %s → %s", t.Table, t.Reason, t.Advice)
		case t.State == sink.StateFailing && !t.Cause.shared() && t.Failed >= limits.FailedRuns:
			add(AlertFailing, t.Table, "%s fails: %s → %s", t.Table, t.Reason, t.Advice)
		case limits.late(t) && len(shared) == 0 && late < allLate:
			add(AlertStale, t.Table, "%s is stale: it is as of %s → run paymosync status, and see that the service runs", t.Table, t.FreshAsOf.UTC().Format(time.RFC3339))
		}
	}
	if len(shared) == 0 && late >= allLate {
		add(AlertStale, "", "most tables are stale → run paymosync status, and see that Paymo's rate limit is not spent by others")
	}
	for _, field := range drift {
		if overview.At.Sub(field.LastSeen) < driftLife && !knows(field) {
			add(AlertDrift, field.Table+"."+field.Field, "Paymo sends the field %s of %s, which has no column; its values are in _extra → run paymosync drift", field.Field, field.Table)
		}
	}
	return alarms
}

// shared reports whether a cause lies with the account or the installation: it hits all
// tables alike.
func (c Cause) shared() bool {
	return slices.Contains([]Cause{
		CauseRole, CauseIdentity, CauseKeyRefused, CauseKeyMissing, CauseVault, CauseDatabase, CauseUnreachable, CauseRedirect, CauseServer,
	}, c)
}

// needsSomebody reports whether a shared cause does not pass by itself.
func (c Cause) needsSomebody() bool {
	return slices.Contains([]Cause{CauseRole, CauseIdentity, CauseKeyRefused, CauseKeyMissing, CauseRedirect}, c)
}

// trouble is a shared cause, and the tables that show it.
type trouble struct {
	cause  Cause
	reason string
	tables []string
}

func (t trouble) words() string {
	if len(t.tables) == 1 {
		return fmt.Sprintf("%s fails: %s", t.tables[0], t.reason)
	}
	return fmt.Sprintf("%d tables fail: %s", len(t.tables), t.reason)
}

// sharedTroubles are the causes that hit tables alike. One that may pass by itself counts
// when a table has failed by it often enough.
func sharedTroubles(overview Overview, limits Limits) []trouble {
	var troubles []trouble
	for _, t := range overview.Tables {
		if t.State != sink.StateFailing || !t.Cause.shared() || !t.Cause.needsSomebody() && t.Failed < limits.FailedRuns {
			continue
		}
		i := slices.IndexFunc(troubles, func(known trouble) bool { return known.cause == t.Cause })
		if i < 0 {
			i, troubles = len(troubles), append(troubles, trouble{cause: t.Cause, reason: strings.TrimPrefix(t.Reason, "waiting: ")})
		}
		troubles[i].tables = append(troubles[i].tables, t.Table)
	}
	return troubles
}

// allLate is the share of tables, in tenths, from which on their being late has one cause.
const allLate = 5

// latePart is how many tenths of the tables are late by more than the limit; of few
// tables none is a part.
func latePart(overview Overview, limits Limits) int {
	late := 0
	for _, t := range overview.Tables {
		if limits.late(t) {
			late++
		}
	}
	if late < 4 {
		return 0
	}
	return 10 * late / len(overview.Tables)
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
