package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/paymosync/paymosync/jobs"
)

// alertReport is an alert as it is printed.
type alertReport struct {
	Cause    string     `json:"cause"`
	Subject  string     `json:"subject"` // the table, or a field of one; "": the account
	Sentence string     `json:"sentence"`
	RaisedAt time.Time  `json:"raised_at"`
	OverAt   *time.Time `json:"over_at"` // its end, of which people are still to be told; null: it goes on
	ToldAt   *time.Time `json:"told_at"` // when people were told
}

func (p *program) alertsCommand() *cobra.Command {
	var asJSON, test bool
	command := &cobra.Command{
		Use:   "alerts",
		Short: "List what people are told of, or send a test message",
		Long: `List what is wrong now, as the service looks for it every minute, and whether people
were told of it at ALERT_WEBHOOK_URL.

With --test a message is sent there now, and nothing is listed. Exit code 0 when it was
accepted, or when nothing is wrong; 1 when something is, or the message was refused.`,
		Example: "  paymosync alerts\n  paymosync alerts --test",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if test {
				return p.testAlert(cmd.Context())
			}
			return p.listAlerts(cmd.Context(), asJSON)
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	command.Flags().BoolVar(&test, "test", false, "send a test message")
	return command
}

// testAlert sends a message that says that it is a test.
func (p *program) testAlert(ctx context.Context) error {
	config, err := p.config("ALERT_WEBHOOK_URL")
	if err != nil {
		return err
	}
	vault, err := NewVault(config.Vault, p.logger(config, slog.LevelError))
	if err != nil {
		return err
	}
	defer vault.Close()
	if err := newAlertWebhook(config, vault).send(ctx, "paymosync\n:large_blue_circle: a test: this is where alerts arrive"); err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.out, "The message was accepted.")
	return err
}

func (p *program) listAlerts(ctx context.Context, asJSON bool) error {
	config, err := p.config("WAREHOUSE_URL")
	if err != nil {
		return err
	}
	opened, err := p.openAllToLook(ctx, config)
	if err != nil {
		return err
	}
	defer opened.Close()
	reports, err := findAlerts(ctx, config, opened)
	if err != nil {
		return err
	}
	unwell := slices.ContainsFunc(reports, func(r alertReport) bool { return r.OverAt == nil })
	if asJSON {
		err = p.printJSON(reports)
	} else {
		err = p.printAlerts(config, reports, time.Now())
	}
	if err == nil && unwell {
		err = errUnwell
	}
	return err
}

// findAlerts finds what is wrong now, and what people were told of it.
func findAlerts(ctx context.Context, config Config, opened databases) ([]alertReport, error) {
	look := newOverviewConfig(config, opened, overviewRuns+config.Operate.AlertRuns, 0)
	overview, err := jobs.ReadOverview(ctx, look)
	if err != nil {
		return nil, err
	}
	drift, err := look.Store.Drift(ctx)
	if err != nil {
		return nil, err
	}
	known, err := look.Store.Alerts(ctx)
	if err != nil {
		return nil, err
	}
	limits := jobs.Limits{FailedRuns: config.Operate.AlertRuns, StaleAfter: config.Operate.AlertStale}
	reports := []alertReport{}
	for _, a := range jobs.FindAlarms(overview, drift, limits).Raised {
		report := alertReport{Cause: a.Cause, Subject: a.Subject, Sentence: a.Sentence, RaisedAt: overview.At}
		if i := slices.IndexFunc(known, a.Same); i >= 0 {
			report.RaisedAt, report.ToldAt = known[i].RaisedAt, known[i].ToldAt
		}
		reports = append(reports, report)
	}
	for _, a := range known {
		if a.ClearedAt != nil && !slices.ContainsFunc(reports, func(r alertReport) bool { return r.Cause == a.Cause && r.Subject == a.Subject }) {
			reports = append(reports, alertReport{Cause: a.Cause, Subject: a.Subject, Sentence: a.Sentence, RaisedAt: a.RaisedAt, OverAt: a.ClearedAt})
		}
	}
	return reports, nil
}

func (p *program) printAlerts(config Config, reports []alertReport, now time.Time) error {
	width, _, ok := terminalSize(p.out)
	if !ok {
		width = wideTable
	}
	var text strings.Builder
	for _, r := range reports {
		told := "people are still to be told"
		switch {
		case r.OverAt != nil:
			told = "over for " + span(now.Sub(*r.OverAt))
		case r.ToldAt != nil:
			told = "told " + ago(r.ToldAt, now)
		}
		fmt.Fprintf(&text, "%s  for %s, %s\n", r.Cause, span(max(0, now.Sub(r.RaisedAt))), told)
		text.WriteString(wrapped(r.Sentence, "    ", width))
	}
	if len(reports) == 0 {
		text.WriteString("Nothing is wrong that people would be told of.\n")
	}
	if !config.Operate.AlertWebhook.IsSet() {
		text.WriteString("ALERT_WEBHOOK_URL is not set: nobody is told.\n")
	}
	_, err := fmt.Fprint(p.out, text.String())
	return err
}
