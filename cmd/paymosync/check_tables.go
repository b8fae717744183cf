package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/paymosync/paymosync/sink"
)

// tablesStep is the step that tells of the tables' states.
const tablesStep = "tables"

// tables tells of the tables that are not ok. That is no failure of the check, which is
// about the way to them; where they cannot be read another step has failed.
func (c *checker) tables(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	for _, opened := range c.opened {
		if opened.layout(ctx) != nil {
			return // there are none yet, or not those of this version
		}
	}
	status, err := readStatus(ctx, c.config, databases{warehouse: c.opened[0], queue: c.opened[len(c.opened)-1]}, nil)
	if err != nil {
		c.step(ctx, tablesStep, func(context.Context) (string, error) { return "", err })
		return
	}
	l := c.look
	step := checkStep{Step: tablesStep, OK: true, Found: status.counts(look{})}
	var notes []note
	for _, t := range status.tables {
		if t.State == sink.StateOK {
			continue
		}
		step.Tables = append(step.Tables, checkTable{Table: t.Table, State: t.State, Reason: t.Reason, Cause: t.Cause, Advice: t.Advice})
		notes = append(notes, note{table: t.Table, state: t.State, reason: t.Reason, cause: t.Cause})
	}
	c.steps = append(c.steps, step)
	mark := l.paint("ok  ", text.FgGreen)
	if slices.ContainsFunc(step.Tables, func(t checkTable) bool { return t.State == sink.StateDegraded || t.State == sink.StateFailing }) {
		mark = l.paint("see ", text.FgYellow)
	}
	c.print(fmt.Sprintf("%s  %-13s  ", mark, tablesStep), status.counts(l))
	const indent = "      "
	l.width = max(0, l.width-len(indent))
	for line := range strings.Lines(l.summarise(notes)) {
		fmt.Fprint(c.lines, indent+line)
	}
}
