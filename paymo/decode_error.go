package paymo

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"
)

// maxSaid is how much of a reply's own message a decodeError keeps, maxBegins how
// much of the beginning of a reply that is not JSON.
const (
	maxSaid   = 300
	maxBegins = 40
)

// decodeError says why a reply could not be turned into records.
type decodeError struct {
	Problem   string // in words
	Offset    int64  // bytes read before it, 0 when it concerns the whole reply
	Truncated bool   // the reply ended before its JSON did
	Message   string // what the reply says instead of a list, capped
	cause     error
}

func (e *decodeError) Error() string {
	text := e.Problem
	if e.Offset > 0 {
		text += fmt.Sprintf(" at byte %d", e.Offset)
	}
	if e.Message != "" {
		text += ": " + e.Message
	}
	return text
}

// Unwrap is the error of the reader or of the JSON syntax, nil when the JSON was
// well formed and not what was asked for.
func (e *decodeError) Unwrap() error { return e.cause }

// broken tells the ways apart in which reading JSON can fail: the reader failed, the
// reply ended too early, or the syntax is wrong.
func broken(err error, offset int64) *decodeError {
	e := &decodeError{Offset: offset, cause: err}
	syntax, isSyntax := errors.AsType[*jsontext.SyntacticError](err)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		e.Problem, e.Truncated = "the reply ends early", true
	case isSyntax:
		e.Problem, e.Offset = "not valid JSON: "+syntax.Err.Error(), syntax.ByteOffset
	default:
		e.Problem = "the reply breaks off"
	}
	return e
}

// excerpt is the beginning of a text on one line, with an ellipsis where it is cut. It
// is fit for logs, terminals and PostgreSQL.
func excerpt(text string, limit int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "…"
}
