package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/paymosync/paymosync/sink"
)

// page is everything that status says: the account, a line a table, what is not well with
// what to do about it, and which changes are found when.
func (s statusReport) page(l look) string {
	parts := []string{s.head(l), strings.Join(s.rows(l, s.tables), "\n") + "\n"}
	if notes := l.summarise(s.notes()) + s.broken(l); notes != "" {
		parts = append(parts, notes)
	}
	width := l.width
	if width == 0 {
		width = wideTable
	}
	return strings.Join(append(parts, contracts(s.tables, width)), "\n")
}

// rows are a line a table, below that of the headers.
func (s statusReport) rows(l look, tables []tableReport) []string {
	columns := []column{
		{header: "table", worth: 10}, {header: "state", worth: 9}, {header: "rows", right: true, worth: 7},
		{header: "fresh as of", brief: "fresh", worth: 8}, {header: "last run", worth: 5}, {header: "last full", worth: 3}, {header: "next run", worth: 4},
	}
	for _, t := range tables {
		run, when, next := "-", "-", "-"
		if t.LastRun != nil {
			when = ago(&t.LastRun.StartedAt, s.At)
			run = t.LastRun.Mode + ", " + when
			if state := t.LastRun.State; state == sink.RunRunning || state == sink.RunInterrupted {
				run += ", " + state
			}
		}
		if t.NextRun != nil {
			next = "in " + span(t.NextRun.Sub(s.At))
		}
		fresh := ago(t.FreshAsOf, s.At)
		for i, cells := range [][2]string{
			{t.Table}, {l.state(t.State)}, {about(t.Estimated) + grouped(t.Rows)}, {fresh, strings.TrimSuffix(fresh, " ago")}, {run, when}, {ago(t.LastFull, s.At)}, {next},
		} {
			columns[i].cells = append(columns[i].cells, cells[0])
			if cells[1] != "" {
				columns[i].short = append(columns[i].short, cells[1])
			}
		}
	}
	return l.table(columns)
}

// notes are what is to be said about the tables' states.
func (s statusReport) notes() []note {
	notes := make([]note, len(s.tables))
	for i, t := range s.tables {
		notes[i] = note{table: t.Table, state: t.State, reason: t.Reason, cause: t.Cause}
	}
	return notes
}

// broken says which ways to ask do not work at this Paymo.
func (s statusReport) broken(l look) string {
	var lines strings.Builder
	for _, t := range s.tables {
		for _, name := range slices.Sorted(maps.Keys(t.Capabilities)) {
			if learned := t.Capabilities[name]; !learned.Works {
				lines.WriteString(wrapped(fmt.Sprintf("%s: %s does not work since %s: %s", t.Table, name, learned.Since.Format(time.RFC3339), learned.Reason), "", l.width))
			}
		}
	}
	return lines.String()
}

// screen is what fits on a screen of so many lines: the head, what is not well, and as
// many tables as there is room for, those that are not well first.
func (s statusReport) screen(l look, height int) []string {
	lines := append(split(s.head(l)), "")
	room := max(0, height-len(lines))
	notes := s.noteLines(l, room)
	if len(notes) > 0 {
		notes = append([]string{""}, notes...)
	}
	tables := s.tables
	if fit := max(0, room-len(notes)-1); len(tables) > fit {
		tables = slices.Clone(tables)
		slices.SortStableFunc(tables, func(a, b tableReport) int { return gravity(b.State) - gravity(a.State) })
		left := tables[max(0, fit-1):]
		tables = tables[:max(0, fit-1)]
		notes = append([]string{l.paint(more(left), text.Faint)}, notes...)
	}
	if len(tables) > 0 {
		lines = append(lines, s.rows(l, tables)...)
	}
	lines = append(lines, notes...)
	return lines[:min(len(lines), max(0, height))]
}

// more says what there was no room for.
func more(left []tableReport) string {
	words := fmt.Sprintf("… and %d more", len(left))
	if !slices.ContainsFunc(left, func(t tableReport) bool { return t.State != sink.StateOK }) {
		words += ", all ok"
	}
	return words
}

// noteLines are the notes of the tables that are not ok, in half of the room, or in what
// the tables leave.
func (s statusReport) noteLines(l look, room int) []string {
	most := max(room/2, room-len(s.tables)-2)
	var lines []string
	shared := slices.DeleteFunc(share(s.notes()), func(n sharedNote) bool { return n.state == sink.StateOK })
	for i, n := range shared {
		next := split(n.lines(l))
		left := len(shared) - i
		if len(lines)+len(next) > most-min(1, left-1) && i > 0 {
			return append(lines, l.paint(fmt.Sprintf("… and %d more: paymosync status tells them", left), text.Faint))
		}
		lines = append(lines, next...)
	}
	return lines
}

// split are the lines of a text.
func split(text string) []string { return strings.Split(strings.TrimSuffix(text, "\n"), "\n") }

// about marks a number that is an estimate.
func about(estimated bool) string {
	if estimated {
		return "~"
	}
	return ""
}
