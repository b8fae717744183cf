package jobs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/riverqueue/river"

	"github.com/paymosync/paymosync/sink"
)

// How often is looked for what is wrong, and for how long something must be over before
// people are told so: what comes and goes is one alert.
const (
	alertEvery  = time.Minute
	alertSteady = 5 * time.Minute
)

// mostAlertLines is how many alerts one message lists.
const mostAlertLines = 20

// AlertConfig is how people are told of what is wrong.
type AlertConfig struct {
	Limits
	Tell   func(ctx context.Context, text string) error // sends a message; nil: nobody is told
	Every  time.Duration                                // 0: a minute
	Steady time.Duration                                // how long something must be over before its end is told; 0: 5 minutes
}

// AlertArgs asks for a look at what is wrong.
type AlertArgs struct {
	Account string `json:"account" river:"unique"`
}

// Kind is the job's name in the queue.
func (AlertArgs) Kind() string { return "alert" }

// InsertOpts has one look at a time. One that fails is not repeated: the next one follows.
func (AlertArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{MaxAttempts: 1, Queue: upkeepQueue, UniqueOpts: unfinished()}
}

// AlertWorker looks for what is wrong and tells people of it: of each cause once, and once
// that it is over.
type AlertWorker struct {
	river.WorkerDefaults[AlertArgs]
	Overview OverviewConfig
	Alerts   AlertConfig
}

// Work looks once.
func (w *AlertWorker) Work(ctx context.Context, _ *river.Job[AlertArgs]) error {
	if w.Alerts.Tell == nil {
		return nil
	}
	return w.Look(ctx)
}

// Look looks for what is wrong now and tells of what is new and of what is over, in one
// message. When the message cannot be sent, the next look tries again.
func (w *AlertWorker) Look(ctx context.Context) error {
	overview, err := ReadOverview(ctx, w.Overview)
	if err != nil {
		return err
	}
	drift, err := w.Overview.Store.Drift(ctx)
	if err != nil {
		return err
	}
	found := FindAlarms(overview, drift, w.Alerts.Limits)
	if err := w.Overview.Store.NoteAlerts(ctx, found.Raised, found.Hidden); err != nil {
		return err
	}
	alerts, err := w.Overview.Store.Alerts(ctx)
	if err != nil {
		return err
	}
	due := w.due(alerts, overview.At)
	if len(due) == 0 {
		return nil
	}
	more := max(0, len(due)-mostAlertLines)
	due = due[:len(due)-more] // the rest follows at the next look
	if err := w.Overview.Store.Trying(ctx, due); err != nil {
		return err
	}
	if err := w.Alerts.Tell(ctx, alertText(overview, due, more)); err != nil {
		err = fmt.Errorf("tell of alerts: %w", err)
		if ctx.Err() == nil {
			err = errors.Join(err, w.Overview.Store.Untold(ctx, due))
		}
		return err
	}
	// It was sent: that is noted even when the service stops meanwhile.
	noting, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	return w.Overview.Store.Told(noting, due)
}

// due are the alerts that people are to be told of.
func (w *AlertWorker) due(alerts []sink.Alert, now time.Time) []sink.Alert {
	steady := w.Alerts.Steady
	if steady == 0 {
		steady = alertSteady
	}
	var due []sink.Alert
	for _, alert := range alerts {
		if alert.ToldAt == nil && (alert.ClearedAt == nil || now.Sub(*alert.ClearedAt) >= steady) {
			due = append(due, alert)
		}
	}
	return due
}

// alertText is the message: what is wrong first, then what is over, and how many more
// there are.
func alertText(overview Overview, alerts []sink.Alert, more int) string {
	var wrong, over []string
	for _, alert := range alerts {
		if alert.ClearedAt == nil {
			wrong = append(wrong, ":red_circle: "+alert.Sentence)
		} else {
			over = append(over, fmt.Sprintf(":large_green_circle: over after %s: %s", alert.ClearedAt.Sub(alert.RaisedAt).Round(time.Second), problemOf(alert)))
		}
	}
	title := "paymosync"
	if overview.Account.Pinned {
		title += fmt.Sprintf(", account %s of %s", overview.Account.Name, overview.Account.BaseURL)
	}
	lines := append(wrong, over...)
	if more > 0 {
		lines = append(lines, fmt.Sprintf("… and %d more, which follow", more))
	}
	return title + "\n" + strings.Join(lines, "\n")
}

// problemOf is the alert's sentence without what was to be done.
func problemOf(alert sink.Alert) string {
	problem, _, _ := strings.Cut(alert.Sentence, " → ")
	return problem
}
