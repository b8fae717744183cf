package paymo

import (
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

	// JSON is whether the reply was an object with a text "message": Paymo's own form,
	// which the error page of a proxy hardly has.
	JSON bool

	// RetryAfter is for how long the reply asks to be left alone, 0 where it does not.
	RetryAfter time.Duration
}

func (e *APIError) Error() string {
	text := strings.TrimRight(fmt.Sprintf("%s %s: paymo answered %d %s", e.Method, e.Path, e.Status, http.StatusText(e.Status)), " ")
	if e.Message != "" {
		text += ": " + e.Message
	}
	if e.RetryAfter > 0 {
		text += fmt.Sprintf("; it asks to be left alone for %s", e.RetryAfter)
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

// Gone reports that Paymo itself says that there is no such object. Paymo says the same
// of an object that the key may not see, and of a path that it does not know: what is
// to be deleted for it needs more proof.
func (e *APIError) Gone() bool { return e.NotFound() && e.JSON }

// RateLimitError means that the next request has to wait for longer than the client
// waits by itself.
type RateLimitError struct{ Wait time.Duration }

func (e *RateLimitError) Error() string {
	return fmt.Sprintf("paymo's rate limit is reached: the next request may go in %s", e.Wait.Round(100*time.Millisecond))
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
}

func (e *DecodeError) Error() string {
	return fmt.Sprintf("%s %s: read the reply (%s): %s", e.Method, e.Path, e.ContentType, e.Problem)
}

// TransportError means that no reply came, or that it broke off.
type TransportError struct {
	Method  string
	Path    string
	Attempt int
	cause   error
}

func (e *TransportError) Error() string {
	return fmt.Sprintf("%s %s: %s", e.Method, e.Path, excerpt(e.cause.Error(), maxMessage))
}

// Unwrap is the network's error, without the URL's query, and nothing where the server
// put the key into it.
func (e *TransportError) Unwrap() error { return e.cause }

// RedirectError means that the server wants the request, and with it the key, to go
// elsewhere, or round in circles. It was not followed.
type RedirectError struct {
	From, To string
	Loop     bool // it went on within the server for too long
}

func (e *RedirectError) Error() string {
	if e.Loop {
		return fmt.Sprintf("%s is redirected within %s again and again: set PAYMO_BASE_URL to where Paymo is", e.From, e.To)
	}
	return fmt.Sprintf("%s redirects to %s: not followed, because the key would go along; set PAYMO_BASE_URL to where Paymo is", e.From, e.To)
}

// timeoutError means that a request took too long.
type timeoutError struct{ after time.Duration }

func (e *timeoutError) Error() string { return fmt.Sprintf("no whole reply within %s", e.after) }

// Timeout tells it as package net does.
func (e *timeoutError) Timeout() bool { return true }

// withoutURL drops the URL, and with it the query, from a client error.
func withoutURL(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}
