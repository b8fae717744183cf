package paymo_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/paymosync/paymosync/paymo"
)

// spellings are ways to write a key down.
func spellings(key string) map[string]string {
	header := base64.StdEncoding.EncodeToString([]byte(key + ":"))
	return map[string]string{
		"raw":                  key,
		"header":               "Basic " + header,
		"base64":               base64.StdEncoding.EncodeToString([]byte(key)),
		"base64 without end":   base64.RawStdEncoding.EncodeToString([]byte(key)),
		"base64 for URLs":      base64.URLEncoding.EncodeToString([]byte(key + ":")),
		"escaped for a query":  url.QueryEscape(key),
		"escaped for a path":   url.PathEscape(key),
		"escaped header":       url.QueryEscape(header),
		"escaped for JSON":     strings.ReplaceAll(header, "/", `\/`),
		"key escaped for JSON": strings.ReplaceAll(strings.Trim(strconv.Quote(key), `"`), "/", `\/`),
		"escaped for HTML":     html.EscapeString(key),
	}
}

// secrets are what must be found nowhere.
func secrets(key string) []string {
	header := base64.RawStdEncoding.EncodeToString([]byte(key + ":"))
	return []string{key[:10], header[:10], base64.RawStdEncoding.EncodeToString([]byte(key))[:10], url.QueryEscape(key)[:10], html.EscapeString(key)[:10]}
}

// tells looks for a key in what is printed.
func tells(text, key string) bool {
	for _, secret := range secrets(key) {
		if strings.Contains(text, secret) {
			return true
		}
	}
	return false
}

// searchError looks for a key in an error and in all that it wraps.
func searchError(t *testing.T, err error, key string) {
	t.Helper()
	for _, verb := range []string{"%v", "%+v", "%#v", "%q", "%s"} {
		if text := fmt.Sprintf(verb, err); tells(text, key) {
			t.Errorf("%s of %T tells the key: %s", verb, err, text)
		}
	}
	if one, ok := err.(interface{ Unwrap() error }); ok && one.Unwrap() != nil {
		searchError(t, one.Unwrap(), key)
	}
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range several.Unwrap() {
			searchError(t, err, key)
		}
	}
}

// A server may repeat what it was sent wherever it likes.
func TestErrorsDoNotTellTheKey(t *testing.T) {
	t.Parallel()
	const headers = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
	for name, echo := range spellings(key) {
		for where, handler := range map[string]http.HandlerFunc{
			"message":            status(400, `{"message":`+strconv.Quote("bad request by "+echo+"!")+`}`),
			"body":               status(403, "<p>"+echo+"</p>"),
			"body of a refusal":  status(401, echo),
			"unavailable":        status(502, echo),
			"late in a message":  status(500, strings.Repeat("x", 480)+" "+echo),
			"late in a body":     status(500, strings.Repeat(" ", 64<<10-20)+echo),
			"reply in text":      status(200, echo),
			"reply in HTML":      status(200, "<p>"+echo+"</p>"),
			"reply that is told": status(200, `{"message":`+strconv.Quote(echo)+`}`),
			"late in a reply":    status(200, `{"message":`+strconv.Quote(strings.Repeat("x", 280)+echo)+`}`),
			"name":               status(200, `{`+strconv.Quote(echo)+`:{"id":}}`),
			"value":              status(200, `{"clients":[{"id":1,"name":`+strconv.Quote(echo)+`]}`),
			"trailer":            status(200, oneClient+echo),
			"content type":       status(200, "x", "Content-Type", echo),
			"host":               to(302, "https://"+echo+".invalid/"),
			"path":               to(302, "https://elsewhere.invalid/"+echo+"?"+echo+"#"+echo),
			"path here":          to(302, "/"+echo),
			"no URL":             to(302, "http://[::1/%zz"+echo),
			"no port":            to(302, "http://localhost:"+echo),
			"no host":            to(302, echo+"://x"),
			"status line":        speak("HTTP/1.1 " + echo + "\r\n\r\n"),
			"no HTTP":            speak(echo + "\r\n\r\n"),
			"header line":        speak(headers + echo + "\r\n\r\n{}"),
			"length":             speak("HTTP/1.1 200 OK\r\nContent-Length: " + echo + "\r\n\r\n"),
			"encoding":           speak("HTTP/1.1 200 OK\r\nTransfer-Encoding: " + echo + "\r\n\r\n"),
			"chunk":              speak("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + echo + "\r\n"),
		} {
			t.Run(name+" in "+where, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					_, err := list(t, newPipeClient(t, handler))
					if err == nil {
						t.Fatal("no error")
					}
					searchError(t, err, key)
					if strings.ContainsAny(err.Error(), "\r\n\x00") || len(err.Error()) > 700 {
						t.Errorf("the error is not one short line: %q", err)
					}
				})
			})
		}
	}
}

// speak answers with bytes as they are.
func speak(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, out, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = out.WriteString(text)
		_ = out.Flush()
		conn.Close()
	}
}

// Whoever logs what holds the key does not log the key.
func TestClientDoesNotTellTheKey(t *testing.T) {
	t.Parallel()
	var config paymo.Config
	client := newClient(t, play(ok()), func(c *paymo.Config) { config = *c })
	if _, err := list(t, client); err != nil {
		t.Fatal(err)
	}
	config.Transport = nil // which has no key, and is at work while it is printed
	var log strings.Builder
	for _, handler := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		logger := slog.New(handler)
		logger.Info("here", "client", client, "config", config, "config_pointer", &config)
	}
	if log.Len() == 0 || tells(log.String(), key) {
		t.Errorf("the log tells the key: %s", log.String())
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, value := range []any{client, config, &config} {
			if text := fmt.Sprintf(verb, value); tells(text, key) || strings.Contains(text, fmt.Sprintf("%x", key)) {
				t.Errorf("%s of %T tells the key: %s", verb, value, text)
			}
		}
	}
}

func TestErrorMessageIsOneLine(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"":                                 "",
		"{}":                               "{}",
		`{"message":""}`:                   `{"message":""}`,
		`{"message":17}`:                   `{"message":17}`,
		`{"message":"a","message":"b"}`:    `{"message":"a","message":"b"}`,
		`["a",  "b"]`:                      `["a", "b"]`,
		"  two\r\n\r\n lines\t":            "two lines",
		`{"message":"two\nlines"}`:         "two lines",
		`{"message":"a\u0000b\u001b[31m"}`: "a b [31m",
		"caf\xe9 \xff":                     "caf\uFFFD \uFFFD",
		"a\u2028b\u0085c\u009bd\u202ee":    "a b c d e",
		strings.Repeat("é", 300):           strings.Repeat("é", 250) + "…",
	} {
		_, err := list(t, newClient(t, play(status(400, body))))
		var api *paymo.APIError
		if !errors.As(err, &api) || api.Message != want {
			t.Errorf("%q: the message is %q, want %q", body, api.Message, want)
		}
	}
}
