package paymo

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// decoder turns replies about one resource into records. Safe for concurrent use.
type decoder struct {
	key, alsoKey string
	stored       []catalog.Column
	known        []knownField
	position     map[string]int // of a field in known
	together     []int          // indexes in stored
	id           int
	updated      int  // index in stored, -1 for none
	allowList    bool // unknown fields are ignored

	seenAs atomic.Pointer[string] // the name that the catalogue does not know, under which rows came
}

// knownField is a field of the catalogue and the index of its column in stored, or
// secret.
type knownField struct {
	name   string
	column int
}

// secret stands for the index of a field that has no column.
const secret = -1

// newDecoder prepares the decoder of a resource, which must have an id.
func newDecoder(r *catalog.Resource) *decoder {
	d := &decoder{
		key: r.Key, alsoKey: r.AlsoKey, allowList: r.AllowList,
		position: make(map[string]int, len(r.Columns)), updated: -1,
	}
	for i, c := range r.Columns {
		column := secret
		if !c.Has(catalog.Secret) {
			column = len(d.stored)
			d.stored = append(d.stored, c)
		}
		switch c.Name {
		case "id":
			d.id = column
		case "updated_on":
			d.updated = column
		}
		if slices.Contains(r.Together, c.Name) {
			d.together = append(d.together, column)
		}
		d.position[c.Name] = i
		d.known = append(d.known, knownField{name: c.Name, column: column})
	}
	return d
}

// decoded is what a reply held.
type decoded struct {
	records  []catalog.Record
	rejects  []catalog.Reject
	rows     int               // objects in the list, rejects included
	cut      bool              // stopped after limit rows without reading the rest
	stripped int               // U+0000 removed
	dropped  int               // unknown fields that smell of a secret, dropped
	unknown  map[string]string // unknown field → JSON type first seen (kept ones only); nil when none
	families []Family          // where rows came with their parents
	problem  string            // why the list is of no use, "" for nothing
}

// decode reads one reply to its end, or until it has limit rows and there are more;
// a limit of 0 or less is none. The list may be the whole reply, the member that the
// catalogue names, or the only member that can be one. A reply without a list is an
// error, never an empty page. Errors are *decodeError.
func (d *decoder) decode(body io.Reader, limit int) (decoded, error) {
	return d.decodeNested(body, limit, nil)
}

// decodeNested is decode, but that of the list's objects it takes the rows that are
// nested in them, where nest is not nil.
func (d *decoder) decodeNested(body io.Reader, limit int, nest *nest) (decoded, error) {
	body, err := skipHead(body)
	if err != nil {
		return decoded{}, err
	}
	e := envelope{
		decoder: d,
		nest:    nest,
		json:    jsontext.NewDecoder(body, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)),
		limit:   limit,
	}
	if e.json.PeekKind() == jsontext.KindBeginArray {
		e.best = named
		err = e.list()
	} else {
		err = e.object()
	}
	if err != nil {
		return decoded{}, err
	}
	if !e.found.cut {
		if err := e.end(); err != nil {
			return decoded{}, err
		}
	}
	if e.found.problem != "" {
		return decoded{}, &decodeError{Problem: e.found.problem}
	}
	return e.found, nil
}

// skipHead looks at the beginning of a reply, so that one that is not JSON (a proxy's
// error page, usually) is named by what it is, and drops a byte order mark.
func skipHead(body io.Reader) (io.Reader, error) {
	var (
		head = make([]byte, 0, 64)
		err  error
	)
	for err == nil && len(head) < cap(head) {
		var n int
		n, err = body.Read(head[len(head):cap(head)])
		head = head[:len(head)+n]
	}
	if err != nil && err != io.EOF {
		return nil, broken(err, int64(len(head)))
	}
	head = bytes.TrimPrefix(head, []byte("\uFEFF"))
	text := bytes.TrimLeft(head, " \t\r\n")
	switch {
	case len(text) == 0 && err == io.EOF:
		return nil, &decodeError{Problem: "the reply is empty", Truncated: true, cause: io.ErrUnexpectedEOF}
	case len(text) > 0 && text[0] != '{' && text[0] != '[':
		return nil, &decodeError{Problem: fmt.Sprintf("not JSON: begins with `%s`", excerpt(string(text), maxBegins))}
	case errors.Is(err, io.EOF):
		return bytes.NewReader(head), nil
	}
	return io.MultiReader(bytes.NewReader(head), body), nil
}

// How sure it is that a member of the envelope is the list.
const (
	nothing    = iota
	soleObject // an object under a name that the catalogue does not know
	soleArray  // an array under such a name
	also       // under the name's other spelling
	named      // under the catalogue's name
)

