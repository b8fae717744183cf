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
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetOut(t.out)
	root.SetErr(t.err)
	root.PersistentFlags().StringVar(&p.envFile, "env-file", "", "read variables from this file of NAME=value lines; the environment wins")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &usageError{fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())}
	})
	root.AddCommand(
		p.serveCommand(), p.syncCommand(), p.statusCommand(), p.checkCommand(), p.migrateCommand(),
		p.tablesCommand(), p.resetCommand(), p.demoCommand(), p.healthcheckCommand(), p.versionCommand(),
	)
	for _, command := range root.Commands() {
		command.Args = usage(command.Args)
	}
	root.Args = usage(cobra.NoArgs)
	root.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	return root
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
// configuration that can be read.
func chosenTables(config Config, args []string) ([]*catalog.Resource, error) {
	var chosen []*catalog.Resource
	if len(args) == 0 {
		for _, name := range config.Tables {
			if resource, ok := catalog.Lookup(name); ok && resource.Readable() {
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
		if !resource.Readable() {
			return nil, &usageError{fmt.Errorf("table %s is not read by this version", name)}
		}
		if !slices.Contains(chosen, resource) {
			chosen = append(chosen, resource)
		}
	}
	return chosen, nil
}

// tableNamed finds a resource by the name of its table.
func tableNamed(name string) (*catalog.Resource, error) {
	resource, ok := catalog.Lookup(name)
	if !ok {
		text := fmt.Sprintf("there is no table %q", name)
		if near, ok := nearest(name, tableNames(), 3); ok {
			text += fmt.Sprintf(": did you mean %s?", near)
		}
		return nil, &usageError{errors.New(text + "; paymosync tables lists them")}
	}
	return resource, nil
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
		if resource.Readable() && strings.HasPrefix(resource.Table, prefix) {
			matches = append(matches, resource.Table)
		}
	}
	return matches, cobra.ShellCompDirectiveNoFileComp
}
