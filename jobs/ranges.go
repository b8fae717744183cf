package jobs

import (
	"math"
	"slices"
)

// Ranges reads one resource to its end by ranges of a position: its ids, or the
// days of its windows. It begins with everything, which is one request for most
// resources, and cuts where a reply is full, because a full reply proves nothing
// about what it left out. It goes from the newest to the oldest: first it finds an
// end above which little lies, then it walks down by widths that the replies
// teach it, and it ends with everything below the lowest position it knows.
//
// Of a table that was read before the cuts are known, and no request is lost on finding
// them.
//
// It is a value that survives in the checkpoint, and knows nothing of Paymo. Whatever
// the replies are it comes to an end: each one takes positions away from what is to be
// read, or cuts it into smaller ranges.
type Ranges struct {
	Todo  []Range `json:"todo"`            // still to read, the next one last; none is empty
	Width int64   `json:"width,omitempty"` // positions that hold about target rows; 0: unknown
	Most  int64   `json:"most,omitempty"`  // positions that Paymo could answer for at once; 0: as many as one likes
	Floor int64   `json:"floor"`           // nothing is expected below it
	Above int     `json:"above,omitempty"` // full replies so far from ranges without an upper end
	Below int     `json:"below,omitempty"` // full replies so far from ranges without a lower end
	Cap   int     `json:"cap"`             // rows from which on a reply is full
	Cuts  []int64 `json:"cuts,omitempty"`  // where known rows are cut, lowest first, as far as they are still to be read
	Parts int64   `json:"parts,omitempty"` // ranges from one cut to the next; 0: nothing is known
	Asked int64   `json:"asked,omitempty"` // ranges that were read
	Rate  float64 `json:"rate,omitempty"`  // rows a position in the last range; 0: unknown
	Fill  float64 `json:"fill,omitempty"`  // how full the next range is to be; 0: targetShare
}

// Range is a half-open range of positions; a missing end is open.
type Range struct {
	From *int64 `json:"from,omitempty"`
	To   *int64 `json:"to,omitempty"`
}

// Has reports whether the position lies in the range.
func (r Range) Has(position int64) bool {
	return (r.From == nil || position >= *r.From) && (r.To == nil || position < *r.To)
}

// Whole reports whether the range has no end.
func (r Range) Whole() bool { return r.From == nil && r.To == nil }

// Empty reports whether no position can lie in the range.
func (r Range) Empty() bool { return r.From != nil && r.To != nil && *r.From >= *r.To }

// targetShare is how full a range should be: with less, requests are wasted on
// small replies, with more, on full ones that must be read again. Where one range is as
// dense as the other it may become evenShare. Where the rows of a range are known, new
// ones hardly come between them: it may be all but full.
const (
	targetShare = 0.65
	evenShare   = 0.9
	knownShare  = 0.95
)

// target is how many rows a range should hold.
func target(full int) int { return max(1, int(targetShare*float64(full))) }

// knownTarget is how many rows a range should hold where they are known.
func knownTarget(full int) int { return max(1, int(knownShare*float64(full))) }

// leastPosition is below every position that is worth a request of its own: ids begin
// with 1, and nobody worked before 1970.
const leastPosition = 1

// NewRanges reads everything; a reply of full rows or more is full.
func NewRanges(full int) *Ranges {
	return &Ranges{Todo: []Range{{}}, Floor: math.MaxInt64, Cap: full}
}

// NewKnownRanges reads everything of a resource that is known to have rows from the
// lowest to the highest position. From one cut to the next lie about parts times as
// many as a range should hold.
func NewKnownRanges(full int, lowest, highest int64, cuts []int64, parts int64) *Ranges {
	r := NewRanges(full)
	if len(cuts) == 0 {
		return r
	}
	top := plus(highest, 1)
	r.Todo = []Range{{To: &top}, {From: &top}}
	r.Floor, r.Cuts, r.Parts = lowest, cuts, parts
	r.enter()
	return r
}

