package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// childTime is how long a run of the program may take before it is taken as hung.
const childTime = 2 * time.Minute

// child is a run of the real program. It gets the variables that the test gives it
// and none of the machine's.
type child struct {
	t        *testing.T
	cmd      *exec.Cmd
	out, err output
	began    time.Time
	ended    chan struct{} // closed when the program has ended
	took     time.Duration
	watched  chan struct{} // closed when peak is final
	peak     int64         // resident memory at most, in KiB, as far as it was seen
}

// startChild starts the program. It is killed with the test, if it still runs.
func startChild(t *testing.T, path string, variables map[string]string, args ...string) *child {
	t.Helper()
	c := &child{t: t, cmd: exec.Command(path, args...), began: time.Now(), ended: make(chan struct{}), watched: make(chan struct{})}
	home := t.TempDir()
	c.cmd.Dir = home
	c.cmd.Env = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH")}
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		c.cmd.Env = append(c.cmd.Env, name+"="+variables[name])
	}
	c.cmd.Stdout, c.cmd.Stderr = &c.out, &c.err
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go c.watchMemory()
	go func() {
		_ = c.cmd.Wait() // how it ended is read from the process state
		c.took = time.Since(c.began)
		close(c.ended)
	}()
	t.Cleanup(func() {
		c.kill()
		<-c.ended
		<-c.watched
	})
	return c
}

// kill ends the program as a power cut would.
func (c *child) kill() { _ = c.cmd.Process.Kill() }

// signal sends a signal to the program.
func (c *child) signal(s os.Signal) {
	c.t.Helper()
	if err := c.cmd.Process.Signal(s); err != nil {
		c.t.Fatalf("signal the program: %v", err)
	}
}

// wait waits for the end and tells how it was. A program that does not end shows what
// it is doing.
func (c *child) wait() result {
	c.t.Helper()
	return c.waitFor(childTime)
}

func (c *child) waitFor(d time.Duration) result {
	c.t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-c.ended:
	case <-timer.C:
		_ = c.cmd.Process.Signal(syscall.SIGQUIT)
		<-c.ended
		c.t.Fatalf("%s did not end within %v:\n%s\n%s", c, d, c.out.String(), c.err.String())
	}
	<-c.watched
	r := result{t: c.t, name: c.String(), code: c.cmd.ProcessState.ExitCode(), out: c.out.String(), err: c.err.String(), took: c.took, peak: c.peak}
	for _, text := range []string{r.out, r.err} {
		if strings.Contains(text, "\x1b") {
			c.t.Errorf("%s writes escape codes where no terminal is:\n%q", c, text)
		}
		if strings.Contains(text, "DATA RACE") || strings.Contains(text, "panic:") {
			c.t.Errorf("%s: %s", c, text)
		}
	}
	return r
}

// running reports whether the program has not ended yet.
func (c *child) running() bool {
	select {
	case <-c.ended:
		return false
	default:
		return true
	}
}

// String is the command as it was given.
func (c *child) String() string { return "paymosync " + strings.Join(c.cmd.Args[1:], " ") }

// watchMemory notes the peak of the resident memory. The one that the system tells of
// ended processes begins with that of the process which started them, these tests.
func (c *child) watchMemory() {
	defer close(c.watched)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
		if err != nil {
			return
		}
		for line := range strings.Lines(string(status)) {
			if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
				kib, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
				c.peak = max(c.peak, kib)
			}
		}
		select {
		case <-c.ended:
			return
		case <-tick.C:
		}
	}
}

// result is how a run of the program ended.
type result struct {
	t        *testing.T
	name     string
	code     int
	out, err string
	took     time.Duration
	peak     int64 // KiB
}

// mustExit fails the test where the exit code is another.
func (r result) mustExit(code int) result {
	r.t.Helper()
	if r.code != code {
		r.t.Fatalf("%s ended with %d, want %d:\n%s\n%s", r.name, r.code, code, r.out, r.err)
	}
	return r
}

// mustSay fails the test where a text is missing in what was printed.
func (r result) mustSay(texts ...string) result {
	r.t.Helper()
	for _, text := range texts {
		if !strings.Contains(r.out+r.err, text) {
			r.t.Errorf("%s does not say %q:\n%s\n%s", r.name, text, r.out, r.err)
		}
	}
	return r
}

// output collects what a program writes, and can be read meanwhile.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// within polls until the condition holds.
func within(t *testing.T, limit time.Duration, what string, condition func() error) time.Duration {
	t.Helper()
	began := time.Now()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := condition()
		if err == nil {
			return time.Since(began)
		}
		if time.Since(began) > limit {
			t.Fatalf("%s: not within %v: %v", what, limit, err)
		}
		<-tick.C
	}
}