// envelope reads the top level of a reply.
type envelope struct {
	decoder *decoder // of the list's objects
	nest    *nest
	json    *jsontext.Decoder
	limit   int

	best    int            // how sure it is that found is the list
	name    string         // of the member that is found
	seen    [named + 1]int // members of each sort
	found   decoded
	message string
	bare    bool // the reply has an id of its own: it is a row, not an envelope
}

func (e *envelope) fail(err error) error { return broken(err, e.json.InputOffset()) }

// object reads `{"key": …}` and settles which member is the list. A later member that
// is surer replaces an earlier one, so nothing but the list has to be held.
func (e *envelope) object() error {
	if _, err := e.json.ReadToken(); err != nil {
		return e.fail(err)
	}
	for e.json.PeekKind() != jsontext.KindEndObject {
		token, err := e.json.ReadToken()
		if err != nil {
			return e.fail(err)
		}
		if err := e.member(token.String()); err != nil {
			return err
		}
		if e.found.cut && e.best >= also {
			return nil
		}
	}
	if _, err := e.json.ReadToken(); err != nil {
		return e.fail(err)
	}
	return e.settle()
}

func (e *envelope) member(name string) error {
	kind := e.json.PeekKind()
	if kind != jsontext.KindBeginArray && kind != jsontext.KindBeginObject {
		token, err := e.json.ReadToken()
		if err != nil {
			return e.fail(err)
		}
		switch {
		case name == "message" && kind == jsontext.KindString:
			e.message = excerpt(token.String(), maxSaid)
		case name == "id":
			e.bare = true
		}
		return nil
	}
	sure := soleObject
	switch {
	case name == e.decoder.key:
		sure = named
	case name == e.decoder.alsoKey && name != "":
		sure = also
	case kind == jsontext.KindBeginArray:
		sure = soleArray
	}
	e.seen[sure]++
	if sure < e.best || sure == e.best && sure < also {
		if err := e.json.SkipValue(); err != nil {
			return e.fail(err)
		}
		return nil
	}
	e.best, e.name, e.found = sure, name, decoded{}
	return e.list()
}

// list reads an array of rows, or one row.
func (e *envelope) list() error {
	p := page{decoder: e.decoder}
	if e.nest != nil {
		p.decoder, p.nest = e.nest.child, e.nest
	}
	if e.json.PeekKind() == jsontext.KindBeginObject {
		raw, err := e.json.ReadValue()
		if err != nil {
			return e.fail(err)
		}
		p.element(raw)
		e.found = p.decoded
		return nil
	}
	if _, err := e.json.ReadToken(); err != nil {
		return e.fail(err)
	}
	for {
		kind := e.json.PeekKind()
		if kind == jsontext.KindEndArray {
			break
		}
		if p.full(e.limit) && kind != jsontext.KindInvalid {
			p.cut = true
			if e.best >= also {
				break
			}
			// The list that the catalogue names may still follow.
			if err := e.json.SkipValue(); err != nil {
				return e.fail(err)
			}
			continue
		}
		raw, err := e.json.ReadValue()
		if err != nil {
			return e.fail(err)
		}
		p.element(raw)
	}
	e.found = p.decoded
	if p.cut && e.best >= also {
		return nil
	}
	if _, err := e.json.ReadToken(); err != nil {
		return e.fail(err)
	}
	return nil
}

// shown reports whether what has an unknown name is the list: it holds rows, or lists
// under that name did before. Something else that is empty is no empty table.
func (e *envelope) shown() bool {
	if len(e.found.records) > 0 || len(e.found.families) > 0 {
		if e.best == soleArray {
			e.decoder.seenAs.Store(&e.name)
		}
		return true
	}
	before := e.decoder.seenAs.Load()
	return before != nil && *before == e.name
}

// settle refuses a reply whose list cannot be told.
func (e *envelope) settle() error {
	switch {
	case e.best >= also:
		return nil
	case e.message != "":
		return &decodeError{Problem: "the reply is a message instead of a list", Message: e.message}
	case e.best == nothing:
		return &decodeError{Problem: fmt.Sprintf("the reply holds no list %q", e.decoder.key)}
	case e.bare:
		return &decodeError{Problem: fmt.Sprintf("the reply is a bare object without a list %q", e.decoder.key)}
	case e.seen[e.best] > 1:
		return &decodeError{Problem: fmt.Sprintf("the reply holds several lists and none is %q", e.decoder.key)}
	case !e.shown():
		return &decodeError{Problem: fmt.Sprintf("the reply holds no list %q", e.decoder.key)}
	}
	return nil
}

// end makes sure that nothing follows.
func (e *envelope) end() error {
	offset := e.json.InputOffset()
	switch _, err := e.json.ReadToken(); {
	case errors.Is(err, io.EOF):
		return nil
	case err == nil:
		return &decodeError{Problem: "the reply goes on after its end", Offset: offset}
	default:
		return e.fail(err)
	}
}
