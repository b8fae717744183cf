package paymo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"
)

// maxAttempts is how often a request is made before its error is the caller's, and
// how many other credentials are tried.
const maxAttempts = 3

// maxErrorBody is how much is read of a reply other than success.
const maxErrorBody = 64 << 10

// decode reads one reply, as decoder.decode does.
type decode func(body io.Reader, limit int) (decoded, error)

// call is one request to Paymo, tries aside.
type call struct {
	method string
	path   string // below the base URL
	query  string
	body   []byte // as JSON; nil: none
	secret string // in the body, and to be kept out of errors as the key is
	decode decode // nil: what the reply holds does not matter
}

// safe reports whether the call may be made again where it is not known what became of it.
func (c call) safe() bool { return c.method != http.MethodPost }

// redact takes the key and the call's own secret out of a text.
func (c call) redact(text, key string) string { return redact(redact(text, key), c.secret) }

// get asks for something.
func (c *Client) get(ctx context.Context, decode decode, path, query string) (*Page, error) {
	return c.do(ctx, call{method: http.MethodGet, path: path, query: query, decode: decode})
}

// do makes a call until it has an answer that is worth no other try.
func (c *Client) do(ctx context.Context, call call) (*Page, error) {
	cost := &Page{}
	page, err := c.ask(ctx, call, cost)
	switch {
	case err == nil:
		page.Requests, page.Waited, page.Bytes = cost.Requests, cost.Waited, cost.Bytes
		return page, nil
	case ctx.Err() != nil: // whatever else came of it
		return cost, fmt.Errorf("%s %s: %w", call.method, call.path, ended(ctx))
	}
	return cost, err
}

// ask is do but for what it has in cost.
func (c *Client) ask(ctx context.Context, call call, cost *Page) (*Page, error) {
	credential, err := c.auth.current(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		if credential.probe {
			c.auth.release()
		}
	}()
	for attempt, others := 1, 0; ; {
		if err := c.wait(ctx, cost); err != nil {
			return nil, err
		}
		page, err := c.try(ctx, call, credential, attempt, cost)
		if err == nil {
			c.auth.accepted(credential)
			page.Key = credential.number
			return page, nil
		}
		if api, ok := errors.AsType[*APIError](err); ok && api.Unauthorized() && others < maxAttempts {
			next, ok, keyErr := c.auth.refused(ctx, credential)
			if keyErr != nil {
				return nil, fmt.Errorf("%w; %w", err, keyErr)
			}
			if !ok {
				return nil, err
			}
			credential = next
			others++ // not another attempt, but not without end
			continue
		}
		pause, again := c.again(call, err, attempt)
		if !again {
			return nil, err
		}
		if err := sleep(ctx, pause); err != nil {
			return nil, err
		}
		attempt++
	}
}

// mostWait is how long a call waits at the most, however slow the pace.
const mostWait = 90 * time.Second

// wait waits for the budget's turn, when that is soon. Where the limit allows only a
// request now and then, soon is two turns: else nothing that takes two requests would
// ever be done. Where others go first it asks again, for about as long.
func (c *Client) wait(ctx context.Context, cost *Page) error {
	most := c.maxWait
	if rate := c.Rate(); rate.Limit > 0 {
		most = max(most, min(2*rate.Period*100/time.Duration(rate.Limit*c.share), mostWait))
	}
	began := time.Now()
	for {
		wait, ok, err := c.budget.Take(ctx, most)
		if err != nil {
			return err
		}
		if !ok && (wait > most || time.Since(began) > most) {
			return &RateLimitError{Wait: wait}
		}
		if !ok { // those who wait for the same turn do not come all at once
			wait += rand.N(min(max(wait, time.Millisecond), 20*time.Millisecond))
		}
		asked := time.Now()
		err = sleep(ctx, wait)
		cost.Waited += min(wait, time.Since(asked))
		if ok || err != nil {
			return err
		}
	}
}

// try makes the request once.
func (c *Client) try(ctx context.Context, call call, credential credential, attempt int, cost *Page) (*Page, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, &timeoutError{after: c.timeout})
	defer cancel()
	target := *c.base
	target.Path += call.path
	target.RawQuery = call.query
	req, err := http.NewRequestWithContext(ctx, call.method, target.String(), bytes.NewReader(call.body))
	if err != nil {
		return nil, transportError(ctx, err, call, credential, attempt)
	}
	if call.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Authorization", credential.scheme.header(credential.key))
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.agent)

	res, err := c.http.Do(req)
	cost.Requests += requests(res)
	if err != nil {
		if redirect, ok := errors.AsType[*RedirectError](err); ok {
			redirect.To = excerpt(call.redact(redirect.To, credential.key), maxMessage)
			return nil, redirect
		}
		return nil, transportError(ctx, err, call, credential, attempt)
	}
	defer res.Body.Close()
	body := &countedBody{reader: res.Body, most: c.maxBytes}
	defer func() { cost.Bytes += body.read }()

	if err := c.observe(ctx, res); err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK && (res.StatusCode != http.StatusCreated || call.method == http.MethodGet) {
		return nil, c.judge(res, body, call, credential, attempt)
	}
	page := &Page{}
	if call.decode != nil {
		decoded, err := call.decode(body, maxRows)
		if err != nil {
			return nil, decodeFailure(ctx, err, res, body, call, credential, attempt)
		}
		page = newPage(decoded)
	}
	if date, err := http.ParseTime(res.Header.Get("Date")); err == nil {
		page.Date = date
	}
	return page, nil
}

