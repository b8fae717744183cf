package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	embeddedpostgres "github.com/fergusstrange/embedded-postgres"
)

const (
	fetchedPostgres = embeddedpostgres.V17
	fetchedFrom     = "https://repo1.maven.org/maven2"
)

// fetchPostgres gives the programs of a PostgreSQL that is downloaded the first
// time.
func (p *program) fetchPostgres(ctx context.Context) (bin string, err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find a directory to keep a downloaded PostgreSQL in: %w: set HOME, or %s", err, withoutFetching)
	}
	dir := filepath.Join(cache, "paymosync", "postgresql-"+string(fetchedPostgres))
	bin = filepath.Join(dir, "bin")
	if _, err := os.Stat(filepath.Join(bin, "postgres")); err == nil {
		return bin, nil
	}
	p.tell("  No PostgreSQL is installed: downloading %s once, to %s", fetchedPostgres, dir)
	if err := fetchPostgres(ctx, fetchedFrom, dir); err != nil {
		return "", err
	}
	return bin, nil
}

const withoutFetching = "install PostgreSQL's server package (postgresql on Debian, Ubuntu, Alpine and Homebrew, postgresql-server on Fedora), or set DATABASE_URL"

// fetchPostgres downloads the programs into a directory, which is there only when
// they all are.
//
// The package that knows where they lie can also run them, but its server would
// outlive a demo that is killed; sinktest's does not. So it is made to stop when it
// has unpacked them: the encoding that it is told to use does not exist.
func fetchPostgres(ctx context.Context, repository, dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o750); err != nil {
		return fmt.Errorf("make a directory for a downloaded PostgreSQL: %w: make it writable, or %s", err, withoutFetching)
	}
	work, err := os.MkdirTemp(filepath.Dir(dir), "fetch-")
	if err != nil {
		return fmt.Errorf("make a directory for a downloaded PostgreSQL: %w: make it writable, or %s", err, withoutFetching)
	}
	defer func() { _ = os.RemoveAll(work) }() // what is left of it harms nobody
	unpacked := filepath.Join(work, "unpacked")
	database := embeddedpostgres.NewDatabase(embeddedpostgres.DefaultConfig().
		Version(fetchedPostgres).
		BinaryRepositoryURL(repository).
		CachePath(filepath.Join(work, "archive")).
		RuntimePath(filepath.Join(work, "run")).
		BinariesPath(unpacked).
		Encoding("none").
		Port(0). // none is taken
		Logger(io.Discard))
	done := make(chan error, 1)
	go func() { done <- database.Start() }()
	select {
	case <-ctx.Done():
		return ctx.Err() // the download ends with the process
	case err = <-done:
	}
	if err == nil {
		err = errors.Join(errors.New("it ran, which it was not to"), database.Stop())
	}
	if !strings.HasPrefix(err.Error(), "unable to init database") {
		return fmt.Errorf("download PostgreSQL %s from %s: %w: connect to the internet and try again, or %s", fetchedPostgres, repository, err, withoutFetching)
	}
	if err := os.Rename(unpacked, dir); err != nil {
		if _, statErr := os.Stat(filepath.Join(dir, "bin", "postgres")); statErr != nil {
			return fmt.Errorf("keep the downloaded PostgreSQL: %w", err)
		}
	}
	return nil
}
