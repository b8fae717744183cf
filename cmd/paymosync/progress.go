package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/sink"
)

// progress shows how far a sync is: a board with bars, rate and time left on a
// terminal, a quiet line for each finished table elsewhere. It is safe for
// concurrent use, and what is logged while it shows goes through its Write.
type progress struct {
	out   io.Writer
	board *board // nil where nobody watches

	mu       sync.Mutex // guards what follows, and what is printed
	tables   int
	finished int
	requests int // of the finished tables
	running  []*tableProgress
	started  time.Time
	paced    []time.Time // when the requests go that the rate limit holds back
}

// tableProgress is how far one table is.
type tableProgress struct {
	name     string
	rows     int64
	requests int
	before   int // requests of the slices that have ended

	first     time.Time // when the first reply had come
	firstRows int64     // the rows by then: more than its own where an earlier sync is gone on with

	left      float64 // share still to read; 1 until it is known
	known     time.Time
	knownLeft float64 // when the share became known, and what it was then

	waits string    // what it waits for, as waitWords takes it, "" for nothing
	until time.Time // when the wait ends, zero if nobody knows
}

// newProgress begins to show the sync of so many tables.
func newProgress(out io.Writer, tables int) *progress {
	p := &progress{out: out, tables: tables, started: time.Now()}
	if canRedraw(out) {
		p.board = newBoard(out)
		go p.board.run(p.redraw)
	}
	return p
}

// begin shows a table.
func (p *progress) begin(table string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = append(p.running, &tableProgress{name: table, left: 1})
}

// moment shows how far a table is.
func (p *progress) moment(table string, m jobs.Moment) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.find(table)
	if t == nil {
		return
	}
	t.rows, t.requests, t.waits = m.Rows, t.before+m.Requests, ""
	if t.first.IsZero() {
		t.first, t.firstRows = time.Now(), m.Rows
	}
	if m.Known {
		t.left = m.Left
		if t.known.IsZero() {
			t.known, t.knownLeft = time.Now(), m.Left
		}
	}
}

// slice notes that a slice of a table's sync has ended: the next one counts its requests
// anew.
func (p *progress) slice(table string, o jobs.Outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t := p.find(table); t != nil {
		t.before += o.Requests
	}
}

// pace shows that a request is held back for so long by Paymo's rate limit.
func (p *progress) pace(wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if wait > 0 {
		p.paced = append(p.paced, time.Now().Add(wait))
	}
}

// waiting shows what a table waits for; in a pipe once for each thing.
func (p *progress) waiting(table string, err error, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.find(table)
	if t == nil {
		return
	}
	var limited *paymo.RateLimitError
	var held *sink.HeldError
	what, before := ": "+err.Error(), t.waits
	switch {
	case errors.As(err, &limited):
		what = forRateLimit
	case errors.As(err, &held):
		what, wait = ": it is being synced by "+held.Owner, 0
	}
	t.waits, t.until = what, time.Time{}
	if wait > 0 {
		t.until = time.Now().Add(wait)
	}
	if p.board == nil && what != before {
		fmt.Fprintf(p.out, "%s: %s\n", table, waitWords(what, wait))
	}
}

// forRateLimit is what most waits are for.
const forRateLimit = " for Paymo's rate limit"

// waitWords say how long something is waited for, as far as that is known.
func waitWords(what string, wait time.Duration) string {
	if wait <= 0 {
		return "waiting" + what
	}
	return "waiting " + seconds(max(time.Second, wait.Round(time.Second))) + what
}

// end takes a table off.
func (p *progress) end(o jobs.Outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = slices.DeleteFunc(p.running, func(t *tableProgress) bool { return t.name == o.Table })
	p.finished++
	p.requests += o.Requests
	if p.board != nil {
		return
	}
	line := fmt.Sprintf("%s: %s, %s new, %s changed, %s deleted, %s unchanged, %s, %s", o.Table, o.State,
		grouped(o.Inserted), grouped(o.Updated), grouped(o.Tombstoned), grouped(o.Unchanged), counted(int64(o.Requests), "request"), span(o.Took))
	if o.State != sink.StateOK {
		line += ": " + o.Reason
	}
	fmt.Fprintln(p.out, line)
}

// say prints a line above what is shown.
func (p *progress) say(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.board != nil {
		p.board.clear()
	}
	fmt.Fprintln(p.out, line)
}

// Write prints log lines above what is shown.
func (p *progress) Write(text []byte) (int, error) {
	p.say(string(bytes.TrimRight(text, "\n")))
	return len(text), nil
}

// stop ends the show and leaves nothing of the board. It may be called again.
func (p *progress) stop() {
	if p.board == nil {
		return
	}
	p.board.stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.board.clear()
}

func (p *progress) redraw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	// Nothing to show before the first table: the database is being prepared.
	if len(p.running)+p.finished > 0 {
		p.board.draw(p.lines(p.board.layout(), time.Now()))
	}
}

func (p *progress) find(table string) *tableProgress {
	for _, t := range p.running {
		if t.name == table {
			return t
		}
	}
	return nil
}
