package paymo

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// page turns the rows of one list into records. What it holds besides the result is
// scratch space, used again for every row.
type page struct {
	decoder *decoder // of the rows
	nest    *nest    // where the rows are within the elements of the list, nil where they are the elements
	decoded

	slab   []catalog.Value // unused values, handed out a row at a time
	raw    []byte          // the element that holds the row, as received: it lives until the next one is read
	parent field           // in raw, the id of the row's parent
	fields []field         // of the row, by column
	extras []extra         // of the row, unknown and kept
	next   int             // the known field that is expected next
	spans  []span          // of the row's values in text
	text   []byte          // of the row: its values, Extra and Issues
	issues []byte
	buffer []byte          // an unescaped string
	smells map[string]bool // names met, and whether they smell of a secret
}

// field is where the value of a member is in the row. It has no pointers, because
// fields are written more often than anything else here.
type field struct {
	span
	plain bool // a string of ASCII without escapes
}

func (f field) missing() bool { return f.to == 0 }

// extra is a member that the catalogue does not know.
type extra struct {
	name []byte // unescaped
	field
}

type span struct{ from, to int }

// maxSlab is the number of rows whose values are allocated together.
const maxSlab = 128

// element takes one element of the list, which is well-formed JSON.
func (p *page) element(raw []byte) {
	p.raw = raw
	if p.nest != nil {
		p.family()
		return
	}
	p.row(0)
}

// full reports whether nothing more is to be read.
func (p *page) full(limit int) bool {
	return p.problem != "" || limit > 0 && max(p.rows, len(p.families)) >= limit
}

// row takes the row that begins at i.
func (p *page) row(i int) {
	p.rows++
	if p.raw[i] != '{' {
		payload := []byte("null")
		if !p.decoder.allowList {
			payload, _ = p.appendJSON(nil, p.raw, i, true)
		}
		p.reject(payload, "the list holds "+article(p.raw[i:])+" instead of an object")
		return
	}
	p.scan(i)
	if p.nest != nil {
		p.adopt()
	}
	if problem := p.identify(p.fields[p.decoder.id]); problem != "" {
		p.reject(p.payload(), problem)
		return
	}
	p.records = append(p.records, p.record())
}

func (p *page) reject(payload []byte, problem string) {
	p.rejects = append(p.rejects, catalog.Reject{Payload: string(payload), Problem: problem})
}

// scan sorts the members of the row that begins at i into fields and extras. Of a
// repeated name the last one counts.
func (p *page) scan(i int) {
	raw := p.raw
	if p.fields == nil {
		p.fields = make([]field, len(p.decoder.stored))
		p.spans = make([]span, len(p.decoder.stored))
	}
	clear(p.fields)
	p.extras, p.next = p.extras[:0], 0
	for i = space(raw, i+1); raw[i] != '}'; {
		name, f, next := p.member(i)
		p.assign(name, f)
		i = next
	}
}

// member reads the member that begins at i: its name, where its value is, and where
// the next member, or the object's end, begins.
func (p *page) member(i int) (name []byte, f field, next int) {
	raw := p.raw
	end, plain := stringEnd(raw, i)
	name = raw[i+1 : end-1]
	if !plain {
		name = p.unescape(nil, raw[i:end])
	}
	i = space(raw, space(raw, end)+1)
	f.from = i
	if raw[i] == '"' {
		f.to, f.plain = stringEnd(raw, i)
	} else {
		f.to = valueEnd(raw, i)
	}
	if i = space(raw, f.to); raw[i] == ',' {
		i = space(raw, i+1)
	}
	return name, f, i
}

func (p *page) assign(name []byte, f field) {
	if column, known := p.lookup(name); known {
		if column != secret {
			p.fields[column] = f
		}
		return
	}
	if p.decoder.allowList {
		return
	}
	if p.smelly(name) {
		p.dropped++
		return
	}
	for i := range p.extras {
		if string(p.extras[i].name) == string(name) {
			p.extras[i].field = f
			return
		}
	}
	p.extras = append(p.extras, extra{name: name, field: f})
}

// lookup finds the column of a field. Fields usually come in the catalogue's order,
// so the one after the last is tried first.
func (p *page) lookup(name []byte) (column int, known bool) {
	d := p.decoder
	if p.next >= len(d.known) || d.known[p.next].name != string(name) {
		at, known := d.position[string(name)]
		if !known {
			return 0, false
		}
		p.next = at
	}
	column = d.known[p.next].column
	p.next++
	return column, true
}

// value is the JSON of a field.
func (p *page) value(f field) []byte { return p.raw[f.from:f.to] }

