package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"syscall"
	"testing"
	"unsafe"
)

// openTerminal makes a terminal; what is written to the second end is read from the
// first.
func openTerminal(t *testing.T) (reader, terminal *os.File) {
	t.Helper()
	reader, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	var number, locked int32
	size := [4]uint16{50, 120} // lines and columns
	for _, call := range []struct {
		request  uintptr
		argument unsafe.Pointer
	}{
		{syscall.TIOCGPTN, unsafe.Pointer(&number)}, {syscall.TIOCSPTLCK, unsafe.Pointer(&locked)}, {syscall.TIOCSWINSZ, unsafe.Pointer(&size)},
	} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, reader.Fd(), call.request, uintptr(call.argument)); errno != 0 {
			t.Fatal(errno)
		}
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reader.Close() })
	return reader, terminal
}

// On a terminal states have colours, unless NO_COLOR is set.
func TestProgramColours(t *testing.T) {
	t.Parallel()
	w := newWorld(t, agency())
	colour := regexp.MustCompile(`\x1b\[[0-9;]*[1-9][0-9;]*m`)
	for _, test := range []struct {
		world *world
		want  bool
	}{{w, true}, {w.with("NO_COLOR", "1"), false}} {
		for _, command := range []string{"sync", "status"} {
			reader, terminal := openTerminal(t)
			cmd := exec.Command(programPath(t), command)
			cmd.Env = []string{"TERM=xterm-256color"}
			for name, value := range test.world.variables {
				cmd.Env = append(cmd.Env, name+"="+value)
			}
			cmd.Stdout, cmd.Stderr = terminal, terminal
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			terminal.Close()
			text, _ := io.ReadAll(reader) // ends with an error when the other end is closed
			if err := cmd.Wait(); err != nil {
				t.Fatalf("%v: %s", err, text)
			}
			if got := colour.Match(text); got != test.want {
				t.Errorf("%s with NO_COLOR=%q: coloured is %v:\n%q", command, test.world.variables["NO_COLOR"], got, text)
			}
		}
	}
}
