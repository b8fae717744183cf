package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// A command whose results cannot be written has failed, and says so.
func TestProgramFullDisk(t *testing.T) {
	t.Parallel()
	w := newWorld(t, agency())
	for _, args := range [][]string{{"tables"}, {"tables", "users"}, {"migrate", "status"}, {"check"}, {"check", "--json"}, {"status"}, {"version"}, {"--help"}} {
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Skip(err)
		}
		cmd := exec.Command(programPath(t), args...)
		for name, value := range w.variables {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
		var words strings.Builder
		cmd.Stdout, cmd.Stderr = full, &words
		err = cmd.Run()
		full.Close()
		if code := cmd.ProcessState.ExitCode(); code != exitUnwell || !strings.Contains(words.String(), "no space left") {
			t.Errorf("%s: %v, %s", strings.Join(args, " "), err, words.String())
		}
	}
}
