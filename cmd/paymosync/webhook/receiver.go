// Package webhook receives what Paymo tells of changes: it lets in what is signed with the
// account's secret, notes which objects changed, and answers at once. Nothing is asked of
// Paymo here, whoever calls.
package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // Paymo signs so
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// What callers may take: bytes of a body, time to send one, calls at once, and how long one
// waits for a place among them.
const (
	maxBody  = 256 << 10
	maxRead  = 2 * time.Second
	maxCalls = 256
	maxWait  = 2 * time.Second
)

// replaysAfter is how old what is told must be for the same call to be taken as a replay:
// within a second an object may change and change back.
const replaysAfter = 5 * time.Second

// The results of calls.
const (
	Noted        = "noted"         // its change is in the database, and will be brought
	Replayed     = "replayed"      // the same call was noted already
	NotSynced    = "not_synced"    // it is about a table that is not synced
	UnknownEvent = "unknown_event" // Paymo tells of something that is not known here
	Unsigned     = "unsigned"      // refused: it has no signature
	BadScheme    = "bad_scheme"    // refused: its signature is none that Paymo makes
	BadSignature = "bad_signature" // refused: its signature is another than its body has
	TooLarge     = "too_large"     // refused: its body is larger than Paymo's are
	BadBody      = "bad_body"      // refused: it is signed, and names no object
	Cut          = "cut"           // refused: its body did not come in whole, or not in time
	Busy         = "busy"          // refused for now: too many come at once
	Unready      = "unready"       // refused for now: the secret or the database cannot be reached
)

// Results are the results of calls.
func Results() []string {
	return []string{Noted, Replayed, NotSynced, UnknownEvent, Unsigned, BadScheme, BadSignature, TooLarge, BadBody, Cut, Busy, Unready}
}

// Config is what a Receiver needs. All of it is required.
type Config struct {
	Secret  *Secret
	Tables  []*catalog.Resource                      // that are synced
	Note    func(context.Context, []jobs.Told) error // nothing of it is lost any more when it returns
	Counted func(result string)                      // called for every call
	Log     *slog.Logger
}

// Receiver answers Paymo's calls. Safe for concurrent use.
type Receiver struct {
	config Config
	calls  chan struct{} // holds one for each that is being answered
	recent *recent
	gather *gather
}

// New makes a Receiver. It starts nothing.
func New(config Config) *Receiver {
	return &Receiver{config: config, calls: make(chan struct{}, maxCalls), recent: newRecent(), gather: &gather{note: config.Note}}
}

// ServeHTTP answers one call.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	result := r.take(w, req)
	r.config.Counted(result)
	status := statusOf(result)
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	w.WriteHeader(status)
}

func statusOf(result string) int {
	switch result {
	case Noted, Replayed, NotSynced, UnknownEvent:
		return http.StatusOK
	case Unsigned, BadScheme, BadSignature:
		return http.StatusUnauthorized
	case TooLarge:
		return http.StatusRequestEntityTooLarge
	case Busy, Unready:
		return http.StatusServiceUnavailable
	}
	return http.StatusBadRequest
}

// take judges a call and notes its change.
func (r *Receiver) take(w http.ResponseWriter, req *http.Request) string {
	signature, result := parseSignature(req.Header)
	if result != "" {
		return result
	}
	if req.ContentLength > maxBody {
		return TooLarge
	}
	select {
	case r.calls <- struct{}{}:
		defer func() { <-r.calls }()
	case <-time.After(maxWait):
		return Busy
	case <-req.Context().Done():
		return Cut
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(maxRead)) // where it can be had
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxBody))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return TooLarge
	}
	if err != nil {
		return Cut
	}
	event, known := parseEvent(req.Header.Get("X-Paymo-Event"))
	by, err := r.config.Secret.signer(req.Context(), event.model, body, signature)
	if err != nil {
		r.config.Log.WarnContext(req.Context(), "a call of Paymo's cannot be checked", "error", err)
		return Unready
	}
	switch {
	case by == nobody:
		return BadSignature
	case !known:
		return UnknownEvent
	}
	return r.note(req.Context(), event, by, body, signature)
}

// note notes the change that a call with a good signature tells of.
func (r *Receiver) note(ctx context.Context, event event, by signer, body, signature []byte) string {
	resource := r.resource(event.model)
	if resource == nil {
		return NotSynced
	}
	change, ok := parseChange(resource, event, body)
	if !ok {
		return BadBody
	}
	// What is told of a deletion is the id alone, the same each time, and it may be another one.
	bare := change.Kind == sink.Gone && change.NewestAt.IsZero()
	if !bare && time.Since(change.NewestAt) > replaysAfter && r.recent.has(event.model, signature) {
		return Replayed
	}
	told := jobs.Told{Change: change}
	// The account's secret signs for every model alike: what it signed may be another's.
	if change.Kind != sink.Gone && by == ourHook {
		told.Body = body
	}
	if err := r.gather.add(ctx, told); err != nil {
		if ctx.Err() == nil {
			r.config.Log.WarnContext(ctx, "a change that Paymo told of cannot be noted", "table", change.Table, "error", err)
		}
		return Unready
	}
	if !bare {
		r.recent.add(event.model, signature)
	}
	return Noted
}

// resource is the synced table of a model, nil where there is none.
func (r *Receiver) resource(model string) *catalog.Resource {
	for _, resource := range r.config.Tables {
		if resource.Model == model {
			return resource
		}
	}
	return nil
}

// signatureScheme begins every signature of Paymo's (its reference, "Webhook signatures").
const signatureScheme = "sha1="

// parseSignature reads what the body is signed with; where that cannot be, the result says
// why.
func parseSignature(header http.Header) (signature []byte, result string) {
	text := header.Get("X-Paymo-Signature")
	if text == "" {
		return nil, Unsigned
	}
	digits, ok := strings.CutPrefix(text, signatureScheme)
	signature, err := hex.DecodeString(digits)
	if !ok || err != nil || len(signature) != sha1.Size {
		return nil, BadScheme
	}
	return signature, ""
}

// isSignature reports in constant time whether the body was signed with the secret.
func isSignature(signature, body []byte, secret string) bool {
	return hmac.Equal(digest(body, secret), signature)
}

// Sign is the signature of a body, as Paymo writes it.
func Sign(body []byte, secret string) string {
	return signatureScheme + hex.EncodeToString(digest(body, secret))
}

func digest(body []byte, secret string) []byte {
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write(body)
	return mac.Sum(nil)
}
