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
	defer profile()()
	ctx, forget := untilHangup(context.Background())
	defer forget()
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)

	out := &stdout{file: os.Stdout}
	root := newRoot(terminal{in: os.Stdin, out: out, err: os.Stderr}, os.Environ())
	err := root.ExecuteContext(ctx)
	if failed := out.failed(); failed != nil && (err == nil || errors.Is(err, errUnwell)) {
		err = failed
	}
	var said *saidError
	if err != nil && !errors.Is(err, errUnwell) && !errors.As(err, &said) {
		fmt.Fprintln(os.Stderr, "paymosync:", describe(err))
	}
	return exitCode(err)
}

// untilHangup is a context that ends when the terminal is closed. That comes as several
// signals, from the kernel and from the shell, so that a second one ends nothing; and
// under nohup it is no reason to end at all.
func untilHangup(ctx context.Context) (context.Context, context.CancelFunc) {
	if signal.Ignored(syscall.SIGHUP) {
		return context.WithCancel(ctx)
	}
	return signal.NotifyContext(ctx, syscall.SIGHUP)
}
