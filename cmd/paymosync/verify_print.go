package main

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/sink"
)

// mostSums is how many sums of a table that disagree are printed.
const mostSums = 20

// mostShown is how many characters of a value are printed.
const mostShown = 60

// printVerified prints a line a table, then what differs, row by row, and what it comes
// to. A narrow terminal gets fewer columns.
func (p *program) printVerified(found []jobs.Verified, repair bool) error {
	narrow := p.narrow()
	header := table.Row{"table", "verdict", "paymo", "warehouse", "missing", "extra", "different"}
	if repair {
		header = append(header, "repaired")
	}
	if !narrow {
		header = append(header, "pending", "requests")
	}
	w := p.newTable(header...)
	numbers(w, "paymo", "warehouse", "missing", "extra", "different", "repaired", "pending", "requests")
	var notes []note
	var details strings.Builder
	for i := range found {
		v := &found[i]
		row := table.Row{v.Table, p.verdict(v.Verdict), count(v.Paymo), count(v.Warehouse), count(v.Missing), count(v.Extra), count(v.Different)}
		if repair {
			row = append(row, grouped(v.Repaired))
		}
		if !narrow {
			row = append(row, grouped(v.Pending), v.Requests)
		}
		w.AppendRow(row)
		notes = append(notes, note{table: v.Table, state: v.Verdict, reason: v.Reason})
		details.WriteString(verifiedDetails(v))
	}
	w.Render()
	_, err := fmt.Fprintf(p.out, "\n%s%s%s\n", details.String(), p.look().summarise(notes), conclusion(found, repair))
	return err
}

// count is a number of rows, a dash where it is not known.
func count(n jobs.Count) string {
	if n == jobs.Unknown {
		return "-"
	}
	return grouped(n.Known())
}

// verdict is a verdict, coloured by what it means for its reader.
func (t terminal) verdict(verdict string) string {
	if !colourful(t.out) {
		return verdict
	}
	switch verdict {
	case jobs.VerdictEqual, jobs.VerdictRepaired:
		return text.FgGreen.Sprint(verdict)
	case jobs.VerdictUnproven:
		return text.FgYellow.Sprint(verdict)
	case jobs.VerdictDifferent:
		return text.FgRed.Sprint(verdict)
	}
	return text.Faint.Sprint(verdict)
}

// verifiedDetails says what differs in a table, a line each.
func verifiedDetails(v *jobs.Verified) string {
	var lines strings.Builder
	for _, row := range v.Rows {
		for _, what := range rowWords(row) {
			if row.Older {
				what += " (older than the warehouse's)"
			}
			if row.Repaired {
				what += ": repaired"
			}
			fmt.Fprintf(&lines, "%s %d: %s\n", v.Table, row.ID, what)
		}
	}
	if v.Omitted > 0 {
		fmt.Fprintf(&lines, "%s: … and %s more\n", v.Table, counted(v.Omitted, "row"))
	}
	for i, s := range v.Sums {
		if i == mostSums {
			fmt.Fprintf(&lines, "%s: … and %s more\n", v.Table, counted(int64(len(v.Sums)-i), "sum"))
			break
		}
		of := slices.DeleteFunc([]string{s.What, s.Month, s.By}, func(part string) bool { return part == "" })
		fmt.Fprintf(&lines, "%s: %s: %s in the warehouse and %s in Paymo\n", v.Table, strings.Join(of, ", "), s.Warehouse, s.Paymo)
	}
	if v.Unsummed != "" && v.Reason == "" {
		fmt.Fprintf(&lines, "%s: the sums are not compared: %s\n", v.Table, v.Unsummed)
	}
	return lines.String()
}

// rowWords says how a row differs.
func rowWords(row jobs.RowDifference) []string {
	switch row.Kind {
	case jobs.RowMissing:
		return []string{"missing in the warehouse"}
	case jobs.RowDeleted:
		return []string{"marked deleted in the warehouse, and there in Paymo"}
	case jobs.RowExtra:
		return []string{"gone from Paymo, and there in the warehouse"}
	}
	words := make([]string, len(row.Columns))
	for i, c := range row.Columns {
		words[i] = columnWords(c)
	}
	return words
}

