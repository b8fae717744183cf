package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/paymosync/paymosync/paymo/paymotest"
)

const (
	demoRate     = 0.7 // changes a second
	demoStopTime = 3 * time.Second
)

// demoPaymo is the fake Paymo of a demo.
type demoPaymo struct {
	demoPart
	url  string
	fake *paymotest.Server
}

// startDemoPaymo seeds a company and serves it on a free port of the loopback. It
// has no rate limit: a demo is not to be waited for.
func startDemoPaymo(ctx context.Context, o demoOptions) (demoPaymo, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return demoPaymo{}, fmt.Errorf("listen for the fake Paymo: %w", err)
	}
	fake := paymotest.New(paymotest.Config{
		Seed: o.seed, Users: o.users, Projects: o.projects, Tasks: 10 * o.projects, Entries: o.entries,
		// The history ends at the last midnight: recent, and the same all day.
		Until: time.Now().UTC().Truncate(24 * time.Hour),
	})
	server := &http.Server{Handler: fake, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	url := "http://" + listener.Addr().String()
	return demoPaymo{
		demoPart: demoPart{
			name: "fake Paymo",
			address: fmt.Sprintf("%s: %s, %s, %s time entries", url, counted(int64(fake.Count("users")), "user"),
				counted(int64(fake.Count("projects")), "project"), grouped(int64(fake.Count("time_entries")))),
			stopped: "Stopped the fake Paymo.",
			stop: func() error {
				ctx, cancel := context.WithTimeout(context.Background(), demoStopTime)
				defer cancel()
				err := server.Shutdown(ctx)
				if err != nil {
					err = server.Close() // whoever still asks gets no answer
				}
				if serveErr := <-served; !errors.Is(serveErr, http.ErrServerClosed) {
					err = errors.Join(err, serveErr)
				}
				if err != nil {
					return fmt.Errorf("stop the fake Paymo: %w", err)
				}
				return nil
			},
		},
		url:  url,
		fake: fake,
	}, nil
}
