package main

import (
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
	"github.com/paymosync/paymosync/sink/sinktest"
)

// repository is seen from the tests of this package.
const repository = "../.."

var updateReadme = flag.Bool("update", false, "write the tables of the README anew")

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The tables between markers say what the code says.
func TestReadmeTables(t *testing.T) {
	t.Parallel()
	readme := readFile(t, "README.md")
	fresh := readme
	for name, table := range map[string]string{
		"configuration": configurationTable(), "commands": commandTable(), "tables": resourceTable(),
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
		flags := regexp.MustCompile(`(?m)^ +(?:-\w, )?(--[\w-]+(?: \w+)?) {2,}`)
		for _, match := range flags.FindAllStringSubmatch(command.LocalNonPersistentFlags().FlagUsages(), -1) {
			use += " [" + match[1] + "]"
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
		if !r.Readable() {
			ways = []string{"not read by this version"}
		}
		table += markdownRow(codeOf(r.Table), prose(r.About), codeOf(r.Path), strings.Join(ways, ", else "))
	}
	return table
}

// fences are the blocks of code in a language.
func fences(text, language string) []string {
	var blocks []string
	for _, match := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(text, -1) {
		blocks = append(blocks, match[1])
	}
	return blocks
}

// shownCommands are the command lines of paymosync in a page, from its name on.
func shownCommands(page string) [][]string {
	var lines []string
	for _, language := range []string{"sh", "ini"} {
		for _, block := range fences(page, language) {
			for line := range strings.Lines(block) {
				lines = append(lines, regexp.MustCompile(`\s(?:&&|\|\|?|;|#)\s`).Split(line, -1)...)
			}
		}
	}
	for _, match := range regexp.MustCompile("`([^`\n]+)`").FindAllStringSubmatch(page, -1) {
		lines = append(lines, match[1])
	}
	name := regexp.MustCompile(`^(?:ExecStart=|sudo |go run |[A-Z_]+=\S* )*(?:\S*/)?paymosync(?: |$)(.*)`)
	var commands [][]string
	for _, line := range lines {
		if match := name.FindStringSubmatch(strings.TrimSpace(line)); match != nil {
			commands = append(commands, strings.Fields(regexp.MustCompile(`\[[^\]]*\]`).ReplaceAllString(match[1], "")))
		}
	}
	return commands
}

// Every command line that the README shows is one that the program understands.
func TestReadmeCommandLines(t *testing.T) {
	t.Parallel()
	shown := shownCommands(readFile(t, "README.md"))
	if len(shown) < 20 {
		t.Errorf("found only %d command lines: %q", len(shown), shown)
	}
	for _, args := range shown {
		if len(args) == 0 || args[0] == "--help" { // the program's name alone
			continue
		}
		command := newRoot(terminal{out: io.Discard, err: io.Discard}, nil)
		command.InitDefaultCompletionCmd(args...)
		found, rest, err := command.Find(args)
		if err == nil {
			err = found.ParseFlags(rest)
		}
		if err == nil {
			err = found.ValidateArgs(found.Flags().Args())
		}
		if err != nil || found == command {
			t.Errorf("paymosync %s: %v", strings.Join(args, " "), err)
		}
		if !slices.Contains([]string{"sync", "reset", "tables"}, found.Name()) {
			continue
		}
		for _, table := range found.Flags().Args() {
			if _, ok := catalog.Lookup(table); !ok && table != "TABLE" {
				t.Errorf("paymosync %s: there is no table %s", strings.Join(args, " "), table)
			}
		}
	}
}

// The exit codes and states of the README are those of the code.
func TestReadmeCodesAndStates(t *testing.T) {
	t.Parallel()
	readme := readFile(t, "README.md")
	for _, row := range []string{
		fmt.Sprintf("| %d | every table is `%s`, `%s` or `%s`", exitOK, sink.StateOK, sink.StatePaused, sink.StateUnavailable),
		fmt.Sprintf("| %d | a table is `%s` or `%s`", exitUnwell, sink.StateDegraded, sink.StateFailing),
		fmt.Sprintf("| %d | the configuration is wrong, or the command was called wrongly", exitConfig),
		fmt.Sprintf("| %d | interrupted", exitInterrupted),
		"| `" + sink.StateOK + "` | ", "| `" + sink.StateDegraded + "` | ", "| `" + sink.StateFailing + "` | ",
		"| `" + sink.StateUnavailable + "` | ", "| `" + sink.StatePaused + "` | ",
	} {
		if !strings.Contains(readme, "\n"+row) {
			t.Errorf("the README has no row %q", row)
		}
	}
	command := newRoot(terminal{out: io.Discard, err: io.Discard}, nil)
	command.SetArgs([]string{"no-such-command"})
	if code := exitCode(command.ExecuteContext(t.Context())); code != exitConfig {
		t.Errorf("a wrong call ends with %d", code)
	}
}

// goCode is the text of the repository's Go files, but for the tests of the README.
func goCode(t *testing.T, withTests bool) string {
	t.Helper()
	var all strings.Builder
	err := fs.WalkDir(os.DirFS(repository), ".", func(path string, _ fs.DirEntry, err error) error {
		isTest := strings.HasSuffix(path, "_test.go")
		if err != nil || filepath.Ext(path) != ".go" || isTest && !withTests || strings.HasSuffix(path, "readme_test.go") {
			return err
		}
		text, err := os.ReadFile(filepath.Join(repository, path))
		all.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// Every variable that the README names exists: it is one of the configuration, or
// some Go file reads it, or Go itself does.
func TestReadmeVariables(t *testing.T) {
	t.Parallel()
	known := []string{"HTTPS_PROXY", "NO_PROXY"}
	for _, v := range Variables() {
		known = append(known, v.Name)
	}
	code := goCode(t, true)
	for _, name := range regexp.MustCompile(`\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b`).FindAllString(readFile(t, "README.md"), -1) {
		if !slices.Contains(known, name) && !strings.Contains(code, `"`+name+`"`) {
			t.Errorf("the README names %s, which nothing reads", name)
		}
	}
}

// The Compose file gives paymosync variables that it reads, and so does the image.
func TestDeploymentVariables(t *testing.T) {
	t.Parallel()
	known := map[string]bool{"PGPASSWORD": true} // the driver reads it
	for _, v := range Variables() {
		known[v.Name] = true
	}
	service := regexp.MustCompile(`(?ms)^  paymosync:\n.*?^    environment:\n(.*?)^    \w`).FindStringSubmatch(readFile(t, "docker-compose.yml"))
	if service == nil {
		t.Fatal("the Compose file has no service paymosync with an environment")
	}
	given := regexp.MustCompile(`(?m)^      (\w+):`).FindAllStringSubmatch(service[1], -1)
	if len(given) < 5 {
		t.Errorf("found only %q", given)
	}
	given = append(given, regexp.MustCompile(`(?m)^ENV (\w+)`).FindAllStringSubmatch(readFile(t, "Dockerfile"), -1)...)
	for _, match := range given {
		if !known[match[1]] {
			t.Errorf("%s is no variable of paymosync", match[1])
		}
	}
}

// The health check ends by itself before Compose ends it, and its words are seen; and it
// waits for longer than an answer takes.
func TestDeploymentHealthcheck(t *testing.T) {
	t.Parallel()
	timeout := regexp.MustCompile(`(?s)"/usr/local/bin/paymosync", "healthcheck"\].*?timeout: (\w+)`).FindStringSubmatch(readFile(t, "docker-compose.yml"))
	if timeout == nil {
		t.Fatal("the Compose file has no health check of paymosync")
	}
	given, err := time.ParseDuration(timeout[1])
	if err != nil || healthcheckTimeout >= given || healthcheckTimeout <= probeTimeout {
		t.Errorf("Compose waits for %s, the command for %s, an answer takes up to %s; %v", given, healthcheckTimeout, probeTimeout, err)
	}
}

// Links lead to files and headings that are there.
func TestReadmeLinks(t *testing.T) {
	t.Parallel()
	readme := readFile(t, "README.md")
	headings := map[string]bool{}
	for _, match := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(readme, -1) {
		slug := regexp.MustCompile(`[^a-z0-9 -]`).ReplaceAllString(strings.ToLower(match[1]), "")
		headings["#"+strings.ReplaceAll(slug, " ", "-")] = true
	}
	for _, match := range regexp.MustCompile(`\]\(([^)]+)\)`).FindAllStringSubmatch(readme, -1) {
		link := match[1]
		switch {
		case strings.HasPrefix(link, "https://"):
		case strings.HasPrefix(link, "#"):
			if !headings[link] {
				t.Errorf("there is no heading %s", link)
			}
		default:
			if _, err := os.Stat(filepath.Join(repository, link)); err != nil {
				t.Errorf("there is no file %s", link)
			}
		}
	}
}

// The words that the README's symptoms quote are words of the program.
func TestReadmeSymptoms(t *testing.T) {
	t.Parallel()
	_, section, _ := strings.Cut(readFile(t, "README.md"), "\n## When something is wrong\n")
	section, _, _ = strings.Cut(section, "\n## ")
	// Long sentences are broken into several texts there.
	code := regexp.MustCompile(`"\s*\+\s*"`).ReplaceAllString(goCode(t, false), "")
	rows := regexp.MustCompile(`(?m)^\| ([^|]*) \|`).FindAllStringSubmatch(section, -1)
	if len(rows) < 20 {
		t.Errorf("found only %d rows", len(rows))
	}
	for _, row := range rows {
		for _, quoted := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[1], -1) {
			for words := range strings.SplitSeq(quoted[1], " … ") {
				if !strings.Contains(code, words) {
					t.Errorf("the program does not say %q", words)
				}
			}
		}
	}
}

// Every query of the README runs on a warehouse that was just synced, and finds rows,
// but for those that say that they find none.
func TestReadmeQueries(t *testing.T) {
	t.Parallel()
	company := agency()
	company.Until = time.Now().UTC().Truncate(24 * time.Hour)
	w := newWorld(t, company)
	w.run("sync").mustExit(exitOK)
	blocks := fences(readFile(t, "README.md"), "sql")
	if len(blocks) < 8 {
		t.Errorf("found only %d blocks of SQL", len(blocks))
	}
	for _, block := range blocks {
		tx, err := w.pool.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		tryReadmeSQL(t, tx, block)
		if err := tx.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func tryReadmeSQL(t *testing.T, tx pgx.Tx, block string) {
	t.Helper()
	do := func(statement string) (rows int64) {
		t.Helper()
		tag, err := tx.Exec(t.Context(), statement)
		if err != nil {
			t.Fatalf("%v:\n%s", err, statement)
		}
		return tag.RowsAffected()
	}
	reader := regexp.MustCompile(`(?m)^GRANT .* TO (\w+);$`).FindStringSubmatch(block)
	if reader != nil {
		if do("SELECT FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolcreaterole)") == 0 {
			t.Logf("left out, because the role of TEST_DATABASE_URL may not create roles:\n%s", block)
			return
		}
		do("CREATE ROLE " + reader[1])
	}
	for statement := range strings.SplitSeq(strings.TrimSpace(block), ";\n") {
		comment, query, commented := strings.Cut(statement, "\n")
		if !commented || !strings.HasPrefix(comment, "--") {
			comment, query = "", statement
		}
		rows := do(query)
		if isQuery := strings.HasPrefix(query, "SELECT"); isQuery && (rows == 0) != strings.HasPrefix(comment, "-- no rows") {
			t.Errorf("it finds %d rows:\n%s", rows, statement)
		}
	}
	if reader == nil {
		return
	}
	// The reader sees the warehouse and nothing else.
	do("SET LOCAL ROLE " + reader[1])
	if do("SELECT FROM paymo._sync_status") == 0 || do("SELECT FROM paymo.time_entries") == 0 {
		t.Error("the reader of the README sees nothing")
	}
	if _, err := tx.Exec(t.Context(), "SELECT FROM paymosync.runs"); err == nil {
		t.Error("the reader of the README sees the bookkeeping")
	}
}

// The columns that the README gives to every table are in every table.
func TestReadmeColumns(t *testing.T) {
	t.Parallel()
	pool := sinktest.Database(t)
	named := regexp.MustCompile("(?m)^\\| `(_\\w+)` \\|").FindAllStringSubmatch(readFile(t, "README.md"), -1)
	var columns []string
	for _, match := range named {
		columns = append(columns, match[1])
	}
	for _, r := range catalog.All() {
		var found []string
		err := pool.QueryRow(t.Context(), `
			SELECT array_agg(column_name::text ORDER BY ordinal_position)
			FROM information_schema.columns
			WHERE table_schema = $1 AND table_name = $2 AND column_name LIKE '\_%'`, sinktest.Warehouse, r.Table).Scan(&found)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(columns, found); diff != "" {
			t.Fatalf("columns of every table, and those of %s (-README +database):\n%s", r.Table, diff)
		}
	}
}
