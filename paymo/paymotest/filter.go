package paymotest

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// fieldKind is how a field is compared.
type fieldKind uint8

const (
	byNumber fieldKind = iota // integers, decimals, booleans
	byStamp                   // created_on, updated_on: UNIX seconds, nothing else
	byMoment                  // other datetimes: UNIX seconds or ISO
	byText                    // text and dates
	byList                    // arrays: = and in mean membership
	byWindow                  // time_interval, date_interval: a half-open range
)

// test is one condition, ready to be held against a value.
type test struct {
	condition
	kind  fieldKind
	null  bool // compares with null
	never bool // cannot match: the silent wrong answer of an ISO date on updated_on
	nums  []float64
}

// filter is a parsed where clause for one resource.
type filter struct {
	tests  []test
	nested map[string][]test // dotted conditions, which filter included children, by include key
	span   span
}

// unfilterable are columns that Paymo serves but does not know in a condition.
func unfilterable(name string) bool { return strings.HasPrefix(name, "image_thumb_") }

// through are fields that a row is filtered by without having them.
func through(res *catalog.Resource, field string) bool {
	return slices.Contains(res.Filters, field) || field == "mytasks" && res.Table == "tasks"
}

func kindOf(res *catalog.Resource, field string) (fieldKind, bool) {
	if c, ok := res.Column(field); ok && !c.Has(catalog.Secret) && !unfilterable(field) {
		switch c.Kind {
		case catalog.Integer, catalog.Decimal, catalog.Boolean:
			return byNumber, true
		case catalog.Datetime:
			if field == "created_on" || field == "updated_on" {
				return byStamp, true
			}
			return byMoment, true
		case catalog.JSON:
			return byList, true
		default:
			return byText, true
		}
	}
	if !through(res, field) || strings.Contains(field, "+") {
		return 0, false
	}
	if strings.HasSuffix(field, "_interval") {
		return byWindow, true
	}
	return byNumber, true
}

// newFilter holds a where clause against a resource. Errors are worded as Paymo's.
func newFilter(res *catalog.Resource, where string) (*filter, error) {
	f := &filter{nested: map[string][]test{}, span: span{idHi: math.MaxInt64, idLo: math.MinInt64, genHi: math.MaxInt}}
	if strings.TrimSpace(where) == "" {
		return f, nil
	}
	conditions, err := parseWhere(where)
	if err != nil {
		return nil, err
	}
	for _, c := range conditions {
		if key, field, dotted := strings.Cut(c.field, "."); dotted {
			rel, ok := relationOf(res, key)
			if !ok {
				return nil, unknownField(c.field)
			}
			c.field = field
			t, err := newTest(rel.res, c)
			if err != nil {
				return nil, err
			}
			f.nested[key] = append(f.nested[key], t)
			continue
		}
		t, err := newTest(res, c)
		if err != nil {
			return nil, err
		}
		f.tests = append(f.tests, t)
	}
	f.narrow()
	return f, nil
}

// refusal is the message of a 400, in Paymo's wording.
type refusal string

func (r refusal) Error() string { return string(r) }

func unknownField(name string) error { return refusal("Unknown field or reference: `" + name + "`") }

func newTest(res *catalog.Resource, c condition) (test, error) {
	kind, ok := kindOf(res, c.field)
	if !ok {
		return test{}, unknownField(c.field)
	}
	t := test{condition: c, kind: kind, null: c.args[0].null()}
	if kind == byWindow && (c.op != "in" || len(c.args) != 2) {
		return test{}, refusal("Invalid interval: `" + c.field + "`")
	}
	if t.null || kind == byText || kind == byList {
		return t, nil
	}
	for _, arg := range c.args {
		n, err := strconv.ParseFloat(arg.text, 64)
		switch {
		case err == nil && kind != byWindow:
		case arg.text == "true":
			n = 1
		case arg.text == "false":
			n = 0
		case kind == byMoment || kind == byWindow:
			n = float64(unixOf(arg.text))
			t.never = t.never || n == 0
		default:
			t.never = true
		}
		t.nums = append(t.nums, n)
	}
	return t, nil
}

