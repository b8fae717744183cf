package paymo

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// storedExtra is the member of a stored object that holds the fields that the catalogue
// did not know.
const storedExtra = "_extra"

// DecodeRow decodes one object that was kept, such as a payload of the quarantine, as
// List decodes those of a reply: into one of Records, or of Rejects where it still
// cannot become a row. The object is as Paymo served it, or has the text of each value
// under its column, with the unknown fields in an object "_extra"; what the catalogue
// knows of those by now becomes a column. What is not JSON is an error. No request is
// made.
func (c *Client) DecodeRow(resource *catalog.Resource, object []byte) (*Page, error) {
	decoded, err := c.decoders[resource.Table].decodeRow(object)
	if err != nil {
		return nil, fmt.Errorf("decode a stored row of %s: %w", resource.Table, err)
	}
	return newPage(decoded), nil
}

func (d *decoder) decodeRow(object []byte) (decoded, error) {
	json := jsontext.NewDecoder(bytes.NewReader(object), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	raw, err := json.ReadValue()
	if err != nil {
		return decoded{}, err
	}
	p := page{decoder: d, raw: bytes.Clone(raw)}
	if _, err := json.ReadToken(); err == nil {
		return decoded{}, errors.New("it goes on after its end")
	} else if !errors.Is(err, io.EOF) {
		return decoded{}, err
	}
	if p.raw[0] == '{' {
		p.raw = p.unpack()
	}
	p.row(0)
	return p.decoded, nil
}

// unpack is the stored object as it would be served: with its unknown fields among the
// others, which count where both have a name, and JSON where there is a JSON's text.
func (p *page) unpack() []byte {
	stripped := p.stripped // counted when the row is scanned
	texts := p.holdsTexts()
	var extra, own []byte
	for i := space(p.raw, 1); p.raw[i] != '}'; {
		name, f, next := p.member(i)
		value := p.value(f)
		if string(name) == storedExtra && value[0] == '{' {
			if value[space(value, 1)] != '}' {
				extra = append(append(extra, value[1:len(value)-1]...), ',')
			}
		} else {
			if texts && p.isJSON(name) {
				value = unquoted(value)
			}
			own = append(append(append(own, p.raw[i:f.from]...), value...), ',')
		}
		i = next
	}
	p.stripped = stripped
	object := append(append([]byte{'{'}, extra...), own...)
	return append(bytes.TrimSuffix(object, []byte{','}), '}')
}

// holdsTexts reports whether all values of the stored object are texts or null, as
// nothing is that Paymo serves: there an id, at least, is a number.
func (p *page) holdsTexts() bool {
	for i := space(p.raw, 1); p.raw[i] != '}'; {
		name, f, next := p.member(i)
		if kind := p.raw[f.from]; kind != '"' && kind != 'n' && string(name) != storedExtra {
			return false
		}
		i = next
	}
	return true
}

// isJSON reports whether the name is that of a JSON column.
func (p *page) isJSON(name []byte) bool {
	at, known := p.decoder.position[string(name)]
	if !known {
		return false
	}
	column := p.decoder.known[at].column
	return column != secret && p.decoder.stored[column].Kind == catalog.JSON
}

// unquoted is the JSON that a text holds, or the text where it holds none.
func unquoted(value []byte) []byte {
	if value[0] != '"' {
		return value
	}
	text, err := jsontext.AppendUnquote(nil, value)
	if err != nil || !jsontext.Value(text).IsValid(jsontext.AllowDuplicateNames(true)) {
		return value
	}
	return text
}
