package web

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/sink"
)

// view is what the status page shows, in words.
type view struct {
	Title    string
	Version  string
	River    string
	At       *moment
	Refresh  int  // in seconds; 0: not
	Still    bool // the page does not refresh by itself, because somebody wants it so
	Flash    *flash
	Verdict  verdict
	Counts   []count
	Account  account
	Facts    []fact
	Problems []group
	Quiet    []group // paused and unavailable tables: somebody wants it so
	Tables   []table
	Runs     []run
}

// badge is a state: a word, and the name of its colour and its symbol.
type badge struct{ Word, Kind string }

// verdict is the page's first sentence.
type verdict struct {
	Kind, Sentence, Detail string
}

type count struct {
	badge
	N int
}

// table is one table's row.
type table struct {
	Name, Anchor  string
	State         badge
	Reason, Group string // why it is not ok, and the anchor of what to do about it
	Notes         []string
	Fresh, Full   *moment
	Rows          string
	Last          *run
	Next          *moment
	Chart         *chart
	Buttons       []button
}

// button is a form with nothing but a button.
type button struct{ ID, Path, Word, Name, Hint string }

// run is one run of the ledger.
type run struct {
	Table, Anchor   string
	Mode, Why       string
	State           badge
	Began           *moment
	Took, Rows      string
	Requests, Asked string // in words, and as a number
	Sentence        string
	ID              int64
	Head            string // of the sentence; "" where that is short
	Running         bool
}

// newView puts an overview into words. One that is still leads back to one that is.
func newView(config Config, o jobs.Overview, still bool) view {
	v := view{
		Version: config.Version, River: config.River, Still: still, At: newMoment(o.At, o.At),
		Account: newAccount(o), Facts: []fact{budgetFact(o), queueFact(o), rowsFact(o)},
	}
	if len(o.Hooks.Own) > 0 {
		v.Facts = append(v.Facts, hooksFact(o))
	}
	v.Problems, v.Quiet = groups(o, still)
	anchors := map[string]string{}
	for _, g := range slices.Concat(v.Problems, v.Quiet) {
		for _, m := range g.Members {
			anchors[m.Name] = g.Anchor
		}
	}
	states := map[badge]int{}
	for _, t := range o.Tables {
		row := newTable(t, o.At, still)
		row.Group = anchors[t.Table]
		v.Tables = append(v.Tables, row)
		states[row.State]++
	}
	for state, n := range states {
		v.Counts = append(v.Counts, count{state, n})
	}
	slices.SortFunc(v.Counts, func(a, b count) int { return cmp.Compare(severity(a.Kind), severity(b.Kind)) })
	for _, r := range o.Latest {
		row := newRun(r, o.At)
		if _, shown := tableOf(o, r.Table); !shown { // it is synced no more
			row.Anchor = ""
		}
		v.Runs = append(v.Runs, row)
	}
	v.Verdict = newVerdict(o, states)
	v.Title = v.Verdict.Sentence
	return v
}

// unsynced is the badge of a table that no sync has read yet.
const unsynced = "not synced yet"

// badgeOf is a table's state, or a run's.
func badgeOf(state string, cause jobs.Cause) badge {
	switch state {
	case sink.StateOK, sink.StateDegraded, sink.StateFailing, sink.StatePaused, sink.RunRunning, sink.RunInterrupted:
		return badge{state, state}
	case sink.StateUnavailable:
		if cause == jobs.CauseUnsynced {
			return badge{unsynced, "waiting"}
		}
		return badge{state, state}
	}
	return badge{state, "unknown"}
}

// severity orders states, the worst one first.
func severity(kind string) int {
	return slices.Index([]string{"unknown", "failing", "degraded", "waiting", "paused", "unavailable", "ok"}, kind)
}

// newVerdict says in a sentence how the account stands.
func newVerdict(o jobs.Overview, states map[badge]int) verdict {
	all := len(o.Tables)
	n := func(kind string) int { return states[badge{kind, kind}] }
	waiting := states[badge{unsynced, "waiting"}]
	quiet := quietly(n(sink.StatePaused), n(sink.StateUnavailable))
	switch {
	case all == 0:
		return verdict{"waiting", "No table is configured", "Name some in SYNC_TABLES, or leave it out for all of them."}
	case n(sink.StateFailing) > 0:
		detail := "What was read before is kept."
		if d := n(sink.StateDegraded); d > 0 {
			detail = doubted(counted(int64(d), "more table"), d) + ". " + detail
		}
		return verdict{"failing", fmt.Sprintf("%s of %d cannot be read", tables(n(sink.StateFailing)), all), detail + quiet}
	case n(sink.StateDegraded) > 0:
		return verdict{"degraded", doubted(fmt.Sprintf("%s of %d", tables(n(sink.StateDegraded)), all), n(sink.StateDegraded)), "The rows are kept, and the reasons are below." + quiet}
	case waiting == all:
		return verdict{"waiting", "Nothing has been synced yet", "The service begins by itself: small tables first, time entries newest first. This page tells how far it has come."}
	case waiting > 0:
		return verdict{"waiting", fmt.Sprintf("The first sync is under way: %d of %d tables are in", all-waiting, all), "The rest follows by itself." + quiet}
	case n(sink.StateOK) == all:
		return verdict{"ok", fmt.Sprintf("All %d tables are as Paymo has them", all), leastFresh(o)}
	case n(sink.StateOK) == 0:
		return verdict{"paused", "No table is synced at present", strings.TrimSpace(quiet)}
	}
	return verdict{"ok", fmt.Sprintf("%s of %d are as Paymo has them", tables(n(sink.StateOK)), all), leastFresh(o) + quiet}
}

