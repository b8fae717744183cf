package jobs

import (
	"reflect"
	"strconv"
	"testing"
	"time"

	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

func TestProgressRoundTrip(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 4, 5, 6, 7, 123456000, time.UTC)
	from, to := int64(5), int64(9)
	whole := Progress{
		Run: 3, Mode: Full, StartedAt: now, Layout: "paymo abc", Listing: catalog.ByID, Since: now.Add(-time.Hour),
		Ranges: &Ranges{Todo: []Range{{}, {From: &from, To: &to}}, Width: 4, Floor: 2, Above: 1, Below: 2, Cap: 2500},
		Pages:  &Pages{Page: 2, Pass: 1, Longest: 500, Count: [2]int{1200, 500}, Sum: [2]int64{-5, 7}, Before: 9, Mark: 4},
		Parents: &Parents{
			After: 4, Denied: []int64{1}, Cut: []int64{2, 3}, New: []int64{9},
		},
		Timers: true, Horizon: now, Newest: now.Add(-time.Minute), Highest: 77, Witnesses: []int64{6, 8}, Seen: 10, Listed: 9,
		Known: 8, Windowless: true, Doubt: Doubt{Cause: CauseOther, Sentence: "words"},
	}
	for name, p := range map[string]Progress{"whole": whole, "begun": {Mode: Incremental, StartedAt: now, Layout: "paymo abc"}} {
		got := parseProgress(p.text(), "paymo abc", now.Add(time.Hour))
		if got == nil || !reflect.DeepEqual(*got, p) {
			t.Errorf("%s: %+v, want %+v", name, got, p)
		}
	}
	for name, got := range map[string]*Progress{
		"nothing":        parseProgress(nil, "paymo abc", now),
		"another layout": parseProgress(whole.text(), "paymo abd", now),
		"too old":        parseProgress(whole.text(), "paymo abc", now.Add(25*time.Hour)),
		"no JSON":        parseProgress([]byte("{"), "paymo abc", now),
	} {
		if got != nil {
			t.Errorf("%s: gone on with %+v", name, got)
		}
	}
}

func TestModeFor(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 4, 5, 0, 0, 0, time.UTC)
	done := sink.Checkpoint{FullAt: now.Add(-time.Hour), Layout: "paymo abc"}
	s := NewSyncer(SyncerConfig{FullDue: func(last, now time.Time) bool { return now.Sub(last) > 24*time.Hour }})
	for _, tt := range []struct {
		name       string
		asked      Mode
		checkpoint sink.Checkpoint
		want       Mode
	}{
		{"nothing special", Incremental, done, Incremental},
		{"asked for", Full, done, Full},
		{"the first", Incremental, sink.Checkpoint{}, Full},
		{"other columns", Incremental, sink.Checkpoint{FullAt: done.FullAt, Layout: "paymo abd"}, Full},
		{"due", Incremental, sink.Checkpoint{FullAt: now.Add(-25 * time.Hour), Layout: "paymo abc"}, Full},
	} {
		r := run{Syncer: s, checkpoint: tt.checkpoint}
		if got, _, err := r.modeFor(t.Context(), Request{Mode: tt.asked}, "paymo abc", now); got != tt.want || err != nil {
			t.Errorf("%s: %s, %v", tt.name, got, err)
		}
	}
	// Without a schedule only the first is due.
	s = NewSyncer(SyncerConfig{})
	r := run{Syncer: s, checkpoint: sink.Checkpoint{FullAt: now.AddDate(-1, 0, 0), Layout: "l"}}
	if got, _, err := r.modeFor(t.Context(), Request{Mode: Incremental}, "l", now); got != Incremental || err != nil {
		t.Errorf("%s, %v", got, err)
	}
}

func TestBeyond(t *testing.T) {
	t.Parallel()
	words := func(ranges []Range) (all []string) {
		for _, r := range ranges {
			all = append(all, endWord(r.From)+"-"+endWord(r.To))
		}
		return all
	}
	low, high := int64(1), int64(100)
	for _, tt := range []struct {
		name      string
		asked     Range
		positions []int64
		inOrder   bool
		want      []string
	}{
		{"ascending", Range{}, []int64{5, 6, 9, 12}, true, []string{"13-"}},
		{"descending", Range{}, []int64{12, 9, 6, 5}, true, []string{"-5"}},
		{"no order", Range{}, []int64{9, 5, 12, 6}, true, []string{"-9", "9-"}},
		{"few may be in order by chance", Range{}, []int64{5, 6, 9}, true, []string{"-6", "6-"}},
		{"one", Range{}, []int64{5}, true, []string{"-5", "6-"}},
		{"days", Range{}, []int64{5, 6, 9, 12}, false, []string{"-9", "9-"}},
		{"a part, ascending", Range{From: &low, To: &high}, []int64{5, 6, 9, 12}, true, []string{"13-100"}},
		{"a part, descending", Range{From: &low, To: &high}, []int64{12, 9, 6, 5}, true, []string{"1-5"}},
	} {
		if got := words(beyond(tt.asked, tt.positions, tt.inOrder)); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// Windows are read wider than they are: a row counts where it lies, and once.
func TestRowsIn(t *testing.T) {
	t.Parallel()
	low, high := int64(100), int64(103)
	page := &paymo.Page{Rows: 7} // one of them has no usable id
	for _, id := range []int64{1, 2, 3, 4, 5, 5} {
		page.Records = append(page.Records, catalog.Record{ID: id})
	}
	positions := []int64{99, 100, 101, 103, 102, 102}
	for _, tt := range []struct {
		listing catalog.Listing
		asked   Range
		want    int64
	}{
		{catalog.ByWindow, Range{From: &low, To: &high}, 3},
		{catalog.ByWindow, Range{From: &high}, 1},
		{catalog.ByWindow, Range{To: &low}, 1},
		{catalog.ByWindow, Range{}, 6},
		{catalog.ByID, Range{From: &low, To: &high}, 4},
	} {
		r := &run{progress: &Progress{Listing: tt.listing}}
		if got := r.rowsIn(tt.asked, page, positions); got != tt.want {
			t.Errorf("%s, %s-%s: %d rows, want %d", tt.listing, endWord(tt.asked.From), endWord(tt.asked.To), got, tt.want)
		}
	}
}

func endWord(end *int64) string {
	if end == nil {
		return ""
	}
	return strconv.FormatInt(*end, 10)
}
