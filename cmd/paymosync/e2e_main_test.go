package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"

	"go.uber.org/goleak"

	"github.com/paymosync/paymosync/sink/sinktest"
)

// atOnceInTests is how many tests run at once, unless -parallel says otherwise: most
// wait for schedules, leases and tokens, not for a processor.
const atOnceInTests = 4

func TestMain(m *testing.M) {
	flag.Parse()
	if parallel := flag.Lookup("test.parallel"); parallel.Value.String() == parallel.DefValue && runtime.GOMAXPROCS(0) < atOnceInTests {
		if err := parallel.Value.Set(strconv.Itoa(atOnceInTests)); err != nil {
			panic(err)
		}
	}
	code := m.Run()
	chromium.Stop()
	if err := sinktest.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	if err := removeBinaries(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}
