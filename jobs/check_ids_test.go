package jobs

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestIDSet(t *testing.T) {
	t.Parallel()
	var set idSet
	if set.has(1) || set.spread() != nil {
		t.Error("an empty set has ids")
	}
	rng := rand.New(rand.NewPCG(1, 2))
	want := map[int64]bool{}
	for range 5000 {
		id := rng.Int64N(200_000) - 100_000
		if set.add(id) == want[id] {
			t.Fatalf("%d: taken up twice, or not at all", id)
		}
		want[id] = true
	}
	set.add(1 << 62)
	want[1<<62] = true
	least, greatest := int64(0), int64(0)
	for id := range want {
		least, greatest = min(least, id), max(greatest, id)
		if !set.has(id) {
			t.Fatalf("%d is lost", id)
		}
	}
	if set.size != int64(len(want)) || set.has(1<<61) {
		t.Errorf("%d ids, want %d", set.size, len(want))
	}
	spread := set.spread()
	if spread[0] != least || spread[len(spread)-1] != greatest || !slices.IsSorted(spread) {
		t.Errorf("%v, want %d to %d", spread, least, greatest)
	}
}
