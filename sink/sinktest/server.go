// Package sinktest provides throwaway PostgreSQL servers, and, to tests, databases
// that are migrated and empty.
//
// The server also serves `paymosync demo`.
package sinktest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	superuser   = "postgres"
	startWithin = time.Minute
	stopWithin  = 15 * time.Second
	pollEvery   = 25 * time.Millisecond
)

var errEnded = errors.New("it ended at once")

// Options say how to run a server. The zero value is right for tests.
type Options struct {
	Bin     string // directory of the server's programs; "" for what FindBinaries finds
	Durable bool   // write to disk as a real server does; without it a crash of the machine loses all
}

// Server is a PostgreSQL server of its own data, on a port of the loopback that only
// the bearer of its password can use. It ends with the process that started it,
// however that ends, and its data with it.
type Server struct {
	url      string
	dir      string
	args     []string // of the server
	owner    account
	cmd      *exec.Cmd
	lifeline io.Closer // the watcher ends the server when it is closed
	ended    *os.File  // at its end when the server has ended
	stop     sync.Once
	stopErr  error
}

// Start makes and starts a server, and returns when it takes connections. As root it
// runs the server as an ordinary user, since PostgreSQL refuses root. If ctx ends
// while it starts, it is stopped; later the end of ctx means nothing.
func Start(ctx context.Context, o Options) (*Server, error) {
	if o.Bin == "" {
		bin, err := FindBinaries()
		if err != nil {
			return nil, err
		}
		o.Bin = bin
	}
	owner, err := serverUser()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(owner.tempDir(), "paymosync-postgres-")
	if err != nil {
		return nil, fmt.Errorf("make the data directory of a PostgreSQL server: %w", err)
	}
	s := &Server{dir: dir, owner: owner}
	if err := s.start(ctx, o); err != nil {
		return nil, errors.Join(fmt.Errorf("start a PostgreSQL server from %s: %w", o.Bin, err), s.Stop())
	}
	return s, nil
}

// URL is the address of the server's database postgres, with its superuser's password.
func (s *Server) URL() string { return s.url }

// Stop ends the server and deletes its data. It may be called again and from anywhere.
func (s *Server) Stop() error {
	s.stop.Do(func() { s.stopErr = s.end() })
	return s.stopErr
}

