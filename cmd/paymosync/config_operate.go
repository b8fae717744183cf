package main

import (
	"log/slog"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// OperateConfig says whom to tell what is wrong, and for how long bookkeeping is kept.
type OperateConfig struct {
	AlertWebhook   Secret        // a reference, or the URL itself; unset: nobody is told
	AlertRuns      int           // failed runs of a table, one after the other
	AlertStale     time.Duration // by which a sync may be late
	KeepRuns       time.Duration // 0: for ever
	KeepQuarantine time.Duration // 0: for ever
	KeepJobs       time.Duration // 0: River's defaults
}

// LogValue is the configuration without the webhook's address, which is a secret.
func (c OperateConfig) LogValue() slog.Value {
	return slog.GroupValue(
		slog.Any("alert_webhook_url", c.AlertWebhook),
		slog.Int("alert_failing_runs", c.AlertRuns),
		slog.Duration("alert_stale_after", c.AlertStale),
		slog.Duration("runs_retention", c.KeepRuns),
		slog.Duration("quarantine_retention", c.KeepQuarantine),
		slog.Duration("jobs_retention", c.KeepJobs),
	)
}

func (p *parser) operate() OperateConfig {
	raw := p.raw
	return OperateConfig{
		AlertWebhook:   p.alertWebhook(),
		AlertRuns:      p.count("ALERT_FAILING_RUNS", raw.AlertFailingRuns),
		AlertStale:     p.age("ALERT_STALE_AFTER", raw.AlertStaleAfter, time.Minute, "never to be told"),
		KeepRuns:       p.age("RUNS_RETENTION", raw.RunsRetention, 24*time.Hour, "for ever"),
		KeepQuarantine: p.age("QUARANTINE_RETENTION", raw.QuarantineRetention, 24*time.Hour, "for ever"),
		KeepJobs:       p.age("JOBS_RETENTION", raw.JobsRetention, time.Hour, "for River's own defaults"),
	}
}

// alertWebhook checks the address without repeating it: whoever has it can post.
func (p *parser) alertWebhook() Secret {
	const variable = "ALERT_WEBHOOK_URL"
	value := p.raw.AlertWebhookURL
	if value == "" || p.reference(variable, value) {
		return NewSecret(value)
	}
	if problem := badWebhook(value); problem != "" {
		p.fail(variable, "%s", problem)
	}
	return NewSecret(value)
}

// badWebhook says what is wrong with the address of a webhook, "" when nothing is. It does
// not repeat it.
func badWebhook(value string) string {
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return "not an absolute http or https URL; expected one such as https://hooks.slack.com/services/…, or a reference such as vault://secret/paymosync#alert_webhook_url"
	}
	return ""
}

func (p *parser) count(variable, value string) int {
	n, err := strconv.Atoi(strings.TrimSpace(value))
	if err != nil || n < 1 {
		p.fail(variable, "%q is not a whole number of 1 or more", value)
	}
	return n
}

// age reads for how long: 0, which has a meaning of its own, or at least the least.
func (p *parser) age(variable, value string, least time.Duration, zero string) time.Duration {
	age, err := parseAge(value)
	switch {
	case err != nil:
		p.fail(variable, "%q is no length of time with its unit; examples: 90d, 36h, 1h30m", value)
	case age != 0 && age < least || age < 0:
		p.fail(variable, "%q is too short: give %s or more, or 0 %s", value, span(least), zero)
	}
	return age
}

// parseAge reads a length of time such as Go's, or in days: 90d.
func parseAge(value string) (time.Duration, error) {
	value = strings.TrimSpace(value)
	if days := regexp.MustCompile(`^(\d{1,5})d$`).FindStringSubmatch(value); days != nil {
		n, err := strconv.Atoi(days[1])
		return time.Duration(n) * 24 * time.Hour, err
	}
	return time.ParseDuration(value)
}
