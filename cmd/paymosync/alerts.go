package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// alertReport is an alert as it is printed.
type alertReport struct {
	Cause    string     `json:"cause"`
	Subject  string     `json:"subject"` // the table, or a field of one; "": the account
	Sentence string     `json:"sentence"`
	RaisedAt time.Time  `json:"raised_at"`
	OverAt   *time.Time `json:"over_at"` // its end, of which people are still to be told
	ToldAt   *time.Time `json:"told_at"` // when people were told
}

func (p *program) alertsCommand() *cobra.Command {
	var asJSON, test bool
	command := &cobra.Command{
		Use:   "alerts",
		Short: "List what people are told of, or send a test message",
		Long: `List what the service found wrong when it last looked, which is every minute, and
whether people were told of it at ALERT_WEBHOOK_URL.

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
	if err := newWebhook(config, vault).send(ctx, "paymosync\n:large_blue_circle: a test: this is where alerts arrive"); err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.out, "The message was accepted.")
	return err
}

func (p *program) listAlerts(ctx context.Context, asJSON bool) error {
	config, err := p.config("DATABASE_URL")
	if err != nil {
		return err
	}
	pool, err := p.openToLook(ctx, config)
	if err != nil {
		return err
	}
	defer pool.Close()
	store := sink.New(pool, config.WarehouseSchema, catalog.DefaultAccount)
	alerts, err := store.Alerts(ctx)
	if err != nil {
		return err
	}
	now, err := store.Now(ctx)
	if err != nil {
		return err
	}
	reports := make([]alertReport, 0, len(alerts))
	unwell := false
	for _, a := range alerts {
		unwell = unwell || a.ClearedAt == nil
		reports = append(reports, alertReport{Cause: a.Cause, Subject: a.Subject, Sentence: a.Sentence, RaisedAt: a.RaisedAt, OverAt: a.ClearedAt, ToldAt: a.ToldAt})
	}
	if asJSON {
		err = p.printJSON(reports)
	} else {
		err = p.printAlerts(config, reports, now)
	}
	if err == nil && unwell {
		err = errUnwell
	}
	return err
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
		fmt.Fprintf(&text, "%s  for %s, %s\n", r.Cause, span(now.Sub(r.RaisedAt)), told)
		text.WriteString(wrapped(r.Sentence, "    ", width))
	}
	if len(reports) == 0 {
		text.WriteString("Nothing is wrong, as far as was looked.\n")
	}
	if !config.Operate.AlertWebhook.IsSet() {
		text.WriteString("ALERT_WEBHOOK_URL is not set: nobody is told, and the service does not look.\n")
	}
	_, err := fmt.Fprint(p.out, text.String())
	return err
}
