package jobs

import (
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
			listing := NewKnownRanges(2500, int64(rows), ascending[0], ascending[rows-1])
			requests, seen := readAll(t, listing, server{positions: shuffled, limit: 2500})
			if !slices.Equal(seen, ascending) {
				t.Errorf("%d rows, known: %d rows read", rows, len(seen))
			}
			t.Logf("%7d rows, known: %4d requests (%.2f of the least)", rows, requests, float64(requests)/(float64(rows)/2500))
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
		if requests++; requests > 5000 {
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