// identify says what is wrong with an id, "" for nothing; then p.text is its digits.
func (p *page) identify(f field) string {
	if f.missing() {
		return "the id is missing"
	}
	p.text = p.text[:0]
	stripped := p.stripped
	state, ok := p.convert(catalog.Integer, f)
	p.stripped = stripped // a row's id is converted again with the other columns
	switch {
	case !ok:
		return "the id is not a whole number"
	case state == catalog.Null:
		return "the id is null"
	case p.text[0] == '-' || p.text[0] == '0':
		return "the id is not positive"
	}
	return ""
}

// record converts the fields that scan found.
func (p *page) record() catalog.Record {
	d := p.decoder
	values := p.values()
	p.text, p.issues = p.text[:0], p.issues[:0]
	for i, f := range p.fields {
		from := len(p.text)
		if !f.missing() {
			values[i].State = p.column(i, f)
		}
		p.spans[i] = span{from: from, to: len(p.text)}
	}
	p.empty(values)
	extra, issues := p.rest()

	// One string holds all the texts of the row.
	text := string(p.text)
	for i, s := range p.spans {
		values[i].Text = text[s.from:s.to]
	}
	r := catalog.Record{Values: values, Extra: text[extra.from:extra.to], Issues: text[issues.from:issues.to]}
	r.ID, _ = parseInteger(p.text[p.spans[d.id].from:p.spans[d.id].to])
	if d.updated >= 0 && values[d.updated].State == catalog.Set {
		r.Updated, _ = time.Parse(time.RFC3339, values[d.updated].Text)
	}
	return r
}

// column appends the text of a value, or, where it will not convert, an issue.
func (p *page) column(i int, f field) catalog.State {
	column := p.decoder.stored[i]
	from, stripped := len(p.text), p.stripped
	state, ok := p.convert(column.Kind, f)
	if ok {
		return state
	}
	p.text, p.stripped = p.text[:from], stripped
	p.issues = appendName(p.issues, column.Name)
	p.issues = p.clean(p.issues, p.value(f))
	return catalog.Null
}

// empty makes the missing columns of an exclusive group null when one of the group is
// there: they are missing because of it.
func (p *page) empty(values []catalog.Value) {
	present := false
	for _, i := range p.decoder.together {
		present = present || !p.fields[i].missing()
	}
	for _, i := range p.decoder.together {
		if present && p.fields[i].missing() {
			values[i].State = catalog.Null
		}
	}
}

// rest appends the unknown fields and the issues to text and says where they are.
func (p *page) rest() (extra, issues span) {
	extra.from = len(p.text)
	for _, f := range p.extras {
		if _, known := p.unknown[string(f.name)]; !known {
			if p.unknown == nil {
				p.unknown = make(map[string]string)
			}
			p.unknown[string(f.name)] = jsonType(p.value(f.field))
		}
	}
	p.text = p.appendExtras(p.text, len(p.text))
	p.text = closeObject(p.text, extra.from)
	extra.to = len(p.text)
	p.issues = closeObject(p.issues, 0)
	p.text = append(p.text, p.issues...)
	return extra, span{from: extra.to, to: len(p.text)}
}

// payload is the row as JSON without what is secret.
func (p *page) payload() []byte {
	var payload []byte
	for i, f := range p.fields {
		if !f.missing() {
			payload = p.clean(appendName(payload, p.decoder.stored[i].Name), p.value(f))
		}
	}
	payload = p.appendExtras(payload, 0)
	if len(payload) == 0 {
		return []byte("{}")
	}
	return closeObject(payload, 0)
}

func (p *page) appendExtras(dst []byte, from int) []byte {
	for _, f := range p.extras {
		if len(dst) == from {
			dst = append(dst, '{')
		} else {
			dst = append(dst, ',')
		}
		dst, _ = jsontext.AppendQuote(dst, f.name) // valid UTF-8 by now
		dst = p.clean(append(dst, ':'), p.value(f.field))
	}
	return dst
}

// appendName appends the beginning of a member of the object that begins dst.
func appendName(dst []byte, name string) []byte {
	sep := byte(',')
	if len(dst) == 0 {
		sep = '{'
	}
	dst = append(dst, sep, '"')
	dst = append(dst, name...)
	return append(dst, '"', ':')
}

// closeObject ends the object that begins at from, if there is one.
func closeObject(dst []byte, from int) []byte {
	if len(dst) > from {
		dst = append(dst, '}')
	}
	return dst
}

// values hands out the values of one row.
func (p *page) values() []catalog.Value {
	n := len(p.decoder.stored)
	if len(p.slab) < n {
		p.slab = make([]catalog.Value, n*min(len(p.records)+1, maxSlab))
	}
	values := p.slab[:n:n]
	p.slab = p.slab[n:]
	return values
}
