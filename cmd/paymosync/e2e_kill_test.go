package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/paymo/paymotest"
)

// killKind is what is going on when the kill strikes.
type killKind struct {
	args   []string
	midway bool          // there was a sync before, and changes since
	took   time.Duration // when it was not killed
}

// killRound is a kill, or several in a row, in a world of its own.
type killRound struct {
	world *world
	kind  killKind
	after []time.Duration // when they strike
}

// A sync that is killed at a random moment is repaired by the next one, within a
// minute: nothing is missing, doubled or blanked. It is killed in the first load, in
// an incremental and in a later full, once and several times in a row.
func TestSoakKills(t *testing.T) {
	t.Parallel()
	chance := seed(t)
	rounds := 5
	if soak() {
		rounds = 40
	}
	kinds := rehearse(t, chance)
	// The wait for the leases of the killed is most of the time, so they wait together.
	const together = 5
	for n := 0; n < rounds; n += together {
		var batch sync.WaitGroup
		for i := n; i < min(n+together, rounds); i++ {
			round := killRound{world: newKillWorld(t, chance), kind: kinds[i%len(kinds)]}
			for range 1 + i%2 {
				round.after = append(round.after, 30*time.Millisecond+time.Duration(chance.Int64N(int64(round.kind.took))))
			}
			batch.Go(func() { round.play(i) })
		}
		batch.Wait()
	}
}

func newKillWorld(t *testing.T, chance *rand.Rand) *world {
	t.Helper()
	// A low cap makes many slices of a table, between which the kill may strike.
	w := newWorld(t, paymotest.Config{Seed: chance.Uint64(), Entries: 6000, Cap: 700})
	slow(w, 40*time.Millisecond)
	return w
}

// rehearse runs each kind to its end.
func rehearse(t *testing.T, chance *rand.Rand) []killKind {
	t.Helper()
	w := newKillWorld(t, chance)
	kinds := []killKind{{args: []string{"sync"}}, {args: []string{"sync"}, midway: true}, {args: []string{"sync", "--full"}, midway: true}}
	for i := range kinds {
		kinds[i].took = w.run(kinds[i].args...).mustExit(exitOK).took
		w.paymo.Work(400)
	}
	return kinds
}

func (r killRound) play(n int) {
	w, t := r.world, r.world.t
	if r.kind.midway {
		if got := w.run("sync").code; got != exitOK {
			t.Errorf("round %d: the sync before ended with %d", n, got)
			return
		}
		w.paymo.Work(400)
	}
	for _, after := range r.after {
		victim := w.start(r.kind.args...)
		select {
		case <-victim.ended:
		case <-time.After(after):
			victim.kill()
			<-victim.ended
		}
	}
	left, err := w.unfinished()
	if err != nil {
		t.Errorf("round %d: %v", n, err)
		return
	}
	next := w.run("sync")
	t.Logf("round %d: %v, which takes %v, killed after %v with %s; the next sync took %v", n, r.kind.args, r.kind.took, r.after, left, next.took)
	if next.code != exitOK || next.took > time.Minute {
		t.Errorf("round %d: the next sync ended with %d after %v:\n%s\n%s", n, next.code, next.took, next.out, next.err)
		return
	}
	if r.kind.midway { // of what was deleted nothing is known yet
		w.bury()
	}
	if found := w.differences(); len(found) > 0 {
		t.Errorf("round %d: %v", n, found)
	}
}

// unfinished says what a killed sync left.
func (w *world) unfinished() (string, error) {
	var runs, done, progress int
	err := w.pool.QueryRow(context.WithoutCancel(w.t.Context()), `
		SELECT count(*) FILTER (WHERE state = 'running'), count(*) FILTER (WHERE state = 'ok'),
			(SELECT count(*) FROM paymosync.checkpoints WHERE progress IS NOT NULL)
		FROM paymosync.runs`).Scan(&runs, &done, &progress)
	return fmt.Sprintf("%d runs under way, %d ended, %d tables half read", runs, done, progress), err
}

// A sync that is asked to end does so at once with 130, and the next one goes on.
func TestProgramInterrupted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, agency())
	slow(w, 300*time.Millisecond)
	c := w.start("sync")
	within(t, 20*time.Second, "the first tables are in", func() error {
		if n := value[int](w, `SELECT count(*) FROM paymosync.runs WHERE state = 'ok'`); n < 3 {
			return fmt.Errorf("%d tables", n)
		}
		return nil
	})
	asked := time.Now()
	c.signal(syscall.SIGTERM)
	c.wait().mustExit(exitInterrupted).mustSay("interrupted")
	if took := time.Since(asked); took > 3*time.Second {
		t.Errorf("it took %v to end", took)
	}
	if n := value[int](w, `SELECT count(*) FROM paymosync.leases WHERE expires_at > clock_timestamp()`); n > 0 {
		t.Errorf("%d leases were left", n)
	}
	rows := value[int](w, `SELECT sum(inserted) FROM paymosync.runs`)
	w.paymo.ClearFaults()
	next := w.run("sync").mustExit(exitOK)
	if next.took > 10*time.Second {
		t.Errorf("the next sync took %v", next.took)
	}
	t.Logf("interrupted with %d rows in, the next sync took %v", rows, next.took)
	w.mustEqual()
}

// A service that is asked to end does so within its time, however slow Paymo is, and
// another one goes on.
func TestProgramServeStops(t *testing.T) {
	t.Parallel()
	w := newWorld(t, agency())
	slow(w, time.Minute)
	service := w.start("serve")
	within(t, 30*time.Second, "jobs wait for Paymo", func() error {
		if n := value[int](w, `SELECT count(*) FROM river.river_job WHERE kind = 'sync' AND state = 'running'`); n == 0 {
			return fmt.Errorf("none runs")
		}
		return nil
	})
	took := service.mustStop().took
	if n := value[int](w, `SELECT count(*) FROM river.river_job WHERE kind = 'sync' AND (state = 'running' OR attempt > 0 AND state <> 'available')`); n > 0 {
		t.Errorf("%d jobs were not given back whole", n)
	}
	t.Logf("it ran %v", took)
	w.paymo.ClearFaults()
	next := w.start("serve")
	within(t, 60*time.Second, "every table is in", func() error {
		if n := value[int](w, `SELECT count(*) FROM paymosync.checkpoints WHERE state = 'ok'`); n < len(catalog.All()) {
			return fmt.Errorf("%d tables are", n)
		}
		return nil
	})
	next.mustStop()
	w.mustEqual()
}
