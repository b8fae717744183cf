package main

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// watched is a program on a terminal of its own, whose keys are the test's.
type watched struct {
	child
	reader *os.File
}

// watch starts the program on a terminal.
func (w *world) watch(args ...string) *watched {
	w.t.Helper()
	reader, terminal := openTerminal(w.t)
	c := &watched{child: child{t: w.t, cmd: exec.Command(programPath(w.t), args...), ended: make(chan struct{})}, reader: reader}
	c.cmd.Env = []string{"TERM=xterm-256color", "HOME=" + w.t.TempDir()}
	for name, value := range w.variables {
		c.cmd.Env = append(c.cmd.Env, name+"="+value)
	}
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = terminal, terminal, terminal
	if err := c.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	terminal.Close()
	read := make(chan struct{})
	go func() {
		defer close(read)
		buffer := make([]byte, 4096)
		for {
			n, err := reader.Read(buffer)
			_, _ = c.out.Write(buffer[:n])
			if err != nil {
				return // the other end is closed
			}
		}
	}()
	go func() {
		_ = c.cmd.Wait() // how it ended is read from the process state
		<-read
		close(c.ended)
	}()
	w.t.Cleanup(func() {
		c.kill()
		<-c.ended
	})
	return c
}

// press types keys.
func (c *watched) press(keys string) {
	c.t.Helper()
	if _, err := c.reader.WriteString(keys); err != nil {
		c.t.Fatal(err)
	}
}

// mustEnd waits for the end, and fails the test where the exit code is another or the
// terminal was not given back.
func (c *watched) mustEnd(code int) {
	c.t.Helper()
	within(c.t, childTime, "the program ends", func() error {
		if c.running() {
			return errors.New("it runs")
		}
		return nil
	})
	out := c.out.String()
	if got := c.cmd.ProcessState.ExitCode(); got != code {
		c.t.Errorf("it ended with %d, want %d:\n%q", got, code, out)
	}
	if strings.Count(out, enterScreen) != 1 || strings.Count(out, leaveScreen) != 1 || !strings.HasSuffix(strings.TrimSpace(strings.ReplaceAll(out, "paymosync: interrupted", "")), leaveScreen) {
		c.t.Errorf("the terminal is not as it was:\n%q", out)
	}
}

// On a terminal the watched status is drawn on the other screen, follows what happens,
// says so when the database is lost, and goes with q, Ctrl-C or a signal.
func TestProgramWatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, agency()).with("SYNC_TABLES", "users reports", "NO_COLOR", "1")
	w.run("sync").mustExit(exitOK)
	guarded := w.with()
	g := newGate(guarded)
	g.open()
	c := guarded.watch("status", "--watch=1s")
	at := c.mustShow(0, "tables   2 ok")
	at = c.mustShow(at, "every 1s · q ends")
	w.run("pause", "users").mustExit(exitOK)
	at = c.mustShow(at, "tables   1 paused, 1 ok")
	at = c.mustShow(at, "  → run paymosync resume users to let its syncs go on")
	g.close()
	at = c.mustShow(at, "The database cannot be read since ")
	at = c.mustShow(at, "users paused: ") // what is known is kept
	g.open()
	w.run("resume", "users").mustExit(exitOK)
	c.mustShow(at, "tables   2 ok")
	c.press("x")
	c.press("q")
	c.mustEnd(exitOK)

	for _, end := range []func(*watched){
		func(c *watched) { c.press("\x03") },
		func(c *watched) { c.signal(os.Interrupt) },
	} {
		c := w.watch("status", "--watch", "users")
		c.mustShow(0, "tables   1 ok")
		end(c)
		c.mustEnd(exitInterrupted)
	}
}
