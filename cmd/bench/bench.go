package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// empty is the database that all rows begin with: the company without its time entries.
const empty = "company"

// bench is one run of the benchmark.
type bench struct {
	options   options
	log       io.Writer
	dir       string
	self      string // this program
	program   string // paymosync
	profiles  int
	source    *source
	databases *databases
	company   sample              // of the company without its time entries
	content   map[bool]string     // of the table that has the company, or the changed one
	samples   map[string][]sample // by row
}

// sample is one measurement of a row.
type sample struct {
	spent
	asked
	usage                // of the server
	source time.Duration // processor time of the source
}

// run measures, and prints what came of it.
func run(ctx context.Context, o options, out, log io.Writer) (err error) {
	b := &bench{options: o, log: log, content: map[bool]string{}, samples: map[string][]sample{}}
	defer func() { err = errors.Join(err, b.stop()) }()
	if err := b.start(ctx); err != nil {
		return err
	}
	if err := b.prepare(ctx); err != nil {
		return err
	}
	for i := range o.runs {
		for _, r := range rows() {
			if !slices.Contains(o.rows, r.letter) {
				continue
			}
			if err := b.measure(ctx, r); err != nil {
				return fmt.Errorf("row %s: %w", r.letter, err)
			}
			last := b.samples[r.letter][i]
			fmt.Fprintf(log, "run %d of %d, row %s: %.2f s, %s\n", i+1, o.runs, r.letter, last.took.Seconds(), r.what)
		}
	}
	report, err := b.report(ctx)
	if err != nil {
		return err
	}
	if o.parts {
		b.say("measure decoding and merging by themselves")
		parts, err := measureParts(ctx, o.runs)
		if err != nil {
			return err
		}
		report += partsReport(parts)
	}
	if _, err := io.WriteString(out, report); err != nil || o.write == "" {
		return err
	}
	return os.WriteFile(o.write, []byte(report), 0o644) //nolint:gosec // it is for everybody to read
}

// start builds and starts what the measurements take.
func (b *bench) start(ctx context.Context) (err error) {
	if b.dir, err = os.MkdirTemp("", "paymosync-bench-"); err != nil {
		return err
	}
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	if b.options.profile != "" {
		if b.options.profile, err = filepath.Abs(b.options.profile); err != nil {
			return err
		}
		if err := os.MkdirAll(b.options.profile, 0o755); err != nil { //nolint:gosec // profiles are no secret
			return err
		}
	}
	if b.program, err = filepath.Abs(b.options.paymosync); err != nil {
		return err
	}
	if b.options.paymosync == "" {
		b.program = filepath.Join(b.dir, "paymosync")
		b.say("build paymosync")
		if err := build(ctx, b.program, b.options.profile != ""); err != nil {
			return err
		}
	}
	b.say("make the company of %d time entries", b.options.entries)
	if b.source, err = startSource(ctx, b.options.entries); err != nil {
		return err
	}
	b.databases, err = startDatabases(ctx)
	return err
}

// stop stops what start started.
func (b *bench) stop() (err error) {
	if b.source != nil {
		err = b.source.stop()
	}
	if b.databases != nil {
		err = errors.Join(err, b.databases.server.Stop())
	}
	return errors.Join(err, os.RemoveAll(b.dir))
}

func (b *bench) csv() string { return filepath.Join(b.dir, "time_entries.csv") }

// prepare loads the company without its time entries, and makes the CSV of those by a
// load that is not measured.
func (b *bench) prepare(ctx context.Context) error {
	b.say("load the company, and make the CSV of its time entries")
	if err := b.databases.do(ctx, "postgres", "CREATE DATABASE "+empty); err != nil {
		return err
	}
	if _, err := measure(b.paymosync(ctx, empty, "migrate")); err != nil {
		return err
	}
	sync := b.paymosync(ctx, empty, "sync")
	sync.Env = append(sync.Env, "SYNC_EXCLUDE_TABLES=time_entries")
	var err error
	if b.company, err = b.sample(ctx, func() (spent, error) { return measure(sync) }); err != nil {
		return err
	}
	if err := b.databases.settle(ctx, empty); err != nil {
		return err
	}
	const first = "first"
	if err := b.databases.copyOf(ctx, first, empty); err != nil {
		return err
	}
	if _, err := measure(b.syncCommand(ctx, first)); err != nil {
		return err
	}
	if b.content[false], err = b.databases.content(ctx, first); err != nil {
		return err
	}
	csv := b.copyCommand(ctx, first)
	csv.Args[6] = `\copy ` + table + ` TO '` + b.csv() + `' WITH (FORMAT csv)`
	if _, err := measure(csv); err != nil {
		return err
	}
	return b.databases.do(ctx, "postgres", "DROP DATABASE "+first)
}

// measure takes one sample of a row, and makes sure that the table holds what it should.
func (b *bench) measure(ctx context.Context, r row) error {
	if r.fresh {
		if err := b.databases.copyOf(ctx, r.base, empty); err != nil {
			return err
		}
	}
	if r.bare {
		if err := b.databases.dropIndexes(ctx, r.base); err != nil {
			return err
		}
	}
	if err := b.databases.settle(ctx, r.base); err != nil {
		return err
	}
	if err := b.source.begin(ctx, r.changed); err != nil {
		return err
	}
	s, err := b.sample(ctx, func() (spent, error) { return measure(r.program(b, ctx, r.base)) })
	if err != nil {
		return err
	}
	b.samples[r.letter] = append(b.samples[r.letter], s)
	return b.verify(ctx, r)
}

// verify holds the table against the first one that was made of the same company.
func (b *bench) verify(ctx context.Context, r row) error {
	got, err := b.databases.content(ctx, r.base)
	if err != nil {
		return err
	}
	want, ok := b.content[r.changed]
	switch {
	case !ok && got == b.content[false]:
		return errors.New("the table holds nothing of what changed")
	case !ok:
		b.content[r.changed] = got
	case got != want:
		return fmt.Errorf("the table holds %s, not %s", got, want)
	}
	return nil
}

// sample measures what work takes of everybody.
func (b *bench) sample(ctx context.Context, work func() (spent, error)) (sample, error) {
	before, err := b.databases.usage(ctx)
	if err != nil {
		return sample{}, err
	}
	sourceBefore, _ := processTime(b.source.cmd.Process.Pid)
	s := sample{}
	if s.spent, err = work(); err != nil {
		return sample{}, err
	}
	sourceAfter, _ := processTime(b.source.cmd.Process.Pid)
	after, err := b.databases.usage(ctx)
	if err != nil {
		return sample{}, err
	}
	s.source = sourceAfter - sourceBefore
	s.usage = usage{wal: after.wal - before.wal, cpu: after.cpu - before.cpu}
	s.asked, err = b.source.asked(ctx)
	return s, err
}

func (b *bench) say(format string, args ...any) { fmt.Fprintf(b.log, format+"\n", args...) }
