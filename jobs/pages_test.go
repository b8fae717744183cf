package jobs

import (
	"encoding/json"
	"slices"
	"testing"
)

// numbered are the ids from 1 to n.
func numbered(n int) []int64 {
	ids := make([]int64, n)
	for i := range ids {
		ids[i] = int64(i + 1)
	}
	return ids
}

// slicePages answers a page of the list as a server with that limit does.
func slicePages(list []int64, page, limit int) []int64 {
	from := min(page*limit, len(list))
	return list[from:min(from+limit, len(list))]
}

// readPages reads to the end, by way of JSON, as a checkpoint does.
func readPages(t *testing.T, answer func(page, pass int) []int64) (p Pages, requests int) {
	t.Helper()
	for !p.Ended {
		if requests++; requests > 200 {
			t.Fatal("no end")
		}
		ids := answer(p.Page, p.Pass)
		p.Done(len(ids), ids)
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		p = Pages{}
		if err := json.Unmarshal(text, &p); err != nil {
			t.Fatal(err)
		}
	}
	return p, requests
}

func TestPages(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name            string
		rows, limit     int
		count, requests int
	}{
		{"nothing", 0, 500, 0, 1},
		{"a few", 30, 500, 30, 4}, // a row may have moved from the second page to the first
		{"less than a page", 499, 500, 499, 4},
		{"a page", 500, 500, 500, 4},
		{"several and a short one", 1020, 500, 1020, 6},
		{"several and a long one", 1400, 500, 1400, 8},
		{"by ten", 35, 10, 35, 8},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			list := numbered(tt.rows)
			p, requests := readPages(t, func(page, _ int) []int64 { return slicePages(list, page, tt.limit) })
			if p.Count[0] != tt.count || !p.Stable() || p.Ignored {
				t.Errorf("%+v", p)
			}
			if requests > tt.requests {
				t.Errorf("%d requests, want at most %d", requests, tt.requests)
			}
		})
	}
}

func TestPagesThatMove(t *testing.T) {
	t.Parallel()
	list := numbered(1200)
	p, _ := readPages(t, func(page, pass int) []int64 {
		moved := append(slices.Clone(list[(page+pass)*3:]), list[:(page+pass)*3]...) // the list begins later at every request
		return slicePages(moved, page, 500)
	})
	if p.Stable() {
		t.Errorf("a list that moves is stable: %+v", p)
	}
	// One row in another's place is enough.
	p, _ = readPages(t, func(page, pass int) []int64 {
		changed := slices.Clone(list)
		if pass == 1 {
			changed[700] = 99_999
		}
		return slicePages(changed, page, 500)
	})
	if p.Stable() {
		t.Errorf("another row is not seen: %+v", p)
	}
	// The same rows in another order are the same.
	p, _ = readPages(t, func(page, pass int) []int64 {
		turned := slices.Clone(list)
		if pass == 1 {
			slices.Reverse(turned)
		}
		return slicePages(turned, page, 500)
	})
	if !p.Stable() {
		t.Errorf("another order is taken for other rows: %+v", p)
	}
}

func TestPagesIgnored(t *testing.T) {
	t.Parallel()
	list := numbered(800)
	p, requests := readPages(t, func(int, int) []int64 { return list })
	if !p.Ignored || p.Longest != 800 || requests != 2 || p.Count[0] != 800 {
		t.Errorf("%+v after %d requests", p, requests)
	}
}

// Pages that begin again are not read for ever.
func TestPagesInCircles(t *testing.T) {
	t.Parallel()
	for _, circle := range []int{2, 3, 7, 20} {
		list := numbered(500 * (circle + 5))
		p, requests := readPages(t, func(page, _ int) []int64 {
			if page >= 5 {
				page = 5 + (page-5)%circle
			}
			return slicePages(list, page, 500)
		})
		if !p.Repeats || p.Stable() || requests > 4*(circle+5) {
			t.Errorf("a circle of %d: %+v after %d requests", circle, p, requests)
		}
	}
}

// Rows without a usable id are rows: a page of nothing else is not the end.
func TestPagesOfRejects(t *testing.T) {
	t.Parallel()
	var p Pages
	p.Done(500, numbered(500))
	p.Done(500, nil)
	if p.Ended || p.Page != 2 || p.Count[0] != 1000 {
		t.Errorf("%+v", p)
	}
}
