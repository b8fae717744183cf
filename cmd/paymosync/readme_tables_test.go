package main

import (
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/paymosync/paymosync/paymo/catalog"
)

var updateReadme = flag.Bool("update", false, "write the tables of the README anew")

// The tables between markers say what the code says.
func TestReadmeTables(t *testing.T) {
	t.Parallel()
	readme := readFile(t, "README.md")
	fresh := readme
	for name, table := range map[string]string{
		"configuration": configurationTable(), "commands": commandTable(), "tables": resourceTable(), "causes": causesTable(),
		"metrics": metricsTable(t),
	} {
		between := regexp.MustCompile(`(?s)(<!-- begin: ` + name + `, [^\n]*-->\n).*?(<!-- end: ` + name + ` -->)`)
		if !between.MatchString(fresh) {
			t.Fatalf("the README has no markers for %s", name)
		}
		fresh = between.ReplaceAllString(fresh, "${1}\n"+strings.ReplaceAll(table, "$", "$$")+"\n${2}")
	}
	if *updateReadme {
		if err := os.WriteFile(filepath.Join(repository, "README.md"), []byte(fresh), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(strings.Split(readme, "\n"), strings.Split(fresh, "\n")); diff != "" {
		t.Errorf("the README is not what the code says; go test ./cmd/paymosync -run Readme -update (-README +code):\n%s", diff)
	}
}

func markdownRow(cells ...string) string { return "| " + strings.Join(cells, " | ") + " |\n" }

func codeOf(text string) string {
	if text == "" {
		return ""
	}
	return "`" + strings.ReplaceAll(text, "|", `\|`) + "`"
}

func prose(text string) string { return strings.NewReplacer("*", `\*`, "|", `\|`).Replace(text) }

func configurationTable() string {
	table := markdownRow("variable", "default", "meaning") + markdownRow("---", "---", "---")
	for _, v := range Variables() {
		table += markdownRow(codeOf(v.Name), codeOf(v.Default), prose(v.Description))
	}
	return table
}

func commandTable() string {
	table := markdownRow("command", "what it does") + markdownRow("---", "---")
	for _, command := range allCommands(newRoot(terminal{out: io.Discard, err: io.Discard}, nil)) {
		use := command.Parent().CommandPath() + " " + command.Use
		flags := regexp.MustCompile(`(?m)^ +(?:-\w, )?(--[\w-]+(?: \w+)?(?:\[=\w+\])?) {2,}`)
		for _, match := range flags.FindAllStringSubmatch(command.LocalNonPersistentFlags().FlagUsages(), -1) {
			if name, _, _ := strings.Cut(match[1], " "); !strings.Contains(use, name+" ") { // what is mandatory is in it
				use += " [" + match[1] + "]"
			}
		}
		table += markdownRow(codeOf(use), prose(command.Short))
	}
	return table
}

// allCommands are those below a command, each before its own.
func allCommands(parent *cobra.Command) []*cobra.Command {
	var all []*cobra.Command
	for _, command := range parent.Commands() {
		if command.Name() == "help" || command.Name() == "completion" {
			continue // those of every program made with cobra
		}
		all = append(append(all, command), allCommands(command)...)
	}
	return all
}

func resourceTable() string {
	table := markdownRow("table", "what it holds", "Paymo endpoint", "how it is read") + markdownRow("---", "---", "---", "---")
	for _, r := range catalog.All() {
		ways := make([]string, len(r.Listings))
		for i, listing := range r.Listings {
			ways[i] = listing.String()
		}
		table += markdownRow(codeOf(r.Table), prose(r.About), codeOf(r.Path), strings.Join(ways, ", else "))
	}
	return table
}
