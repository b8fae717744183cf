package main

import (
	"errors"
	"strings"
	"unicode"
)

// referencePrefix begins every reference to Vault.
const referencePrefix = "vault://"

// Reference names one field of one secret in Vault: vault://<mount>/<path>#<field>.
// Where the mount ends only Vault knows, so Location is both.
type Reference struct {
	Location string // mount and path, as `vault kv get` takes them
	Field    string
}

// String is the reference as it is written in the configuration.
func (r Reference) String() string { return referencePrefix + r.Location + "#" + r.Field }

// ParseReference reads a reference. Its errors never repeat the text, which may
// be a secret that was put in the wrong place.
func ParseReference(text string) (Reference, error) {
	rest, ok := strings.CutPrefix(text, referencePrefix)
	if !ok {
		return Reference{}, errors.New("does not begin with " + referencePrefix)
	}
	location, field, ok := strings.Cut(rest, "#")
	switch {
	case !ok || field == "":
		return Reference{}, errors.New("names no field: end it with #<field>")
	case strings.Contains(field, "#"):
		return Reference{}, errors.New("has more than one #")
	case strings.ContainsFunc(rest, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) || r == '?' }):
		return Reference{}, errors.New("holds white space, a question mark or an unprintable character")
	}
	segments := strings.Split(location, "/")
	if len(segments) < 2 {
		return Reference{}, errors.New("names no path below the mount")
	}
	for _, segment := range segments {
		switch segment {
		case "":
			return Reference{}, errors.New("has an empty segment: write <mount>/<path> without a slash too many")
		case ".", "..":
			return Reference{}, errors.New("has a . or .. segment")
		}
	}
	return Reference{Location: location, Field: field}, nil
}
