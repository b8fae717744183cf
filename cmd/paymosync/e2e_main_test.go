package main

import (
	"fmt"
	"os"
	"testing"

	"github.com/paymosync/paymosync/sink/sinktest"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if err := sinktest.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	if err := removeBinaries(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code) //nolint:forbidigo // TestMain has no other way to fail
}
