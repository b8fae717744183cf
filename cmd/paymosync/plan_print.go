package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/paymosync/paymosync/jobs"
)

// mostPlanned is how many requests of a table are listed that nobody asked to see all of.
const mostPlanned = 40

// printPlan prints a line a table, the requests where they are wanted, and what it comes to.
func (p *program) printPlan(plan jobs.Plan, o planOptions) error {
	_, err := fmt.Fprint(p.out, planPage(plan, o, p.look()))
	return err
}

func planPage(plan jobs.Plan, o planOptions, l look) string {
	var page strings.Builder
	for _, line := range planRows(plan, l) {
		page.WriteString(line + "\n")
	}
	if o.requests || o.one {
		for _, table := range plan.Tables {
			page.WriteString("\n" + planDetails(table, o, l))
		}
	}
	page.WriteString("\n" + planTotals(plan, l))
	return page.String()
}

// planRows are the table, a line for each table that is synced.
func planRows(plan jobs.Plan, l look) []string {
	columns := []column{
		{header: "table", worth: 6},
		{header: "mode", worth: 5},
		{header: "requests", worth: 4, right: true},
		{header: "takes", worth: 3, right: true},
		{header: "read by", worth: 1},
		{header: "why", worth: 2},
	}
	for _, t := range plan.Tables {
		mode, takes := string(t.Mode), "-"
		if t.Mode == "" {
			mode = "none"
		}
		if t.Requests > 0 {
			takes = approximate(t.Bound, span(t.Takes))
		}
		for i, cell := range []string{t.Table, mode, approximate(t.Bound, grouped(int64(t.Requests))), takes, orDash(t.Listing), t.Why} {
			columns[i].cells = append(columns[i].cells, cell)
		}
	}
	if len(plan.Tables) == 0 {
		return nil
	}
	return l.table(columns)
}

// approximate marks what is an estimate.
func approximate(bound jobs.Bound, number string) string {
	if bound == jobs.About {
		return "~" + number
	}
	return number
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// planDetails are the requests of one table, and why they are so many.
func planDetails(t jobs.TablePlan, o planOptions, l look) string {
	var lines strings.Builder
	lines.WriteString(wrapped(fmt.Sprintf("%s: %s; %s %s: %s.", l.paint(t.Table, text.Bold), t.Why, t.Bound, counted(int64(t.Requests), "request"), t.Because), "", l.width))
	for i, request := range t.Planned {
		if i == mostPlanned && !o.requests {
			fmt.Fprintf(&lines, "  … and %s more; --requests lists all\n", grouped(int64(t.Requests-i)))
			break
		}
		lines.WriteString("  " + request.String() + "\n")
	}
	return lines.String()
}

// planTotals is what a plan comes to, in sentences.
func planTotals(plan jobs.Plan, l look) string {
	if plan.Requests == 0 {
		return wrapped("Nothing would be asked of Paymo.", "", l.width)
	}
	var lines strings.Builder
	if plan.Asked > 0 {
		often := "once for all tables"
		if plan.Asked > 1 {
			often = fmt.Sprintf("%d times, because the answer is good for a minute", plan.Asked)
		}
		asked := make([]string, len(plan.Identity))
		for i, request := range plan.Identity {
			asked[i] = request.String()
		}
		lines.WriteString(wrapped(fmt.Sprintf("%s ask whose key it is, %s: %s of the total.",
			strings.Join(asked, " and "), often, counted(int64(plan.Asked*len(plan.Identity)), "request")), "", l.width))
	}
	total := fmt.Sprintf("%s %s, about %s at %s", plan.Bound, counted(int64(plan.Requests), "request"), span(plan.Takes), plan.Pace)
	lines.WriteString(wrapped(l.paint(strings.ToUpper(total[:1])+total[1:], text.Bold)+"; "+budgetNow(plan.Pace)+".", "", l.width))
	if plan.Bound != jobs.Exactly {
		lines.WriteString(wrapped(map[jobs.Bound]string{
			jobs.AtLeast: "It is so many where nothing has changed in Paymo; changes may add some.",
			jobs.About:   "~ marks estimates; the other numbers hold where nothing has changed in Paymo, and changes may add some.",
		}[plan.Bound], "", l.width))
	}
	return lines.String()
}

// budgetNow says where the rate budget stands.
func budgetNow(pace jobs.Pace) string {
	switch {
	case pace.Assumed:
		return "Paymo has not told its limit yet, and this one is assumed"
	case !pace.BlockedUntil.IsZero():
		return fmt.Sprintf("Paymo asked to be left alone until %s, which is in %s", pace.BlockedUntil.UTC().Format(time.RFC3339), span(pace.Wait))
	case pace.Left < 0:
		return "how many are left at the moment is not known"
	}
	now := fmt.Sprintf("%d of %d are left at the moment", pace.Left, pace.Ours())
	if pace.Wait > 0 {
		now += fmt.Sprintf(", and the next one may go in %s", span(pace.Wait))
	}
	return now
}
