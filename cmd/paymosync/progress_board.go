package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
)

// redrawEvery is how often a board is drawn.
const redrawEvery = 100 * time.Millisecond

// The widths of a board's columns, without the two spaces between them.
const (
	nameWidth = 26 // the longest table's name
	rowsWidth = 14
	rateWidth = 9
	leftWidth = 11
	barLeast  = 10
	barMost   = 30
)

// board is a few lines at the end of a terminal that are drawn over and over.
type board struct {
	out    io.Writer
	colour bool
	drawn  []int // widths of the lines on the screen
	quit   chan struct{}
	ended  chan struct{}
	once   sync.Once
}

func newBoard(out io.Writer) *board {
	return &board{out: out, colour: colourful(out), quit: make(chan struct{}), ended: make(chan struct{})}
}

// canRedraw reports whether lines on the writer can be drawn over.
func canRedraw(w io.Writer) bool { return isTerminal(w) && os.Getenv("TERM") != "dumb" }

// run redraws until stop is called.
func (b *board) run(redraw func()) {
	defer close(b.ended)
	tick := time.NewTicker(redrawEvery)
	defer tick.Stop()
	for {
		select {
		case <-b.quit:
			return
		case <-tick.C:
			redraw()
		}
	}
}

func (b *board) stop() {
	b.once.Do(func() { close(b.quit) })
	<-b.ended
}

// draw replaces the lines on the screen, in one write so that nothing flickers.
func (b *board) draw(lines []string) {
	var out bytes.Buffer
	if n := b.height(); n > 0 {
		fmt.Fprintf(&out, "\x1b[%dF", n)
	}
	b.drawn = b.drawn[:0]
	for _, line := range lines {
		out.WriteString(line + "\x1b[K\n")
		b.drawn = append(b.drawn, text.StringWidthWithoutEscSequences(line))
	}
	out.WriteString("\x1b[J")
	_, _ = b.out.Write(out.Bytes()) // a terminal that is gone needs no progress
}

// clear takes the lines off the screen.
func (b *board) clear() { b.draw(nil) }

// height is how many rows of the screen the drawn lines take: more than one each
// where the terminal became narrower since.
func (b *board) height() int {
	width, _, ok := terminalSize(b.out)
	rows := 0
	for _, n := range b.drawn {
		rows++
		if ok {
			rows += max(0, n-1) / width
		}
	}
	return rows
}

// layout is what fits on the terminal as it is now.
func (b *board) layout() layout {
	width, height, ok := terminalSize(b.out)
	if !ok {
		width, height = 80, 24
	}
	return newLayout(width, height, b.colour)
}

// layout is how wide a board's columns are; a column that does not fit has none.
type layout struct {
	width, height   int // one less than the terminal's: a full line or screen would scroll
	colour          bool
	bar, rate, left int
}

func newLayout(width, height int, colour bool) layout {
	l := layout{width: max(1, width-1), height: max(1, height-1), colour: colour, rate: rateWidth, left: leftWidth}
	rest := l.width - nameWidth - 2 - rowsWidth - 2
	if rest < barLeast+2+rateWidth+2+leftWidth {
		l.rate = 0
	} else {
		rest -= 2 + rateWidth
	}
	if rest < barLeast+2+leftWidth {
		l.left = 0
	} else {
		rest -= 2 + leftWidth
	}
	if rest >= barLeast {
		l.bar = min(barMost, rest)
	}
	return l
}

// line is one line of the board: a name, a bar of the share that is done, and three
// columns aligned to the right.
func (l layout) line(name string, done float64, rows, rate, left string) string {
	cells := []string{fmt.Sprintf("%-*s", nameWidth, name)}
	if l.bar > 0 {
		full := min(l.bar, int(done*float64(l.bar)))
		cells = append(cells, l.paint(text.FgGreen, strings.Repeat("█", full))+l.paint(text.Faint, strings.Repeat("░", l.bar-full)))
	}
	cells = append(cells, fmt.Sprintf("%*s", rowsWidth, rows))
	if l.rate > 0 {
		cells = append(cells, fmt.Sprintf("%*s", l.rate, rate))
	}
	if l.left > 0 {
		cells = append(cells, fmt.Sprintf("%*s", l.left, left))
	}
	return l.cut(strings.Join(cells, "  "))
}

// cut shortens a line to the terminal's width; colours take none.
func (l layout) cut(line string) string { return text.Trim(line, l.width) }

func (l layout) paint(colour text.Color, s string) string {
	if !l.colour || s == "" {
		return s
	}
	return colour.Sprint(s)
}

// lines are the board: the tables that are being read, how many are done, and what
// everything waits for.
func (p *progress) lines(l layout, now time.Time) []string {
	var lines []string
	requests := p.requests
	for _, t := range p.running {
		lines = append(lines, t.line(l, now))
		requests += t.requests
	}
	elapsed := now.Sub(p.started)
	share := float64(p.finished) / float64(max(1, p.tables))
	lines = append(lines, l.line(fmt.Sprintf("%d of %d tables", p.finished, p.tables), share,
		counted(int64(requests), "request"), fmt.Sprintf("%.1f/s", float64(requests)/max(1, elapsed.Seconds())), "after "+seconds(elapsed)))
	p.paced = slices.DeleteFunc(p.paced, func(at time.Time) bool { return at.Before(now) })
	if n := len(p.paced); n > 0 {
		next := slices.MinFunc(p.paced, time.Time.Compare).Sub(now)
		wait := waitWords(forRateLimit, next) + ": " + counted(int64(n), "request")
		lines = append(lines, l.paint(text.Faint, l.cut(wait)))
	}
	return lines[max(0, len(lines)-l.height):]
}

func (t *tableProgress) line(l layout, now time.Time) string {
	if wait := t.until.Sub(now); t.waits != "" && (t.until.IsZero() || wait > 0) {
		return l.cut(fmt.Sprintf("%-*s  %s", nameWidth, t.name, waitWords(t.waits, wait)))
	}
	rows, rate, left := "", "", ""
	if t.requests > 0 {
		rows = counted(t.rows, "row")
	}
	if elapsed, read := now.Sub(t.first), t.rows-t.firstRows; elapsed > time.Second && read > 0 {
		rate = grouped(int64(float64(read)/elapsed.Seconds())) + "/s"
	}
	if wait, ok := t.timeLeft(now); ok {
		left = seconds(wait) + " left"
	}
	return l.line(t.name, 1-t.left, rows, rate, left)
}

// timeLeft is how long the rest takes at the pace since the share became known. The
// first second says nothing.
func (t *tableProgress) timeLeft(now time.Time) (time.Duration, bool) {
	read := t.knownLeft - t.left
	if t.known.IsZero() || read <= 0 || now.Sub(t.known) < time.Second {
		return 0, false
	}
	return time.Duration(float64(now.Sub(t.known)) * t.left / read), true
}
