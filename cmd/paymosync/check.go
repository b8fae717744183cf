package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/migrations"
	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/sink"
)

// checkTimeout bounds each step of a check, and checkWait how long a request waits for its
// turn, where a service is busy with the same key.
const (
	checkTimeout = 20 * time.Second
	checkWait    = 10 * time.Second
)

// checkStep is what a step of the check found.
type checkStep struct {
	Step  string `json:"step"`
	OK    bool   `json:"ok"`
	Found string `json:"found"`
	Fix   string `json:"fix,omitempty"`

	Tables []checkTable `json:"tables,omitempty"` // of the last step: those that are not ok
}

// checkTable is a table that is not ok, as the check tells of it.
type checkTable struct {
	Table  string     `json:"table"`
	State  string     `json:"state"`
	Reason string     `json:"reason"`
	Cause  jobs.Cause `json:"cause"`
	Advice string     `json:"advice"`
}

func (p *program) checkCommand() *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "check",
		Short: "Go the whole way once, step by step, with a fix for what fails",
		Long: `Go the whole way once, step by step: the configuration, Vault, the secret,
PostgreSQL, Paymo and, with PUBLIC_URL, whether calls of its webhooks come in.
Nothing is changed anywhere, but the two or three requests to Paymo count in the
rate budget that all processes share. What fails is shown with what to do. At the
end it says why tables are not ok, and what to do about that.

Exit code: 0 when the way is open, whatever the tables' states are: those are status's;
1 when a step fails, 2 when it is the configuration.`,
		Example: "  paymosync check\n  paymosync check --env-file paymosync.env",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			lines := p.out
			if asJSON {
				lines = io.Discard
			}
			config, err := p.config("DATABASE_URL")
			var steps []checkStep
			if err == nil {
				steps, err = p.check(cmd.Context(), config, lines)
			}
			if wrong, ok := errors.AsType[*ConfigError](err); ok && asJSON {
				steps = []checkStep{{Step: "configuration", Found: wrong.Error(), Fix: "correct these variables; the README lists what each takes"}}
			} else if err != nil {
				return err
			}
			if asJSON {
				if err := p.printJSON(steps); err != nil {
					return err
				}
			}
			if err != nil {
				return err
			}
			for _, step := range steps {
				if !step.OK {
					return errUnwell
				}
			}
			return nil
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print the steps as JSON")
	return command
}

// check goes through the steps and prints a line for each as it is done.
func (p *program) check(ctx context.Context, config Config, lines io.Writer) ([]checkStep, error) {
	vault, err := NewVault(config.Vault, p.logger(config, slog.LevelError+1))
	if err != nil {
		return nil, err
	}
	defer vault.Close()
	c := &checker{lines: lines, look: p.look(), config: config, vault: vault}
	c.step(ctx, "configuration", c.configuration)
	if config.NeedsVault() {
		c.step(ctx, "vault", c.login)
	}
	c.step(ctx, "secret", c.secret)
	defer c.close()
	for _, where := range config.places() {
		name := "postgresql"
		if where.key() == "warehouse" {
			name = where.key()
		}
		c.step(ctx, name, func(ctx context.Context) (string, error) { return c.database(ctx, where) })
	}
	connected := len(c.opened) == len(config.places())
	if connected {
		c.step(ctx, "migrations", c.migrations)
	}
	c.step(ctx, "paymo", c.paymo)
	if config.Webhooks.On() {
		c.step(ctx, "webhooks", c.webhooks)
	}
	if connected {
		c.step(ctx, "account", c.account)
		c.tables(ctx)
	}
	return c.steps, ctx.Err()
}

// checker is a check while it lasts.
type checker struct {
	lines  io.Writer
	look   look // of the lines
	config Config
	vault  *Vault
	opened []*database // as Config.places names them: the warehouse first
	steps  []checkStep
	found  sink.Identity // what Paymo said
	keyed  bool          // the key could be had
	ready  bool          // the database has this version's bookkeeping, and may be written
}

// fixedError is an error with what to do about it.
type fixedError struct {
	error
	fix string
}

func (c *checker) step(ctx context.Context, name string, work func(context.Context) (string, error)) {
	if ctx.Err() != nil {
		return // it was interrupted: nothing is known of what was not tried
	}
	limited, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	found, err := work(limited)
	if ctx.Err() != nil {
		return
	}
	step := checkStep{Step: name, OK: err == nil, Found: found}
	mark := "ok  "
	if err != nil {
		step.Found = describe(err)
		mark = "FAIL"
		if fixed, ok := errors.AsType[fixedError](err); ok {
			step.Found, step.Fix = describe(fixed.error), fixed.fix
		}
	}
	c.steps = append(c.steps, step)
	colour := text.FgGreen
	if err != nil {
		colour = text.FgRed
	}
	c.print(fmt.Sprintf("%s  %-13s  ", c.look.paint(mark, colour), name), step.Found)
	if step.Fix != "" {
		c.print(fmt.Sprintf("      %-13s  fix: ", ""), step.Fix)
	}
}

// print prints a line, broken between words where the terminal is too narrow for it.
func (c *checker) print(indent, words string) {
	if c.look.width == 0 || strings.Contains(words, "\n") {
		fmt.Fprintln(c.lines, indent+words)
		return
	}
	fmt.Fprint(c.lines, wrapped(words, indent, c.look.width))
}

func (c *checker) configuration(context.Context) (string, error) {
	for _, warning := range c.config.Warnings() {
		c.print("note: ", warning)
	}
	return fmt.Sprintf("%d tables, %s, full %s (%s)", len(tableSchedules(c.config)), c.config.Schedule, c.config.FullSchedule, c.config.Timezone), nil
}

