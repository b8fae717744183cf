package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/paymosync/paymosync/paymo/paymotest"
)

// killRound is one kill: a world of its own, and when it strikes.
type killRound struct {
	world   *world
	args    []string
	after   time.Duration
	midway  bool // there was a sync before, and changes since
	repeats int  // kills one after the other
}

// A sync that is killed at a random moment is repaired by the next one, within a
// minute: nothing is missing, doubled or blanked. It is killed in the first load, in
// an incremental and in a later full, once and several times in a row.
func TestProgramKilled(t *testing.T) {
	t.Parallel()
	chance := seed(t)
	rounds := 5
	if soak() {
		rounds = 40
	}
	// The wait for the leases of the killed is most of the time, so they wait together.
	const together = 5
	for n := 0; n < rounds; n += together {
		var batch sync.WaitGroup
		for i := n; i < min(n+together, rounds); i++ {
			round := newKillRound(t, chance, i)
			batch.Go(func() { round.play(t, i) })
		}
		batch.Wait()
	}
}

func newKillRound(t *testing.T, chance *rand.Rand, i int) killRound {
	t.Helper()
	w := newWorld(t, paymotest.Config{Seed: chance.Uint64(), Entries: 6000})
	slow(w, 10*time.Millisecond)
	r := killRound{world: w, args: []string{"sync"}, repeats: 1 + i%2, midway: i%3 > 0}
	if i%3 == 2 {
		r.args = append(r.args, "--full")
	}
	// A sync takes about a second here, its start about a tenth.
	r.after = time.Duration(50+chance.IntN(900)) * time.Millisecond
	return r
}

func (r killRound) play(t *testing.T, n int) {
	w := r.world
	if r.midway {
		if got := w.run("sync").code; got != exitOK {
			t.Errorf("round %d: the sync before ended with %d", n, got)
			return
		}
		w.paymo.Work(400)
	}
	for range r.repeats {
		victim := w.start(r.args...)
		select {
		case <-victim.ended:
		case <-time.After(r.after):
			victim.kill()
			<-victim.ended
		}
	}
	left, err := w.unfinished()
	if err != nil {
		t.Errorf("round %d: %v", n, err)
		return
	}
	after := w.run("sync")
	t.Logf("round %d: %v killed %d× after %v with %s; the next sync took %v", n, r.args, r.repeats, r.after, left, after.took)
	if after.code != exitOK || after.took > time.Minute {
		t.Errorf("round %d: the next sync ended with %d after %v:\n%s\n%s", n, after.code, after.took, after.out, after.err)
		return
	}
	if r.midway { // of what was deleted nothing is known yet
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
		if n := value[int](w, `SELECT count(*) FROM river.river_job WHERE state = 'running'`); n == 0 {
			return fmt.Errorf("none runs")
		}
		return nil
	})
	took := service.mustStop().took
	if n := value[int](w, `SELECT count(*) FROM river.river_job WHERE state = 'running' OR attempt > 0 AND state <> 'available'`); n > 0 {
		t.Errorf("%d jobs were not given back whole", n)
	}
	t.Logf("it ran %v", took)
	w.paymo.ClearFaults()
	next := w.start("serve")
	w.awaitFresh(60 * time.Second)
	next.mustStop()
	w.mustEqual()
}
