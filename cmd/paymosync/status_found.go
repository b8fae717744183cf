package main

import (
	"strings"

	"github.com/paymosync/paymosync/jobs"
)

// contracts say which changes are found when, one paragraph for the tables with the same,
// wrapped at a width.
func contracts(reports []tableReport, width int) string {
	var order []jobs.Freshness
	tables := map[jobs.Freshness][]string{}
	for _, r := range reports {
		if tables[r.Found] == nil {
			order = append(order, r.Found)
		}
		tables[r.Found] = append(tables[r.Found], r.Table)
	}
	var lines strings.Builder
	for _, found := range order {
		var parts []string
		for _, part := range []struct{ when, what string }{
			{"at once: ", found.AtOnce}, {"at once, for a part of the table: ", found.Hot}, {"by the full: ", found.Nightly},
		} {
			if part.what != "" {
				parts = append(parts, part.when+part.what)
			}
		}
		what := strings.Join(parts, "; ") + "."
		for _, text := range []struct{ indent, words string }{
			{"", "Found " + what}, {"    ", strings.Join(tables[found], ", ")},
		} {
			lines.WriteString(wrapped(text.words, text.indent, width))
		}
	}
	return lines.String()
}
