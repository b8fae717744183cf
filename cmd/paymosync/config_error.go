package main

import (
	"fmt"
	"strings"
	"unicode"
)

// Problem is one thing that is wrong with the configuration.
type Problem struct {
	Variable string // the variable, or the flag
	Text     string // what is wrong and what would be right; never a secret
}

// String is one line.
func (p Problem) String() string { return p.Variable + ": " + p.Text }

// ConfigError says everything that is wrong with the configuration, one line a
// problem. A command that meets it exits with code 2.
type ConfigError struct{ Problems []Problem }

// Error is the problems, a line each.
func (e *ConfigError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

func newProblem(variable, format string, args ...any) *ConfigError {
	return &ConfigError{Problems: []Problem{{variable, printable(fmt.Sprintf(format, args...))}}}
}

// printable is a text without what would move a terminal's cursor, or is no character at
// all: the causes of problems repeat values as they are.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return '?'
		}
		return r
	}, text)
}
