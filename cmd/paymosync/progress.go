package main

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"time"

	bars "github.com/jedib0t/go-pretty/v6/progress"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/sink"
)

// progress shows how far a sync is: bars with rate and time left on a terminal, a
// quiet line for each finished table elsewhere. It is safe for concurrent use, and
// what is logged while it shows goes through its Write.
type progress struct {
	out   io.Writer
	shown bars.Writer // nil where nobody watches
	ended chan struct{}

	mu     sync.Mutex
	tables map[string]*bars.Tracker
	done   *bars.Tracker
}

// newProgress begins to show the sync of so many tables.
func newProgress(out io.Writer, tables int) *progress {
	p := &progress{out: out, tables: map[string]*bars.Tracker{}}
	if !isTerminal(out) {
		return p
	}
	p.shown = bars.NewWriter()
	p.shown.SetOutputWriter(out)
	p.shown.SetUpdateFrequency(100 * time.Millisecond)
	p.shown.SetTrackerLength(24)
	p.shown.SetMessageLength(38)
	p.shown.SetTrackerPosition(bars.PositionRight)
	style := bars.StyleBlocks
	if colourful(out) {
		style.Colors = bars.StyleColorsExample
	}
	style.Visibility.ETA, style.Visibility.Speed, style.Visibility.Value = true, true, true
	style.Visibility.ETAOverall, style.Visibility.TrackerOverall = false, false
	p.shown.SetStyle(style)
	p.done = &bars.Tracker{Message: "tables", Total: int64(tables)}
	p.shown.AppendTracker(p.done)
	p.ended = make(chan struct{})
	go func() {
		defer close(p.ended)
		p.shown.Render()
	}()
	return p
}

// begin shows a table.
func (p *progress) begin(table string) {
	if p.shown == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	tracker := &bars.Tracker{Message: table, RemoveOnCompletion: true}
	p.tables[table] = tracker
	p.shown.AppendTracker(tracker)
}

// moment shows how far a table is. The whole is guessed from the share that is left.
func (p *progress) moment(table string, m jobs.Moment) {
	p.mu.Lock()
	defer p.mu.Unlock()
	tracker := p.tables[table]
	if tracker == nil {
		return
	}
	tracker.UpdateMessage(fmt.Sprintf("%s, %d requests", table, m.Requests))
	if m.Known && m.Left > 0 && m.Left < 1 {
		tracker.UpdateTotal(int64(float64(m.Rows) / (1 - m.Left)))
	}
	tracker.SetValue(m.Rows)
}

// waiting shows what a table waits for.
func (p *progress) waiting(table string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if tracker := p.tables[table]; tracker != nil {
		tracker.UpdateMessage(table + ", waiting: " + err.Error())
	}
}

// end takes a table off.
func (p *progress) end(o jobs.Outcome) {
	if p.shown == nil {
		line := fmt.Sprintf("%s: %s, %d new, %d changed, %d unchanged, %d requests, %s", o.Table, o.State, o.Inserted, o.Updated, o.Unchanged, o.Requests, span(o.Took))
		if o.State != sink.StateOK {
			line += ": " + o.Reason
		}
		p.say(line)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if tracker := p.tables[o.Table]; tracker != nil {
		tracker.MarkAsDone()
	}
	p.done.Increment(1)
}

// say prints a line beside what is shown.
func (p *progress) say(line string) {
	if p.shown != nil {
		p.shown.Log("%s", line)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintln(p.out, line)
}

// Write prints log lines beside what is shown.
func (p *progress) Write(text []byte) (int, error) {
	p.say(string(bytes.TrimRight(text, "\n")))
	return len(text), nil
}

// stop ends the show.
func (p *progress) stop() {
	if p.shown == nil {
		return
	}
	p.shown.Stop()
	<-p.ended
}
