package main

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// guessesAtOnce is how many wrong passwords an address may send in a row, and
	// guessEvery how often one more after that.
	guessesAtOnce = 10
	guessEvery    = 10 * time.Second
	// maxGuessers bounds how many addresses are remembered.
	maxGuessers = 4096
)

// guesses slows down whoever guesses passwords. Each address has an allowance of its
// own, so that one who guesses does not shut out the others; the addresses of an IPv6
// network count as one. It is safe for concurrent use.
type guesses struct {
	now func() time.Time

	mu sync.Mutex
	by map[netip.Prefix]*rate.Limiter
}

func newGuesses() *guesses {
	return &guesses{now: time.Now, by: make(map[netip.Prefix]*rate.Limiter)}
}

// judge counts a wrong password against the address, and says how long it has to
// wait: then the password was refused, right or not. A right one gives nothing back:
// behind a proxy, many people share an address.
func (g *guesses) judge(remote string, right bool) time.Duration {
	network := networkOf(remote)
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	limiter, known := g.by[network]
	if known {
		if left := limiter.TokensAt(now); left < 1 {
			return time.Duration((1 - left) * float64(guessEvery))
		}
	}
	if right {
		return 0
	}
	if !known {
		g.makeRoom(now)
		limiter = rate.NewLimiter(rate.Every(guessEvery), guessesAtOnce)
		g.by[network] = limiter
	}
	limiter.AllowN(now, 1)
	return 0
}

// makeRoom forgets those who have their whole allowance back, and somebody if there
// is none.
func (g *guesses) makeRoom(now time.Time) {
	if len(g.by) < maxGuessers {
		return
	}
	for network, limiter := range g.by {
		if limiter.TokensAt(now) >= guessesAtOnce {
			delete(g.by, network)
		}
	}
	for network := range g.by {
		if len(g.by) < maxGuessers {
			return
		}
		delete(g.by, network)
	}
}

// networkOf is whom an address stands for: itself, or its network of 64 bits.
func networkOf(remote string) netip.Prefix {
	address, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Prefix{} // all of them share one allowance
	}
	ip, bits := address.Addr().Unmap().WithZone(""), 64
	if ip.Is4() {
		bits = 32
	}
	network, _ := ip.Prefix(bits) // the address and its length are valid
	return network
}
