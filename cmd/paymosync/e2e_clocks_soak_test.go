//go:build soak

package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// skewedProgram builds the program with a clock that is off by TEST_CLOCK_OFF seconds: of
// Go's library one function is another. All of it is compiled anew, so this is no test for
// every day.
func skewedProgram(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	original := filepath.Join(runtime.GOROOT(), "src", "time", "time.go")
	text, err := os.ReadFile(original)
	if err != nil {
		t.Fatal(err)
	}
	const reading = "	sec, nsec, mono := runtimeNow()\n"
	before, after, ok := strings.Cut(string(text), "func Now() Time {\n"+reading)
	if !ok {
		t.Fatal("time.Now is not as it was")
	}
	before = strings.Replace(before, `	"math/bits"`+"\n", `	"math/bits"`+"\n"+`	"syscall"`+"\n", 1)
	changed := before + "func Now() Time {\n" + reading + "	sec += clockOff\n" + after + `
var clockOff = func() int64 {
	text, _ := syscall.Getenv("TEST_CLOCK_OFF")
	n, sign := int64(0), int64(1)
	for _, c := range []byte(text) {
		if c == '-' {
			sign = -1
			continue
		}
		n = n*10 + int64(c-'0')
	}
	return sign * n
}()
`
	file, overlay, program := filepath.Join(dir, "time.go"), filepath.Join(dir, "overlay.json"), filepath.Join(dir, "paymosync")
	list, err := json.Marshal(map[string]map[string]string{"Replace": {original: file}})
	if err != nil {
		t.Fatal(err)
	}
	for path, content := range map[string][]byte{file: []byte(changed), overlay: list} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.CommandContext(t.Context(), "go", "build", "-overlay", overlay, "-o", program, ".").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return program
}

// Three processes, of which one is an hour ahead and one an hour behind, are one service:
// changes come in at the schedule's pace whoever leads, and no table has two writers.
func TestSoakClocks(t *testing.T) {
	t.Parallel()
	program := skewedProgram(t)
	w := newWorld(t, agency()).with("SYNC_SCHEDULE", "@every 2s", "FULL_SYNC_SCHEDULE", "@every 30s")
	offs := []string{"3600", "-3600", "0"}
	serve := func(off string) *child {
		return startChild(t, program, w.with("HTTP_ADDR", freeAddr(t), "TEST_CLOCK_OFF", off).variables, "serve")
	}
	said := startChild(t, program, w.with("TEST_CLOCK_OFF", "3600").variables, "status").wait()
	t.Logf("an hour ahead, status says:\n%s%s", said.out, said.err)

	processes := []*child{serve(offs[0]), serve(offs[1]), serve(offs[2])}
	ctx, stop := context.WithCancel(context.Background())
	var working sync.WaitGroup
	working.Go(func() { w.paymo.Live(ctx, 20) })
	t.Cleanup(func() { stop(); working.Wait() })
	w.awaitFresh(60 * time.Second)
	for i, off := range append(offs, offs...) { // each of them leads once, or is ended as it leads
		processes[i%3].kill()
		<-processes[i%3].ended
		lag := w.follow()
		t.Logf("without the process that is %s s off a change is in after %v", off, lag)
		processes[i%3] = serve(off)
		w.awaitFresh(60 * time.Second)
	}
	stop()
	working.Wait()
	w.awaitFresh(60 * time.Second)
	for _, process := range processes {
		process.mustStop()
	}
	w.mustNotOverlap()
	w.bury()
	w.mustEqual()
}
