package sinktest

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// The values that are compared are nil, string (text, and dates as YYYY-MM-DD), int64,
// *big.Rat (decimals), bool, time.Time, and for JSON what encoding/json makes of it.

// dateInTable is how PostgreSQL writes a date whatever its settings: the sessions of
// Database leave DateStyle as it is, ISO.
const dateInTable = time.DateOnly

// fromTable takes a value as it was read from a table.
func fromTable(kind catalog.Kind, value any) (any, error) {
	text, isText := value.(string)
	switch {
	case value == nil:
		return nil, nil
	case kind == catalog.Decimal && isText:
		number, ok := new(big.Rat).SetString(text)
		if !ok {
			return nil, fmt.Errorf("the table holds %q where a number should be", text)
		}
		return number, nil
	case kind == catalog.JSON && isText:
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.UseNumber()
		var decoded any
		if err := decoder.Decode(&decoded); err != nil {
			return nil, err
		}
		if decoded == nil {
			return nil, fmt.Errorf("the table holds JSON's null where SQL's should be")
		}
		return decoded, nil
	}
	return value, nil
}

// fromPaymo is the value of a kind that a table should hold of what Paymo sends; ok is
// false when it does not fit: the column is null then.
func fromPaymo(kind catalog.Kind, sent any) (value any, ok bool) {
	if sent == nil {
		return nil, true
	}
	if kind == catalog.JSON {
		return storable(sent), true
	}
	var token string
	switch sent := sent.(type) {
	case string:
		if kind == catalog.Text {
			return withoutNUL(sent), true
		}
		if token = strings.TrimSpace(withoutNUL(sent)); token == "" {
			return nil, true
		}
	case json.Number:
		token = sent.String()
	case bool:
		token = strconv.FormatBool(sent)
	default: // a list or an object is no single value
		return nil, false
	}
	switch kind {
	case catalog.Text:
		return token, true
	case catalog.Integer:
		number, ok := toNumber(token)
		if !ok || !number.IsInt() || !number.Num().IsInt64() {
			return nil, false
		}
		return number.Num().Int64(), true
	case catalog.Decimal:
		number, ok := toNumber(token)
		if !ok {
			return nil, false
		}
		return number, true
	case catalog.Boolean:
		truth, known := map[string]bool{"true": true, "1": true, "yes": true, "false": false, "0": false, "no": false}[strings.ToLower(token)]
		if !known {
			return nil, false
		}
		return truth, true
	case catalog.Datetime:
		at, ok := toTime(token)
		if !ok {
			return nil, false
		}
		return at.Truncate(time.Microsecond), true
	default:
		if len(token) >= len(time.DateOnly) {
			// Of a time the day counts that is written, whatever the zone.
			if _, isTime := toTime(token); isTime && token[4] == '-' {
				return token[:len(time.DateOnly)], true
			}
		}
		at, ok := toTime(token)
		if !ok {
			return nil, false
		}
		return at.UTC().Format(dateInTable), true
	}
}

// maxExponent is the largest exponent of a number that a numeric column is given.
const maxExponent = 1000

func toNumber(token string) (*big.Rat, bool) {
	if strings.Trim(token, "+-.0123456789eE") != "" || len(token) > maxExponent {
		return nil, false
	}
	if _, exponent, scientific := strings.Cut(strings.ToLower(token), "e"); scientific {
		if n, err := strconv.Atoi(exponent); err != nil || n > maxExponent || n < -maxExponent {
			return nil, false
		}
	}
	return new(big.Rat).SetString(token)
}

func toTime(token string) (time.Time, bool) {
	for _, layout := range []string{
		time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05 Z07:00",
		time.DateTime, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04", time.DateOnly,
	} {
		if at, err := time.Parse(layout, token); err == nil {
			return at, at.Year() >= 1
		}
	}
	number, ok := toNumber(token)
	if !ok {
		return time.Time{}, false
	}
	micro := new(big.Rat).Mul(number, big.NewRat(1_000_000, 1))
	whole := new(big.Int).Quo(micro.Num(), micro.Denom())
	if !whole.IsInt64() {
		return time.Time{}, false
	}
	at := time.UnixMicro(whole.Int64()).UTC()
	return at, at.Year() >= 1 && at.Year() <= 9999
}

// storable is a JSON value as jsonb can hold it: without U+0000, and with numbers
// beyond numeric as strings.
func storable(value any) any {
	switch value := value.(type) {
	case string:
		return withoutNUL(value)
	case json.Number:
		if _, fits := toNumber(value.String()); !fits {
			return value.String()
		}
	case map[string]any:
		clean := make(map[string]any, len(value))
		for name, member := range value {
			clean[withoutNUL(name)] = storable(member)
		}
		return clean
	case []any:
		clean := make([]any, len(value))
		for i := range value {
			clean[i] = storable(value[i])
		}
		return clean
	}
	return value
}

func withoutNUL(text string) string { return strings.ReplaceAll(text, "\x00", "") }

// equal compares two values; numbers by what they are worth, not by how they are
// written.
func equal(a, b any) bool {
	switch a := a.(type) {
	case *big.Rat:
		b, same := b.(*big.Rat)
		return same && a.Cmp(b) == 0
	case time.Time:
		b, same := b.(time.Time)
		return same && a.Equal(b)
	case json.Number:
		b, same := b.(json.Number)
		if !same {
			return false
		}
		x, okX := toNumber(a.String())
		y, okY := toNumber(b.String())
		return okX && okY && x.Cmp(y) == 0
	case []any:
		b, same := b.([]any)
		if !same || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !equal(a[i], b[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		b, same := b.(map[string]any)
		if !same || len(a) != len(b) {
			return false
		}
		for name := range a {
			other, has := b[name]
			if !has || !equal(a[name], other) {
				return false
			}
		}
		return true
	}
	switch b.(type) {
	case *big.Rat, time.Time, json.Number, []any, map[string]any:
		return false
	}
	return a == b
}

// show writes a value for a person.
func show(value any) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case *big.Rat:
		return strings.TrimSuffix(strings.TrimRight(value.FloatString(10), "0"), ".")
	case time.Time:
		return value.UTC().Format(time.RFC3339Nano)
	case map[string]any, []any:
		text, err := json.Marshal(value)
		if err != nil {
			return fmt.Sprint(value)
		}
		return fmt.Sprintf("%.300s", text)
	}
	return fmt.Sprintf("%.300q", fmt.Sprint(value))
}
