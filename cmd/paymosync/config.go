package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/sethvargo/go-envconfig"
)

// Config is the whole configuration, checked. It may be printed, logged and
// encoded: nothing of it shows a secret.
type Config struct {
	DatabaseURL  Secret // a literal or a reference; empty if it was not required
	WarehouseURL Secret // the same; empty where DatabaseURL's database is the warehouse's, too

	// Paths in Vault of what makes the user and the password; empty for those of the address.
	DatabaseCredentials, WarehouseCredentials string

	QueuePollOnly bool // DATABASE_URL leads to a pooler that keeps no sessions

	Paymo           PaymoConfig
	WarehouseSchema string

	Schedule       Schedule            // of the incremental syncs
	FullSchedule   Schedule            // of the full ones
	TableSchedules map[string]Schedule // of the tables that have their own incremental one
	Tables         []string            // to sync, in the catalogue's order, each with its parents
	StartDate      time.Time           // midnight UTC; zero for no limit
	Timezone       *time.Location

	HTTPAddr          string
	HTTPPassword      Secret // a literal or a reference; empty for none
	LogLevel          slog.Level
	LogFormat         string // text or json
	MigrateOnStart    bool
	AcceptRole        string
	SweepWithoutAdmin bool // rows are marked deleted though the key is not an Admin's

	Webhooks WebhookConfig
	Operate  OperateConfig
	Vault    VaultConfig
	Traces   TracesConfig

	warnings []string
	notices  []string
}

// PaymoConfig says which Paymo is read, and how.
type PaymoConfig struct {
	APIKey     Secret // a reference, or the key itself
	AuthScheme string // auto, raw or basic
	BaseURL    string // absolute, without a slash at its end
	AllowHTTP  bool
	Share      int // percentage of Paymo's rate limit that is used
}

// LoginMethod is a way to log in to Vault.
type LoginMethod string

// The ways to log in to Vault. Without any in the configuration it is the token
// that the vault command left in the home folder.
const (
	LoginToken      LoginMethod = "token"
	LoginTokenFile  LoginMethod = "token file"
	LoginAppRole    LoginMethod = "approle"
	LoginKubernetes LoginMethod = "kubernetes"
	LoginHome       LoginMethod = "~/.vault-token"
)

// VaultConfig says where Vault is and how to log in to it. An empty field leaves
// the choice to Vault's client.
type VaultConfig struct {
	Address    string
	Namespace  string
	Method     LoginMethod
	Token      Secret
	TokenFile  string
	RoleID     Secret
	SecretID   Secret
	SecretFile string
	K8sRole    string
	AuthMount  string
	KVVersion  int // 0 to ask Vault

	CACert        string
	CACertBytes   string
	CAPath        string
	ClientCert    string
	ClientKey     string
	TLSServerName string
	SkipVerify    bool

	References []Reference // those of the configuration, the API key's first
	Leases     bool        // Vault makes users of a database
}

// needed reports whether anything lies in Vault.
func (c VaultConfig) needed() bool { return len(c.References) > 0 || c.Leases }

// LoadConfig decodes and checks the configuration, and fails with a *ConfigError
// that says everything that is wrong with it. The variables named in required
// must be set.
func LoadConfig(env Environment, now time.Time, required ...string) (Config, error) {
	var raw settings
	err := envconfig.ProcessWith(context.Background(), &envconfig.Config{Target: &raw, Lookuper: env})
	if err != nil {
		return Config{}, fmt.Errorf("decode the configuration: %w", err)
	}
	p := parser{env: env, raw: raw, now: now}
	for _, name := range required {
		if _, ok := env.Lookup(name); ok {
			continue
		}
		if name == "WAREHOUSE_URL" { // the warehouse is in the database of this one then
			name = "DATABASE_URL"
		}
		if _, ok := env.Lookup(name); !ok {
			p.fail(name, "not set%s", hintFor(name))
		}
	}
	config := p.config()
	p.misspelt()
	if len(p.problems) > 0 {
		return Config{}, &ConfigError{Problems: p.problems}
	}
	config.warnings, config.notices = p.warnings, p.notices
	return config, nil
}

// hintFor says how a variable that has no default is set.
func hintFor(name string) string {
	if name == "DATABASE_URL" {
		return ": give a URL such as postgres://user@host:5432/warehouse, or a reference such as vault://secret/paymosync#database_url"
	}
	return ""
}

// Warnings are what the operator should change, though the program can run.
func (c Config) Warnings() []string { return slices.Clone(c.warnings) }

// Notices are what the configuration was taken to mean beyond its words.
func (c Config) Notices() []string { return slices.Clone(c.notices) }

// NeedsVault reports whether anything of the configuration lies in Vault.
func (c Config) NeedsVault() bool { return c.Vault.needed() }

// ScheduleOf is when a table is synced incrementally.
func (c Config) ScheduleOf(table string) Schedule {
	if schedule, ok := c.TableSchedules[table]; ok {
		return schedule
	}
	return c.Schedule
}

// LogValue is the configuration without what is secret.
func (c Config) LogValue() slog.Value {
	own := make([]string, 0, len(c.TableSchedules))
	for table, schedule := range c.TableSchedules {
		own = append(own, table+"="+schedule.String())
	}
	slices.Sort(own)
	attrs := []slog.Attr{
		slog.Any("database_url", c.DatabaseURL),
		slog.Any("warehouse_url", c.WarehouseURL),
		slog.Any("paymo", c.Paymo),
		slog.String("warehouse_schema", c.WarehouseSchema),
		slog.String("schedule", c.Schedule.String()),
		slog.String("full_schedule", c.FullSchedule.String()),
		slog.String("table_schedules", strings.Join(own, ";")),
		slog.Int("tables", len(c.Tables)),
		slog.String("http_addr", c.HTTPAddr),
		slog.Any("http_password", c.HTTPPassword),
		slog.Bool("migrate_on_start", c.MigrateOnStart),
		slog.Any("operate", c.Operate),
	}
	if c.Timezone != nil {
		attrs = append(attrs, slog.String("timezone", c.Timezone.String()))
	}
	if !c.StartDate.IsZero() {
		attrs = append(attrs, slog.String("start_date", c.StartDate.Format(time.DateOnly)))
	}
	if c.AcceptRole != "" {
		attrs = append(attrs, slog.String("accept_role", c.AcceptRole))
	}
	if c.SweepWithoutAdmin {
		attrs = append(attrs, slog.Bool("sweep_without_admin", true))
	}
	if c.NeedsVault() {
		attrs = append(attrs, slog.Any("vault", c.Vault))
	}
	if c.Webhooks.On() {
		attrs = append(attrs, slog.Any("webhooks", c.Webhooks))
	}
	if c.Traces.Endpoint != "" {
		attrs = append(attrs, slog.Any("traces", c.Traces))
	}
	return slog.GroupValue(attrs...)
}

// LogValue is the address, the scheme and where the key lies.
func (c PaymoConfig) LogValue() slog.Value {
	return slog.GroupValue(
		slog.Any("api_key", c.APIKey),
		slog.String("auth_scheme", c.AuthScheme),
		slog.String("base_url", c.BaseURL),
		slog.Bool("allow_http", c.AllowHTTP),
		slog.Int("rate_share_percent", c.Share),
	)
}

// LogValue is where Vault is and how to log in, without what the login needs.
func (c VaultConfig) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("address", c.Address),
		slog.String("namespace", c.Namespace),
		slog.String("login", string(c.Method)),
	)
}
