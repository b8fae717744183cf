package main

import (
	"fmt"
	"log/slog"
)

// redacted stands for a secret wherever one would be printed.
const redacted = "[redacted]"

// Secret is a text that prints as "[redacted]", whichever way it is printed,
// logged or encoded; only Reveal gives it. A reference to Vault names a place and
// is no secret, so it prints as it is. The zero Secret is empty and prints as
// nothing.
type Secret struct {
	// A function, not a string: fmt ignores the methods of unexported fields and
	// would print a string that lies in one.
	reveal func() string
}

// NewSecret holds a text as a secret.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{reveal: func() string { return text }}
}

// Reveal gives the text itself.
func (s Secret) Reveal() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

// IsSet reports whether there is a text.
func (s Secret) IsSet() bool { return s.reveal != nil }

// IsReference reports whether the text names a place in Vault.
func (s Secret) IsReference() bool {
	_, err := ParseReference(s.Reveal())
	return err == nil
}

// String is the reference, "[redacted]", or nothing.
func (s Secret) String() string {
	switch {
	case !s.IsSet():
		return ""
	case s.IsReference():
		return s.Reveal()
	default:
		return redacted
	}
}

// GoString is String, quoted.
func (s Secret) GoString() string { return fmt.Sprintf("%q", s.String()) }

// LogValue logs String.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText encodes String, in JSON too.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