func tables(n int) string { return counted(int64(n), "table") }

func doubted(which string, n int) string {
	if n == 1 {
		return which + " may not be as Paymo has it"
	}
	return which + " may not be as Paymo has them"
}

func quietly(paused, unavailable int) string {
	text := ""
	if paused > 0 {
		text += " " + tables(paused) + " paused."
	}
	if unavailable > 0 {
		text += " " + tables(unavailable) + " not available to this key."
	}
	return text
}

// leastFresh names the ok table whose rows are the oldest.
func leastFresh(o jobs.Overview) string {
	var least *jobs.TableOverview
	for i, t := range o.Tables {
		if t.State == sink.StateOK && t.FreshAsOf != nil && (least == nil || t.FreshAsOf.Before(*least.FreshAsOf)) {
			least = &o.Tables[i]
		}
	}
	if least == nil {
		return ""
	}
	return fmt.Sprintf("The least fresh of them, %s, is as of %s.", least.Table, relative(o.At.Sub(*least.FreshAsOf)))
}

func newTable(t jobs.TableOverview, now time.Time, still bool) table {
	row := table{
		Name: t.Table, Anchor: anchor(t.Table),
		State: badgeOf(t.State, t.Cause), Reason: sentence(t.Reason), Buttons: buttons(t, "", still),
		Fresh: momentOf(t.FreshAsOf, now), Full: momentOf(t.FullAt, now),
		Rows: rowsOf(t), Chart: newChart(t.Table, t.Recent),
	}
	if row.State.Word == unsynced {
		row.Reason = ""
	}
	if !t.NextRun.IsZero() {
		row.Next = newMoment(t.NextRun, now)
	}
	if last := t.LastRun(); last != nil {
		r := newRun(*last, now)
		row.Last = &r
	}
	for _, note := range []struct {
		n           int64
		thing, text string
	}{
		{t.Quarantined, "record", "in quarantine"},
		{t.Drifted, "field", "without a column"},
	} {
		if note.n > 0 {
			row.Notes = append(row.Notes, counted(note.n, note.thing)+" "+note.text)
		}
	}
	return row
}

// buttons are what can be done about a table. One that is paused can be resumed only: a
// sync of it would do nothing. The place tells buttons of one table apart.
func buttons(t jobs.TableOverview, place string, still bool) []button {
	with := func(action, word, hint string) button {
		path := "/tables/" + url.PathEscape(t.Table) + "/" + action
		if still {
			path += "?refresh=off"
		}
		return button{place + action + "-" + t.Table, path, word, word + " " + t.Table, hint}
	}
	switch {
	case t.Cause == jobs.CauseParentPaused:
		return nil // it goes on with its parents
	case t.State == sink.StatePaused:
		return []button{with("resume", "Resume", "Let its syncs go on")}
	}
	return []button{
		with("sync", "Sync", "Read what has changed"),
		with("full", "Full sync", "Read everything, and look for deletions"),
		with("pause", "Pause", "Let no sync of it begin"),
	}
}

func anchor(table string) string { return "table-" + table }

func newRun(r sink.Run, now time.Time) run {
	v := run{
		Table: r.Table, Anchor: anchor(r.Table), Mode: r.Mode, Why: r.Reason,
		State: badgeOf(r.State, jobs.Cause(r.Cause)), Began: newMoment(r.StartedAt, now),
		Took: span(r.Took()), Rows: outcome(r), Requests: counted(r.Requests, "request"), Asked: number(r.Requests),
		ID: r.ID, Running: r.FinishedAt == nil,
	}
	if r.State != sink.StateOK {
		v.Sentence = sentence(r.Sentence)
		v.Head = head(v.Sentence)
	}
	if v.Running {
		v.Took = "not ended"
	}
	return v
}

// rowsOf is how many rows a table has, with a mark where that is an estimate.
func rowsOf(t jobs.TableOverview) string {
	if t.Estimated {
		return "≈ " + number(t.Rows)
	}
	return number(t.Rows)
}
