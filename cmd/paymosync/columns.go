package main

import (
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/paymosync/paymosync/sink"
)

// columnGap is how far the columns of a table are apart.
const columnGap = 2

// look is how text is laid out for whoever reads it.
type look struct {
	width, height int // of the terminal; 0: there is none, and nothing is wrapped or cut
	colour        bool
}

// look is how text is laid out on out.
func (t terminal) look() look {
	l := look{colour: colourful(t.out)}
	l.width, l.height, _ = terminalSize(t.out)
	return l
}

// paint colours a text, where colours may be used.
func (l look) paint(s string, colours ...text.Color) string {
	if !l.colour || s == "" {
		return s
	}
	return text.Colors(colours).Sprint(s)
}

// state is a state's name, coloured by what it means for its reader.
func (l look) state(state string) string {
	switch state {
	case sink.StateOK:
		return l.paint(state, text.FgGreen)
	case sink.StateDegraded:
		return l.paint(state, text.FgYellow)
	case sink.StateFailing:
		return l.paint(state, text.FgRed)
	}
	return l.paint(state, text.Faint)
}

// column is a column of a table that is fitted to the terminal.
type column struct {
	header string
	brief  string // the header where the cells are the short ones; "" for the same
	right  bool   // aligned to the right, as numbers are
	worth  int    // where the terminal is too narrow, the columns with the least go first
	cells  []string
	short  []string // what the cells become before a column goes; nil: they stay
}

// table lays columns out, a line a row below that of the headers. All have as many cells.
func (l look) table(columns []column) []string {
	columns = l.fit(columns)
	header := make(table.Row, len(columns))
	configs := make([]table.ColumnConfig, len(columns))
	for i, c := range columns {
		header[i] = c.header
		if configs[i].Number = i + 1; c.right {
			configs[i].Align, configs[i].AlignHeader = text.AlignRight, text.AlignRight
		}
	}
	w := plainTable(l.colour)
	w.AppendHeader(header)
	w.SetColumnConfigs(configs)
	for r := range columns[0].cells {
		row := make(table.Row, len(columns))
		for i, c := range columns {
			row[i] = c.cells[r]
		}
		w.AppendRow(row)
	}
	lines := strings.Split(w.Render(), "\n")
	if l.width > 0 {
		for i, line := range lines {
			lines[i] = text.Trim(line, l.width)
		}
	}
	return lines
}

// fit makes columns narrow enough for the terminal: first cells become short, then
// columns go, and what is left gets its full cells back where there is room again.
func (l look) fit(columns []column) []column {
	fits := func(columns []column) bool { return l.width == 0 || widthOf(columns) <= l.width }
	if fits(columns) {
		return columns
	}
	columns = slices.Clone(columns)
	full := map[string]column{}
	for _, i := range byWorth(columns) {
		if c := columns[i]; c.short != nil && !fits(columns) {
			columns[i].cells, columns[i].short = c.short, nil
			if c.brief != "" {
				columns[i].header = c.brief
			}
			full[columns[i].header] = c
		}
	}
	for len(columns) > 1 && !fits(columns) {
		i := byWorth(columns)[0]
		columns = slices.Delete(columns, i, i+1)
	}
	for _, i := range slices.Backward(byWorth(columns)) {
		short := columns[i]
		if c, shortened := full[short.header]; shortened {
			if columns[i] = c; !fits(columns) {
				columns[i] = short
			}
		}
	}
	return columns
}

// byWorth are the places of columns, those with the least worth first.
func byWorth(columns []column) []int {
	places := make([]int, len(columns))
	for i := range places {
		places[i] = i
	}
	slices.SortStableFunc(places, func(a, b int) int { return columns[a].worth - columns[b].worth })
	return places
}

func widthOf(columns []column) int {
	width := columnGap * (len(columns) - 1)
	for _, c := range columns {
		widest := text.StringWidthWithoutEscSequences(c.header)
		for _, cell := range c.cells {
			widest = max(widest, text.StringWidthWithoutEscSequences(cell))
		}
		width += widest
	}
	return width
}
