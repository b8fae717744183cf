package main

import (
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// gate is a server's address that can be closed: what connects to it then is refused, and
// what is connected is cut. What passes it can be troubled.
type gate struct {
	t       *testing.T
	address string // host:port
	target  string

	flow  sync.RWMutex // locked while nothing passes
	delay time.Duration
	halve bool
	deaf  atomic.Int64 // of the connections, those up to this number are never heard again

	mu       sync.Mutex
	listener net.Listener
	conns    []net.Conn
}

// newGate puts a gate before the world's database. It is closed.
func newGate(w *world) *gate {
	w.t.Helper()
	return newGateBefore(w, "DATABASE_URL")
}

// newGateBefore is newGate before the database that a variable names.
func newGateBefore(w *world, variable string) *gate {
	w.t.Helper()
	u, err := url.Parse(w.variables[variable])
	if err != nil {
		w.t.Fatal(err)
	}
	g := &gate{t: w.t, address: freeAddr(w.t), target: u.Host}
	u.Host = g.address
	w.variables[variable] = u.String()
	w.t.Cleanup(g.close)
	return g
}

func (g *gate) open() {
	g.t.Helper()
	listener, err := net.Listen("tcp", g.address)
	if err != nil {
		g.t.Fatal(err)
	}
	g.mu.Lock()
	g.listener = listener
	g.mu.Unlock()
	go func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			to, err := net.Dial("tcp", g.target)
			if err != nil {
				from.Close()
				continue
			}
			g.mu.Lock()
			g.conns = append(g.conns, from, to)
			number := int64(len(g.conns))
			g.mu.Unlock()
			go g.pass(from, to, number)
			go g.pass(to, from, number)
		}
	}()
}

// pass passes what it reads, as it comes or as the trouble wants it; either end may break it.
func (g *gate) pass(to, from net.Conn, number int64) {
	defer to.Close()
	defer from.Close()
	chunk := make([]byte, 32<<10)
	for {
		n, err := from.Read(chunk)
		g.flow.RLock()
		delay, halve := g.delay, g.halve
		g.flow.RUnlock()
		if number <= g.deaf.Load() && err == nil {
			continue
		}
		time.Sleep(delay) //nolint:forbidigo // the delay is the trouble
		if halve {
			_, _ = to.Write(chunk[:n/2])
			return
		}
		if _, broken := to.Write(chunk[:n]); broken != nil || err != nil {
			return
		}
	}
}

// trouble lets messages come late for a while, or end in their middle.
func (g *gate) trouble(delay time.Duration, halve bool, lasts time.Duration) {
	set := func(delay time.Duration, halve bool) {
		g.flow.Lock()
		defer g.flow.Unlock()
		g.delay, g.halve = delay, halve
	}
	set(delay, halve)
	time.Sleep(lasts) //nolint:forbidigo // the trouble lasts so long
	set(0, false)
}

// hang lets nothing pass for a while; all of it comes then.
func (g *gate) hang(lasts time.Duration) {
	g.flow.Lock()
	defer g.flow.Unlock()
	time.Sleep(lasts) //nolint:forbidigo // the trouble lasts so long
}

// forget lets nothing pass any more on the connections that are open, without an end to
// them, as a network does that has lost them.
func (g *gate) forget() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.deaf.Store(int64(len(g.conns)))
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.listener == nil {
		return
	}
	g.listener.Close()
	for _, conn := range g.conns {
		conn.Close()
	}
	g.listener, g.conns = nil, nil
	g.deaf.Store(0)
}
