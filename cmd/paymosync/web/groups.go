package web

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/sink"
)

// shownMembers is how many tables of a group are shown with reasons of their own before
// the rest is folded.
const shownMembers = 3

// group is what keeps tables from being ok, for those that have it in common: a Vault
// that is away is one thing to do, not thirty-five.
type group struct {
	Anchor  string
	State   badge
	Title   string // "clients", "35 tables"
	Reason  string // that all have; "" where each has its own
	Members []member
	Folded  []member // those of the members that are not shown at once
	Todo    string
	Since   *moment
	AtLeast bool     // since then or longer
	Failed  string   // how many runs failed in a row, at most; "" for less than two
	Buttons []button // of a table that is by itself
}

type member struct{ Name, Anchor, Reason string }

// Shown are the members that are shown at once.
func (g group) Shown() []member { return g.Members[:len(g.Members)-len(g.Folded)] }

// groups puts tables that are not ok together by state and cause: those that are to be
// mended, and those that somebody wants so. Tables that were never synced are neither.
func groups(o jobs.Overview, still bool) (problems, quiet []group) {
	type key struct {
		state string
		cause jobs.Cause
	}
	var order []key
	found := map[key][]jobs.TableOverview{}
	for _, t := range o.Tables {
		if t.State == sink.StateOK || t.Cause == jobs.CauseUnsynced {
			continue
		}
		k := key{t.State, t.Cause}
		if found[k] == nil {
			order = append(order, k)
		}
		found[k] = append(found[k], t)
	}
	slices.SortStableFunc(order, func(a, b key) int {
		return cmp.Compare(severity(badgeOf(a.state, a.cause).Kind), severity(badgeOf(b.state, b.cause).Kind))
	})
	for i, k := range order {
		g := newGroup(found[k], o.At, still)
		g.Anchor = fmt.Sprintf("cause-%d", i+1)
		if k.state == sink.StatePaused || k.state == sink.StateUnavailable {
			quiet = append(quiet, g)
		} else {
			problems = append(problems, g)
		}
	}
	return problems, quiet
}

func newGroup(tables []jobs.TableOverview, now time.Time, still bool) group {
	first := tables[0]
	g := group{State: badgeOf(first.State, first.Cause), Title: first.Table, Todo: sentence(first.Advice)}
	reasons := map[string]bool{}
	var since time.Time
	var failed int
	for _, t := range tables {
		g.Members = append(g.Members, member{t.Table, anchor(t.Table), sentence(t.Reason)})
		reasons[t.Reason] = true
		failed = max(failed, t.Failed)
		if began, atLeast := sinceWhen(t); !began.IsZero() && (since.IsZero() || began.Before(since)) {
			since, g.AtLeast = began, atLeast
		}
	}
	if !since.IsZero() {
		g.Since = newMoment(since, now)
	}
	if failed > 1 {
		g.Failed = counted(int64(failed), "failed run") + " in a row"
		if failed >= chartRuns {
			g.Failed += ", or more"
		}
		if len(tables) > 1 {
			g.Failed = "up to " + g.Failed
		}
	}
	if len(tables) == 1 && first.State != sink.StateUnavailable {
		g.Buttons = buttons(first, "cause-", still)
	}
	if len(tables) > 1 {
		g.Title = counted(int64(len(tables)), "table")
		g.Todo = sentence(jobs.Advice("TABLE", first.Cause))
	}
	if len(reasons) == 1 {
		g.Reason = g.Members[0].Reason
		return g
	}
	if len(g.Members) > shownMembers+1 {
		g.Folded = g.Members[shownMembers:]
	}
	return g
}

// sinceWhen is since when a table is what it is, by its last runs; atLeast where it may
// be longer than they tell.
func sinceWhen(t jobs.TableOverview) (since time.Time, atLeast bool) {
	if t.PausedAt != nil {
		return *t.PausedAt, false
	}
	for _, run := range t.Recent {
		if run.State == sink.RunRunning || run.State == sink.RunInterrupted {
			continue
		}
		if run.State != t.State {
			return since, false
		}
		since = run.StartedAt
	}
	return since, !since.IsZero() && len(t.Recent) >= chartRuns
}
