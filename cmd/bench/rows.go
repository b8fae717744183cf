package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/paymosync/paymosync/paymo/paymotest"
)

// row is one way to fill the table, or to keep it equal.
type row struct {
	letter  string
	what    string
	fresh   bool   // into an empty table; else into that of the row before
	changed bool   // from the changed company
	bare    bool   // into a table with its primary key alone
	base    string // the database
	program func(b *bench, ctx context.Context, database string) *exec.Cmd
}

func rows() []row {
	return []row{
		{letter: "a", what: "`psql \\copy` from a ready CSV", fresh: true, base: "copied", program: (*bench).copyCommand},
		{letter: "b", what: "paymosync, first load", fresh: true, base: "synced", program: (*bench).syncCommand},
		{letter: "c", what: "paymosync, full, nothing changed", base: "synced", program: (*bench).fullCommand},
		{letter: "d", what: "paymosync, full, 1 % changed", changed: true, base: "synced", program: (*bench).fullCommand},
		{letter: "e", what: "upsert by upsert, in batches", fresh: true, base: "upserted", program: (*bench).upsertCommand},
		{letter: "f", what: "paymosync, first load, no index but the primary key", fresh: true, bare: true, base: "bare", program: (*bench).syncCommand},
	}
}

func letters() []string {
	var all []string
	for _, r := range rows() {
		all = append(all, r.letter)
	}
	return all
}

func (b *bench) copyCommand(ctx context.Context, database string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, b.databases.psql, "-X", "-q", "-v", "ON_ERROR_STOP=1",
		"-c", `\copy `+table+` FROM '`+b.csv()+`' WITH (FORMAT csv)`, b.databases.url(database))
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	return cmd
}

func (b *bench) syncCommand(ctx context.Context, database string) *exec.Cmd {
	return b.paymosync(ctx, database, "sync", "time_entries")
}

func (b *bench) fullCommand(ctx context.Context, database string) *exec.Cmd {
	return b.paymosync(ctx, database, "sync", "--full", "time_entries")
}

// paymosync is a run of the program. It gets none of the machine's variables.
func (b *bench) paymosync(ctx context.Context, database string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, b.program, args...)
	cmd.Dir = b.dir
	cmd.Env = []string{
		"HOME=" + b.dir,
		"PATH=" + os.Getenv("PATH"),
		"DATABASE_URL=" + b.databases.url(database),
		"PAYMO_BASE_URL=" + b.source.url,
		"PAYMO_API_KEY=" + paymotest.DefaultKey,
	}
	if b.options.profile != "" {
		b.profiles++
		cmd.Env = append(cmd.Env, "PAYMOSYNC_PROFILE="+filepath.Join(b.options.profile, fmt.Sprintf("%02d-%s.pprof", b.profiles, database)))
	}
	return cmd
}

func (b *bench) upsertCommand(ctx context.Context, database string) *exec.Cmd {
	return exec.CommandContext(ctx, b.self, "upsert", b.source.url, b.databases.url(database))
}
