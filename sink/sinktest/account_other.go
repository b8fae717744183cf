//go:build !unix

package sinktest

import (
	"errors"
	"os"
	"os/exec"
)

// account stands for the user that a server runs as, on systems where none is started.
type account struct{}

func serverUser() (account, error) {
	return account{}, errors.New("start a PostgreSQL server: that works on Unix systems only")
}

func (account) give(string) error { return nil }
func (account) runs(*exec.Cmd)    {}
func (account) tempDir() string   { return os.TempDir() }
func detach(*exec.Cmd)            {}
func kill(cmd *exec.Cmd)          { _ = cmd.Process.Kill() }
