package main

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/paymosync/paymosync/paymo/paymotest"
	"github.com/paymosync/paymosync/sink/sinktest"
)

// chaos is several processes on one database, and everything that they hang on.
type chaos struct {
	*world
	chance   *rand.Rand
	database *sinktest.Server
	vault    *vaultServer
	replicas []*child
	gates    []*gate // before PostgreSQL and Paymo
	deck     []int   // of strikes, which are to come before any comes again
	done     map[string]int
}

// draw is which strike comes next.
func (c *chaos) draw() int {
	if len(c.deck) == 0 {
		c.deck = c.chance.Perm(14)
	}
	last := len(c.deck) - 1
	n := c.deck[last]
	c.deck = c.deck[:last]
	return n
}

// strike lets one thing happen, and what was ended comes back.
func (c *chaos) strike() {
	t := c.t
	t.Helper()
	var what string
	gate := c.gates[c.chance.IntN(len(c.gates))]
	switch n := c.draw(); {
	case n < 6:
		what = "a process was killed"
		i := c.chance.IntN(len(c.replicas))
		c.replicas[i].kill()
		<-c.replicas[i].ended
		c.pause(time.Second)
		c.replicas[i] = c.serve()
	case n < 8:
		atOnce := c.chance.IntN(2) == 0
		what = "postgresql was stopped"
		if atOnce {
			what = "postgresql was ended at once"
		}
		if err := c.database.Down(atOnce); err != nil {
			t.Fatal(err)
		}
		c.pause(1500 * time.Millisecond)
		if err := c.database.Up(t.Context()); err != nil {
			t.Fatal(err)
		}
	case n < 9:
		what = "vault was stopped"
		c.vault.Stop(t)
		c.pause(3 * time.Second)
		c.vault.Start(t)
	case n < 10:
		what = "connections were cut"
		gate.close()
		c.pause(time.Second)
		gate.open()
	case n < 11:
		what = "messages ended in their middle"
		gate.trouble(0, true, 300*time.Millisecond)
	case n < 12:
		what = "messages came late"
		gate.trouble(200*time.Millisecond, false, time.Second)
	case n < 13:
		what = "connections hung"
		gate.hang(2 * time.Second)
	default:
		what = "replies of paymo were cut"
		c.paymo.AddFault(paymotest.Fault{Kind: paymotest.FaultCut, Count: 5})
	}
	c.done[what]++
	c.pause(1500 * time.Millisecond)
}

// pause lets a random time pass, so that what comes next strikes at any moment.
func (c *chaos) pause(most time.Duration) {
	time.Sleep(time.Duration(c.chance.Int64N(int64(most)))) //nolint:forbidigo // the moment is to be random
}

// serve starts a process of its own address.
func (c *chaos) serve() *child { return c.with("HTTP_ADDR", freeAddr(c.t)).start("serve") }

// Three processes follow a company at work while they are killed, PostgreSQL and Vault are
// restarted, and connections are cut, hang, delay or halve messages, whatever they are
// at. At the end nothing is missing, doubled, blanked or wrongly deleted, and no table
// had two writers.
func TestSoakChaos(t *testing.T) {
	t.Parallel()
	length := 20 * time.Second
	if soak() {
		length = 10 * time.Minute
	}
	chance := seed(t)
	database := ownServerWith(t, sinktest.Options{Durable: true})
	vault := startStoppableVault(t)
	company := agency()
	company.Seed = chance.Uint64()
	w := withVault(newWorldOn(t, company, open(t, database.URL())), vault, map[string]any{"token_ttl": "4s", "token_max_ttl": "12s"}).
		with("SYNC_SCHEDULE", "@every 2s", "FULL_SYNC_SCHEDULE", "@every 15s")
	c := &chaos{world: w, chance: chance, database: database, vault: vault, done: map[string]int{}}
	c.gates = []*gate{newGateBefore(w, "DATABASE_URL"), newGateBefore(w, "PAYMO_BASE_URL")}
	for _, gate := range c.gates {
		gate.open()
	}
	for range 3 {
		c.replicas = append(c.replicas, c.serve())
	}
	ctx, stop := context.WithCancel(context.Background())
	var working sync.WaitGroup
	working.Go(func() { w.paymo.Live(ctx, 20) })
	t.Cleanup(func() { stop(); working.Wait() })

	for began := time.Now(); time.Since(began) < length || len(c.deck) > 0 || soak() && c.done["a process was killed"] < 100; {
		c.strike()
	}
	stop()
	working.Wait()
	w.paymo.ClearFaults()
	w.pool.Reset()
	// Two times over: a sync that was under way may have missed the last change.
	w.awaitFresh(90 * time.Second)
	w.awaitFresh(90 * time.Second)
	if i := slices.IndexFunc(c.replicas, func(r *child) bool { return !r.running() }); i >= 0 {
		t.Errorf("process %d ended by itself:\n%s", i, c.replicas[i].err.String())
	}
	for _, replica := range c.replicas {
		replica.mustStop()
	}
	t.Logf("%v, and %d runs", c.done, value[int](w, `SELECT count(*) FROM paymosync.runs`))
	w.mustNotOverlap()
	w.bury()
	w.mustEqual()
	if n := value[int](w, `SELECT count(*) FROM paymosync.checkpoints WHERE state <> 'ok'`); n > 0 {
		t.Errorf("%d tables are not ok", n)
	}
}
