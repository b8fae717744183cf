package main

import (
	"archive/zip"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/paymosync/paymosync/sink/sinktest"
)

// startDemo starts a demo with a PostgreSQL of its own.
func startDemo(t *testing.T, args ...string) *child {
	t.Helper()
	if _, err := sinktest.FindBinaries(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return startChild(t, programPath(t), nil, append([]string{"demo", "--entries", "3000"}, args...)...)
}

// awaitDemo waits until the demo prints what the pattern matches.
func awaitDemo(t *testing.T, demo *child, pattern string) {
	t.Helper()
	match := regexp.MustCompile(pattern)
	within(t, time.Minute, "the demo says "+pattern, func() error {
		if !demo.running() || !match.MatchString(demo.out.String()) {
			return fmt.Errorf("not in:\n%s\n%s", demo.out.String(), demo.err.String())
		}
		return nil
	})
}

// startedAt finds in a demo's output where a part of it listens.
func startedAt(t *testing.T, output, part string) string {
	t.Helper()
	line := regexp.MustCompile(part + ` +(?:http://)?(127\.0\.0\.1:\d+)`).FindStringSubmatch(output)
	if line == nil {
		t.Fatalf("the demo does not say where its %s is:\n%s", part, output)
	}
	return line[1]
}

// mustLeaveNothing waits until nothing that a demo started is there any more.
func mustLeaveNothing(t *testing.T, output string) {
	t.Helper()
	for _, part := range []string{"PostgreSQL", "fake Paymo"} {
		address := startedAt(t, output, part)
		within(t, 10*time.Second, part+" has ended", func() error {
			if conn, err := net.Dial("tcp", address); err == nil {
				conn.Close()
				return errors.New("it still listens")
			}
			return nil
		})
	}
	_, port, _ := net.SplitHostPort(startedAt(t, output, "PostgreSQL"))
	within(t, 10*time.Second, "its processes have ended", func() error { return noProcess("port=" + port) })
}

// noProcess fails when a process has the argument.
func noProcess(argument string) error {
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return err
	}
	for _, file := range files {
		arguments, _ := os.ReadFile(file) // it may have ended meanwhile
		if strings.Contains(string(arguments), "\x00"+argument+"\x00") {
			return fmt.Errorf("%s: %s", file, strings.ReplaceAll(string(arguments), "\x00", " "))
		}
	}
	return nil
}

func TestDemoOnce(t *testing.T) {
	t.Parallel()
	r := startDemo(t, "--once").wait().mustExit(exitOK)
	for _, line := range []string{
		`time_entries: ok, 3,000 new`,                      // the progress
		`TABLE +STATE +NEW`, `time_entries +ok +3,000 +0 `, // the summary
		`TABLE +STATE +ROWS`, `time_entries +ok +3,000 +\d`, // the status
		`FROM paymo.time_entries`, `CLIENT +PROJECT +ENTRIES +HOURS`, `\w +\d+ +\d+\.\d\n`, // question and answer
		`Stopped PostgreSQL`,
	} {
		if !regexp.MustCompile(line).MatchString(r.out + r.err) {
			t.Errorf("the demo does not say %q", line)
		}
	}
	if strings.Contains(r.out+r.err, "PAYMO_API_KEY") || t.Failed() {
		t.Errorf("%s\n%s", r.out, r.err)
	}
	mustLeaveNothing(t, r.out)
}

// TestDemoFollows waits until the company's work shows, and ends the demo as people do.
func TestDemoFollows(t *testing.T) {
	t.Parallel()
	demo := startDemo(t)
	awaitDemo(t, demo, `(?m)^\d\d:\d\d:\d\d  [a-z_]+: \d+ changes? told by Paymo`)
	demo.signal(os.Interrupt)
	r := demo.waitFor(20*time.Second).mustExit(exitOK).mustSay("Stopped the service.", "Stopped the fake Paymo.", "Stopped PostgreSQL and deleted its data.")
	mustLeaveNothing(t, r.out)
}

// TestDemoInterrupted interrupts the demo while it still starts.
func TestDemoInterrupted(t *testing.T) {
	t.Parallel()
	demo := startDemo(t, "--once", "--entries", "1000000")
	awaitDemo(t, demo, `The first sync`)
	demo.signal(os.Interrupt)
	r := demo.waitFor(20 * time.Second).mustExit(exitInterrupted).mustSay("Stopped PostgreSQL and deleted its data.")
	mustLeaveNothing(t, r.out)
}

// TestDemoHungUp closes the terminal, which comes as several signals.
func TestDemoHungUp(t *testing.T) {
	t.Parallel()
	demo := startDemo(t, "--once", "--entries", "1000000")
	awaitDemo(t, demo, `The first sync`)
	demo.signal(syscall.SIGHUP)
	awaitDemo(t, demo, `Stopped the fake Paymo`)
	demo.signal(syscall.SIGHUP)
	r := demo.waitFor(20 * time.Second).mustExit(exitInterrupted).mustSay("Stopped PostgreSQL and deleted its data.")
	mustLeaveNothing(t, r.out)
}

