package web

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/paymosync/paymosync/sink"
)

// moment is a time as the page tells it: relative for people, whole for the rest.
type moment struct {
	Words string // "3 minutes ago"
	Span  string // "3 minutes"
	Clock string // "2026-11-27 22:30:05 UTC"
	ISO   string
}

func newMoment(t, now time.Time) *moment {
	return &moment{Words: relative(now.Sub(t)), Span: cmp.Or(rough(now.Sub(t).Abs()), "a moment"), Clock: clock(t), ISO: t.UTC().Format(time.RFC3339)}
}

func momentOf(t *time.Time, now time.Time) *moment {
	if t == nil {
		return nil
	}
	return newMoment(*t, now)
}

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// relative says how long ago something was; negative ones are to come.
func relative(age time.Duration) string {
	words := rough(age.Abs())
	switch {
	case words == "":
		return "now"
	case age < 0:
		return "in " + words
	}
	return words + " ago"
}

// rough is a duration to one digit's care, "" for less than a second.
func rough(d time.Duration) string {
	switch {
	case d < time.Second:
		return ""
	case d < 90*time.Second:
		return counted(int64(d.Seconds()), "second")
	case d < 90*time.Minute:
		return counted(int64((d + 30*time.Second).Minutes()), "minute")
	case d < 36*time.Hour:
		return counted(int64((d + 30*time.Minute).Hours()), "hour")
	}
	return counted(int64((d+12*time.Hour).Hours()/24), "day")
}

// span is how long something took.
func span(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 10*time.Second:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", d.Seconds()), ".0") + " s"
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < time.Hour:
		d = d.Round(time.Second)
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	d = d.Round(time.Minute)
	return fmt.Sprintf("%s h %d min", number(int64(d.Hours())), int(d.Minutes())%60)
}

// number is a number with its thousands apart.
func number(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if digits[0] == '-' {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

// counted is a number of things: "1 row", "2 rows".
func counted(n int64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return number(n) + " " + thing + "s"
}

// sentence is a text with a capital letter and a full stop.
func sentence(text string) string {
	text = strings.TrimSpace(text)
	if text == "" {
		return ""
	}
	if first := text[0]; first >= 'a' && first <= 'z' {
		word, _, _ := strings.Cut(text, " ")
		if !strings.ContainsAny(word, "_/.=") { // not a name
			text = string(first-'a'+'A') + text[1:]
		}
	}
	if !strings.ContainsAny(text[len(text)-1:], ".!?") {
		text += "."
	}
	return text
}

// outcome says what a run did with rows, in the ledger's words.
func outcome(run sink.Run) string {
	var parts []string
	for _, part := range []struct {
		n    int64
		what string
	}{
		{run.Inserted, "inserted"},
		{run.Updated, "updated"},
		{run.Tombstoned, "tombstoned"},
		{run.Quarantined, "quarantined"},
		{run.Unchanged, "unchanged"},
	} {
		if part.n > 0 {
			parts = append(parts, number(part.n)+" "+part.what)
		}
	}
	if len(parts) == 0 {
		return "no rows"
	}
	return strings.Join(parts, ", ")
}

// written are the rows that a run wrote.
func written(run sink.Run) int64 { return run.Inserted + run.Updated + run.Tombstoned }

// head is the beginning of a text that is too long for a table, and "" for one that is
// not.
func head(text string) string {
	const most, shown = 240, 120
	if utf8.RuneCountInString(text) <= most {
		return ""
	}
	return strings.TrimRight(string([]rune(text)[:shown]), " ,;.:")
}

// piece is a part of a text. One that is whole is not broken into lines.
type piece struct {
	Text  string
	Whole bool
}

// words parts a text at its flags, such as --full, which browsers break at their hyphens.
func words(text string) []piece {
	var pieces []piece
	plain := 0
	for at := 0; at < len(text); {
		end := at + strings.IndexByte(text[at:]+" ", ' ')
		if strings.HasPrefix(text[at:], "--") && end-at < 40 {
			pieces = append(pieces, piece{text[plain:at], false}, piece{text[at:end], true})
			plain = end
		}
		at = end + 1
	}
	return append(pieces, piece{text[plain:], false})
}
