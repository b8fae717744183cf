// Command paymosync keeps a PostgreSQL warehouse equal to a Paymo account.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // schedules have time zones, small images have none
)

func main() { os.Exit(run()) }

// run is the program: the first signal ends its context, a second one ends it.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)

	root := newRoot(terminal{out: os.Stdout, err: os.Stderr}, os.Environ())
	err := root.ExecuteContext(ctx)
	if err != nil && !errors.Is(err, errUnwell) {
		fmt.Fprintln(os.Stderr, "paymosync:", describe(err))
	}
	return exitCode(err)
}
