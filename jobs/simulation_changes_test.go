package jobs_test

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// changes are those that people made in Paymo, and how long each took to come to the
// warehouse. Deletions are counted alone: fulls find them.
type changes struct {
	mu        sync.Mutex
	open      map[string]map[int64][]time.Time // when they were made, by table and row
	waited    []time.Duration
	deletions int
}

func newChanges() *changes { return &changes{open: map[string]map[int64][]time.Time{}} }

// note is told of every change as it is made.
func (c *changes) note(table string, id int64, gone bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open[table] == nil {
		c.open[table] = map[int64][]time.Time{}
	}
	if gone {
		c.deletions++
		delete(c.open[table], id)
		return
	}
	c.open[table][id] = append(c.open[table][id], time.Now())
}

// ids are the rows of a table that are waited for.
func (c *changes) ids(table string) []int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(maps.Keys(c.open[table]))
}

// arrived says that a row is in its table now, as it was after what was made up to the
// version.
func (c *changes) arrived(table string, id int64, version time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open[table][id] = slices.DeleteFunc(c.open[table][id], func(made time.Time) bool {
		if made.Truncate(time.Second).After(version) {
			return false
		}
		c.waited = append(c.waited, time.Since(made))
		return true
	})
	if len(c.open[table][id]) == 0 {
		delete(c.open[table], id)
	}
}

// allArrived says that a table has all that was made before the time.
func (c *changes) allArrived(table string, before time.Time) {
	for _, id := range c.ids(table) {
		c.arrived(table, id, before.Add(-time.Second))
	}
}

// giveUp ends the wait for what has not come: it took at least so long.
func (c *changes) giveUp() {
	for table := range maps.Clone(c.open) {
		c.allArrived(table, time.Now().Add(time.Hour))
	}
}

// took is how long the given share of the changes took at most.
func (c *changes) took(percent int) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waited) == 0 {
		return 0
	}
	slices.Sort(c.waited)
	return c.waited[(len(c.waited)-1)*percent/100]
}
