package jobs

// Pages reads one resource by page and page_size, for servers that ignore ranges.
// Rows may move between pages while they are read, so a listing of more than one
// page is read twice, and both passes must see the same ids.
//
// It is a value that survives in the checkpoint, and knows nothing of Paymo.
type Pages struct {
	Page    int    `json:"page"`
	Pass    int    `json:"pass"`    // 0 and 1
	Longest int    `json:"longest"` // rows of the longest page seen
	Count   [2]int `json:"count"`   // rows of each pass
	Sum     [2]int64
	Before  int64 `json:"before"`  // sum of the page before
	Mark    int64 `json:"mark"`    // sum of the last page whose number is a power of two
	Ignored bool  `json:"ignored"` // the server answers every page alike
	Repeats bool  `json:"repeats"` // the server begins again with pages that it has answered
	Ended   bool  `json:"ended"`
}

// pageSize is what a page is asked to hold. A server may give less.
const pageSize = 500

// shortPage is the number of rows below which a page may be the last one.
const shortPage = 50

// Done takes a page: the number of its rows, and the ids of those that have one.
func (p *Pages) Done(rows int, ids []int64) {
	var sum int64
	for _, id := range ids {
		sum += mix(id)
	}
	if p.Page > 0 && rows > 0 && sum == p.Before {
		p.Ignored, p.Ended = true, true
		return
	}
	if p.Page > 0 && len(ids) > 0 && sum == p.Mark {
		p.Repeats, p.Ended = true, true
		return
	}
	p.Before = sum
	if p.Page&(p.Page-1) == 0 { // whatever the length of a circle, one mark comes to lie in it
		p.Mark = sum
	}
	p.Count[p.Pass] += rows
	p.Sum[p.Pass] += sum
	last := rows == 0 || rows < p.Longest && rows < shortPage
	p.Longest = max(p.Longest, rows)
	switch {
	case !last:
		p.Page++
	case p.Pass == 0 && p.Page > 0 && p.Count[0] > rows:
		p.Page, p.Pass, p.Before = 0, 1, 0
	default:
		p.Ended = true
	}
}

// Stable reports whether both passes saw the same ids; one page needs no second.
func (p *Pages) Stable() bool {
	return !p.Repeats && (p.Pass == 0 || p.Count[0] == p.Count[1] && p.Sum[0] == p.Sum[1])
}

// mix spreads an id over 64 bits, so that sums of different ids differ.
func mix(id int64) int64 {
	x := uint64(id) * 0x9E3779B97F4A7C15
	x ^= x >> 29
	x *= 0xBF58476D1CE4E5B9
	return int64(x ^ x>>32)
}
