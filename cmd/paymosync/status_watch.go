package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/paymosync/paymosync/sink"
)

// sizeEvery is how often a watched terminal is asked whether its size is another one.
const sizeEvery = 200 * time.Millisecond

// watchedTime is how long one look may take: a database that hangs is taken for lost.
const watchedTime = 15 * time.Second

// statusWatch is a status that is read over and over.
type statusWatch struct {
	read  func(context.Context) (statusReport, error)
	every time.Duration
}

// statusLook is what came of reading it once.
type statusLook struct {
	report statusReport
	err    error
	at     time.Time // by this machine's clock: the database may be away
}

// watchStatus shows the status until it is ended: on a terminal's other screen, or as
// lines about what changes.
func (p *program) watchStatus(ctx context.Context, config Config, opened databases, o statusOptions) error {
	watch := statusWatch{every: o.watch, read: func(ctx context.Context) (statusReport, error) {
		return readStatus(ctx, config, opened, o.tables)
	}}
	if canRedraw(p.out) {
		return p.watchOnScreen(ctx, watch)
	}
	return p.watchInLines(ctx, watch)
}

// looks reads the status until the context ends; a slow reader misses none of it, and the
// next one is read after the pause.
func (w statusWatch) looks(ctx context.Context) <-chan statusLook {
	looks := make(chan statusLook)
	go func() {
		defer close(looks)
		for {
			reading, cancel := context.WithTimeout(ctx, watchedTime)
			report, err := w.read(reading)
			cancel()
			select {
			case <-ctx.Done():
				return
			case looks <- statusLook{report, err, time.Now()}:
			}
			if !sleep(ctx, w.every) {
				return
			}
		}
	}()
	return looks
}

// watchOnScreen redraws the status until q or Ctrl-C.
func (p *program) watchOnScreen(ctx context.Context, watch statusWatch) error {
	reading, stop := context.WithCancel(ctx)
	defer stop()
	screen := p.openScreen()
	defer screen.close()
	size := time.NewTicker(sizeEvery)
	defer size.Stop()
	shown := watchedStatus{every: watch.every}
	drawn := p.look()
	looks := watch.looks(reading)
	screen.draw(shown.lines(drawn), drawn)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case key := <-screen.keys:
			if end, err := pressed(key); end {
				return err
			}
			continue
		case look := <-looks:
			shown.take(look)
		case <-size.C:
			if p.look() == drawn {
				continue
			}
		}
		drawn = p.look()
		screen.draw(shown.lines(drawn), drawn)
	}
}

// watchedStatus is the last status that could be read, and since when none could.
type watchedStatus struct {
	every time.Duration
	last  statusLook // zero before the first
	lost  statusLook // the first that failed since then; zero: none
}

func (w *watchedStatus) take(look statusLook) {
	switch {
	case look.err == nil:
		w.last, w.lost = look, statusLook{}
	case w.lost.err == nil:
		w.lost = look
	default:
		w.lost.err = look.err
	}
}

// lines are what is on the screen: the status, and a line at the end that says how to
// leave.
func (w *watchedStatus) lines(l look) []string {
	var lines []string
	room := l.height - 1
	if w.lost.err != nil {
		lines = append(split(wrapped(l.paint(lostWords(w.lost, w.every), text.FgRed), "", l.width)), "")
	}
	switch {
	case !w.last.at.IsZero():
		lines = append(lines, w.last.report.screen(l, room-len(lines))...)
	case w.lost.err == nil:
		lines = append(lines, "reading …")
	}
	for len(lines) < room {
		lines = append(lines, "")
	}
	foot := fmt.Sprintf("every %s · q ends", w.every)
	if !w.last.at.IsZero() {
		foot = "as of " + clock(w.last.at) + " · " + foot
	}
	return append(lines[:max(0, room)], l.paint(foot, text.Faint))
}

// lostWords say that the database could not be read.
func lostWords(look statusLook, every time.Duration) string {
	why := describe(look.err)
	if errors.Is(look.err, context.DeadlineExceeded) {
		why = fmt.Sprintf("no answer within %s", watchedTime)
	}
	return fmt.Sprintf("The database cannot be read since %s, tried again every %s: %s", clock(look.at), every, why)
}

// clock is a time of this day.
func clock(t time.Time) string { return t.UTC().Format("15:04:05Z") }

// watchInLines prints what changes, until a signal ends it.
func (p *program) watchInLines(ctx context.Context, watch statusWatch) error {
	reading, stop := context.WithCancel(ctx)
	defer stop()
	shown := watchedStatus{every: watch.every}
	for look := range watch.looks(reading) {
		before := shown
		shown.take(look)
		if lines := changedWords(p.look(), before, shown); lines != "" {
			if _, err := fmt.Fprintf(p.out, "%s %s", look.at.UTC().Format(time.RFC3339), lines); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// changedWords say what is another than it was, "" when nothing is: a line with how many
// tables are in which state, and below it the tables whose state or reason is new.
func changedWords(l look, before, now watchedStatus) string {
	switch {
	case now.lost.err != nil && before.lost.err == nil:
		return lostWords(now.lost, now.every) + "\n"
	case now.lost.err != nil:
		return ""
	}
	var notes []note
	for i, t := range now.last.report.tables {
		was := note{state: sink.StateOK}
		if !before.last.at.IsZero() {
			old := before.last.report.tables[i]
			was = note{state: old.State, reason: old.Reason}
		}
		if was.state != t.State || was.reason != t.Reason {
			reason := t.Reason
			if reason == "" {
				reason = "it was " + was.state
			}
			notes = append(notes, note{table: t.Table, state: t.State, reason: reason, cause: t.Cause})
		}
	}
	head := now.last.report.counts(l)
	switch {
	case before.lost.err != nil:
		head = "The database can be read again: " + head
	case len(notes) == 0 && !before.last.at.IsZero():
		return ""
	}
	var lines strings.Builder
	lines.WriteString(head + "\n")
	const indent = "  "
	l.width = max(0, l.width-len(indent))
	for line := range strings.Lines(l.summarise(notes)) {
		lines.WriteString(indent + line)
	}
	return lines.String()
}