func (c *checker) login(ctx context.Context) (string, error) {
	status, err := c.vault.Check(ctx)
	if err != nil {
		return "", err
	}
	life := "does not expire"
	if status.TTL > 0 {
		life = span(status.TTL) + " left"
	}
	return fmt.Sprintf("%s, logged in by %s, token %s", status.Address, status.Method, life), nil
}

func (c *checker) secret(ctx context.Context) (string, error) {
	key, err := c.vault.Resolve(ctx, c.config.Paymo.APIKey.Reveal())
	if err != nil {
		return "", fmt.Errorf("resolve PAYMO_API_KEY: %w", err)
	}
	if key == "" {
		return "", fixedError{errors.New("PAYMO_API_KEY: the secret is empty"), "write the key into it: vault kv put"}
	}
	c.keyed = true
	if c.config.Paymo.APIKey.IsReference() {
		return c.config.Paymo.APIKey.Reveal() + " holds a key", nil
	}
	return "PAYMO_API_KEY is the key itself: good for a trial, keep it in Vault for real use", nil
}

func (c *checker) paymo(ctx context.Context) (string, error) {
	if !c.keyed {
		return "", errors.New("not asked: there is no key")
	}
	client, err := newClient(c.config, c.vault, nil, "")
	if err != nil {
		return "", err
	}
	if c.ready { // else it paces itself
		client = client.WithBudget(storeOf(c.opened[0], c.config).Budget(c.config.Paymo.Share), checkWait)
	}
	me, _, err := client.Me(ctx)
	if err != nil {
		return "", fixedError{err, fixForPaymo(err, c.config)}
	}
	company, _, err := client.CompanyID(ctx)
	var api *paymo.APIError
	if err != nil && !(errors.As(err, &api) && api.Denied()) {
		return "", fixedError{err, fixForPaymo(err, c.config)}
	}
	scheme, _ := client.Scheme()
	c.found = sink.Identity{BaseURL: c.config.Paymo.BaseURL, CompanyID: company, UserID: me.ID, Role: me.Role, Scheme: string(scheme)}
	words := fmt.Sprintf("%s: user %d, role %s, company %d, scheme %s", c.config.Paymo.BaseURL, me.ID, me.Role, company, scheme)
	if rate := client.Rate(); rate.Limit > 0 {
		words += fmt.Sprintf(", %d requests per %s, %d left", rate.Limit, rate.Period, rate.Remaining)
		if share := c.config.Paymo.Share; share < 100 {
			words += fmt.Sprintf(" (%d%% of them are used)", share)
		}
	} else {
		words += ", no rate headers"
	}
	if me.Role != jobs.AdminRole {
		words += "; it is not Admin: it may see fewer rows and blank prices"
	}
	return words, nil
}

func (c *checker) close() {
	for _, opened := range c.opened {
		opened.Close()
	}
}

func (c *checker) database(ctx context.Context, where place) (string, error) {
	opened, err := openDatabase(ctx, c.config, where, c.vault, nil)
	if err != nil {
		return "", err
	}
	var version, user, database string
	err = opened.QueryRow(ctx, `SELECT current_setting('server_version'), current_user, current_database()`).
		Scan(&version, &user, &database)
	if err != nil {
		opened.Close()
		return "", fixedError{fmt.Errorf("connect to %s: %w", where.variable, err), fixForDatabase(err, where.variable)}
	}
	c.opened = append(c.opened, opened)
	return fmt.Sprintf("PostgreSQL %s, database %s as %s", version, database, user), nil
}

func (c *checker) migrations(ctx context.Context) (string, error) {
	var pending []migrations.Step
	var rights []error
	for _, opened := range c.opened {
		steps, err := opened.pending(ctx)
		if err != nil {
			return "", err
		}
		pending = append(pending, steps...)
		rights = append(rights, migrations.Rights(ctx, opened.Pool, opened.schema, opened.sets...))
	}
	words := "the database has this version's layout"
	if len(pending) > 0 {
		words = fmt.Sprintf("%d pending", len(pending))
		if !c.config.MigrateOnStart { // the role that migrates may be another one
			return "", fixedError{errors.New(words), "paymosync migrate up"}
		}
		words += ": they are applied at the next start"
	}
	if err := errors.Join(rights...); err != nil {
		return "", fixedError{errors.New("the role's rights are not enough"), strings.ReplaceAll(describe(err), "\n", "; ")}
	}
	if !slices.ContainsFunc(pending, ofBookkeeping) {
		err := c.opened[0].QueryRow(ctx, `SELECT NOT current_setting('transaction_read_only')::boolean`).Scan(&c.ready)
		return words, err
	}
	return words, nil
}

// ofBookkeeping reports whether a step is of the tables that all processes share.
func ofBookkeeping(s migrations.Step) bool { return s.Set == migrations.Bookkeeping }

func (c *checker) account(ctx context.Context) (string, error) {
	if c.found.BaseURL == "" {
		return "", errors.New("not compared: Paymo did not say whose key it is")
	}
	// A warehouse that has yet to be made may be another one of a pinned account.
	warehouse := c.opened[0]
	pending, err := warehouse.pending(ctx)
	if err != nil || slices.ContainsFunc(pending, ofBookkeeping) {
		return "not pinned yet: the first sync does it", err
	}
	pinned, ok, err := storeOf(warehouse, c.config).Identity(ctx)
	if err != nil {
		return "", err
	}
	if !ok {
		return "not pinned yet: the first sync does it", nil
	}
	if err := jobs.CompareIdentity(pinned, c.found, c.config.AcceptRole); err != nil {
		return "", err
	}
	return "the warehouse belongs to this key's company", nil
}
