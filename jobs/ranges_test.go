package jobs

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// server answers a range with at most limit of its rows, in its own order.
type server struct {
	positions []int64
	limit     int
}

func (s server) list(r Range) []int64 {
	var reply []int64
	for _, p := range s.positions {
		if r.Has(p) && len(reply) < s.limit {
			reply = append(reply, p)
		}
	}
	return reply
}

func TestRangesReadEverythingInEveryOrder(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	clusters := func(rows int) []int64 {
		positions := make([]int64, 0, rows)
		at := int64(12_000_000)
		for range rows {
			at += 1 + random.Int64N(9)
			if random.IntN(500) == 0 {
				at += random.Int64N(5_000)
			}
			positions = append(positions, at)
		}
		return positions
	}
	for _, rows := range []int{0, 1, 2499, 2500, 2501, 8_000, 120_000} {
		ascending := clusters(rows)
		descending := slices.Clone(ascending)
		slices.Reverse(descending)
		shuffled := slices.Clone(ascending)
		random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		for name, order := range map[string][]int64{"ascending": ascending, "descending": descending, "shuffled": shuffled} {
			for _, limit := range []int{2500, 1 << 30} {
				listing := NewRanges(2500)
				requests, seen := readAll(t, listing, server{positions: order, limit: limit})
				if !slices.Equal(seen, ascending) {
					t.Errorf("%d rows, %s, limit %d: %d rows read", rows, name, limit, len(seen))
				}
				// One request for what fits, else at most 2.3 times what no reader could do without.
				most := 1
				if rows >= 2500 {
					most = 14 + rows*23/10/2500
				}
				if requests > most {
					t.Errorf("%d rows, %s, limit %d: %d requests, want at most %d", rows, name, limit, requests, most)
				}
				t.Logf("%7d rows, %-10s limit %10d: %4d requests (%.2f of the least)", rows, name, limit, requests, float64(requests)/max(1, float64(rows)/2500))
			}
		}
		if rows > 2500 {
			requests, seen := readAll(t, known(ascending, 1), server{positions: shuffled, limit: 2500})
			if !slices.Equal(seen, ascending) {
				t.Errorf("%d rows, known: %d rows read", rows, len(seen))
			}
			if most := rows/knownTarget(2500) + 2; requests > most {
				t.Errorf("%d rows, known: %d requests, want at most %d", rows, requests, most)
			}
		}
	}
}

// known is the listing of a table that has these positions already.
func known(ascending []int64, parts int) *Ranges {
	var cuts []int64
	each := knownTarget(2500)
	if parts > 1 {
		each = target(2500) * parts
	}
	for i := each; i < len(ascending); i += each {
		cuts = append(cuts, ascending[i])
	}
	return NewKnownRanges(2500, ascending[0], ascending[len(ascending)-1], cuts, int64(parts))
}

// positions are made from 1, 2, … and sorted.
func positions(n int, at func(i int64) int64) []int64 {
	made := make([]int64, 0, n)
	for i := range n {
		made = append(made, at(int64(i)+1))
	}
	slices.Sort(made)
	return slices.Compact(made)
}

// However the ids lie, and up to the highest there can be, a listing ends and has them
// all.
func TestRangesEndWhateverTheIDsAre(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	dense := func(n int, more ...int64) []int64 {
		return append(positions(n, func(i int64) int64 { return i }), more...)
	}
	for name, ascending := range map[string][]int64{
		"dense":                     dense(10_000),
		"one far away":              dense(3000, 1<<40),
		"one farther away":          dense(3000, 1<<62),
		"the last but one":          dense(3000, math.MaxInt64-1),
		"the last":                  dense(3000, math.MaxInt64),
		"the last two":              dense(3000, math.MaxInt64-1, math.MaxInt64),
		"around nothing":            positions(6000, func(i int64) int64 { return i - 3000 }),
		"both ends":                 append([]int64{math.MinInt64}, dense(6000, math.MaxInt64)...),
		"all over":                  positions(6000, func(int64) int64 { return random.Int64() }),
		"far apart":                 positions(6000, func(i int64) int64 { return i * 1_000_000_000_000 }),
		"ever farther":              positions(6000, func(i int64) int64 { return int64(math.Exp(float64(i)/6000*40)) + i }),
		"two clusters":              positions(20_000, func(i int64) int64 { return i + i/10_000*1e15 }),
		"twenty clusters":           positions(100_000, func(i int64) int64 { return i/5000*1e9 + i%5000 }),
		"dense up to the last":      positions(6000, func(i int64) int64 { return math.MaxInt64 - 6000 + i }),
		"dense up to the last half": positions(6000, func(i int64) int64 { return math.MaxInt64/2 - 3000 + i }),
	} {
		for order, list := range map[string][]int64{"ascending": ascending, "descending": reversed(ascending)} {
			for start, listing := range map[string]*Ranges{"unknown": NewRanges(2500), "known": known(ascending, 1), "known roughly": known(ascending, 3)} {
				requests, seen := readAll(t, listing, server{positions: list, limit: 2500})
				if !slices.Equal(seen, ascending) {
					t.Errorf("%s, %s, %s: %d rows read of %d", name, order, start, len(seen), len(ascending))
				}
				most := len(ascending)/target(2500) + 3
				switch start {
				case "unknown":
					most = 1200
				case "known roughly":
					most *= 12
				}
				if requests > most {
					t.Errorf("%s, %s, %s: %d requests, want at most %d", name, order, start, requests, most)
				}
			}
		}
	}
}

