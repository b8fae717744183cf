package web

import (
	"fmt"
	"strings"
	"time"

	"github.com/paymosync/paymosync/jobs"
)

// fact is one number of the summary, with what there is to say about it.
type fact struct{ Name, Value, Of, Detail string }

type account struct {
	Name    string
	Pinned  bool
	User    int64
	Role    string
	Admin   bool
	Doubt   string // why the key may not be any more what it was; "" when nothing says so
	Company string
	BaseURL string
	Checked *moment
}

func newAccount(o jobs.Overview) account {
	a := account{Name: o.Account.Name, Pinned: o.Account.Pinned}
	if !a.Pinned {
		return a
	}
	a.User, a.Role, a.Admin, a.BaseURL = o.Account.UserID, o.Account.Role, o.Account.Admin(), o.Account.BaseURL
	a.Doubt = sentence(o.Account.Doubted())
	a.Company = "not shown to this key"
	if o.Account.CompanyID != 0 {
		a.Company = fmt.Sprint(o.Account.CompanyID)
	}
	if !o.Account.CheckedAt.IsZero() {
		a.Checked = newMoment(o.Account.CheckedAt, o.At)
	}
	return a
}

func budgetFact(o jobs.Overview) fact {
	b := o.Budget
	f := fact{Name: "Rate budget", Value: "not known", Detail: "Paymo tells it with its first reply."}
	if o.Account.Pinned {
		f.Detail = "Paymo has told no limit so far."
	}
	if b.Limit > 0 {
		f.Value, f.Of = number(int64(max(0, b.Left))), "of "+number(int64(b.Ours()))
		f.Detail = "requests left, in a period of " + span(b.Period.Round(time.Second))
		if b.Share < 100 {
			f.Detail += fmt.Sprintf(": %d%% of Paymo's limit, %s", b.Share, number(int64(b.Limit)))
		}
	}
	switch {
	case b.BlockedUntil.After(o.At):
		f.Value, f.Of = "blocked", ""
		f.Detail = fmt.Sprintf("Paymo takes no request before %s, %s.", b.BlockedUntil.UTC().Format("15:04:05 UTC"), relative(o.At.Sub(b.BlockedUntil)))
	case b.Limit > 0 && b.Wait >= time.Second:
		f.Detail += "; the next one waits " + span(b.Wait)
	}
	return f
}

func queueFact(o jobs.Overview) fact {
	var all int64
	for _, n := range o.Queue {
		all += n
	}
	f := fact{Name: "Queue", Value: number(all), Detail: "no sync is waiting"}
	var parts []string
	for _, part := range []struct{ state, words string }{
		{"running", "running"}, {"available", "ready"}, {"pending", "pending"}, {"scheduled", "for later"}, {"retryable", "to be tried again"},
	} {
		if n := o.Queue[part.state]; n > 0 {
			parts = append(parts, number(n)+" "+part.words)
		}
	}
	if len(parts) > 0 {
		f.Detail = strings.Join(parts, ", ")
	}
	return f
}

// hooksFact is how soon what Paymo tells of is in the tables.
func hooksFact(o jobs.Overview) fact {
	h := o.Hooks
	f := fact{Name: "Webhooks", Value: "quiet", Detail: fmt.Sprintf("%s; no change was told of in the last hour", hooks(len(h.Own)))}
	if h.Changes > 0 {
		f.Value, f.Of = fmt.Sprintf("%.1f s", max(h.Most, 100*time.Millisecond).Seconds()), "for 95%"
		f.Detail = fmt.Sprintf("of %s in the last hour, until they were in their tables", changes(h.Changes))
	}
	if h.Waiting > 0 {
		f.Detail += fmt.Sprintf("; %s waiting, the first for %s", number(int64(h.Waiting)), span(h.Oldest))
	}
	if len(h.Silent) > 0 {
		f.Detail += "; not to be relied on for " + strings.Join(h.Silent, ", ")
	}
	return f
}

func changes(n int) string {
	if n == 1 {
		return "1 change"
	}
	return number(int64(n)) + " changes"
}

func hooks(n int) string {
	if n == 1 {
		return "1 hook"
	}
	return number(int64(n)) + " hooks"
}

func rowsFact(o jobs.Overview) fact {
	var rows int64
	for _, t := range o.Tables {
		rows += t.Rows
	}
	return fact{Name: "Rows", Value: number(rows), Detail: "live, in " + tables(len(o.Tables))}
}
