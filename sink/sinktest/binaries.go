package sinktest

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// ErrNoBinaries says that no PostgreSQL server is installed on the machine.
var ErrNoBinaries = errors.New("no PostgreSQL server binaries (initdb, postgres) of version 14 or newer found: " +
	"install the server package (postgresql on Debian, Ubuntu, Alpine and Homebrew, postgresql-server on Fedora)")

const oldestMajor = 14

// FindBinaries finds the directory of a PostgreSQL server's programs: what pg_config
// names, else the newest of the places where packages put them, else the PATH. Its
// error is ErrNoBinaries.
func FindBinaries() (dir string, err error) {
	var candidates []string
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		candidates = append(candidates, strings.TrimSpace(string(out)))
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin",         // Debian, Ubuntu
		"/usr/pgsql-*/bin",                  // packages of postgresql.org for Fedora and its kin
		"/usr/libexec/postgresql*",          // Alpine
		"/opt/homebrew/opt/postgresql*/bin", // Homebrew on arm64
		"/usr/local/opt/postgresql*/bin",    // Homebrew on amd64
		"/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
	} {
		found, _ := filepath.Glob(pattern) // fails for a bad pattern only
		slices.SortFunc(found, func(a, b string) int { return cmp.Or(number(b)-number(a), strings.Compare(b, a)) })
		candidates = append(candidates, found...)
	}
	if postgres, err := exec.LookPath("postgres"); err == nil {
		if postgres, err = filepath.EvalSymlinks(postgres); err == nil {
			candidates = append(candidates, filepath.Dir(postgres))
		}
	}
	for _, dir := range candidates {
		if usable(dir) {
			return dir, nil
		}
	}
	return "", ErrNoBinaries
}

// usable reports whether a directory holds a server that is new enough. pg_config, for
// one, may come with the client's headers alone.
func usable(dir string) bool {
	for _, program := range []string{"initdb", "postgres"} {
		if info, err := os.Stat(filepath.Join(dir, program)); err != nil || info.Mode()&0o111 == 0 {
			return false
		}
	}
	out, err := exec.Command(filepath.Join(dir, "postgres"), "--version").Output()
	return err == nil && number(string(out)) >= oldestMajor
}

// number is the first number in a text, 0 for none.
func number(text string) int {
	n, _ := strconv.Atoi(regexp.MustCompile(`\d+`).FindString(text))
	return n
}

func initdb(bin, data, passwordFile string) (string, []string) {
	return filepath.Join(bin, "initdb"), []string{
		"--pgdata=" + data,
		"--username=" + superuser,
		"--auth=scram-sha-256",
		"--pwfile=" + passwordFile,
		"--encoding=UTF8",
		"--no-locale",
		"--no-sync",
	}
}

func postgres(bin, data string, port int, durable bool) []string {
	args := []string{filepath.Join(bin, "postgres"), "-D", data}
	settings := []string{
		"listen_addresses=127.0.0.1",
		"port=" + strconv.Itoa(port),
		// No socket: its path may be longer than the system allows, and nobody needs it.
		"unix_socket_directories=",
		"max_connections=300",
		"logging_collector=off",
		"log_min_messages=warning",
	}
	if !durable {
		settings = append(settings, "fsync=off", "synchronous_commit=off", "full_page_writes=off")
	}
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	return args
}

func notExecutable(program string, err error, output []byte) error {
	return fmt.Errorf("run %s: %w: %s", program, err, strings.TrimSpace(string(output)))
}
