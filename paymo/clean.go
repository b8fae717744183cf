package paymo

import (
	"bytes"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// replacement is U+FFFD, which stands for what is not Unicode text.
const replacement = "\uFFFD"

// clean appends a JSON value, compact, so that PostgreSQL's jsonb takes it, and
// without the members whose names smell of a secret, at any depth.
func (p *page) clean(dst, raw []byte) []byte {
	dst, _ = p.appendJSON(dst, raw, 0, true)
	return dst
}

// compact appends a JSON value, compact, so that PostgreSQL's jsonb takes it.
func (p *page) compact(dst, raw []byte) []byte {
	dst, _ = p.appendJSON(dst, raw, 0, false)
	return dst
}

// appendJSON appends the value that begins at i and returns the index after it. The
// depth of the recursion is bounded by the parser's limit on nesting.
func (p *page) appendJSON(dst, raw []byte, i int, wary bool) ([]byte, int) {
	switch raw[i] {
	case '{':
		return p.appendObject(dst, raw, i, wary)
	case '[':
		return p.appendArray(dst, raw, i, wary)
	case '"':
		end, plain := stringEnd(raw, i)
		return p.appendString(dst, raw[i:end], plain), end
	}
	end := valueEnd(raw, i)
	literal := raw[i:end]
	if jsonType(literal) == "number" && !fitsNumeric(literal) {
		// jsonb holds numbers as numeric and refuses what numeric refuses.
		dst = append(dst, '"')
		dst = append(dst, literal...)
		return append(dst, '"'), end
	}
	return append(dst, literal...), end
}

func (p *page) appendObject(dst, raw []byte, i int, wary bool) ([]byte, int) {
	dst = append(dst, '{')
	start := len(dst)
	for i = space(raw, i+1); raw[i] != '}'; {
		end, plain := stringEnd(raw, i)
		name := raw[i:end]
		i = space(raw, space(raw, end)+1)
		if wary && p.smellyString(name, plain) {
			p.dropped++
			end = valueEnd(raw, i)
		} else {
			if len(dst) > start {
				dst = append(dst, ',')
			}
			dst = append(p.appendString(dst, name, plain), ':')
			dst, end = p.appendJSON(dst, raw, i, wary)
		}
		if i = space(raw, end); raw[i] == ',' {
			i = space(raw, i+1)
		}
	}
	return append(dst, '}'), i + 1
}

func (p *page) appendArray(dst, raw []byte, i int, wary bool) ([]byte, int) {
	dst = append(dst, '[')
	for i = space(raw, i+1); raw[i] != ']'; {
		dst, i = p.appendJSON(dst, raw, i, wary)
		if i = space(raw, i); raw[i] == ',' {
			dst = append(dst, ',')
			i = space(raw, i+1)
		}
	}
	return append(dst, ']'), i + 1
}

// appendString appends a JSON string without U+0000, and with U+FFFD for half a
// surrogate pair and for bytes that are not UTF-8: jsonb refuses all three.
func (p *page) appendString(dst, quoted []byte, plain bool) []byte {
	if plain {
		return append(dst, quoted...)
	}
	for i := 0; i < len(quoted); {
		switch c := quoted[i]; {
		case c == '\\' && quoted[i+1] == 'u':
			var n int
			dst, n = p.appendEscape(dst, quoted[i:])
			i += n
		case c == '\\':
			dst = append(dst, c, quoted[i+1])
			i += 2
		case c < utf8.RuneSelf:
			dst = append(dst, c)
			i++
		default:
			r, n := utf8.DecodeRune(quoted[i:])
			dst = utf8.AppendRune(dst, r) // U+FFFD when invalid
			i += n
		}
	}
	return dst
}

// appendEscape appends the \uXXXX, or the pair of them, that begins b, and returns
// how many bytes it took.
func (p *page) appendEscape(dst, b []byte) ([]byte, int) {
	const size = len(`\u0000`)
	switch r := hex4(b[2:size]); {
	case r == 0:
		p.stripped++
		return dst, size
	case r < 0xD800 || r > 0xDFFF:
		return append(dst, b[:size]...), size
	case r < 0xDC00 && len(b) >= 2*size && b[size] == '\\' && b[size+1] == 'u':
		if low := hex4(b[size+2 : 2*size]); low >= 0xDC00 && low <= 0xDFFF {
			return append(dst, b[:2*size]...), 2 * size
		}
	}
	return append(dst, replacement...), size
}

func hex4(b []byte) (r rune) {
	for _, c := range b {
		r <<= 4
		switch {
		case c <= '9':
			r |= rune(c - '0')
		default:
			r |= rune(c|0x20-'a') + 10
		}
	}
	return r
}

// unescape appends the text of a JSON string without U+0000, and with U+FFFD for
// what is not Unicode.
func (p *page) unescape(dst, quoted []byte) []byte {
	from := len(dst)
	dst, _ = jsontext.AppendUnquote(dst, quoted) // its error tells of the U+FFFD alone
	text := dst[from:]
	if bytes.IndexByte(text, 0) < 0 {
		return dst
	}
	kept := text[:0]
	for _, c := range text {
		if c == 0 {
			p.stripped++
		} else {
			kept = append(kept, c)
		}
	}
	return dst[:from+len(kept)]
}

// smelly is catalog.SmellsSecret with a memory: a list repeats its names.
func (p *page) smelly(name []byte) bool {
	smells, met := p.smells[string(name)]
	if !met {
		if p.smells == nil {
			p.smells = make(map[string]bool)
		}
		smells = catalog.SmellsSecret(string(name))
		p.smells[string(name)] = smells
	}
	return smells
}

func (p *page) smellyString(quoted []byte, plain bool) bool {
	if plain {
		return p.smelly(quoted[1 : len(quoted)-1])
	}
	stripped := p.stripped // counted when the name is written
	name := p.unescape(nil, quoted)
	p.stripped = stripped
	return p.smelly(name)
}
