package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/sink"
)

// said is what the page says after a button was pressed. It travels in the address, as a
// word of this set, so that nobody can have the page say anything else.
type said string

const (
	saidQueued       said = "queued"
	saidQueuedFull   said = "queued-full"
	saidWaits        said = "waits"
	saidWaitsFull    said = "waits-full"
	saidPaused       said = "paused"
	saidWasPaused    said = "was-paused"
	saidResumed      said = "resumed"
	saidWasNotPaused said = "was-not-paused"
	saidStillPaused  said = "still-paused"
)

// sentence is what it says about a table; "" when it is none of the set.
func (s said) sentence(table string) string {
	switch s {
	case saidQueued:
		return "A sync of " + table + " is queued; it starts in a moment."
	case saidQueuedFull:
		return "A full sync of " + table + " is queued; it starts in a moment."
	case saidWaits:
		return "A sync of " + table + " was queued already; it runs as soon as it can."
	case saidWaitsFull:
		return "A full sync of " + table + " was queued already; it runs as soon as it can."
	case saidPaused:
		return table + " is paused: it is not synced until you resume it. A sync that is under way ends first."
	case saidWasPaused:
		return table + " was paused already."
	case saidResumed:
		return table + " is resumed; it is synced at its next run."
	case saidWasNotPaused:
		return table + " was not paused."
	case saidStillPaused:
		return table + " is paused, so nothing was queued: resume it first."
	}
	return ""
}

// flash is what the page says about what was just done.
type flash struct{ Sentence string }

// flashOf is the flash that the address asks for; nil where the word or the table is none
// that the page knows.
func flashOf(word, table string, overview jobs.Overview) *flash {
	sentence := said(word).sentence(table)
	if _, known := tableOf(overview, table); sentence == "" || !known {
		return nil
	}
	return &flash{sentence}
}

func tableOf(overview jobs.Overview, name string) (jobs.TableOverview, bool) {
	i := slices.IndexFunc(overview.Tables, func(t jobs.TableOverview) bool { return t.Table == name })
	if i < 0 {
		return jobs.TableOverview{}, false
	}
	return overview.Tables[i], true
}

// act does what a button asks for, and leads back to the page, which says what came of
// it.
func (p *page) act(w http.ResponseWriter, r *http.Request) {
	name, action := r.PathValue("table"), r.PathValue("action")
	do := p.action(action)
	if do == nil {
		p.notFound(w, r)
		return
	}
	overview, err := p.config.Read(r.Context())
	if err != nil {
		p.unreadable(w, r, err)
		return
	}
	table, known := tableOf(overview, name)
	if !known {
		p.notFound(w, r)
		return
	}
	word, err := do(r.Context(), table)
	if err != nil {
		p.unreadable(w, r, err)
		return
	}
	p.config.Log.InfoContext(r.Context(), "asked for on the status page", "action", action, "table", name, "outcome", string(word))
	query := url.Values{"said": {string(word)}, "table": {name}}
	if r.URL.Query().Get("refresh") == "off" {
		query.Set("refresh", "off")
	}
	http.Redirect(w, r, "/?"+query.Encode()+"#"+url.PathEscape(anchor(name)), http.StatusSeeOther)
}

// action is what the last part of a button's address stands for; nil when for nothing.
func (p *page) action(name string) func(context.Context, jobs.TableOverview) (said, error) {
	switch name {
	case "sync":
		return p.sync(jobs.Incremental, saidQueued, saidWaits)
	case "full":
		return p.sync(jobs.Full, saidQueuedFull, saidWaitsFull)
	case "pause":
		return change(p.config.Pause, saidPaused, saidWasPaused)
	case "resume":
		return change(p.config.Resume, saidResumed, saidWasNotPaused)
	}
	return nil
}

func (p *page) sync(mode jobs.Mode, queued, waits said) func(context.Context, jobs.TableOverview) (said, error) {
	return func(ctx context.Context, table jobs.TableOverview) (said, error) {
		if table.State == sink.StatePaused {
			return saidStillPaused, nil // the job would do nothing
		}
		isNew, err := p.config.Sync(ctx, table.Table, mode)
		if !isNew {
			queued = waits
		}
		return queued, err
	}
}

func change(do func(context.Context, string) (bool, error), done, was said) func(context.Context, jobs.TableOverview) (said, error) {
	return func(ctx context.Context, table jobs.TableOverview) (said, error) {
		changed, err := do(ctx, table.Table)
		if !changed {
			done = was
		}
		return done, err
	}
}
