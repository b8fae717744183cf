package main

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/joho/godotenv"
)

// Environment is the set of variables that a configuration is read from: those
// of the process over those of a file. An empty value counts as not set. It
// satisfies envconfig's Lookuper.
type Environment struct {
	values   map[string]string
	fromFile map[string]bool
}

// ReadEnvironment takes the process's variables, as os.Environ gives them, and
// below them those of a file of NAME=value lines; no file if its name is empty.
// Values are taken as they are: a $ outside single quotes is refused.
// A file that cannot be read is a *ConfigError, which repeats nothing of it.
func ReadEnvironment(environ []string, file string) (Environment, error) {
	env := Environment{values: map[string]string{}, fromFile: map[string]bool{}}
	if file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return Environment{}, newProblem("--env-file", "cannot read %s: %v", file, reason(err))
		}
		values, err := godotenv.UnmarshalBytes(text)
		if err != nil {
			// The parser's own error repeats the text, which holds secrets.
			return Environment{}, newProblem("--env-file", "%s is not understood from line %d on: expected NAME=value, one a line, values with spaces or # in quotes",
				file, firstBadLine(string(text)))
		}
		if problems := dollars(file, string(text)); len(problems) > 0 {
			return Environment{}, &ConfigError{Problems: problems}
		}
		for name, value := range values {
			if value = strings.TrimSpace(value); value != "" {
				env.values[name], env.fromFile[name] = value, true
			}
		}
	}
	for _, line := range environ {
		name, value, _ := strings.Cut(line, "=")
		if value = strings.TrimSpace(value); value != "" {
			env.values[name] = value
			delete(env.fromFile, name)
		}
	}
	return env, nil
}

// Lookup gives a variable's value, and whether it is set.
func (e Environment) Lookup(name string) (string, bool) {
	value, ok := e.values[name]
	return value, ok
}

// names are the variables that are set, in order.
func (e Environment) names() []string {
	names := make([]string, 0, len(e.values))
	for name := range e.values {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// firstBadLine is the number of the line behind the longest beginning of the
// text that parses.
func firstBadLine(text string) int {
	lines := strings.Split(text, "\n")
	for n := len(lines) - 1; n > 0; n-- {
		if _, err := godotenv.Unmarshal(strings.Join(lines[:n], "\n")); err == nil {
			return n + 1
		}
	}
	return 1
}

// reason is the cause of a failed file operation, without the file's name.
func reason(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	return err
}
