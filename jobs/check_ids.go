package jobs

import (
	"maps"
	"slices"
)

// idSet is a set of ids that takes little more than two bytes for each of those that lie
// near others. The zero value is empty.
type idSet struct {
	blocks map[int64][]uint16 // the lower bits, sorted, by the upper ones
	size   int64
}

// idBits is how many bits of an id are kept in its block.
const idBits = 16

// add takes an id up. It reports false when the set had it.
func (s *idSet) add(id int64) bool {
	if s.blocks == nil {
		s.blocks = map[int64][]uint16{}
	}
	block := s.blocks[id>>idBits]
	at, found := slices.BinarySearch(block, uint16(id&(1<<idBits-1)))
	if found {
		return false
	}
	s.blocks[id>>idBits] = slices.Insert(block, at, uint16(id&(1<<idBits-1)))
	s.size++
	return true
}

// has reports whether the set holds the id.
func (s *idSet) has(id int64) bool {
	_, found := slices.BinarySearch(s.blocks[id>>idBits], uint16(id&(1<<idBits-1)))
	return found
}

// spread are a few ids from the least to the greatest one.
func (s *idSet) spread() []int64 {
	uppers := slices.Sorted(maps.Keys(s.blocks))
	if len(uppers) == 0 {
		return nil
	}
	id := func(block, at int) int64 {
		upper := uppers[block]
		return upper<<idBits | int64(s.blocks[upper][at])
	}
	last, middle := len(uppers)-1, len(uppers)/2
	ids := []int64{
		id(0, 0), id(0, len(s.blocks[uppers[0]])-1),
		id(middle, len(s.blocks[uppers[middle]])/2),
		id(last, 0), id(last, len(s.blocks[uppers[last]])-1),
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