// Where rows lie evenly ranges become all but full, and where they do not they keep the
// room without which too many replies are full.
func TestRangesAreFilledAsEvenlyAsRowsLie(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	chance := func(i int64) int64 { return 7*i + random.Int64N(7) }
	waves := func(i int64) int64 { return int64(float64(i)*7 - 20_000*math.Cos(float64(i)/5000)) }
	for name, c := range map[string]struct {
		at   func(i int64) int64
		most float64 // requests for the rows of a full reply
	}{
		"evenly":    {chance, 1.3},
		"in waves":  {waves, 1.8},
		"in bursts": {func(i int64) int64 { return i/1000*9000 + i%1000 }, 2},
	} {
		ascending := positions(500_000, c.at)
		requests, seen := readAll(t, NewRanges(2500), server{positions: ascending, limit: 2500})
		if !slices.Equal(seen, ascending) {
			t.Errorf("%s: %d rows read of %d", name, len(seen), len(ascending))
		}
		each := float64(requests) / (float64(len(ascending)) / 2500)
		if t.Logf("%s: %.2f requests for the rows of a full reply", name, each); each > c.most {
			t.Errorf("%s: more than %.2f", name, c.most)
		}
	}
}

func reversed(list []int64) []int64 {
	list = slices.Clone(list)
	slices.Reverse(list)
	return list
}

// New rows above the known ones, and between them, are read too.
func TestKnownRangesOfATableThatGrew(t *testing.T) {
	t.Parallel()
	before := positions(20_000, func(i int64) int64 { return 10 * i })
	after := positions(60_000, func(i int64) int64 { return 5 * i })
	for order, list := range map[string][]int64{"ascending": after, "descending": reversed(after)} {
		requests, seen := readAll(t, known(before, 1), server{positions: list, limit: 2500})
		if !slices.Equal(seen, after) {
			t.Errorf("%s: %d rows read", order, len(seen))
		}
		if requests > 100 {
			t.Errorf("%s: %d requests", order, requests)
		}
	}
}

// A server that answers every range with a full reply, or with rows at its end, is not
// asked for ever.
func TestRangesEndWhateverIsAnswered(t *testing.T) {
	t.Parallel()
	bounds := func(asked Range) (from, to int64) {
		from, to = math.MinInt64, math.MaxInt64
		if asked.From != nil {
			from = *asked.From
		}
		if asked.To != nil {
			to = *asked.To - 1
		}
		return from, to
	}
	for name, answer := range map[string]func(from, to int64) (rows int, at []int64){
		"full at the upper end": func(_, to int64) (int, []int64) { return 2500, []int64{to} },
		"full at the lower end": func(from, _ int64) (int, []int64) { return 2500, []int64{from} },
		"full at both":          func(from, to int64) (int, []int64) { return 2500, []int64{from, to} },
		"some at the upper end": func(_, to int64) (int, []int64) { return 2499, []int64{to} },
		"nothing but where all": func(from, to int64) (int, []int64) {
			if from < 0 || to == math.MaxInt64 {
				return 2500, []int64{7}
			}
			return 0, nil
		},
	} {
		for start, listing := range map[string]*Ranges{"unknown": NewRanges(2500), "known": known(positions(9000, func(i int64) int64 { return i }), 1)} {
			for {
				asked, ok := listing.Next()
				if !ok || listing.Excessive(0) {
					break
				}
				if asked.Empty() {
					t.Fatalf("%s, %s: an empty range after %d: %+v", name, start, listing.Asked, listing)
				}
				rows, at := answer(bounds(asked))
				if rows >= listing.Cap && !listing.CanCut(asked, at) {
					break
				}
				listing.Done(asked, rows, at)
			}
			if listing.Asked > 1001 {
				t.Errorf("%s, %s: %d requests", name, start, listing.Asked)
			}
		}
	}
}

func readAll(t *testing.T, listing *Ranges, s server) (requests int, seen []int64) {
	t.Helper()
	unique := map[int64]bool{}
	for {
		asked, ok := listing.Next()
		if !ok {
			break
		}
		if requests++; requests > 5000 || asked.Empty() || listing.Excessive(int64(len(unique))) {
			t.Fatalf("no end: %+v", listing)
		}
		reply := s.list(asked)
		for _, p := range reply {
			unique[p] = true
		}
		if len(reply) >= listing.Cap && !listing.CanCut(asked, reply) {
			t.Fatalf("cannot cut %+v", asked)
		}
		listing.Done(asked, len(reply), reply)
	}
	for p := range unique {
		seen = append(seen, p)
	}
	slices.Sort(seen)
	return requests, seen
}
