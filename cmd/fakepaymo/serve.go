package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/paymosync/paymosync/paymo/paymotest"
)

// stopTime is how long running replies have to end after a signal.
const stopTime = 5 * time.Second

// options are the flags of the server.
type options struct {
	config  paymotest.Config
	listen  string
	keys    []string
	auth    string
	window  string
	until   string
	order   string
	scopes  string
	live    float64
	faults  []string
	control bool
}

func newCommand(lookup func(string) (string, bool)) *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "fakepaymo",
		Short: "Serve a fake Paymo: a seeded company behind an API as strict as the real one",
		Long: `fakepaymo serves a Paymo to try things against, without an account.

The company is made from the seed: the same flags give the same rows, on the same
day or with the same --until. The key is
taken from FAKEPAYMO_KEY when there is no --key, so that it need not be an argument.

Faults bend replies: some fail, some break off, some lie. Of those that lie, move
skips rows between pages, forget leaves every 7th row out of lists, stale serves
rows as they were before their last change, and blank hides prices as from a
lesser key.

Hooks that clients make at /api/hooks are called, signed with their secrets; one that
answers 410 is deleted.`,
		Example: `  # a small agency, limited to 5 requests in 5 seconds as the real Paymo is
  fakepaymo

  # a big one without a limit, in which somebody does something twice a second
  fakepaymo --rate 0 --entries 1000000 --tasks 5000 --live 2

  # the first three lists of projects fail, and pages are capped at 50 rows
  fakepaymo --fault 503:projects:3 --fault page-cap=50

  curl -H "Authorization: demo-key" "http://127.0.0.1:8090/api/projects?page=0&page_size=5"`,
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if key, ok := lookup("FAKEPAYMO_KEY"); ok && key != "" && len(o.keys) == 0 {
				o.keys = strings.Split(key, ",")
			}
			return o.serve(cmd)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.listen, "listen", "127.0.0.1:8090", "address to serve on")
	f.StringArrayVar(&o.keys, "key", nil, "API key of an Admin, repeatable (default $FAKEPAYMO_KEY, else "+paymotest.DefaultKey+")")
	f.StringVar(&o.auth, "auth", string(paymotest.Both), "accepted Authorization: both, basic or raw")
	f.IntVar(&o.config.Rate, "rate", paymotest.DefaultRate, "requests per period and key, 0 for no limit")
	f.DurationVar(&o.config.Period, "period", paymotest.DefaultPeriod, "period of the limit")
	f.StringVar(&o.window, "window", "fixed", "window of the limit: fixed or sliding")
	f.Uint64Var(&o.config.Seed, "seed", 1, "seed of the company")
	f.IntVar(&o.config.Users, "users", 12, "people")
	f.IntVar(&o.config.Projects, "projects", 30, "projects")
	f.IntVar(&o.config.Tasks, "tasks", 300, "tasks")
	f.IntVar(&o.config.Entries, "entries", 2000, "time entries")
	f.StringVar(&o.order, "order", string(paymotest.Ascending), "order of lists: ascending, descending or shuffled")
	f.StringVar(&o.scopes, "scopes", string(paymotest.ScopesAny), "filters that satisfy lists which demand one: any, in (= or in, not null), "+
		"equal (one value), none (what comes as an include has no list) or open (none is demanded)")
	f.BoolVar(&o.config.RelaxEntries, "relax-entries", false, "list time entries without a filter")
	f.StringVar(&o.until, "until", "", "date at which the seeded history ends (default today)")
	f.BoolVar(&o.config.Hooks.Cascades, "hook-cascades", false, "call hooks for all that a deletion takes along, not for the object alone")
	f.IntVar(&o.config.Hooks.Retries, "hook-retries", 0, "how often a call of a hook is made again that failed")
	f.IntVar(&o.config.Hooks.Callers, "hook-callers", 1, "calls of hooks that are made at once; more than one disorders them")
	f.Float64Var(&o.live, "live", 0, "changes per second")
	f.StringArrayVar(&o.faults, "fault", nil, "KIND[=VALUE][:TABLE[:COUNT]], repeatable; KIND is an HTTP status or one of "+kinds())
	f.BoolVar(&o.control, "control", false, "serve POST /_fake/... to clients on this machine")
	cmd.AddCommand(healthcheck())
	return cmd
}

