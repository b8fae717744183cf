package main

import (
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// parser turns settings into a Config and collects all that is wrong on the way.
type parser struct {
	env Environment
	raw settings
	now time.Time

	problems []Problem
	warnings []string
	notices  []string
}

func (p *parser) fail(variable, format string, args ...any) {
	p.problems = append(p.problems, Problem{variable, printable(fmt.Sprintf(format, args...))})
}

func (p *parser) warn(format string, args ...any) {
	p.warnings = append(p.warnings, fmt.Sprintf(format, args...))
}

func (p *parser) notice(format string, args ...any) {
	p.notices = append(p.notices, fmt.Sprintf(format, args...))
}

func (p *parser) config() Config {
	raw := p.raw
	c := Config{DatabaseURL: p.database("DATABASE_URL", raw.DatabaseURL)}
	if raw.WarehouseURL != raw.DatabaseURL {
		c.WarehouseURL = p.database("WAREHOUSE_URL", raw.WarehouseURL)
	}
	c.DatabaseCredentials = p.credentials("DATABASE_CREDENTIALS", raw.DatabaseCredentials, "DATABASE_URL", raw.DatabaseURL != "" || raw.WarehouseURL != "")
	c.WarehouseCredentials = p.credentials("WAREHOUSE_CREDENTIALS", raw.WarehouseCredentials, "another WAREHOUSE_URL", c.WarehouseURL.IsSet())
	c.Paymo = PaymoConfig{
		APIKey:     p.apiKey(),
		AuthScheme: p.oneOf("PAYMO_AUTH_SCHEME", raw.PaymoAuthScheme, "auto", "raw", "basic"),
		AllowHTTP:  p.boolean("PAYMO_ALLOW_HTTP", raw.PaymoAllowHTTP),
		Share:      p.share(),
	}
	c.Paymo.BaseURL = p.baseURL(c.Paymo.AllowHTTP)
	c.WarehouseSchema = p.schema()
	c.Timezone = p.zone()
	c.Schedule = p.schedule("SYNC_SCHEDULE", raw.SyncSchedule, c.Timezone)
	c.FullSchedule = p.schedule("FULL_SYNC_SCHEDULE", raw.FullSyncSchedule, c.Timezone)
	c.Tables = p.tables()
	c.TableSchedules = p.tableSchedules(c.Timezone, c.Tables)
	c.StartDate = p.startDate(c.Timezone)
	c.HTTPAddr = p.httpAddr()
	p.reference("HTTP_PASSWORD", raw.HTTPPassword)
	c.HTTPPassword = NewSecret(raw.HTTPPassword)
	c.LogLevel = p.logLevel()
	c.LogFormat = p.oneOf("LOG_FORMAT", raw.LogFormat, "text", "json")
	c.MigrateOnStart = p.boolean("MIGRATE_ON_START", raw.MigrateOnStart)
	c.QueuePollOnly = p.boolean("QUEUE_POLL_ONLY", raw.QueuePollOnly)
	c.AcceptRole = raw.AcceptRole
	if len(strings.Fields(raw.AcceptRole)) > 1 {
		p.fail("ACCEPT_ROLE", "%q is not one role; example: Employee", raw.AcceptRole)
	}
	c.SweepWithoutAdmin = p.boolean("SWEEP_WITHOUT_ADMIN", raw.SweepWithoutAdmin)
	c.Webhooks = p.webhooks(c.Paymo, c.Timezone)
	c.Operate = p.operate()
	c.Vault = p.vault()
	c.Vault.Leases = c.DatabaseCredentials != "" || c.WarehouseCredentials != ""
	c.Traces = p.traces()
	for _, secret := range []Secret{c.Paymo.APIKey, c.DatabaseURL, c.WarehouseURL, c.HTTPPassword, c.Operate.AlertWebhook, c.Webhooks.Secret} {
		if reference, err := ParseReference(secret.Reveal()); err == nil {
			c.Vault.References = append(c.Vault.References, reference)
		}
	}
	return c
}

func (p *parser) oneOf(variable, value string, allowed ...string) string {
	lower := strings.ToLower(value)
	if !slices.Contains(allowed, lower) {
		p.fail(variable, "%q is none of %s", value, strings.Join(allowed, ", "))
	}
	return lower
}

func (p *parser) boolean(variable, value string) bool {
	b, err := strconv.ParseBool(value)
	if err != nil {
		p.fail(variable, "%q is neither true nor false", value)
	}
	return b
}

// reference reports whether a value is meant as a reference, and complains of a
// bad one. The value is not repeated: it may be a secret all the same.
func (p *parser) reference(variable, value string) bool {
	if len(value) < 6 || !strings.EqualFold(value[:6], "vault:") {
		return false
	}
	if _, err := ParseReference(value); err != nil {
		p.fail(variable, "the reference %v; expected vault://<mount>/<path>#<field>, such as vault://secret/paymo#api_key", err)
	}
	return true
}

func (p *parser) database(variable, value string) Secret {
	if value == "" || p.reference(variable, value) {
		return NewSecret(value)
	}
	// The parser's own error may repeat a part of the password.
	if _, err := pgxpool.ParseConfig(value); err != nil {
		p.fail(variable, "not understood as a PostgreSQL URL or DSN with settings such as sslmode and pool_max_conns, or a file that it names cannot be read; example: postgres://user:password@host:5432/warehouse?sslmode=require, with / # ? @ and %% in the password percent-encoded")
	}
	return NewSecret(value)
}

// credentials is the path in Vault of what makes a user and a password.
func (p *parser) credentials(variable, value, address string, given bool) string {
	if value == "" {
		return ""
	}
	path, ok := strings.CutPrefix(value, referencePrefix)
	path = strings.Trim(path, "/")
	if !ok || strings.ContainsAny(path, "#? ") || strings.Count(path, "/") < 2 {
		p.fail(variable, "not a path of Vault's database engine; expected vault://<mount>/creds/<role>, such as vault://database/creds/paymosync")
	} else if !given {
		p.fail(variable, "goes with %s, which is not set", address)
	}
	return path
}

func (p *parser) apiKey() Secret {
	value := p.raw.PaymoAPIKey
	switch {
	case p.reference("PAYMO_API_KEY", value):
	case strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }):
		p.fail("PAYMO_API_KEY", "holds white space or a character that no key has; expected a reference such as vault://secret/paymo#api_key, or the key alone")
	case strings.Contains(value, "/") && strings.Contains(value, "#"):
		p.fail("PAYMO_API_KEY", "looks like a reference without its beginning; expected vault://<mount>/<path>#<field>, such as vault://secret/paymo#api_key, or the key alone")
	default:
		p.warn("PAYMO_API_KEY holds the key itself, which is fine for a trial only: put the key into Vault and give a reference such as vault://secret/paymo#api_key")
	}
	return NewSecret(value)
}

