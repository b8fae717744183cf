package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"syscall"
	"testing"
	"time"
)

// mustBeJSON fails the test where a line of the log is not JSON; it gives the lines.
func mustBeJSON(t *testing.T, log string) []map[string]any {
	t.Helper()
	var lines []map[string]any
	for line := range strings.Lines(log) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Errorf("%v: %s", err, line)
			continue
		}
		lines = append(lines, fields)
	}
	if len(lines) == 0 {
		t.Fatal("the log is empty")
	}
	return lines
}

// Every line of the service's log is JSON where that is asked for, the last one too.
func TestProgramServeSaysWhyAsJSON(t *testing.T) {
	t.Parallel()
	w := newWorld(t, agency())
	wrong := w.with("LOG_FORMAT", "json", "DATABASE_URL", withUser(t, w.variables["DATABASE_URL"], "no_such_role", "x"))
	r := wrong.run("serve").mustExit(exitUnwell)
	lines := mustBeJSON(t, r.err)
	last := lines[len(lines)-1]
	if text := fmt.Sprint(last["error"]); last["level"] != "ERROR" || !strings.Contains(text, "no_such_role") || strings.Contains(text, "\n") {
		t.Errorf("it ends with %v", last)
	}
	if n := strings.Count(r.err, "no_such_role"); n > 3 {
		t.Errorf("it says %d times who was refused:\n%s", n, r.err)
	}
}

// A service that is stopped while it waits for its database has nothing to warn of, and
// what it waits for is said in one line.
func TestProgramServeStopsWaiting(t *testing.T) {
	t.Parallel()
	w := newWorld(t, agency()).with("LOG_FORMAT", "json")
	newGate(w)
	service := w.start("serve")
	within(t, 10*time.Second, "the log says that it waits", func() error { return says(service, "not ready, trying again") })
	_, report, err := w.probe("/readyz")
	if err != nil || !strings.Contains(report["database"], "refused") || strings.Contains(report["database"], "\n") {
		t.Errorf("readyz: %q, %v", report, err)
	}
	for _, line := range mustBeJSON(t, service.mustStop().err) {
		text := fmt.Sprint(line["error"])
		if strings.Contains(text, "interrupted") || strings.Contains(text, "canceled") || strings.Contains(text, "\n") || line["msg"] == "not ready, trying again" && line["wait"] != "2s" {
			t.Errorf("it logs %v", line)
		}
	}
}

// Where hanging up was to be ignored from the start, as under nohup, it is.
func TestProgramServeIgnoresHangup(t *testing.T) {
	t.Parallel()
	w := newWorld(t, agency())
	service := startChild(t, "/bin/sh", w.variables, "-c", `trap "" HUP; exec "$0" serve`, programPath(t))
	w.awaitReady(20 * time.Second)
	service.signal(syscall.SIGHUP)
	w.run("healthcheck").mustExit(exitOK)
	if !service.running() || strings.Contains(service.err.String(), "stopped") {
		t.Errorf("it stops:\n%s", service.err.String())
	}
	service.mustStop()
}

// Closing the terminal stops the service as a signal to end does.
func TestProgramServeHungUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, agency())
	service := w.start("serve")
	w.awaitReady(20 * time.Second)
	service.signal(syscall.SIGHUP)
	service.waitFor(time.Minute).mustExit(exitOK).mustSay("msg=stopped")
}

// Durations are text in both formats.
func TestLoggerDurations(t *testing.T) {
	t.Parallel()
	for format, want := range map[string]string{"text": "took=24ms", "json": `"took":"24ms"`} {
		var log bytes.Buffer
		terminal{err: &log}.logger(Config{LogFormat: format}, slog.LevelInfo).Info("done", "took", 24*time.Millisecond)
		if !strings.Contains(log.String(), want) {
			t.Errorf("%s: %s", format, log.String())
		}
	}
}
