package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// smallDisk is a file system of its own, which holds a database and can be filled.
type smallDisk struct {
	t   *testing.T
	dir string
}

// newSmallDisk mounts one for the user whose server keeps its data in the directory.
func newSmallDisk(t *testing.T, data string) smallDisk {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("to mount a small file system takes root")
	}
	info, err := os.Stat(data)
	if err != nil {
		t.Fatal(err)
	}
	owner := info.Sys().(*syscall.Stat_t)
	disk := smallDisk{t: t, dir: filepath.Join(filepath.Dir(data), "small")}
	if err := os.Mkdir(disk.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	options := fmt.Sprintf("size=48m,mode=700,uid=%d,gid=%d", owner.Uid, owner.Gid)
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", options, "tmpfs", disk.dir).CombinedOutput(); err != nil {
		t.Fatalf("mount a small file system: %v: %s", err, out)
	}
	t.Cleanup(func() {
		// The server may have files open there still.
		if out, err := exec.Command("umount", "--lazy", disk.dir).CombinedOutput(); err != nil {
			t.Errorf("unmount the small file system: %v: %s", err, out)
		}
	})
	return disk
}

// fill leaves so many bytes of the disk free.
func (d smallDisk) fill(free int64) {
	d.t.Helper()
	var at syscall.Statfs_t
	if err := syscall.Statfs(d.dir, &at); err != nil {
		d.t.Fatal(err)
	}
	ballast := make([]byte, max(0, int64(at.Bavail)*at.Bsize-free))
	if err := os.WriteFile(d.ballast(), ballast, 0o600); err != nil && !errors.Is(err, syscall.ENOSPC) {
		d.t.Fatal(err)
	}
}

func (d smallDisk) ballast() string { return filepath.Join(d.dir, "ballast") }

// empty takes the filling out.
func (d smallDisk) empty() {
	d.t.Helper()
	if err := os.Remove(d.ballast()); err != nil {
		d.t.Fatal(err)
	}
}

// When PostgreSQL's disk is full, in the middle of a first load or of the service's work,
// that is said, nothing is lost, and with room on the disk all goes on by itself.
func TestProgramDatabaseDiskFull(t *testing.T) {
	t.Parallel()
	server := ownServer(t)
	admin := open(t, server.URL())
	var data string
	if err := admin.QueryRow(t.Context(), `SHOW data_directory`).Scan(&data); err != nil {
		t.Fatal(err)
	}
	disk := newSmallDisk(t, data)
	for _, statement := range []string{
		`CREATE TABLESPACE small LOCATION '` + disk.dir + `'`,
		`CREATE DATABASE small TABLESPACE small`,
	} {
		if _, err := admin.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	address, err := url.Parse(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	address.Path = "/small"
	company := agency()
	company.Entries = 20_000
	w := newWorldOn(t, company, open(t, address.String())).with("SYNC_SCHEDULE", "@every 1s")
	w.run("migrate").mustExit(exitOK)

	disk.fill(6 << 20)
	w.run("sync").mustExit(exitUnwell).mustSay("No space left on device")
	t.Logf("%d rows were in when the disk was full", value[int](w, `SELECT count(*) FROM paymo.time_entries`))
	disk.empty()
	w.run("sync").mustExit(exitOK)
	w.mustEqual()

	service := w.start("serve")
	w.follow()
	disk.fill(0)
	for n := range 200 {
		w.putLong(n)
	}
	within(t, 60*time.Second, "the service says what is the matter", func() error {
		if !strings.Contains(service.out.String()+service.err.String(), "No space left on device") {
			return errors.New("it does not")
		}
		return nil
	})
	disk.empty()
	lag := w.follow()
	service.mustStop()
	t.Logf("a change was in %v after the disk had room again", lag)
	w.run("sync").mustExit(exitOK)
	w.mustEqual()
}

// putLong adds a client that takes room on the disk, however well it is packed.
func (w *world) putLong(n int) {
	w.t.Helper()
	var address strings.Builder
	for address.Len() < 6000 {
		address.WriteString(rand.Text())
	}
	if _, err := w.paymo.Put("clients", map[string]any{
		"name": fmt.Sprintf("client %d", n), "active": true, "address": address.String(),
	}); err != nil {
		w.t.Fatal(err)
	}
}
