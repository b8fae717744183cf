package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/spf13/cobra"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// program is what the commands share: where they print, and what they are
// configured from.
type program struct {
	terminal
	environ []string
	envFile string
}

// newRoot makes the command and all that is below it.
func newRoot(t terminal, environ []string) *cobra.Command {
	p := &program{terminal: t, environ: environ}
	root := &cobra.Command{
		Use:   "paymosync",
		Short: "Keep a PostgreSQL warehouse equal to a Paymo account",
		Long: `paymosync keeps a PostgreSQL warehouse equal to a Paymo account.

It is configured by environment variables; the README lists them all.`,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetVersionTemplate("paymosync {{.Version}}\n")
	root.SetOut(t.out)
	root.SetErr(t.err)
	root.PersistentFlags().StringVar(&p.envFile, "env-file", "", "read variables from this file of NAME=value lines; the environment wins")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &usageError{fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())}
	})
	root.AddCommand(
		p.serveCommand(), p.syncCommand(), p.planCommand(), p.backfillCommand(), p.verifyCommand(), p.statusCommand(), p.runsCommand(), p.pauseCommand(), p.resumeCommand(), p.checkCommand(), p.migrateCommand(),
		p.tablesCommand(), p.driftCommand(), p.alertsCommand(), p.webhooksCommand(), p.quarantineCommand(), p.resetCommand(), p.demoCommand(), p.healthcheckCommand(), p.versionCommand(),
	)
	for _, command := range root.Commands() {
		command.Args = usage(command.Args)
	}
	root.Args = usage(cobra.NoArgs)
	root.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	strict(root)
	return root
}

// strict makes the commands that cobra brings along refuse what they do not know, as the
// others do.
func strict(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, command := range root.Commands() {
		switch command.Name() {
		case "help":
			command.Args = usage(func(_ *cobra.Command, args []string) error {
				found, rest, err := root.Find(args)
				if err == nil && len(rest) > 0 {
					err = fmt.Errorf("unknown command %q for %q", rest[0], found.CommandPath())
				}
				return err
			})
		case "completion":
			command.Args = usage(cobra.NoArgs)
			command.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
			for _, shell := range command.Commands() {
				shell.Args = usage(shell.Args)
			}
		}
	}
}

// config reads the configuration.
func (p *program) config(required ...string) (Config, error) {
	env, err := ReadEnvironment(p.environ, p.envFile)
	if err != nil {
		return Config{}, err
	}
	return LoadConfig(env, time.Now(), required...)
}

// usageError means that the command was called wrongly.
type usageError struct{ error }

func (e *usageError) Unwrap() error { return e.error }

// usage makes the errors of an argument check usage errors.
func usage(check cobra.PositionalArgs) cobra.PositionalArgs {
	if check == nil {
		return nil
	}
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return &usageError{fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())}
		}
		return nil
	}
}

// errUnwell means that a table is degraded or failing; what it is was printed.
var errUnwell = errors.New("not every table is well")

// saidError is an error that was told already, in the log.
type saidError struct{ error }

func (e *saidError) Unwrap() error { return e.error }

// describe is an error as people read it.
func describe(err error) string {
	if errors.Is(err, context.Canceled) {
		return "interrupted"
	}
	var config *ConfigError
	if errors.As(err, &config) && len(config.Problems) > 1 {
		return "the configuration has " + fmt.Sprint(len(config.Problems)) + " problems:\n" + config.Error()
	}
	if connect, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return describeConnect(connect)
	}
	return err.Error()
}

// describeConnect says once what the driver says for every way that it tried.
func describeConnect(err *pgconn.ConnectError) string {
	cause, _, _ := strings.Cut(err.Error(), "\n")
	if refusal, ok := errors.AsType[*pgconn.PgError](err); ok {
		cause = refusal.Message
	} else if network, ok := errors.AsType[*net.OpError](err); ok {
		cause = network.Error()
	}
	return fmt.Sprintf("connect to PostgreSQL at %s:%d, database %s, as %s: %s",
		err.Config.Host, err.Config.Port, err.Config.Database, err.Config.User, cause)
}

// chosenTables are the resources that the arguments name, else those of the
// configuration, in the catalogue's order: parents come before what
// hangs on them.
func chosenTables(config Config, args []string) ([]*catalog.Resource, error) {
	var chosen []*catalog.Resource
	if len(args) == 0 {
		for _, name := range config.Tables {
			if resource, ok := catalog.Lookup(name); ok {
				chosen = append(chosen, resource)
			}
		}
		return chosen, nil
	}
	for _, name := range args {
		resource, err := tableNamed(name)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(chosen, resource) {
			chosen = append(chosen, resource)
		}
	}
	slices.SortFunc(chosen, func(a, b *catalog.Resource) int {
		return slices.Index(catalog.All(), a) - slices.Index(catalog.All(), b)
	})
	return chosen, nil
}

// tableNamed finds a resource by the name of its table.
func tableNamed(name string) (*catalog.Resource, error) {
	resource, ok := catalog.Lookup(name)
	if !ok {
		text := fmt.Sprintf("there is no table %q", name)
		near, ok := transposed(name, tableNames())
		if !ok {
			near, ok = nearest(name, tableNames(), 3)
		}
		if ok {
			text += fmt.Sprintf(": did you mean %s?", near)
		}
		return nil, &usageError{errors.New(text + "; paymosync tables lists them")}
	}
	return resource, nil
}

// transposed finds the candidate that the name is with two neighbouring bytes swapped.
func transposed(name string, candidates []string) (string, bool) {
	for i := 1; i < len(name); i++ {
		swapped := []byte(name)
		swapped[i-1], swapped[i] = swapped[i], swapped[i-1]
		if slices.Contains(candidates, string(swapped)) {
			return string(swapped), true
		}
	}
	return "", false
}

func tableNames() []string {
	var names []string
	for _, resource := range catalog.All() {
		names = append(names, resource.Table)
	}
	return names
}

// completeTables completes table names for the shell.
func completeTables(_ *cobra.Command, _ []string, prefix string) ([]string, cobra.ShellCompDirective) {
	var matches []string
	for _, resource := range catalog.All() {
		if strings.HasPrefix(resource.Table, prefix) {
			matches = append(matches, resource.Table)
		}
	}
	return matches, cobra.ShellCompDirectiveNoFileComp
}
