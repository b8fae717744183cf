package paymo

import (
	"bytes"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// convert appends a value's text as PostgreSQL's input function of the kind takes it.
// ok is false when it will not convert: what was appended then has to go.
func (p *page) convert(kind catalog.Kind, f field) (state catalog.State, ok bool) {
	raw := p.value(f)
	first := raw[0]
	switch {
	case first == 'n':
		return catalog.Null, true
	case kind == catalog.JSON:
		p.text = p.compact(p.text, raw)
		return catalog.Set, true
	case first == '{' || first == '[':
		return catalog.Null, false
	case kind == catalog.Text:
		p.text = p.appendText(p.text, raw, f.plain)
		return catalog.Set, true
	}
	token := raw
	if first == '"' {
		token = raw[1 : len(raw)-1]
		if !f.plain {
			p.buffer = p.unescape(p.buffer[:0], raw)
			token = p.buffer
		}
		if token = bytes.TrimSpace(token); len(token) == 0 {
			return catalog.Null, true
		}
	}
	switch kind {
	case catalog.Integer:
		p.text, ok = appendInteger(p.text, token)
	case catalog.Decimal:
		p.text, ok = appendDecimal(p.text, token)
	case catalog.Boolean:
		p.text, ok = appendBoolean(p.text, token)
	case catalog.Datetime:
		p.text, ok = appendDatetime(p.text, token)
	case catalog.Date:
		p.text, ok = appendDate(p.text, token)
	}
	if !ok {
		return catalog.Null, false
	}
	return catalog.Set, true
}

func (p *page) appendText(dst, raw []byte, plain bool) []byte {
	if raw[0] != '"' {
		return append(dst, raw...)
	}
	text := raw[1 : len(raw)-1]
	if plain || bytes.IndexByte(text, '\\') < 0 && utf8.Valid(text) {
		return append(dst, text...)
	}
	return p.unescape(dst, raw)
}

// maxNumber is the most bytes, and the largest exponent, of a number that is kept as
// one: it is far beyond any amount and safely within what numeric can hold.
const maxNumber = 1000

// number is a decimal number taken apart.
type number struct {
	negative    bool
	whole, frac []byte // digits
	exponent    int    // saturates far beyond maxNumber
}

// parseNumber takes apart what PostgreSQL, too, reads as a decimal number.
func parseNumber(token []byte) (n number, ok bool) {
	if len(token) > 0 && (token[0] == '-' || token[0] == '+') {
		n.negative = token[0] == '-'
		token = token[1:]
	}
	n.whole, token = digits(token)
	if len(token) > 0 && token[0] == '.' {
		n.frac, token = digits(token[1:])
	}
	if len(n.whole)+len(n.frac) == 0 {
		return number{}, false
	}
	if len(token) == 0 {
		return n, true
	}
	if token[0] != 'e' && token[0] != 'E' {
		return number{}, false
	}
	token = token[1:]
	sign := 1
	if len(token) > 0 && (token[0] == '-' || token[0] == '+') {
		if token[0] == '-' {
			sign = -1
		}
		token = token[1:]
	}
	exponent, token := digits(token)
	if len(exponent) == 0 || len(token) > 0 {
		return number{}, false
	}
	for _, c := range exponent {
		n.exponent = min(n.exponent*10+int(c-'0'), 1_000_000)
	}
	n.exponent *= sign
	return n, true
}

// digits splits off the digits that a text begins with.
func digits(text []byte) (digits, rest []byte) {
	i := 0
	for i < len(text) && '0' <= text[i] && text[i] <= '9' {
		i++
	}
	return text[:i], text[i:]
}

// integer is the number's value; ok is false when it is not whole or not an int64.
func (n number) integer() (value int64, ok bool) {
	var magnitude uint64
	point := len(n.whole) + n.exponent // where the decimal point is in the digits
	total := len(n.whole) + len(n.frac)
	for i := range total {
		digit := n.digit(i)
		if i >= point && digit != 0 {
			return 0, false
		}
		if i < point {
			if magnitude > (math.MaxUint64-9)/10 {
				return 0, false
			}
			magnitude = magnitude*10 + uint64(digit)
		}
	}
	for i := total; i < point && magnitude != 0; i++ {
		if magnitude > math.MaxUint64/10 {
			return 0, false
		}
		magnitude *= 10
	}
	switch {
	case magnitude <= math.MaxInt64 && n.negative:
		return -int64(magnitude), true
	case magnitude <= math.MaxInt64:
		return int64(magnitude), true
	case n.negative && magnitude == 1<<63:
		return math.MinInt64, true
	}
	return 0, false
}

func (n number) digit(i int) byte {
	if i < len(n.whole) {
		return n.whole[i] - '0'
	}
	return n.frac[i-len(n.whole)] - '0'
}

// parseInteger reads a whole number, also one that is written as 5.0 or 1e3.
func parseInteger(token []byte) (value int64, ok bool) {
	n, ok := parseNumber(token)
	if !ok {
		return 0, false
	}
	return n.integer()
}

func appendInteger(dst, token []byte) ([]byte, bool) {
	if whole, rest := digits(token); len(rest) == 0 && len(whole) > 0 && len(whole) <= 18 && (whole[0] != '0' || len(whole) == 1) {
		return append(dst, whole...), true
	}
	value, ok := parseInteger(token)
	if !ok {
		return dst, false
	}
	return strconv.AppendInt(dst, value, 10), true
}

// appendDecimal keeps a number as it is written: no digit and no zero is lost.
func appendDecimal(dst, token []byte) ([]byte, bool) {
	if !fitsNumeric(token) {
		return dst, false
	}
	return append(dst, token...), true
}

// fitsNumeric reports whether a token is a number that numeric is sure to hold.
func fitsNumeric(token []byte) bool {
	n, ok := parseNumber(token)
	return ok && len(token) <= maxNumber && -maxNumber <= n.exponent && n.exponent <= maxNumber
}

func appendBoolean(dst, token []byte) ([]byte, bool) {
	const longest = len("false")
	if len(token) > longest {
		return dst, false
	}
	var lower [longest]byte
	for i, c := range token {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		lower[i] = c
	}
	switch string(lower[:len(token)]) {
	case "true", "1", "yes":
		return append(dst, "true"...), true
	case "false", "0", "no":
		return append(dst, "false"...), true
	}
	return dst, false
}
