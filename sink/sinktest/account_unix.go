//go:build unix

package sinktest

import (
	"errors"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is the user that the server runs as. The zero value is the process's own.
type account struct {
	name     string
	uid, gid uint32
}

// serverUser is the process's own user, or an ordinary one when that is root.
func serverUser() (account, error) {
	if os.Geteuid() != 0 {
		return account{}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		if uidErr == nil && gidErr == nil && uid != 0 {
			return account{name: name, uid: uint32(uid), gid: uint32(gid)}, nil
		}
	}
	return account{}, errors.New("start a PostgreSQL server: PostgreSQL does not run as root, " +
		"and there is no user postgres or nobody to run it as: run as an ordinary user")
}

// own reports whether the account is the process's own.
func (a account) own() bool { return a.name == "" }

// give makes the account the owner of a file.
func (a account) give(path string) error {
	if a.own() {
		return nil
	}
	return os.Chown(path, int(a.uid), int(a.gid))
}

// runs makes a command run as the account.
func (a account) runs(cmd *exec.Cmd) {
	if !a.own() {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: a.uid, Gid: a.gid}}
	}
}

// tempDir is the directory for temporary files, or /tmp where the account cannot reach
// that, as when it is in root's home.
func (a account) tempDir() string {
	temp := os.TempDir()
	if a.own() {
		return temp
	}
	for dir := temp; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm()&0o001 == 0 {
			return "/tmp"
		}
		if dir == filepath.Dir(dir) {
			return temp
		}
	}
}

// detach gives a command a process group of its own.
func detach(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
}

// kill ends a detached command and its children at once.
func kill(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
