package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of the times in /proc, on every system that Go runs on.
const tick = 10 * time.Millisecond

// processTime is the processor time of a process and its ended children so far; 0 where
// the system does not tell.
func processTime(pid int) (own, children time.Duration) {
	fields := statOf(pid)
	if len(fields) < 15 {
		return 0, 0
	}
	var n [4]int64
	for i := range n {
		n[i], _ = strconv.ParseInt(fields[11+i], 10, 64)
	}
	return time.Duration(n[0]+n[1]) * tick, time.Duration(n[2]+n[3]) * tick
}

// familyTime is the processor time of a process and all its children so far.
func familyTime(pid int) time.Duration {
	own, ended := processTime(pid)
	total := own + ended
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		child, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if fields := statOf(child); err == nil && len(fields) > 1 && fields[1] == strconv.Itoa(pid) {
			running, _ := processTime(child)
			total += running
		}
	}
	return total
}

// settled reads a time until it stands still: that of a process which is just ending is
// missed while it is handed to its parent.
func settled(ctx context.Context, read func() time.Duration) time.Duration {
	ticker := time.NewTicker(5 * tick)
	defer ticker.Stop()
	last := read()
	for range 20 {
		select {
		case <-ctx.Done():
			return last
		case <-ticker.C:
		}
		now := read()
		if now == last {
			break
		}
		last = now
	}
	return last
}

// statOf are the fields of a process's stat after its name.
func statOf(pid int) []string {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
}
