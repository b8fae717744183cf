package main

import (
	"regexp"
	"strings"

	"github.com/joho/godotenv"
)

// dollars finds the lines of an environment file whose value has a $ outside single
// quotes: the parser would put another variable's value there, or nothing. The text
// must be one that parses. What it finds are problems that name file, line and
// variable, and nothing of the value.
func dollars(file, text string) []Problem {
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	name := regexp.MustCompile(`^\s*(?:export\s+)?([\pL\pN_.]+)\s*[=:]\s*(.*)$`)
	var problems []Problem
	for n := 0; n < len(lines); n++ {
		match := name.FindStringSubmatch(lines[n])
		if match == nil {
			continue
		}
		first, value := n, match[2]
		quoted := strings.HasPrefix(value, "'") || strings.HasPrefix(value, `"`)
		// A quoted value may go over several lines: it ends where the text parses.
		for quoted && n+1 < len(lines) {
			if _, err := godotenv.Unmarshal(strings.Join(lines[first:n+1], "\n")); err == nil {
				break
			}
			n++
			value += "\n" + lines[n]
		}
		if !quoted {
			// What stands behind the last # after white space is a comment.
			value = regexp.MustCompile(`^(.*)\s#.*$`).ReplaceAllString(value, "$1")
		}
		if !strings.HasPrefix(value, "'") && strings.Contains(value, "$") {
			problems = append(problems, newProblem("--env-file", "%s, line %d: %s has a $ that is not in single quotes; write %s='…'", file, first+1, match[1], match[1]).Problems...)
		}
	}
	return problems
}
