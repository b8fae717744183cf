package paymo

// The functions here walk JSON that is known to be well formed.

// space is the index of the next byte that is not white space.
func space(raw []byte, i int) int {
	for raw[i] == ' ' || raw[i] == '\n' || raw[i] == '\t' || raw[i] == '\r' {
		i++
	}
	return i
}

// stringEnd is the index after the string that begins at i; plain says that the
// string is ASCII without escapes.
func stringEnd(raw []byte, i int) (end int, plain bool) {
	plain = true
	for i++; ; i++ {
		switch c := raw[i]; {
		case c == '"':
			return i + 1, plain
		case c == '\\':
			plain = false
			i++
		case c >= 0x80:
			plain = false
		}
	}
}

// valueEnd is the index after the value that begins at i.
func valueEnd(raw []byte, i int) int {
	switch raw[i] {
	case '"':
		end, _ := stringEnd(raw, i)
		return end
	case '{', '[':
		return nestedEnd(raw, i)
	}
	for i++; i < len(raw); i++ {
		switch raw[i] {
		case ',', ']', '}', ' ', '\n', '\t', '\r':
			return i
		}
	}
	return i
}

func nestedEnd(raw []byte, i int) int {
	for depth := 0; ; {
		switch raw[i] {
		case '"':
			i, _ = stringEnd(raw, i)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		i++
		if depth == 0 {
			return i
		}
	}
}

// jsonType is the name of a value's type.
func jsonType(raw []byte) string {
	switch raw[0] {
	case '"':
		return "string"
	case '{':
		return "object"
	case '[':
		return "array"
	case 't', 'f':
		return "boolean"
	case 'n':
		return "null"
	default:
		return "number"
	}
}

// article is the name of a value's type with its article.
func article(raw []byte) string {
	switch raw[0] {
	case 'n':
		return "null"
	case '{', '[':
		return "an " + jsonType(raw)
	default:
		return "a " + jsonType(raw)
	}
}