func TestDemoKilled(t *testing.T) {
	t.Parallel()
	demo := startDemo(t)
	awaitDemo(t, demo, `Ctrl-C stops everything`)
	demo.kill()
	<-demo.ended
	mustLeaveNothing(t, demo.out.String())
}

// TestDemoOnServer holds the demo to a database of its own on somebody's server.
func TestDemoOnServer(t *testing.T) {
	t.Parallel()
	pool := sinktest.Empty(t)
	address := pool.Config().ConnString()
	r := startChild(t, programPath(t), map[string]string{"DATABASE_URL": address}, "demo", "--once", "--entries", "100").wait().mustExit(exitOK)
	name := regexp.MustCompile(demoPrefix + `\w+`).FindString(r.out)
	r.mustSay("Dropped the database " + name)
	for what, query := range map[string]string{
		"the demo's database":            "SELECT count(*) FROM pg_database WHERE datname = '" + name + "'",
		"schemas in DATABASE_URL's own ": "SELECT count(*) FROM pg_namespace WHERE nspname IN ('paymo', 'paymosync', 'river')",
	} {
		var n int
		if err := pool.QueryRow(t.Context(), query).Scan(&n); err != nil || n != 0 {
			t.Errorf("left behind: %d %s (%v)", n, what, err)
		}
	}

	startChild(t, programPath(t), map[string]string{"DATABASE_URL": "vault://secret/x#url"}, "demo").wait().mustExit(exitConfig).mustSay("DATABASE_URL")
}

func TestDemoAddress(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ address, there, psql string }{
		{
			"postgres://u:p%40ss@h:5433/real?sslmode=require&dbname=real&password=x",
			"postgres://u:p%40ss@h:5433/demo?password=x&sslmode=require", "psql 'postgres://u@h:5433/demo?sslmode=require'",
		},
		{"host=h dbname=real password=x", "host=h dbname=real password=x dbname=demo", "psql, with the settings of DATABASE_URL and dbname=demo"},
	} {
		if there, psql := inDatabase(test.address, "demo"); there != test.there || psql != test.psql {
			t.Errorf("%s: got %s and %s", test.address, there, psql)
		}
	}
}

func TestDemoWrongUsage(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--users", "0"}, {"--entries", "-1"}, {"--projects", "x"}, {"more"}} {
		startChild(t, programPath(t), nil, append([]string{"demo"}, args...)...).wait().mustExit(exitConfig)
	}
}

// programsArchive is a .txz of bin/initdb, bin/pg_ctl and bin/postgres, shell scripts
// that fail.
const programsArchive = "/Td6WFoAAAFpIt42AgAhARwAAAAQz1jM4Cf/AJtdADEaShsFkZA3OlG9V3Gz1uQT2IkQonAbexNN15tic70r6rNJbkVqC6RLQH2665UL531xp7xGLwZ7XwcXL/wvKJ1XmYboX9C1sHqiJXeoA4tSCUm8xy/szQTiQjJWrqQBPSE1MVZxdApxsaUBJX5LtJPqmgdcNJiLV3duDxXncyigyHJ3NjxDKQRRNiKG7snAepIgKTJOWNxa35gAAACRLYADAAGzAYBQAAA9BI7jPjANiwIAAAAAAVla"

// TestFetchPostgres is not parallel: what it calls leaves a log among the temporary
// files.
func TestFetchPostgres(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	archive, err := base64.StdEncoding.DecodeString(programsArchive)
	if err != nil {
		t.Fatal(err)
	}
	downloads := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, ".jar") || strings.HasPrefix(r.URL.Path, "/empty/") {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		downloads++
		jar := zip.NewWriter(w)
		file, _ := jar.Create("postgres.txz")
		_, _ = file.Write(archive)
		_ = jar.Close()
	}))
	defer server.Close()
	dir := filepath.Join(t.TempDir(), "cache", "postgresql")
	for _, repository := range []string{server.URL + "/empty", "http://127.0.0.1:1"} {
		err := fetchPostgres(t.Context(), repository, dir)
		if err == nil || !strings.Contains(err.Error(), "install PostgreSQL's server package") || !strings.Contains(err.Error(), repository) {
			t.Errorf("from %s: %v", repository, err)
		}
	}
	if err := fetchPostgres(t.Context(), server.URL, dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "bin", "postgres")); err != nil || downloads != 1 {
		t.Errorf("after %d downloads: %v", downloads, err)
	}
	left, err := os.ReadDir(filepath.Dir(dir))
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
}
