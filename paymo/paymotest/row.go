package paymotest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/tidwall/gjson"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// row is one stored object. It is never changed, only replaced, so that a reply
// may go on reading it without a lock.
type row struct {
	id      int64
	created int64  // UNIX seconds
	updated int64  // UNIX seconds
	raw     []byte // the object as served; nil marks a generated row as deleted
	was     *row   // the version before, which has none itself; nil if there was none
}

// fields are an object under construction. Values: nil, bool, string, integers,
// float64, json.Number, time.Time (a datetime), or anything that encoding/json takes.
type fields map[string]any

// newRow encodes an object: the catalogue's columns in their order, then the rest by name.
func newRow(res *catalog.Resource, f fields) (*row, error) {
	r := &row{}
	var err error
	buf := []byte{'{'}
	add := func(name string, v any) {
		if len(buf) > 1 {
			buf = append(buf, ',')
		}
		buf = appendString(buf, name)
		buf = append(buf, ':')
		var failed error
		if buf, failed = appendValue(buf, v); failed != nil && err == nil {
			err = fmt.Errorf("encode %s.%s: %w", res.Table, name, failed)
		}
	}
	known := 0
	for _, c := range res.Columns {
		if v, ok := f[c.Name]; ok {
			known++
			add(c.Name, v)
		}
	}
	if known < len(f) {
		for _, name := range slices.Sorted(maps.Keys(f)) {
			if _, ok := res.Column(name); !ok {
				add(name, f[name])
			}
		}
	}
	if err != nil {
		return nil, err
	}
	r.raw = append(buf, '}')
	r.id = gjson.GetBytes(r.raw, "id").Int()
	r.created = unixOf(gjson.GetBytes(r.raw, "created_on").String())
	r.updated = unixOf(gjson.GetBytes(r.raw, "updated_on").String())
	return r, nil
}

// decode is the inverse of newRow: numbers stay as they are written.
func (r *row) decode() fields {
	f := fields{}
	gjson.ParseBytes(r.raw).ForEach(func(k, v gjson.Result) bool {
		f[k.String()] = json.RawMessage(v.Raw)
		return true
	})
	return f
}

func appendValue(buf []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(buf, "null"...), nil
	case bool:
		return strconv.AppendBool(buf, v), nil
	case string:
		return appendString(buf, v), nil
	case int:
		return strconv.AppendInt(buf, int64(v), 10), nil
	case int64:
		return strconv.AppendInt(buf, v, 10), nil
	case time.Time:
		return appendStamp(buf, v.Unix()), nil
	case json.RawMessage:
		if !json.Valid(v) {
			return buf, fmt.Errorf("invalid JSON %.40q", v)
		}
		return append(buf, v...), nil
	case json.Number:
		return append(buf, v...), nil
	}
	text, err := json.Marshal(v)
	return append(buf, text...), err
}

func appendString(buf []byte, s string) []byte {
	buf, _ = jsontext.AppendQuote(buf, s) // invalid UTF-8 is replaced, which is all that can fail
	return buf
}

func appendStamp(buf []byte, unix int64) []byte {
	buf = append(buf, '"')
	buf = time.Unix(unix, 0).UTC().AppendFormat(buf, time.RFC3339)
	return append(buf, '"')
}

func appendDate(buf []byte, unix int64) []byte {
	buf = appendStamp(buf, unix)
	return append(buf[:len(buf)-len(`T00:00:00Z"`)], '"')
}

// unixOf reads a datetime or a date as UNIX seconds, 0 if it is neither.
func unixOf(s string) int64 {
	for _, layout := range []string{time.RFC3339, time.DateOnly, "2006-01-02Z07:00"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.Unix()
		}
	}
	return 0
}

// cents renders an amount as Paymo does, without trailing zeros.
func cents(n int64) json.Number {
	return json.Number(strconv.FormatFloat(float64(n)/100, 'f', -1, 64))
}

type valueKind uint8

const (
	absent valueKind = iota // also null: filters do not tell them apart
	number                  // also booleans, as 0 and 1, and datetimes, as UNIX seconds
	textual
	array
)

// value is what a filter sees of a field.
type value struct {
	kind valueKind
	num  float64
	text string // of arrays the JSON
}

func num[N int | int64](n N) value { return value{kind: number, num: float64(n)} }

func truth(b bool) value {
	if b {
		return value{kind: number, num: 1}
	}
	return value{kind: number}
}

// value reads a field of a stored row.
func (r *row) value(field string) value {
	switch field {
	case "id":
		return num(r.id)
	case "updated_on":
		return num(r.updated)
	case "created_on":
		return num(r.created)
	}
	switch v := gjson.GetBytes(r.raw, field); v.Type {
	case gjson.Null:
		return value{}
	case gjson.True, gjson.False:
		return truth(v.Type == gjson.True)
	case gjson.Number:
		return value{kind: number, num: v.Num, text: v.Raw}
	case gjson.JSON:
		return value{kind: array, text: v.Raw}
	default:
		return value{kind: textual, text: v.Str}
	}
}
