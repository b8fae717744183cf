package paymo

import (
	"cmp"
	"encoding/base64"
	"errors"
	"html"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// minTold is how much of the key an excerpt may end with.
const minTold = 3

// redact takes the key out of a text: raw, as it is sent, and as replies and libraries
// quote either. Of an excerpt that breaks off within the key it takes what there is.
func redact(text, key string) string {
	if key == "" {
		return text
	}
	forms := forms(key)
	var pairs []string
	for _, form := range forms {
		pairs = append(pairs, form, "[key]")
	}
	text = strings.NewReplacer(pairs...).Replace(text)
	if !strings.Contains(text, "…") {
		return text
	}
	for _, form := range forms {
		for n := len(form) - 1; n > minTold; n-- {
			text = strings.ReplaceAll(text, form[:n]+"…", "[key]…")
		}
	}
	return text
}

// forms are the spellings of a key, the longest first.
func forms(key string) []string {
	plain := []string{key}
	for _, text := range []string{key + ":", key} {
		// Without padding, to find it with padding too.
		plain = append(plain, base64.RawStdEncoding.EncodeToString([]byte(text)), base64.RawURLEncoding.EncodeToString([]byte(text)))
	}
	var forms []string
	for _, form := range plain {
		// PHP escapes slashes in JSON, and Go quotes what it cannot read.
		quoted := strconv.Quote(form)
		quoted = quoted[1 : len(quoted)-1]
		forms = append(forms, form, quoted, strings.ReplaceAll(quoted, "/", `\/`), strings.ReplaceAll(quoted, "/", `\\/`),
			url.QueryEscape(form), url.PathEscape(form), html.EscapeString(form))
	}
	slices.SortFunc(forms, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	return slices.Compact(forms)
}

// withoutKey is the error, or, where it tells the key, no more than its text without it.
func withoutKey(err error, key string) error {
	text := err.Error()
	if redacted := redact(text, key); redacted != text {
		return errors.New(redacted)
	}
	return err
}
