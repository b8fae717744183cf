package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/sink"
)

// labelWidth is how wide the labels of the first lines are.
const labelWidth = 9

// head says what is true of all tables: whose Paymo it is, what is left of its rate
// budget, how many tables are in which state, and what the queue holds.
func (s statusReport) head(l look) string {
	var lines strings.Builder
	type line struct{ label, words string }
	all := []line{
		{"account", accountWords(s.Account)},
		{"budget", budgetWords(s.Budget, s.At)},
		{"tables", s.counts(l)},
		{"queue", queueWords(s.Queue)},
	}
	if len(s.Hooks.Own) > 0 {
		all = append(all, line{"webhooks", hookWords(s.Hooks)})
	}
	for _, line := range all {
		label := l.paint(line.label, text.Bold) + strings.Repeat(" ", labelWidth-len(line.label))
		lines.WriteString(wrapped(line.words, label, l.width))
	}
	return lines.String()
}

// accountWords say whose Paymo it is, and what its key may see.
func accountWords(a jobs.AccountOverview) string {
	if !a.Pinned {
		return "not known yet: the first sync asks Paymo whose key it is"
	}
	user := fmt.Sprintf("user %d, %s", a.UserID, a.Role)
	switch {
	case a.Doubt != "":
		user = fmt.Sprintf("user %d, role %s when it was accepted last: %s", a.UserID, a.Role, a.Doubted())
	case !a.Admin():
		user = fmt.Sprintf("user %d, role %s, not Admin: it may see fewer rows and blank prices", a.UserID, a.Role)
	}
	company := fmt.Sprintf("company %d", a.CompanyID)
	if a.CompanyID == 0 {
		company = "company not known: the key may not ask for it"
	}
	return user + "; " + company + "; " + a.BaseURL
}

// budgetWords say how many requests Paymo takes at this moment.
func budgetWords(b sink.BudgetState, now time.Time) string {
	limit := fmt.Sprintf("%s per %s", counted(int64(b.Ours()), "request"), b.Period.Round(time.Second))
	part := ""
	if b.Share < 100 {
		part = fmt.Sprintf(" (%d%% of Paymo's %d)", b.Share, b.Limit)
	}
	switch {
	case !b.BlockedUntil.IsZero():
		return fmt.Sprintf("spent: Paymo takes no request for another %s", span(b.BlockedUntil.Sub(now)))
	case b.Limit == 0:
		return "not known: no reply of Paymo has told a rate limit"
	case b.Left < 0:
		return limit + part
	case b.Left == 0:
		return fmt.Sprintf("in use: none of %s is free, the next one is in %s%s", limit, span(max(0, b.Wait)), part)
	}
	return fmt.Sprintf("%d of %s left%s", b.Left, limit, part)
}

// hookWords say how soon what Paymo tells of is in the tables.
func hookWords(h jobs.HooksOverview) string {
	words := fmt.Sprintf("%s; %s in the last hour", counted(int64(len(h.Own)), "hook"), counted(int64(h.Changes), "change"))
	if h.Changes > 0 {
		words += fmt.Sprintf(", half of them in their tables within %s, 95%% within %s", lagWords(h.Median), lagWords(h.Most))
	}
	if h.Waiting > 0 {
		words += fmt.Sprintf("; %s waiting, the first for %s", grouped(int64(h.Waiting)), span(h.Oldest))
	}
	if len(h.Silent) > 0 {
		words += "; not to be relied on: those of " + strings.Join(h.Silent, ", ") + ", which are synced as if they had none"
	}
	return words
}

// lagWords are a lag, of which less than a tenth of a second tells nothing.
func lagWords(lag time.Duration) string {
	return fmt.Sprintf("%.1fs", max(lag, 100*time.Millisecond).Seconds())
}

// queueWords say what the queue holds.
func queueWords(queue map[string]int64) string {
	if queue == nil {
		return "not known: DATABASE_URL is not set"
	}
	var parts []string
	for _, part := range []struct {
		n     int64
		words string
	}{
		{queue["running"], "running"},
		{queue["available"] + queue["pending"], "waiting"},
		{queue["scheduled"], "put off for a while"},
		{queue["retryable"], "to be tried again"},
	} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", grouped(part.n), part.words))
		}
	}
	if len(parts) == 0 {
		return "empty"
	}
	return strings.Join(parts, ", ")
}

// counts say how many tables are in which state, the gravest first.
func (s statusReport) counts(l look) string {
	count := map[string]int{}
	for _, t := range s.tables {
		count[t.State]++
	}
	var parts []string
	for _, state := range []string{sink.StateFailing, sink.StateDegraded, sink.StateUnavailable, sink.StatePaused, sink.StateOK} {
		if n := count[state]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, l.state(state)))
		}
	}
	return strings.Join(parts, ", ")
}
