package main

import (
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

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// repository is seen from the tests of this package.
const repository = "../.."

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
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
		if err != nil || filepath.Ext(path) != ".go" || isTest && !withTests || strings.HasPrefix(filepath.Base(path), "readme_") {
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
