package web

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/paymosync/paymosync/sink"
)

// The chart's measures, in pixels.
const (
	chartRuns   = 20 // as many as the page is given of each table
	chartSlot   = 8
	chartBar    = 6
	chartHeight = 40
	chartFloor  = 36 // where bars stand
	chartRoom   = 30 // how high the highest is
)

// chart is a drawing of a table's last runs: a bar for the rows that each wrote, and a
// line for how long it took. Both scales are logarithmic: a first load and a sync that
// finds one row are both to be seen.
type chart struct {
	Label         string // the same in words
	Width, Height int
	Floor         int
	Bars          []bar
	Line          string  // points of the durations, "" for less than two
	Dots          []point // the durations, where there is no line
}

type bar struct {
	X, Y, Width, Height int
	Kind                string // "rows", "none", or the state of a run that was not ok
	Title               string
	Mark                string // the path of a failed run's cross
}

type point struct{ X, Y string }

// newChart draws the runs, which come with the last one first. It is nil without any.
func newChart(table string, recent []sink.Run) *chart {
	if len(recent) == 0 {
		return nil
	}
	runs := slices.Clone(recent[:min(len(recent), chartRuns)])
	slices.Reverse(runs)
	c := &chart{Width: chartRuns * chartSlot, Height: chartHeight, Floor: chartFloor, Label: inWords(table, runs)}
	var mostRows, longest float64
	for _, run := range runs {
		mostRows = max(mostRows, logarithm(float64(written(run))))
		longest = max(longest, logarithm(float64(run.Took().Milliseconds())))
	}
	var points []point
	for i, run := range runs {
		x := (chartRuns - len(runs) + i) * chartSlot
		b := bar{X: x + (chartSlot-chartBar)/2, Y: chartFloor - 1, Width: chartBar, Height: 1, Kind: "none", Title: title(run)}
		if n := written(run); n > 0 {
			b.Kind, b.Height = "rows", 2+int(float64(chartRoom-2)*logarithm(float64(n))/mostRows)
			b.Y = chartFloor - b.Height
		}
		if failed(run) {
			b.Kind = "failing"
			b.Y, b.Height = chartFloor-chartRoom, chartRoom
			b.Mark = fmt.Sprintf("M%d %dl4 4m0 -4l-4 4", b.X+1, chartFloor-6)
		}
		c.Bars = append(c.Bars, b)
		if run.FinishedAt != nil && longest > 0 {
			high := (chartRoom - 2) * logarithm(float64(run.Took().Milliseconds())) / longest
			points = append(points, point{fmt.Sprintf("%d", x+chartSlot/2), fmt.Sprintf("%.1f", chartFloor-2-high)})
		}
	}
	c.Dots = points
	if len(points) > 1 {
		line := make([]string, len(points))
		for i, p := range points {
			line[i] = p.X + "," + p.Y
		}
		c.Line, c.Dots = strings.Join(line, " "), points[len(points)-1:]
	}
	return c
}

// logarithm is 0 for 0, and grows with the number's digits.
func logarithm(n float64) float64 { return math.Log10(1 + max(0, n)) }

// failed reports whether a run ended without having read its table.
func failed(run sink.Run) bool {
	return run.State == sink.StateFailing || run.State == sink.RunInterrupted
}

// title says of a run what its bar shows.
func title(run sink.Run) string {
	parts := []string{clock(run.StartedAt), run.Mode, run.State, counted(written(run), "row") + " written"}
	if run.FinishedAt != nil {
		parts = append(parts, span(run.Took()))
	}
	return strings.Join(parts, ", ")
}

// inWords says what the chart shows, for those who do not see it.
func inWords(table string, runs []sink.Run) string {
	var rows, most, last int64
	var bad, ended int
	var took, longest time.Duration
	for _, run := range runs {
		n := written(run)
		rows, most, last = rows+n, max(most, n), n
		if failed(run) {
			bad++
		}
		if run.FinishedAt != nil {
			ended++
			took += run.Took()
			longest = max(longest, run.Took())
		}
	}
	text := fmt.Sprintf("The last %s of %s, since %s: %s written, at most %s by one run, %s by the last.",
		counted(int64(len(runs)), "run"), table, clock(runs[0].StartedAt), counted(rows, "row"), number(most), number(last))
	if len(runs) == 1 {
		text = fmt.Sprintf("The only run of %s, at %s: %s written.", table, clock(runs[0].StartedAt), counted(rows, "row"))
	}
	switch {
	case len(runs) == 1 && ended == 1:
		text += " It took " + span(took) + "."
	case ended > 0:
		text += fmt.Sprintf(" They took %s on average, at most %s.", span(took/time.Duration(ended)), span(longest))
	}
	if bad > 0 {
		text += fmt.Sprintf(" %d failed.", bad)
	}
	return text
}
