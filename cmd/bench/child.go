package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// spent is what a program took.
type spent struct {
	took time.Duration
	cpu  time.Duration
	peak int64 // resident memory at most, in bytes; 0: unknown
}

// measure runs a program to its end.
func measure(cmd *exec.Cmd) (spent, error) {
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return spent{}, err
	}
	ended, watched := make(chan struct{}), make(chan int64)
	go func() { watched <- watchMemory(cmd.Process.Pid, ended) }()
	err := cmd.Wait()
	s := spent{took: time.Since(began), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	close(ended)
	s.peak = <-watched
	if err != nil {
		return spent{}, fmt.Errorf("%s: %w: %s", cmd, err, bytes.TrimSpace(said.Bytes()))
	}
	return s, nil
}

// watchMemory notes the peak of a program's resident memory until it has ended. What the
// system tells of ended processes begins with the memory of those that started them.
func watchMemory(pid int, ended <-chan struct{}) (peak int64) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		for line := range strings.Lines(string(status)) {
			if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
				kib, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
				peak = max(peak, kib<<10)
			}
		}
		select {
		case <-ended:
			return peak
		case <-tick.C:
		}
	}
}

// build builds paymosync as it is released, or one that writes profiles.
func build(ctx context.Context, path string, profiled bool) error {
	args := []string{"build", "-trimpath", "-ldflags", "-s -w", "-o", path}
	if profiled {
		args = append(args, "-tags", "profile")
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "github.com/paymosync/paymosync/cmd/paymosync")...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build paymosync: %w: %s", err, out)
	}
	return nil
}
