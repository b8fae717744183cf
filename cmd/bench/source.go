package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/paymosync/paymosync/paymo/paymotest"
)

// changedShare is which share of the time entries is changed in the changed company.
const changedShare = 100 // one in so many

// company is the company of so many time entries, and the people and projects for them.
func company(entries int) paymotest.Config {
	return paymotest.Config{
		Seed:     6,
		Users:    max(12, min(60, entries/10_000)),
		Projects: max(30, min(600, entries/1_500)),
		Tasks:    max(300, min(20_000, entries/50)),
		Entries:  entries,
	}
}

// sourceCommand serves the company. It is a process of its own, so that neither its
// memory nor its work counts as paymosync's, and ends with its standard input.
func sourceCommand() *cobra.Command {
	var entries int
	command := &cobra.Command{
		Use:    "source",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return serveSource(cmd.Context(), entries, cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	command.Flags().IntVar(&entries, "entries", 1_000_000, "time entries")
	return command
}

func serveSource(ctx context.Context, entries int, in io.Reader, out io.Writer) error {
	companies, err := makeCompanies(entries)
	if err != nil {
		return err
	}
	var now atomic.Pointer[prepared]
	now.Store(companies[0])
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { now.Load().ServeHTTP(w, r) })
	// Begins anew with the one company or the other.
	mux.HandleFunc("POST /_bench/begin", func(_ http.ResponseWriter, r *http.Request) {
		p := companies[0]
		if r.URL.Query().Get("changed") == "true" {
			p = companies[1]
		}
		p.asked.Store(0)
		p.ready.Store(0)
		now.Store(p)
	})
	mux.HandleFunc("GET /_bench/asked", func(w http.ResponseWriter, _ *http.Request) {
		p := now.Load()
		_ = json.NewEncoder(w).Encode(asked{Requests: p.asked.Load(), Ready: p.ready.Load()})
	})
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		_, _ = io.Copy(io.Discard, in)
		_ = server.Close() // it serves no more either way
	}()
	fmt.Fprintf(out, "http://%s %d\n", listener.Addr(), len(companies[0].body))
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// makeCompanies makes the company, and the same with a part of its time entries changed.
func makeCompanies(entries int) ([2]*prepared, error) {
	first := prepare(paymotest.New(company(entries)))
	changed := paymotest.New(company(entries))
	for i := 0; i < len(first.ids); i += changedShare {
		if err := changed.Patch("time_entries", first.ids[i], map[string]any{"description": fmt.Sprint("changed, ", i), "billed": true}); err != nil {
			return [2]*prepared{}, err
		}
	}
	return [2]*prepared{first, prepare(changed)}, nil
}

// asked is what the source was asked since it began anew.
type asked struct {
	Requests int64 `json:"requests"`
	Ready    int64 `json:"ready"` // answered with prepared bytes
}

// source is the running source.
type source struct {
	cmd   *exec.Cmd
	in    io.Closer
	url   string
	bytes int64 // of all time entries
}

func startSource(ctx context.Context, entries int) (*source, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &source{cmd: exec.CommandContext(ctx, program, "source", "--entries", fmt.Sprint(entries))}
	s.cmd.Stderr = os.Stderr
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the source: %w", err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err == nil {
		_, err = fmt.Sscan(line, &s.url, &s.bytes)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the source: it said %q: %w", line, err), s.stop())
	}
	return s, nil
}

func (s *source) stop() error {
	s.in.Close()
	if err := s.cmd.Wait(); err != nil {
		return fmt.Errorf("stop the source: %w", err)
	}
	return nil
}

// begin makes it serve the company as it was made, or the changed one, and count anew.
func (s *source) begin(ctx context.Context, changed bool) error {
	return s.call(ctx, http.MethodPost, fmt.Sprint("/_bench/begin?changed=", changed), nil)
}

// asked is what it was asked since.
func (s *source) asked(ctx context.Context) (a asked, err error) {
	return a, s.call(ctx, http.MethodGet, "/_bench/asked", &a)
}

func (s *source) call(ctx context.Context, method, path string, reply any) error {
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, strings.NewReader(""))
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("ask the source: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("ask the source: %s", resp.Status)
	}
	if reply == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(reply)
}
