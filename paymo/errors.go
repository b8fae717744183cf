package paymo

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxMessage is how much of a reply's message an error keeps.
const maxMessage = 500

// APIError is a reply other than success.
type APIError struct {
	Method  string
	Path    string // without the query
	Status  int
	Attempt int    // from 1
	Message string // what the reply said, capped and without the key
}

func (e *APIError) Error() string {
	text := fmt.Sprintf("%s %s: paymo answered %d %s", e.Method, e.Path, e.Status, http.StatusText(e.Status))
	if e.Message != "" {
		text += ": " + e.Message
	}
	if e.Unauthorized() {
		text += "; the API key was refused: check the secret that PAYMO_API_KEY names, and PAYMO_AUTH_SCHEME"
	}
	return text
}

// Unauthorized reports that the key was refused.
func (e *APIError) Unauthorized() bool { return e.Status == http.StatusUnauthorized }

// Denied reports that the key lacks the right, or the plan the module.
func (e *APIError) Denied() bool { return e.Status == http.StatusForbidden }

// NotFound reports that there is nothing at the path.
func (e *APIError) NotFound() bool { return e.Status == http.StatusNotFound }

// RateLimitError means that the next request has to wait for longer than the client
// waits by itself.
type RateLimitError struct{ Wait time.Duration }

func (e *RateLimitError) Error() string {
	return fmt.Sprintf("paymo's rate limit is reached: the next request may go in %s", e.Wait.Round(time.Second))
}

// KeyError means that the API key could not be had.
type KeyError struct{ cause error }

func (e *KeyError) Error() string { return "get the API key: " + e.cause.Error() }

// Unwrap is the key source's error.
func (e *KeyError) Unwrap() error { return e.cause }

// DecodeError means that a reply was a success by its status and not the JSON that
// was asked for.
type DecodeError struct {
	Method      string
	Path        string
	Attempt     int
	ContentType string
	Truncated   bool   // the reply ended too early: worth another try
	Problem     string // what was wrong with it, capped and without the key
	cause       error
}

func (e *DecodeError) Error() string {
	return fmt.Sprintf("%s %s: read the reply (%s): %s", e.Method, e.Path, e.ContentType, e.Problem)
}

// Unwrap is what was wrong with the reply.
func (e *DecodeError) Unwrap() error { return e.cause }

// TransportError means that no reply came, or that it broke off.
type TransportError struct {
	Method  string
	Path    string
	Attempt int
	cause   error
}

func (e *TransportError) Error() string {
	return fmt.Sprintf("%s %s: %s", e.Method, e.Path, e.cause)
}

// Unwrap is the network's error, without the URL's query.
func (e *TransportError) Unwrap() error { return e.cause }

// RedirectError means that the server wants the request, and with it the key, to go
// elsewhere. It was not followed.
type RedirectError struct{ From, To string }

func (e *RedirectError) Error() string {
	return fmt.Sprintf("%s redirects to %s: not followed, because the key would go along; set PAYMO_BASE_URL to where Paymo is", e.From, e.To)
}

// withoutURL drops the URL, and with it the query, from a client error.
func withoutURL(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}

// redact takes the key out of a text, raw and as it is sent.
func redact(text, key string) string {
	if key == "" {
		return text
	}
	encoded := base64.StdEncoding.EncodeToString([]byte(key + ":"))
	return strings.NewReplacer(
		key, "[key]",
		encoded, "[key]",
		base64.StdEncoding.EncodeToString([]byte(key)), "[key]",
		url.QueryEscape(key), "[key]",
	).Replace(text)
}

// short caps a text for an error and puts it on one line.
func short(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > maxMessage {
		text = strings.ToValidUTF8(text[:maxMessage], "") + " …"
	}
	return text
}