// Halve asks for the next range in smaller parts, because Paymo could not answer it as it
// is; highest is the highest position that is known. It reports false where the range
// cannot be cut.
func (r *Ranges) Halve(asked Range, highest int64) bool {
	if asked.To == nil {
		top := plus(highest, 1)
		if highest == 0 || asked.From != nil && *asked.From >= top {
			return false
		}
		r.Todo[len(r.Todo)-1] = Range{From: asked.From, To: &top}
		r.Todo = append(r.Todo, Range{From: &top})
		return true
	}
	from := r.Floor
	if asked.From != nil {
		from = *asked.From
	}
	extent := minus(*asked.To, from)
	if extent < 2 || r.Floor == math.MaxInt64 && asked.From == nil {
		return false
	}
	r.Width, r.Most = extent/2, extent/2
	r.Parts, r.Cuts = 0, nil // what was planned holds too much
	return true
}

// Next is the range to ask for next; ok is false when everything was read.
func (r *Ranges) Next() (next Range, ok bool) {
	if len(r.Todo) == 0 {
		return Range{}, false
	}
	next = r.Todo[len(r.Todo)-1]
	if r.Width == 0 || next.To == nil {
		return next, true
	}
	if last := len(r.Cuts) - 1; last >= 0 && r.Cuts[last] < *next.To && (next.From == nil || r.Cuts[last] > *next.From) {
		cut := r.Cuts[last]
		next.From = &cut
	}
	from := minus(*next.To, r.Width)
	switch {
	case next.From != nil && from <= *next.From:
		return next, true
	case next.From == nil && from <= r.Floor:
		return next, true
	}
	return Range{From: &from, To: next.To}, true
}

// Lower takes a reply of so many rows for full from now on.
func (r *Ranges) Lower(full int) {
	r.Parts *= int64((r.Cap + full - 1) / full)
	r.Cap = full
}

// Excessive reports whether more ranges were read than any table with so many rows
// takes: the way from one dense part to another, and into it, costs a hundred at most.
func (r *Ranges) Excessive(found int64) bool {
	return r.Asked > 1000+200*(found/int64(max(1, r.Cap)))
}

// CanCut reports whether a range with a full reply, of rows at these positions, can be
// cut. Only one that can may be given to Done.
func (r *Ranges) CanCut(asked Range, positions []int64) bool {
	switch {
	case len(positions) == 0:
		return false
	case asked.To == nil:
		return asked.From == nil || *asked.From < math.MaxInt64
	case asked.From == nil:
		return minus(*asked.To, slices.Min(positions)) > 1
	}
	return minus(*asked.To, *asked.From) > 1
}

// Done takes what the range held: the number of rows of the reply, and the positions
// of those that have one, which it may sort. A full range must be one that can be cut.
func (r *Ranges) Done(asked Range, rows int, positions []int64) {
	r.Asked++
	last := len(r.Todo) - 1
	rest := r.Todo[last]
	r.Todo = r.Todo[:last]
	if rows < r.Cap {
		if asked.From != nil && asked.To != nil {
			r.learn(int64(rows), minus(*asked.To, *asked.From))
		}
		through := asked.From == nil || rest.From != nil && *rest.From >= *asked.From
		if !through {
			r.Todo = append(r.Todo, Range{From: rest.From, To: asked.From})
		}
		left := len(r.Cuts)
		for left > 0 && (asked.From == nil || r.Cuts[left-1] >= *asked.From) {
			left--
		}
		if through || left < len(r.Cuts) {
			r.Cuts = r.Cuts[:left]
			r.enter()
		}
		return
	}
	r.Fill = 0
	slices.Sort(positions)
	lowest, highest := positions[0], positions[len(positions)-1]
	span := plus(minus(highest, lowest), 1)
	// The range that would have held the target's share of the newest rows seen.
	newest := positions[max(0, len(positions)-target(r.Cap))]
	if asked.To == nil {
		// Rows may come lowest first: leap, or the upper end is never found.
		top := plus(plus(highest, 1), leap(span, r.Above))
		if asked.From != nil {
			top = max(top, *asked.From+1)
		}
		r.Above++
		r.Floor = min(r.Floor, lowest)
		if width := plus(minus(highest, newest), 1); r.Width == 0 || width < r.Width {
			r.Width = width
		}
		r.Todo = append(r.Todo, Range{From: asked.From, To: &top}, Range{From: &top})
		return
	}
	if asked.From == nil {
		// Rows may come highest first: leap, or every other range is asked for in vain.
		r.Floor = min(lowest, max(leastPosition, minus(lowest, leap(span, r.Below))))
		r.Below++
	}
	extent := minus(*asked.To, lowest)
	if asked.From != nil {
		extent = minus(*asked.To, *asked.From)
	}
	r.Width = max(1, min(minus(*asked.To, newest), extent/2))
	r.Todo = append(r.Todo, rest)
}