func columnWords(c sink.ColumnDifference) string {
	ours, theirs := shown(c.Warehouse), shown(c.Paymo)
	if ours == theirs {
		return fmt.Sprintf("%s differs after %q", c.Name, ours)
	}
	return fmt.Sprintf("%s is %s in the warehouse and %s in Paymo", c.Name, ours, theirs)
}

// shown is a value on one line.
func shown(value *string) string {
	if value == nil {
		return "null"
	}
	line := strings.Join(strings.Fields(*value), " ")
	if line == "" {
		return `""`
	}
	if utf8.RuneCountInString(line) > mostShown {
		line = string([]rune(line)[:mostShown]) + "…"
	}
	return line
}

// conclusion says what it comes to, and what to do.
func conclusion(found []jobs.Verified, repair bool) string {
	var rows, differ, repaired, pending int64
	var requests int
	var different, unproven []*jobs.Verified
	for i := range found {
		v := &found[i]
		rows += v.Paymo.Known()
		requests += v.Requests
		pending += v.Pending
		repaired += v.Repaired
		differ += v.Found() - v.Repaired
		switch v.Verdict {
		case jobs.VerdictDifferent:
			different = append(different, v)
		case jobs.VerdictUnproven:
			unproven = append(unproven, v)
		}
	}
	read := fmt.Sprintf("%s, %s", counted(rows, "row"), counted(int64(requests), "request"))
	sum := counted(int64(len(found)), "table") + ", " + read + partly(found)
	where := fmt.Sprintf("in %d of %s (%s%s)", len(different), counted(int64(len(found)), "table"), read, partly(found))
	switch {
	case len(different) > 0 && repair:
		return fmt.Sprintf("%s could not be repaired, %s: %s.", counted(differ, "row"), where, strings.Join(tablesOf(different), ", "))
	case len(different) > 0:
		return fmt.Sprintf("%s %s: %s", differs(differ), where, remedy(different))
	case len(unproven) > 0:
		return fmt.Sprintf("%s could not be compared (%s).", counted(int64(len(unproven)), "table"), sum)
	case repaired > 0:
		return fmt.Sprintf("%s repaired: the warehouse equals Paymo (%s).", counted(repaired, "row"), sum)
	case pending > 0:
		return fmt.Sprintf("The warehouse equals Paymo, but for %s that changed meanwhile: %s.", counted(pending, "row"), sum)
	}
	return fmt.Sprintf("The warehouse equals Paymo: %s.", sum)
}

// remedy says what mends the tables: a repair, or where its guard would stop at rows that
// are gone, a full sync that is told to let them go.
func remedy(different []*jobs.Verified) string {
	var guarded []string
	others := slices.DeleteFunc(slices.Clone(different), (*jobs.Verified).Guarded)
	for _, v := range different {
		if v.Guarded() {
			guarded = append(guarded, fmt.Sprintf("paymosync sync --full --accept-deletes %s %s", v.Table, v.Table))
		}
	}
	var ways []string
	if len(others) > 0 {
		ways = append(ways, "to mend it, run paymosync verify --repair "+strings.Join(tablesOf(others), " "))
	}
	if len(guarded) > 0 {
		ways = append(ways, "if it is right that so many rows are gone, run "+strings.Join(guarded, " and "))
	}
	return strings.Join(ways, "; ")
}

// partly says of which tables only what is about some day or a later one was compared.
func partly(found []jobs.Verified) string {
	var order []string
	tables := map[string][]string{}
	for i := range found {
		if from := found[i].From; from != "" {
			if tables[from] == nil {
				order = append(order, from)
			}
			tables[from] = append(tables[from], found[i].Table)
		}
	}
	var text strings.Builder
	for _, from := range order {
		fmt.Fprintf(&text, "; %s from %s", strings.Join(tables[from], " and "), from)
	}
	return text.String()
}

func tablesOf(found []*jobs.Verified) []string {
	names := make([]string, len(found))
	for i, v := range found {
		names[i] = v.Table
	}
	return names
}

func differs(rows int64) string {
	switch rows {
	case 0:
		return "Sums disagree"
	case 1:
		return "1 row differs"
	}
	return grouped(rows) + " rows differ"
}
