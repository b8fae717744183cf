package paymotest

import (
	"fmt"
	"slices"
	"strings"
)

// condition is one comparison of a where clause.
type condition struct {
	field string
	op    string // =, !=, >, >=, <, <=, like, not like, in, not in
	args  []literal
}

type literal struct {
	text   string
	quoted bool
}

func (l literal) null() bool { return !l.quoted && strings.EqualFold(l.text, "null") }

// parseWhere reads a where clause: comparisons joined by "and". Brackets and "or"
// are not in the grammar.
func parseWhere(s string) ([]condition, error) {
	l := &lexer{rest: s}
	var conditions []condition
	for {
		c, err := l.condition()
		if err != nil {
			return nil, err
		}
		conditions = append(conditions, c)
		if l.space(); l.rest == "" {
			return conditions, nil
		}
		if !l.word("and") && !l.take("&&") {
			return nil, l.unexpected()
		}
	}
}

// lexer takes the tokens of a where clause off the front of rest.
type lexer struct{ rest string }

func (l *lexer) space() { l.rest = strings.TrimLeft(l.rest, " \t\r\n") }

func (l *lexer) take(token string) bool {
	l.space()
	rest, ok := strings.CutPrefix(l.rest, token)
	if ok {
		l.rest = rest
	}
	return ok
}

// word takes a keyword, which must not run on into an identifier.
func (l *lexer) word(keyword string) bool {
	l.space()
	n := len(keyword)
	if len(l.rest) < n || !strings.EqualFold(l.rest[:n], keyword) {
		return false
	}
	if len(l.rest) > n && identifier(l.rest[n]) {
		return false
	}
	l.rest = l.rest[n:]
	return true
}

func identifier(c byte) bool {
	return c == '_' || c == '.' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func (l *lexer) unexpected() error {
	if l.rest == "" {
		return fmt.Errorf("where ends too early")
	}
	return fmt.Errorf("unexpected %.20q in where", l.rest)
}

func (l *lexer) condition() (condition, error) {
	l.space()
	n := 0
	for n < len(l.rest) && identifier(l.rest[n]) {
		n++
	}
	if n == 0 {
		return condition{}, l.unexpected()
	}
	c := condition{field: l.rest[:n]}
	l.rest = l.rest[n:]

	not := l.word("not")
	switch {
	case l.word("like"):
		c.op = "like"
	case l.word("in"):
		c.op = "in"
	case not:
		return condition{}, l.unexpected()
	default:
		ops := []string{"<=", ">=", "!=", "<>", "=", "<", ">"}
		i := slices.IndexFunc(ops, l.take)
		if i < 0 {
			return condition{}, l.unexpected()
		}
		c.op = ops[i]
		if c.op == "<>" {
			c.op = "!="
		}
	}
	var err error
	if c.op == "in" {
		c.args, err = l.list()
	} else {
		var arg literal
		arg, err = l.literal()
		c.args = []literal{arg}
	}
	if not {
		c.op = "not " + c.op
	}
	return c, err
}

func (l *lexer) list() ([]literal, error) {
	if !l.take("(") {
		return nil, l.unexpected()
	}
	var list []literal
	for {
		arg, err := l.literal()
		if err != nil {
			return nil, err
		}
		list = append(list, arg)
		if l.take(")") {
			return list, nil
		}
		if !l.take(",") {
			return nil, l.unexpected()
		}
	}
}

// literal takes a double-quoted string, in which a backslash escapes, or a bare word.
func (l *lexer) literal() (literal, error) {
	if !l.take(`"`) {
		n := strings.IndexAny(l.rest, " \t\r\n,()\"'&")
		if n < 0 {
			n = len(l.rest)
		}
		if n == 0 {
			return literal{}, l.unexpected()
		}
		arg := literal{text: l.rest[:n]}
		l.rest = l.rest[n:]
		return arg, nil
	}
	var b strings.Builder
	for i := 0; i < len(l.rest); i++ {
		switch c := l.rest[i]; {
		case c == '"':
			l.rest = l.rest[i+1:]
			return literal{text: b.String(), quoted: true}, nil
		case c == '\\' && i+1 < len(l.rest):
			i++
			b.WriteByte(l.rest[i])
		default:
			b.WriteByte(c)
		}
	}
	return literal{}, fmt.Errorf("unclosed string in where")
}