func kinds() string {
	var names []string
	for _, k := range paymotest.Faults() {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}

// server checks the flags and seeds the company.
func (o *options) server() (*paymotest.Server, error) {
	var errs []error
	switch o.config.Auth = paymotest.Auth(o.auth); o.config.Auth {
	case paymotest.Both, paymotest.Basic, paymotest.Raw:
	default:
		errs = append(errs, fmt.Errorf("--auth %s: want both, basic or raw", o.auth))
	}
	switch o.config.Order = paymotest.Order(o.order); o.config.Order {
	case paymotest.Ascending, paymotest.Descending, paymotest.Shuffled:
	default:
		errs = append(errs, fmt.Errorf("--order %s: want ascending, descending or shuffled", o.order))
	}
	if o.config.Scopes = paymotest.Scopes(o.scopes); !slices.Contains(paymotest.AllScopes(), o.config.Scopes) {
		errs = append(errs, fmt.Errorf("--scopes %s: want any, in, equal, none or open", o.scopes))
	}
	switch o.window {
	case "fixed", "sliding":
		o.config.Sliding = o.window == "sliding"
	default:
		errs = append(errs, fmt.Errorf("--window %s: want fixed or sliding", o.window))
	}
	if o.config.Hooks.Retries < 0 || o.config.Hooks.Callers < 1 {
		errs = append(errs, errors.New("--hook-retries and --hook-callers: want 0 and 1 or more"))
	}
	if o.live < 0 {
		errs = append(errs, fmt.Errorf("--live %v: want 0 or more", o.live))
	}
	for _, n := range []*int{&o.config.Projects, &o.config.Tasks, &o.config.Entries} {
		if *n == 0 {
			*n = -1 // here 0 means none
		}
	}
	// The history ends at the last midnight: recent, and the same all day.
	o.config.Until = time.Now().UTC().Truncate(24 * time.Hour)
	if o.until != "" {
		until, err := time.Parse(time.DateOnly, o.until)
		if err != nil {
			errs = append(errs, fmt.Errorf("--until %s: want a date such as 2026-06-01", o.until))
		}
		o.config.Until = until
	}
	if len(o.keys) > 0 {
		o.config.Key = o.keys[0]
	}
	var faults []paymotest.Fault
	for _, text := range o.faults {
		fault, err := paymotest.ParseFault(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("--fault: %w", err))
		}
		faults = append(faults, fault)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	s := paymotest.New(o.config)
	for _, key := range o.keys[min(1, len(o.keys)):] {
		s.AddKey(key, "Admin")
	}
	for _, fault := range faults {
		s.AddFault(fault)
	}
	return s, nil
}

// serve runs until the command's context ends, then lets replies finish.
func (o *options) serve(cmd *cobra.Command) error {
	s, err := o.server()
	if err != nil {
		return err
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(cmd.Context(), "tcp", o.listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", s)
	mux.HandleFunc("GET /_health", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "ok") })
	if o.control {
		mux.Handle("POST /_fake/", control(s))
	}
	g, ctx := errgroup.WithContext(cmd.Context())
	// Replies that wait on purpose (slow, drip, endless) end with the base context.
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second,
		BaseContext: func(net.Listener) context.Context { return ctx }}
	g.Go(func() error {
		if err := srv.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve: %w", err)
		}
		return nil
	})
	g.Go(func() error {
		s.Call(ctx)
		return nil
	})
	if o.live > 0 {
		g.Go(func() error {
			s.Live(ctx, o.live)
			return nil
		})
	}
	g.Go(func() error {
		<-ctx.Done()
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
		defer cancel()
		if err := srv.Shutdown(stop); err != nil {
			return errors.Join(fmt.Errorf("stop: %w", err), srv.Close())
		}
		return nil
	})
	_, _ = fmt.Fprintf(cmd.OutOrStdout(), "fake Paymo of %d projects, %d tasks and %d time entries on http://%s\n",
		s.Count("projects"), s.Count("tasks"), s.Count("time_entries"), listener.Addr())
	return g.Wait()
}

func healthcheck() *cobra.Command {
	var url string
	cmd := &cobra.Command{
		Use:     "healthcheck",
		Short:   "Ask a running fakepaymo whether it serves; exit 0 if it does",
		Example: "  fakepaymo healthcheck --url http://127.0.0.1:8090",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), 3*time.Second)
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(url, "/")+"/_health", nil)
			if err != nil {
				return fmt.Errorf("healthcheck: %w", err)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				return fmt.Errorf("healthcheck: %w", err)
			}
			defer resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				return fmt.Errorf("healthcheck: status %d", resp.StatusCode)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&url, "url", "http://127.0.0.1:8090", "where it serves")
	return cmd
}