// Down takes the server down, its data stays: fast, or at once, as a crash would. Up
// brings it back.
func (s *Server) Down(atOnce bool) error {
	text, err := os.ReadFile(filepath.Join(s.dir, "data", "postmaster.pid"))
	if err != nil {
		return fmt.Errorf("take the PostgreSQL server down: %w", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(line)
	if err != nil {
		return fmt.Errorf("take the PostgreSQL server down: %w", err)
	}
	signal := os.Signal(syscall.SIGINT)
	if atOnce {
		signal = syscall.SIGQUIT
	}
	process, err := os.FindProcess(pid)
	if err == nil {
		err = process.Signal(signal)
	}
	if err != nil {
		return fmt.Errorf("take the PostgreSQL server down: %w", err)
	}
	if !s.hasEnded(stopWithin) {
		return fmt.Errorf("take the PostgreSQL server down: it did not end within %v", stopWithin)
	}
	s.reap()
	return nil
}

// Up starts a server that is down, at the address that it had.
func (s *Server) Up(ctx context.Context) error {
	if err := s.launch(); err != nil {
		return err
	}
	return s.await(ctx)
}

func (s *Server) start(ctx context.Context, o Options) error {
	owner := s.owner
	password := rand.Text()
	passwordFile := filepath.Join(s.dir, "password")
	if err := os.WriteFile(passwordFile, []byte(password), 0o600); err != nil {
		return err
	}
	for _, path := range []string{s.dir, passwordFile} {
		if err := owner.give(path); err != nil {
			return err
		}
	}
	data := filepath.Join(s.dir, "data")
	program, args := initdb(o.Bin, data, passwordFile)
	init := exec.CommandContext(ctx, program, args...)
	init.Dir, init.Env = s.dir, environment()
	owner.runs(init)
	// It runs the server to fill the directory; that one has to end with it.
	detach(init)
	init.Cancel = func() error {
		kill(init)
		return nil
	}
	if out, err := init.CombinedOutput(); err != nil {
		return notExecutable(program, err, out)
	}
	if err := os.Remove(passwordFile); err != nil {
		return err
	}
	// Between the choice of a port and its use another process may take it.
	for attempt := 1; ; attempt++ {
		port, err := freePort()
		if err != nil {
			return err
		}
		s.url = (&url.URL{
			Scheme: "postgres", User: url.UserPassword(superuser, password),
			Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), Path: "/postgres", RawQuery: "sslmode=disable",
		}).String()
		s.args = postgres(o.Bin, data, port, o.Durable)
		if err := s.launch(); err != nil {
			return err
		}
		if err := s.await(ctx); !errors.Is(err, errEnded) || attempt == 3 {
			return err
		}
		s.reap()
	}
}

// watcher runs the server, and ends it and deletes its data when its standard input
// ends, which it does when the process that started it is no more, killed or not. (A
// parent-death signal would be sent when the starting thread ends, not the process, and
// exists on Linux only.)
const watcher = `
dir=$1; shift
exec 3<&0 4>&1 >"$dir/log" 2>&1 </dev/null
"$@" 3<&- 4>&- &
server=$!
( read -r _ <&3; : >"$dir/ending"; kill -INT $server ) 4>&- &
lifeline=$!
wait $server
if [ -e "$dir/ending" ]; then
	cd / && rm -rf "$dir"
else
	kill $lifeline
fi
`

func (s *Server) launch() error {
	s.cmd = exec.Command("/bin/sh", append([]string{"-c", watcher, "paymosync-postgres", s.dir}, s.args...)...)
	s.cmd.Dir, s.cmd.Env = s.dir, environment()
	s.owner.runs(s.cmd)
	// A group of its own: Ctrl-C at a terminal is for this process, which may need the
	// database to end well.
	detach(s.cmd)
	lifeline, err := s.cmd.StdinPipe()
	if err != nil {
		return err
	}
	ended, write, err := os.Pipe()
	if err != nil {
		return err
	}
	s.cmd.Stdout = write
	err = s.cmd.Start()
	write.Close()
	if err != nil {
		s.cmd = nil
		ended.Close()
		return err
	}
	s.lifeline, s.ended = lifeline, ended
	return nil
}

// await waits until the server takes connections.
func (s *Server) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, s.url)
		if err == nil {
			return conn.Close(ctx)
		}
		if ctx.Err() != nil {
			return fmt.Errorf("wait for it to take connections: %w", errors.Join(ctx.Err(), err))
		}
		if s.hasEnded(pollEvery) {
			return fmt.Errorf("%w: %s", errEnded, s.lastWords())
		}
	}
}

// hasEnded waits for the server's end, but no longer than d.
func (s *Server) hasEnded(d time.Duration) bool {
	_ = s.ended.SetReadDeadline(time.Now().Add(d)) // pipes have deadlines
	_, err := s.ended.Read(make([]byte, 1))
	return errors.Is(err, io.EOF)
}

// lastWords are the end of the server's log.
func (s *Server) lastWords() string {
	log, err := os.ReadFile(filepath.Join(s.dir, "log"))
	if err != nil {
		return "it left no log"
	}
	lines := strings.Split(string(bytes.TrimSpace(log)), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], "; ")
}

func (s *Server) end() error {
	var err error
	if s.cmd != nil {
		s.lifeline.Close()
		if !s.hasEnded(stopWithin) {
			err = fmt.Errorf("stop the PostgreSQL server in %s: it did not end within %v and was killed", s.dir, stopWithin)
			kill(s.cmd)
		}
		s.reap()
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

// reap lets go of a watcher that has ended.
func (s *Server) reap() {
	_ = s.cmd.Wait() // how the shell ended says nothing
	s.lifeline.Close()
	s.ended.Close()
	s.cmd = nil
}

// environment is the little that the server's programs need: PGDATA, PGPORT and their
// like would lead them elsewhere.
func environment() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