func (p *parser) baseURL(allowHTTP bool) string {
	const variable = "PAYMO_BASE_URL"
	value := strings.TrimRight(p.raw.PaymoBaseURL, "/")
	u, err := url.Parse(value)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		p.fail(variable, "not an absolute URL; example: https://app.paymoapp.com")
	case u.User != nil:
		p.fail(variable, "holds a user or password; the key belongs in PAYMO_API_KEY")
	case strings.ContainsAny(value, "?#"):
		p.fail(variable, "has a query or fragment; example: https://app.paymoapp.com")
	case u.Scheme == "http" && !isLoopback(strings.ToLower(u.Hostname())) && !allowHTTP:
		p.fail(variable, "%q would send the key unencrypted: use https://, or set PAYMO_ALLOW_HTTP=true", value)
	default:
		// The warehouse is pinned to the address as a text; the scheme is in small
		// letters already.
		u.Host = strings.ToLower(u.Host)
		return u.String()
	}
	return value
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}

func (p *parser) schema() string {
	const variable = "WAREHOUSE_SCHEMA"
	value := p.raw.WarehouseSchema
	switch {
	case !regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`).MatchString(value):
		p.fail(variable, "%q is not a name of lower-case letters, digits and underscores, 63 at most, that begins with no digit", value)
	case strings.HasPrefix(value, "pg_") || slices.Contains([]string{"paymosync", "river", "public", "information_schema"}, value):
		p.fail(variable, "%q is taken: the warehouse needs a schema of its own; example: paymo", value)
	}
	return value
}

func (p *parser) zone() *time.Location {
	zone, err := loadZone(p.raw.SyncTimezone)
	if err != nil {
		p.fail("SYNC_TIMEZONE", "%v", err)
		return time.UTC
	}
	return zone
}

func (p *parser) schedule(variable, value string, zone *time.Location) Schedule {
	schedule, err := ParseSchedule(value, zone)
	if err != nil {
		p.fail(variable, "%q is not a schedule: %v; examples: */15 * * * * or @every 30s", value, err)
	}
	return schedule
}

func (p *parser) startDate(zone *time.Location) time.Time {
	value := p.raw.SyncStartDate
	if value == "" {
		return time.Time{}
	}
	day, err := time.Parse(time.DateOnly, value)
	switch {
	case err != nil:
		p.fail("SYNC_START_DATE", "%q is not a day; expected YYYY-MM-DD, such as 2024-01-31", value)
	case value > p.now.In(zone).Format(time.DateOnly):
		p.fail("SYNC_START_DATE", "%s lies in the future", value)
	}
	return day
}

func (p *parser) httpAddr() string {
	value := p.raw.HTTPAddr
	host, port, err := net.SplitHostPort(value)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil || strings.ContainsAny(host, " /") {
		p.fail("HTTP_ADDR", "%q is not host:port; examples: 127.0.0.1:8080 or :8080", value)
	}
	return value
}

func (p *parser) logLevel() slog.Level {
	var level slog.Level
	name := p.oneOf("LOG_LEVEL", p.raw.LogLevel, "debug", "info", "warn", "error")
	// An unknown name is a problem already.
	_ = level.UnmarshalText([]byte(name))
	return level
}
