package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// options are the flags of the benchmark.
type options struct {
	entries   int
	runs      int
	rows      []string
	paymosync string
	profile   string
	write     string
	parts     bool
}

func newCommand() *cobra.Command {
	var o options
	command := &cobra.Command{
		Use:   "bench",
		Short: "Measure paymosync against psql's \\copy of the same rows",
		Long: `Measure paymosync against psql's \copy of the same rows, in one run: a made-up
company is served from prepared bytes by a process of its own, and a PostgreSQL of
its own is filled from it in several ways, one after the other, over and over, so
that what else the machine does touches all of them. What is printed are medians.`,
		Example:       "  bench --write docs/benchmarks.md\n  bench --entries 100000 --runs 1 --rows a,b",
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.validate(); err != nil {
				return err
			}
			return run(cmd.Context(), o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := command.Flags()
	f.IntVar(&o.entries, "entries", 1_000_000, "time entries of the company")
	f.IntVar(&o.runs, "runs", 5, "how often each row is measured")
	f.StringSliceVar(&o.rows, "rows", letters(), "rows to measure; c and d need b")
	f.StringVar(&o.paymosync, "paymosync", "", "program to measure (default: built from the sources, as it is released)")
	f.StringVar(&o.profile, "profile", "", "`DIRECTORY` for CPU profiles of paymosync; the program is built with -tags profile for them")
	f.StringVar(&o.write, "write", "", "`FILE` to write the results to, as Markdown")
	f.BoolVar(&o.parts, "parts", true, "measure decoding and merging by themselves, too, by Go benchmarks")
	command.AddCommand(sourceCommand(), upsertCommand())
	return command
}

func (o *options) validate() error {
	var errs []error
	if o.entries < 100 {
		errs = append(errs, fmt.Errorf("--entries %d: give 100 or more", o.entries))
	}
	if o.runs < 1 {
		errs = append(errs, fmt.Errorf("--runs %d: give 1 or more", o.runs))
	}
	for _, letter := range o.rows {
		switch {
		case !slices.Contains(letters(), letter):
			errs = append(errs, fmt.Errorf("--rows %s: there are the rows %s", letter, strings.Join(letters(), ", ")))
		case (letter == "c" || letter == "d") && !slices.Contains(o.rows, "b"):
			errs = append(errs, fmt.Errorf("--rows %s: it goes on from row b, name that too", letter))
		}
	}
	if o.profile != "" && o.paymosync != "" {
		errs = append(errs, errors.New("--profile builds the program itself: leave --paymosync out"))
	}
	return errors.Join(errs...)
}
