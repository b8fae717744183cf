package jobs

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// mostShownIDs is how many ids of a list are shown before the rest is counted.
const mostShownIDs = 5

// condition is one comparison of a filter that paymosync sends.
type condition struct {
	field    string
	op       string // ">=", "<", "=", "null", "in": a window of time
	values   []int64
	from, to time.Time
}

// parseWhere reads a filter as paymo.Where writes it.
func parseWhere(where string) ([]condition, error) {
	var conditions []condition
	if where == "" {
		return nil, nil
	}
	compared := regexp.MustCompile(`^(\w+)(>=|<|=)(-?\d+)$`)
	window := regexp.MustCompile(`^(\w+) in \("([^"]+)","([^"]+)"\)$`)
	list := regexp.MustCompile(`^(\w+) in \(([\d,]+)\)$`)
	for text := range strings.SplitSeq(where, " and ") {
		var c condition
		var err error
		if field, found := strings.CutSuffix(text, "=null"); found {
			c = condition{field: field, op: "null"}
		} else if m := compared.FindStringSubmatch(text); m != nil {
			c = condition{field: m[1], op: m[2]}
			c.values, err = numbers(m[3])
		} else if m := list.FindStringSubmatch(text); m != nil {
			c = condition{field: m[1], op: "="}
			c.values, err = numbers(m[2])
		} else if m := window.FindStringSubmatch(text); m != nil {
			c = condition{field: m[1], op: "in"}
			if c.from, err = moment(m[2]); err == nil {
				c.to, err = moment(m[3])
			}
		} else {
			err = fmt.Errorf("it is none that is known")
		}
		if err != nil {
			return nil, fmt.Errorf("read the condition %q: %w", text, err)
		}
		conditions = append(conditions, c)
	}
	return conditions, nil
}

func numbers(list string) ([]int64, error) {
	var values []int64
	for word := range strings.SplitSeq(list, ",") {
		value, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return values, nil
}

// moment reads a moment or a day.
func moment(text string) (time.Time, error) {
	if len(text) == len(time.DateOnly) {
		return time.Parse(time.DateOnly, text)
	}
	return time.Parse(time.RFC3339, text)
}

// String is the condition as people read it: UNIX seconds as moments, long lists cut.
func (c condition) String() string {
	switch c.op {
	case "null":
		return c.field + "=null"
	case "in":
		layout := time.RFC3339
		if c.field == "date_interval" {
			layout = time.DateOnly
		}
		return fmt.Sprintf("%s in (%s, %s)", c.field, c.from.Format(layout), c.to.Format(layout))
	}
	if c.field == "updated_on" || c.field == "created_on" {
		return c.field + c.op + time.Unix(c.values[0], 0).UTC().Format(time.RFC3339)
	}
	if len(c.values) == 1 {
		return fmt.Sprintf("%s%s%d", c.field, c.op, c.values[0])
	}
	words := make([]string, 0, mostShownIDs)
	for _, value := range c.values[:min(len(c.values), mostShownIDs)] {
		words = append(words, strconv.FormatInt(value, 10))
	}
	text := c.field + " in (" + strings.Join(words, ", ")
	if n := len(c.values); n > mostShownIDs {
		text += fmt.Sprintf(", … %d: %d ids", c.values[n-1], n)
	}
	return text + ")"
}

// readable is a filter as people read it.
func readable(conditions []condition) string {
	words := make([]string, len(conditions))
	for i, c := range conditions {
		words[i] = c.String()
	}
	return strings.Join(words, " and ")
}

// has reports whether a number that the field holds meets the condition.
func (c condition) has(value int64) bool {
	switch c.op {
	case ">=":
		return value >= c.values[0]
	case "<":
		return value < c.values[0]
	case "=":
		return slices.Contains(c.values, value)
	}
	return true
}

// mirror asks the warehouse for what the conditions ask Paymo for.
func mirror(resource *catalog.Resource, conditions []condition) sink.Mirror {
	var m sink.Mirror
	for _, c := range conditions {
		if c.op == "in" {
			m.From, m.To = c.from, c.to
			if c.to.Equal(windowsEnd()) {
				m.To = time.Time{}
			}
			if c.from.Equal(windowsBegin()) {
				m.From = time.Time{}
			}
			continue
		}
		m.Conditions = append(m.Conditions, sink.MirrorCondition{Column: c.field, Op: c.op, Values: c.values})
	}
	if resource.Spans { // a window brings those too that begin in it
		m.To = time.Time{}
	}
	return m
}
