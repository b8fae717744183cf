package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"
)

// wideTable is the width that the table of verify needs with all its columns.
const wideTable = 116

// terminal is where a command prints: results to out, everything else to err. What asks
// for keys reads them from in, which may be nil.
type terminal struct {
	in       *os.File
	out, err io.Writer
}

// stdout is the standard output. It keeps the first error of writing to it: a command
// whose results did not arrive has failed, whether it looked or not. It is safe for
// concurrent use.
type stdout struct {
	file  *os.File
	mu    sync.Mutex
	first error
}

// Fd is the file descriptor.
func (s *stdout) Fd() uintptr { return s.file.Fd() }

// Write writes, unless that has failed before.
func (s *stdout) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.first != nil {
		return 0, s.first
	}
	n, err := s.file.Write(p)
	s.first = err
	return n, err
}

// failed is the first error of writing, as people read it.
func (s *stdout) failed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.first == nil {
		return nil
	}
	return fmt.Errorf("print the results: %w", s.first)
}

// described is what has a file descriptor: it may be a terminal.
type described interface{ Fd() uintptr }

// isTerminal reports whether a person reads the writer.
func isTerminal(w io.Writer) bool {
	file, ok := w.(described)
	return ok && term.IsTerminal(int(file.Fd()))
}

// terminalSize is the columns and lines of the terminal behind the writer; ok is
// false where there is none.
func terminalSize(w io.Writer) (width, height int, ok bool) {
	file, isFile := w.(described)
	if !isFile {
		return 0, 0, false
	}
	width, height, err := term.GetSize(int(file.Fd()))
	return width, height, err == nil && width > 0 && height > 0
}

// narrow reports whether out is a terminal that a wide table would wrap on.
func (t terminal) narrow() bool {
	width, _, ok := terminalSize(t.out)
	return ok && width < wideTable
}

// colourful reports whether colours may be used on the writer.
func colourful(w io.Writer) bool { return isTerminal(w) && os.Getenv("NO_COLOR") == "" }

// logger logs to err, in the configured format. A command that prints its own
// results is quieter than the service, unless a level was chosen.
func (t terminal) logger(config Config, level slog.Level) *slog.Logger {
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: readable}
	if config.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(t.err, options))
	}
	return slog.New(slog.NewTextHandler(t.err, options))
}

// quietLogger logs errors alone, above the progress of a command whose results say the
// rest; whoever asked for debugging is to see it.
func quietLogger(config Config, shown *progress) *slog.Logger {
	level := slog.LevelError
	if config.LogLevel < slog.LevelInfo {
		level = config.LogLevel
	}
	return terminal{err: shown}.logger(config, level)
}

// readable gives durations as text in every format: as JSON they would be nanoseconds.
func readable(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().String())
	}
	return a
}

// printJSON prints a value for scripts.
func (t terminal) printJSON(value any) error {
	encoder := json.NewEncoder(t.out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}

// quieter takes what River tells every few seconds for debugging: it is no news to
// an operator that jobs were worked.
type quieter struct{ slog.Handler }

// Enabled drops information unless debugging is on.
func (q quieter) Enabled(ctx context.Context, level slog.Level) bool {
	if level == slog.LevelInfo {
		level = slog.LevelDebug
	}
	return q.Handler.Enabled(ctx, level)
}

// WithAttrs keeps the handler quiet.
func (q quieter) WithAttrs(attributes []slog.Attr) slog.Handler {
	return quieter{q.Handler.WithAttrs(attributes)}
}

// WithGroup keeps the handler quiet.
func (q quieter) WithGroup(name string) slog.Handler { return quieter{q.Handler.WithGroup(name)} }

// newTable makes a plain, aligned table; a person's one is bold where it is headed.
func (t terminal) newTable(header ...any) table.Writer {
	w := plainTable(colourful(t.out))
	w.SetOutputMirror(t.out)
	w.AppendHeader(table.Row(header))
	return w
}

// plainTable makes a table of aligned columns without lines.
func plainTable(colour bool) table.Writer {
	w := table.NewWriter()
	style := table.StyleDefault
	style.Options = table.Options{}
	style.Box.PaddingLeft, style.Box.PaddingRight = "", strings.Repeat(" ", columnGap)
	style.Format.Header, style.Format.Footer = text.FormatUpper, text.FormatDefault
	if colour {
		style.Color.Header = text.Colors{text.Bold}
	}
	w.SetStyle(style)
	w.SuppressTrailingSpaces()
	return w
}

// numbers aligns the columns with these headers to the right.
func numbers(w table.Writer, headers ...string) {
	configs := make([]table.ColumnConfig, len(headers))
	for i, header := range headers {
		configs[i] = table.ColumnConfig{Name: header, Align: text.AlignRight, AlignHeader: text.AlignRight, AlignFooter: text.AlignRight}
	}
	w.SetColumnConfigs(configs)
}

// grouped is a number with its thousands apart.
func grouped(n int64) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// counted is a number of things: "1 row", "2,000 rows".
func counted(n int64, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return grouped(n) + " " + thing
}

// seconds is a duration without fractions, for what changes while it is read.
func seconds(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%ds", int(max(0, d.Seconds())))
	}
	return span(d)
}

// span is a duration as people say it.
func span(d time.Duration) string {
	switch {
	case d < 0:
		return "now"
	case d < 10*time.Second:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}

// ago is how long before now something was, or a dash.
func ago(t *time.Time, now time.Time) string {
	if t == nil {
		return "-"
	}
	return span(now.Sub(*t)) + " ago"
}