// narrow turns conditions on the id into the ids to scan.
func (f *filter) narrow() {
	for _, t := range f.tests {
		if t.field != "id" || len(t.nums) == 0 {
			continue
		}
		lo, hi := math.Inf(-1), math.Inf(1)
		switch t.op {
		case "=", "in":
			lo, hi = slices.Min(t.nums), slices.Max(t.nums)
		case ">", ">=":
			lo = t.nums[0]
		case "<", "<=":
			hi = t.nums[0]
		}
		if lo > float64(f.span.idLo) {
			f.span.idLo = int64(math.Ceil(lo))
		}
		if hi < float64(f.span.idHi) {
			f.span.idHi = int64(math.Floor(hi))
		}
	}
}

// narrowGenerated turns conditions on times into the generated entries to scan.
func (f *filter) narrowGenerated(g *entries) {
	between := func(from, to float64) {
		lo, hi := g.worked(int64(from), int64(min(to, 1<<40)))
		f.span.genLo, f.span.genHi = max(f.span.genLo, lo), min(f.span.genHi, hi)
	}
	for _, t := range f.tests {
		switch {
		case len(t.nums) == 0:
		case t.kind == byWindow:
			between(t.nums[0], t.nums[1])
		case t.kind == byStamp && (t.op == ">" || t.op == ">=" || t.op == "="):
			between(t.nums[0]-entrySlack, math.Inf(1))
		}
	}
}

// hold reports whether the value meets the condition.
func (t *test) hold(v value) bool {
	if t.never {
		return false
	}
	if t.null {
		return (v.kind == absent) == (t.op == "=" || t.op == "in")
	}
	if v.kind == absent {
		return false // as in SQL, null is neither equal nor different
	}
	switch t.kind {
	case byText:
		return t.holdText(v)
	case byList:
		found := slices.ContainsFunc(gjson.Parse(v.text).Array(), func(item gjson.Result) bool {
			return slices.ContainsFunc(t.args, func(arg literal) bool { return arg.text == item.String() })
		})
		return found == (t.op == "=" || t.op == "in" || t.op == "like")
	case byWindow:
		return v.num >= t.nums[0] && v.num < t.nums[1]
	}
	n := v.num
	if v.kind == textual { // a datetime, or a number that Paymo quotes
		if t.kind == byMoment {
			n = float64(unixOf(v.text))
		} else {
			n, _ = strconv.ParseFloat(v.text, 64)
		}
	}
	switch t.op {
	case "=", "in", "like":
		return slices.Contains(t.nums, n)
	case "!=", "not in", "not like":
		return !slices.Contains(t.nums, n)
	case ">":
		return n > t.nums[0]
	case ">=":
		return n >= t.nums[0]
	case "<":
		return n < t.nums[0]
	default:
		return n <= t.nums[0]
	}
}

func (t *test) holdText(v value) bool {
	has := func(match func(string) bool) bool {
		return slices.ContainsFunc(t.args, func(arg literal) bool { return match(arg.text) })
	}
	equal := func(s string) bool { return strings.EqualFold(s, v.text) }
	switch t.op {
	case "=", "in":
		return has(equal)
	case "!=", "not in":
		return !has(equal)
	case "like":
		return like(v.text, t.args[0].text)
	case "not like":
		return !like(v.text, t.args[0].text)
	case ">":
		return v.text > t.args[0].text
	case ">=":
		return v.text >= t.args[0].text
	case "<":
		return v.text < t.args[0].text
	default:
		return v.text <= t.args[0].text
	}
}

// like matches without regard to case; % stands for anything. A pattern without
// it is looked for anywhere, as the reference's example has it.
func like(s, pattern string) bool {
	s, pattern = strings.ToLower(s), strings.ToLower(pattern)
	if !strings.Contains(pattern, "%") {
		return strings.Contains(s, pattern)
	}
	parts := strings.Split(pattern, "%")
	s, ok := strings.CutPrefix(s, parts[0])
	if !ok {
		return false
	}
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return strings.HasSuffix(s, parts[last])
}
