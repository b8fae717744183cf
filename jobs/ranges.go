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
// It is a value that survives in the checkpoint, and knows nothing of Paymo.
type Ranges struct {
	Todo  []Range `json:"todo"`            // still to read, the next one last
	Width int64   `json:"width,omitempty"` // positions that hold about target rows; 0: unknown
	Floor int64   `json:"floor"`           // nothing is expected below it
	Above int     `json:"above,omitempty"` // full replies so far from ranges without an upper end
	Below int     `json:"below,omitempty"` // full replies so far from ranges without a lower end
	Cap   int     `json:"cap"`             // rows from which on a reply is full
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

// targetShare is how full a range should be: with less, requests are wasted on
// small replies, with more, on full ones that must be read again.
const targetShare = 0.65

// NewRanges reads everything; a reply of full rows or more is full.
func NewRanges(full int) *Ranges {
	return &Ranges{Todo: []Range{{}}, Floor: math.MaxInt64, Cap: full}
}

// NewKnownRanges reads everything of a resource that is known to hold about rows
// rows from the lowest to the highest position, so that no request is lost on
// finding out.
func NewKnownRanges(full int, rows, lowest, highest int64) *Ranges {
	r := NewRanges(full)
	if float64(rows) < targetShare*float64(full) || highest <= lowest {
		return r
	}
	top := highest + 1
	r.Todo = []Range{{To: &top}, {From: &top}}
	r.Floor = lowest
	r.Width = r.widthFor(rows, highest-lowest+1)
	return r
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
	from := *next.To - r.Width
	switch {
	case next.From != nil && from <= *next.From:
		return next, true
	case next.From == nil && from <= r.Floor:
		return next, true
	}
	return Range{From: &from, To: next.To}, true
}

// CanCut reports whether a range with a full reply, of rows at these positions, can be
// cut. Only one that can may be given to Done.
func (r *Ranges) CanCut(asked Range, positions []int64) bool {
	switch {
	case len(positions) == 0:
		return false
	case asked.To == nil:
		return true
	case asked.From == nil:
		return *asked.To-slices.Min(positions) > 1
	}
	return *asked.To-*asked.From > 1
}

// Done takes what the range held: the number of rows of the reply, and the positions
// of those that have one, which it may sort. A full range must be one that can be cut.
func (r *Ranges) Done(asked Range, rows int, positions []int64) {
	last := len(r.Todo) - 1
	rest := r.Todo[last]
	r.Todo = r.Todo[:last]
	if rows < r.Cap {
		if asked.From != nil && (rest.From == nil || *rest.From < *asked.From) {
			r.Todo = append(r.Todo, Range{From: rest.From, To: asked.From})
		}
		if asked.From != nil && asked.To != nil {
			r.learn(int64(rows), *asked.To-*asked.From)
		}
		return
	}
	slices.Sort(positions)
	lowest, highest := positions[0], positions[len(positions)-1]
	span := highest - lowest + 1
	// The range that would have held the target's share of the newest rows seen.
	newest := positions[max(0, len(positions)-max(1, int(targetShare*float64(r.Cap))))]
	width := highest + 1 - newest
	if asked.To != nil {
		width = *asked.To - newest
	}
	if asked.To == nil {
		// Rows may come lowest first: leap, or the upper end is never found.
		top := highest + 1 + leap(span, r.Above)
		r.Above++
		r.Floor = min(r.Floor, lowest)
		if r.Width == 0 || width < r.Width {
			r.Width = width
		}
		r.Todo = append(r.Todo, Range{From: asked.From, To: &top}, Range{From: &top})
		return
	}
	if asked.From == nil {
		// Rows may come highest first: leap, or every other range is asked for in vain.
		r.Floor = lowest - leap(span, r.Below)
		r.Below++
	}
	extent := *asked.To - lowest
	if asked.From != nil {
		extent = *asked.To - *asked.From
	}
	r.Width = max(1, min(width, extent/2))
	r.Todo = append(r.Todo, rest)
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
	return max(0, min(1, float64(*next.To-r.Floor)/float64(highest-r.Floor))), true
}

// leap is how far beyond the rows of a full reply to look next: not at all the
// first time, then twice as far each time.
func leap(span int64, times int) int64 {
	if times == 0 {
		return 0
	}
	return span << min(times-1, 30)
}

func (r *Ranges) widthFor(rows, span int64) int64 {
	return max(1, int64(float64(span)*targetShare*float64(r.Cap)/float64(rows)))
}

// learn adapts the width to what a range of that extent held, by a factor of four
// at most, because the next range may be denser.
func (r *Ranges) learn(rows, extent int64) {
	if r.Width == 0 || extent < r.Width {
		return
	}
	most := r.Width
	if most < math.MaxInt64/4 {
		most *= 4
	}
	if rows == 0 {
		r.Width = most
		return
	}
	r.Width = max(1, r.Width/4, min(r.widthFor(rows, extent), most))
}
