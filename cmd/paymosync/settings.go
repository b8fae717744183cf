package main

import (
	"reflect"
	"strings"
)

// settings are the variables as they are written. They are decoded as text and
// parsed by LoadConfig: envconfig would stop at the first bad value, and name the
// Go field. The order is that of the documentation; a default comes last in its
// tag.
type settings struct {
	DatabaseURL          string `env:"DATABASE_URL" secret:"true" desc:"PostgreSQL that holds the warehouse and the queue: a URL, a DSN, or a vault:// reference to one"`
	WarehouseURL         string `env:"WAREHOUSE_URL" secret:"true" desc:"PostgreSQL that holds the warehouse and its bookkeeping, where that is another than the queue's; in the same forms"`
	DatabaseCredentials  string `env:"DATABASE_CREDENTIALS" desc:"user and password for DATABASE_URL from Vault's database engine: vault://database/creds/ROLE"`
	WarehouseCredentials string `env:"WAREHOUSE_CREDENTIALS" desc:"the same for WAREHOUSE_URL"`
	QueuePollOnly        string `env:"QUEUE_POLL_ONLY, default=false" desc:"look into the queue once a second rather than be told: for DATABASE_URL through a pooler in transaction mode"`

	PaymoAPIKey     string `env:"PAYMO_API_KEY, default=vault://secret/paymo#api_key" secret:"true" desc:"Paymo API key, as a vault:// reference; the key itself is taken for a trial, with a warning"`
	PaymoAuthScheme string `env:"PAYMO_AUTH_SCHEME, default=auto" desc:"how the key is sent: raw, basic, or auto to find out"`
	PaymoBaseURL    string `env:"PAYMO_BASE_URL, default=https://app.paymoapp.com" desc:"address of Paymo"`
	PaymoAllowHTTP  string `env:"PAYMO_ALLOW_HTTP, default=false" desc:"allow http:// to a Paymo that is not on this machine: the key goes unencrypted"`

	RateShare string `env:"RATE_SHARE, default=80%" desc:"how much of Paymo's rate limit is used, so that people's own tools on the same key go on working: 5% to 100%"`

	WarehouseSchema string `env:"WAREHOUSE_SCHEMA, default=paymo" desc:"PostgreSQL schema of the tables"`

	SyncSchedule      string `env:"SYNC_SCHEDULE, default=*/15 * * * *" desc:"when tables are synced incrementally: five cron fields, a descriptor such as @hourly, or @every 30s"`
	FullSyncSchedule  string `env:"FULL_SYNC_SCHEDULE, default=17 4 * * *" desc:"when tables are read in full"`
	SyncSchedules     string `env:"SYNC_SCHEDULES" desc:"other schedules for single tables: time_entries=*/5 * * * *;reports=0 6 * * *"`
	SyncTables        string `env:"SYNC_TABLES" desc:"tables to sync, separated by commas or spaces; all if empty"`
	SyncExcludeTables string `env:"SYNC_EXCLUDE_TABLES" desc:"tables not to sync; one that another table hangs on is synced all the same"`
	SyncStartDate     string `env:"SYNC_START_DATE" desc:"read no time entries and bookings of before this day: YYYY-MM-DD"`
	SyncTimezone      string `env:"SYNC_TIMEZONE, default=UTC" desc:"time zone of the schedules, an IANA name such as Europe/Vienna"`

	PublicURL                string `env:"PUBLIC_URL" desc:"where Paymo reaches HTTP_ADDR, such as https://paymosync.example.com: Paymo is to tell of changes there; empty: it is not to"`
	PaymoWebhookSecret       string `env:"PAYMO_WEBHOOK_SECRET" secret:"true" desc:"with which Paymo is to sign what it tells: a vault:// reference"`
	SyncScheduleWithWebhooks string `env:"SYNC_SCHEDULE_WITH_WEBHOOKS" desc:"schedule of the incremental syncs of tables of whose changes Paymo tells all; SYNC_SCHEDULE if empty"`

	HTTPAddr       string `env:"HTTP_ADDR, default=127.0.0.1:8080" desc:"where the service's pages, /livez and /readyz are served: host:port"`
	HTTPPassword   string `env:"HTTP_PASSWORD" secret:"true" desc:"password of the pages, or a vault:// reference to it; without one they are served on a loopback address alone"`
	LogLevel       string `env:"LOG_LEVEL, default=info" desc:"debug, info, warn or error"`
	LogFormat      string `env:"LOG_FORMAT, default=text" desc:"text or json"`
	MigrateOnStart string `env:"MIGRATE_ON_START, default=true" desc:"bring the database up to date when the service starts"`
	AcceptRole     string `env:"ACCEPT_ROLE" desc:"go on with a key whose role got weaker, to this role: such a key sees fewer rows and blank prices"`

	SweepWithoutAdmin string `env:"SWEEP_WITHOUT_ADMIN, default=false" desc:"mark rows deleted though the key is not an Admin's: what such a key is not shown looks deleted to it"`

	AlertWebhookURL  string `env:"ALERT_WEBHOOK_URL" secret:"true" desc:"where to tell what is wrong, as Slack and others take it: a URL, or a vault:// reference to one"`
	AlertFailingRuns string `env:"ALERT_FAILING_RUNS, default=3" desc:"tell when so many runs of a table failed, one after the other"`
	AlertStaleAfter  string `env:"ALERT_STALE_AFTER, default=2h" desc:"tell when a table's next sync is late by so long; 0 for never"`

	RunsRetention       string `env:"RUNS_RETENTION, default=90d" desc:"for how long the ledger's runs are kept; 0 for ever"`
	QuarantineRetention string `env:"QUARANTINE_RETENTION, default=365d" desc:"for how long records stay in quarantine that are not met again; 0 for ever"`
	JobsRetention       string `env:"JOBS_RETENTION, default=2d" desc:"for how long finished jobs are kept; 0 for River's own defaults"`

	VaultAddr          string `env:"VAULT_ADDR" desc:"address of Vault; https://127.0.0.1:8200 if empty"`
	VaultNamespace     string `env:"VAULT_NAMESPACE" desc:"namespace in Vault"`
	VaultToken         string `env:"VAULT_TOKEN" secret:"true" desc:"login with this token"`
	VaultTokenFile     string `env:"VAULT_TOKEN_FILE" desc:"login with the token in this file, read again at each login; without any login, ~/.vault-token"`
	VaultRoleID        string `env:"VAULT_ROLE_ID" secret:"true" desc:"login by AppRole: the role id"`
	VaultSecretID      string `env:"VAULT_SECRET_ID" secret:"true" desc:"login by AppRole: the secret id"`
	VaultSecretIDFile  string `env:"VAULT_SECRET_ID_FILE" desc:"login by AppRole: a file with the secret id, read again at each login"`
	VaultK8sRole       string `env:"VAULT_K8S_ROLE" desc:"login by Kubernetes: the role"`
	VaultAuthMount     string `env:"VAULT_AUTH_MOUNT" desc:"where the login method is mounted; approle or kubernetes if empty"`
	VaultKVVersion     string `env:"VAULT_KV_VERSION" desc:"version of the KV engine, 1 or 2, where the token may not ask for it"`
	VaultCACert        string `env:"VAULT_CACERT" desc:"file with the certificate authority of Vault"`
	VaultCACertBytes   string `env:"VAULT_CACERT_BYTES" desc:"certificate authority of Vault, as PEM text"`
	VaultCAPath        string `env:"VAULT_CAPATH" desc:"folder with certificate authorities of Vault"`
	VaultClientCert    string `env:"VAULT_CLIENT_CERT" desc:"file with the certificate shown to Vault"`
	VaultClientKey     string `env:"VAULT_CLIENT_KEY" desc:"file with the private key of VAULT_CLIENT_CERT"`
	VaultTLSServerName string `env:"VAULT_TLS_SERVER_NAME" desc:"name expected in Vault's certificate"`
	VaultSkipVerify    string `env:"VAULT_SKIP_VERIFY, default=false" desc:"do not check Vault's certificate"`
}

// Variable describes one variable of the configuration.
type Variable struct {
	Name        string
	Default     string // "" for none
	Description string
	Secret      bool // the value is never printed
}

// Variables are all variables of the configuration, in the order of the
// documentation.
func Variables() []Variable {
	var variables []Variable
	for field := range reflect.TypeFor[settings]().Fields() {
		name, options, _ := strings.Cut(field.Tag.Get("env"), ",")
		_, byDefault, _ := strings.Cut(options, "default=")
		variables = append(variables, Variable{
			Name:        name,
			Default:     byDefault,
			Description: field.Tag.Get("desc"),
			Secret:      field.Tag.Get("secret") == "true",
		})
	}
	return variables
}