// enter begins with the rows from the next cut on, where cuts are known.
func (r *Ranges) enter() {
	if r.Parts == 0 || len(r.Todo) == 0 {
		return
	}
	// What lies above the known rows comes first and has no upper end to begin with.
	next := r.Todo[len(r.Todo)-1]
	if next.To == nil {
		next = r.Todo[0]
	}
	lower := r.Floor
	if len(r.Cuts) > 0 {
		lower = r.Cuts[len(r.Cuts)-1]
	}
	extent := minus(*next.To, lower)
	r.Width = max(1, extent/r.Parts+min(1, extent%r.Parts))
}

// Left is the share of the positions that is still to be read, from 1 to 0;
// unknown while the upper end is being looked for.
func (r *Ranges) Left(highest int64) (share float64, known bool) {
	if len(r.Todo) == 0 {
		return 0, true
	}
	next := r.Todo[len(r.Todo)-1]
	if next.To == nil || r.Floor >= highest {
		return 1, false
	}
	floor := float64(r.Floor)
	return max(0, min(1, (float64(*next.To)-floor)/(float64(highest)-floor))), true
}

// leap is how far beyond the rows of a full reply to look next: not at all the
// first time, then twice as far each time.
func leap(span int64, times int) int64 {
	if times == 0 {
		return 0
	}
	if times > 62 || span > math.MaxInt64>>(times-1) {
		return math.MaxInt64
	}
	return span << (times - 1)
}

// plus adds what is not negative; beyond the last position there is none.
func plus(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// minus is the difference, or the nearest to it that there is.
func minus(a, b int64) int64 {
	switch d := a - b; {
	case a >= 0 && b < 0 && d < 0:
		return math.MaxInt64
	case a < 0 && b > 0 && d > 0:
		return math.MinInt64
	default:
		return d
	}
}

func (r *Ranges) widthFor(rows, span int64) int64 {
	width := float64(span) * max(targetShare, r.Fill) * float64(r.Cap) / float64(rows)
	if width >= math.MaxInt64 {
		return math.MaxInt64
	}
	return max(1, int64(width))
}

// learn adapts the width to what a range of that extent held, by a factor of four
// at most, because the next range may be denser.
func (r *Ranges) learn(rows, extent int64) {
	if r.Width == 0 || extent < r.Width {
		return
	}
	r.compare(float64(rows) / float64(extent))
	most := r.Width
	if most < math.MaxInt64/4 {
		most *= 4
	}
	if r.Most > 0 {
		most = min(most, r.Most)
	}
	if rows == 0 {
		r.Width = most
		return
	}
	r.Width = max(1, r.Width/4, min(r.widthFor(rows, extent), most))
}

// compare takes the rows a position of a range. The less they differ from those of the
// range before it, the fuller may the next one be; it falls at once and rises slowly.
func (r *Ranges) compare(rate float64) {
	fill := targetShare
	if r.Rate > 0 {
		fill = max(targetShare, evenShare-2*math.Abs(rate/r.Rate-1))
	}
	r.Fill = min(fill, (max(targetShare, r.Fill)+fill)/2)
	r.Rate = rate
}
