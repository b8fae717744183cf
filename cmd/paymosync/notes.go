package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/sink"
)

// namedTables is how many tables a note names that they share.
const namedTables = 3

// note is what is to be said about a table's state.
type note struct {
	table, state, reason string
	cause                jobs.Cause // what the reason is about; "": there is nothing to do
}

// sharedNote is a note of one table or several.
type sharedNote struct {
	tables []string
	note
}

// share gathers the notes that say the same, or of tables that have one trouble of the
// account, in the order of the first of each; what is failing comes first, then what is
// degraded.
func share(notes []note) []sharedNote {
	var shared []sharedNote
	for _, n := range notes {
		if n.reason == "" {
			continue
		}
		i := slices.IndexFunc(shared, func(s sharedNote) bool {
			return s.state == n.state && s.cause == n.cause && (s.reason == n.reason || n.cause.Shared())
		})
		if i < 0 {
			i, shared = len(shared), append(shared, sharedNote{note: n})
		}
		shared[i].tables = append(shared[i].tables, n.table)
	}
	slices.SortStableFunc(shared, func(a, b sharedNote) int { return gravity(b.state) - gravity(a.state) })
	return shared
}

// gravity orders states by how much they want to be seen; -1 is no state.
func gravity(state string) int {
	order := []string{sink.StateOK, sink.StatePaused, sink.StateUnavailable, sink.RunRunning, sink.RunInterrupted, sink.StateDegraded, sink.StateFailing}
	return slices.Index(order, state)
}

// who names the tables, or some of many.
func (s sharedNote) who() string {
	if len(s.tables) > namedTables {
		return fmt.Sprintf("%d tables (%s, …)", len(s.tables), strings.Join(s.tables[:namedTables], ", "))
	}
	return strings.Join(s.tables, ", ")
}

// advice says what to do, with the name of the table, or TABLE for any of several.
func (s sharedNote) advice() string {
	if len(s.tables) > 1 {
		return jobs.Advice("TABLE", s.cause)
	}
	return jobs.Advice(s.tables[0], s.cause)
}

// lines are the note, and below it what to do.
func (s sharedNote) lines(l look) string {
	state := s.state
	if gravity(state) >= 0 { // a verdict has no colour here
		state = l.state(state)
	}
	lines := wrapped(fmt.Sprintf("%s %s: %s", l.paint(s.who(), text.Bold), state, s.reason), "", l.width)
	if advice := s.advice(); advice != "" {
		lines += wrapped(advice, "  → ", l.width)
	}
	return lines
}

// summarise says why tables are not ok and what to do about it, once for those that share
// a reason.
func (l look) summarise(notes []note) string {
	var lines strings.Builder
	for _, shared := range share(notes) {
		lines.WriteString(shared.lines(l))
	}
	return lines.String()
}

// wrapped breaks a text between its words into lines of a width, 0 for any. The first one
// begins with the indent, the others with as many blanks, and four at least.
func wrapped(words, indent string, width int) string {
	var lines strings.Builder
	line, used := indent, text.StringWidthWithoutEscSequences(indent)
	blanks := max(4, used)
	for i, word := range strings.Fields(words) {
		long := text.StringWidthWithoutEscSequences(word)
		switch {
		case i == 0:
			line, used = line+word, used+long
		case width > 0 && used+1+long > width:
			lines.WriteString(line + "\n")
			line, used = strings.Repeat(" ", blanks)+word, blanks+long
		default:
			line, used = line+" "+word, used+1+long
		}
	}
	return lines.String() + line + "\n"
}