// requests is how many were made for a response, which may be nil: those that were
// redirected count too.
func requests(res *http.Response) int {
	n := 1
	for res != nil && res.Request != nil && res.Request.Response != nil {
		res = res.Request.Response
		n++
	}
	return n
}

// observe passes the rate headers on to the budget.
func (c *Client) observe(ctx context.Context, res *http.Response) error {
	rate := parseRate(res.Header)
	if rate.Limit > 0 {
		c.heard.mu.Lock()
		c.heard.rate = rate
		c.heard.mu.Unlock()
	}
	var stay time.Duration
	if res.StatusCode == http.StatusTooManyRequests {
		stay = stayAway(res)
	}
	return c.budget.Observe(ctx, rate.Limit, rate.Period, rate.Remaining, stay)
}

// stayAway is for how long a 429 says to stay away: where it does not say, a period, or
// a second.
func stayAway(res *http.Response) time.Duration {
	if wait, ok := retryAfter(res.Header); ok {
		return wait
	}
	return max(parseRate(res.Header).Period, time.Second)
}

// judge turns a reply other than success into an error.
func (c *Client) judge(res *http.Response, body io.Reader, call call, credential credential, attempt int) error {
	if res.StatusCode == http.StatusTooManyRequests {
		return &RateLimitError{Wait: stayAway(res)}
	}
	text, _ := io.ReadAll(io.LimitReader(body, maxErrorBody)) // what came of it is enough for a message
	var reply struct {
		Message *string `json:"message"`
	}
	message := string(text)
	formed := json.Unmarshal(text, &reply) == nil && reply.Message != nil
	if formed && *reply.Message != "" {
		message = *reply.Message
	}
	if len(text) == maxErrorBody {
		message += "…"
	}
	wait, _ := retryAfter(res.Header)
	return &APIError{
		Method: call.method, Path: call.path, Status: res.StatusCode, Attempt: attempt, RetryAfter: wait, JSON: formed,
		Message: excerpt(call.redact(message, credential.key), maxMessage),
	}
}

// decodeFailure tells a reply that broke off from one that is not what was asked for.
func decodeFailure(ctx context.Context, err error, res *http.Response, body *countedBody, call call, credential credential, attempt int) error {
	if body.err != nil {
		return transportError(ctx, fmt.Errorf("the reply breaks off after %d bytes: %w", body.read, body.err), call, credential, attempt)
	}
	failure := &DecodeError{
		Method: call.method, Path: call.path, Attempt: attempt,
		ContentType: excerpt(call.redact(orDefault(res.Header.Get("Content-Type"), "no content type"), credential.key), maxBegins),
		Problem:     excerpt(call.redact(err.Error(), credential.key), maxMessage),
	}
	if decode, ok := errors.AsType[*decodeError](err); ok {
		failure.Truncated = decode.Truncated
	}
	if body.full {
		failure.Problem = fmt.Sprintf("it is longer than the %.3g MiB that are read", float64(body.most)/(1<<20))
		failure.Truncated = false
	}
	return failure
}

// transportError prefers the context's cause, which says what timed out or who stopped.
func transportError(ctx context.Context, err error, call call, credential credential, attempt int) error {
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return &TransportError{
		Method: call.method, Path: call.path, Attempt: attempt, cause: withoutKey(withoutKey(withoutURL(err), credential.key), call.secret),
	}
}

// again decides whether an error is worth another try within the call, and after
// how long. What takes longer is left to the caller, who can wait without holding
// anything.
func (c *Client) again(call call, err error, attempt int) (pause time.Duration, again bool) {
	if attempt >= maxAttempts {
		return 0, false
	}
	pause = 250 * time.Millisecond << (2 * (attempt - 1))
	pause += rand.N(pause / 2)
	var limited *RateLimitError
	var api *APIError
	var decode *DecodeError
	var timeout *timeoutError
	var transport *TransportError
	switch {
	case errors.As(err, &limited):
		return 0, limited.Wait <= c.maxWait // the budget waits
	case errors.As(err, &api):
		passing := api.Status == http.StatusBadGateway || api.Status == http.StatusServiceUnavailable || api.Status == http.StatusGatewayTimeout
		return max(pause, api.RetryAfter), passing && call.safe() && api.RetryAfter <= c.maxWait
	case errors.As(err, &timeout): // it has taken long enough
		return 0, false
	case errors.As(err, &decode):
		return pause, decode.Truncated && call.safe()
	case errors.As(err, &transport):
		return pause, call.safe()
	}
	return 0, false
}

// ended says why a context ended: by its cause, and always by its error too, by which
// callers tell an interruption from a failure.
func ended(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// countedBody counts what is read of a reply and stops at a limit.
type countedBody struct {
	reader io.Reader
	most   int64
	read   int64
	full   bool  // there is more than most
	err    error // of reading, but for the end
}

func (b *countedBody) Read(p []byte) (int, error) {
	if b.full {
		return 0, io.ErrUnexpectedEOF
	}
	if left := b.most + 1 - b.read; int64(len(p)) > left { // the one more tells that it is too long
		p = p[:left]
	}
	n, err := b.reader.Read(p)
	b.read += int64(n)
	if b.read > b.most {
		b.full, err = true, io.ErrUnexpectedEOF
	} else if err != nil && err != io.EOF {
		b.err = err
	}
	return n, err
}

// sleep waits, unless the context ends first.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		if ctx.Err() != nil {
			return ended(ctx)
		}
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ended(ctx)
	case <-timer.C:
		return nil
	}
}
