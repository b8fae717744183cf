package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"testing"
)

// testRelease is the version of the programs that are built here.
const testRelease = "v0.0.0-test"

// raceDetector reports whether the tests run under it: then so does the program.
func raceDetector() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// The program is built once for all tests, with the flags of the tests (GOFLAGS among
// them), so that little more than linking is left to do.
var (
	binaries      = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "paymosync-e2e-") })
	usualBinary   = sync.OnceValues(func() (string, error) { return build("usual", raceDetector()) })
	releaseBinary = sync.OnceValues(func() (string, error) { return build("release", false) })
)

func build(name string, race bool) (string, error) {
	dir, err := binaries()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, name)
	args := []string{"build", "-o", path, "-ldflags", "-s -w -X main.release=" + testRelease}
	if race {
		args = append(args, "-race")
	}
	if out, err := exec.Command("go", append(args, ".")...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return path, nil
}

// removeBinaries is for the end of all tests.
func removeBinaries() error {
	dir, err := binaries()
	return errors.Join(err, os.RemoveAll(dir))
}

// programPath is the path of the program under test.
func programPath(t *testing.T) string {
	t.Helper()
	path, err := usualBinary()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// releasePath is the path of the program as it is released: without the race
// detector, which takes several times the memory.
func releasePath(t *testing.T) string {
	t.Helper()
	if !raceDetector() {
		return programPath(t)
	}
	path, err := releaseBinary()
	if err != nil {
		t.Fatal(err)
	}
	return path
}
