package webhook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/paymosync/paymosync/paymo/paymotest"
	"github.com/paymosync/paymosync/sink"
)

func TestSample(t *testing.T) {
	t.Parallel()
	if got := Sign([]byte(sampleBody), sampleSecret); got != sampleSignature {
		t.Errorf("signed %s, want %s", got, sampleSignature)
	}
	synctest.Test(t, func(t *testing.T) {
		r := newReceiving(t, NewSecret(sample))
		r.must(call{event: sampleEvent, body: sampleBody, signature: sampleSignature}, http.StatusOK, Noted)
		told := r.told()
		if len(told) != 1 || told[0].Table != "projects" || told[0].ID != 1679584 || told[0].Kind != sink.Gone || told[0].Body != nil {
			t.Errorf("noted %+v", told)
		}
	})
}

// Whoever has not the secret, or sends what Paymo does not, is refused before anything
// is noted.
func TestRefused(t *testing.T) {
	t.Parallel()
	huge := strings.Repeat("x", maxBody+1)
	for name, test := range map[string]struct {
		call   call
		status int
		result string
	}{
		"a byte changed":        {call{body: `{"id":"1679585"}`, signature: sampleSignature}, http.StatusUnauthorized, BadSignature},
		"a byte more":           {call{body: sampleBody + "\n", signature: sampleSignature}, http.StatusUnauthorized, BadSignature},
		"a byte less":           {call{body: sampleBody[1:], signature: sampleSignature}, http.StatusUnauthorized, BadSignature},
		"another's hook":        {call{body: sampleBody, signature: signature("model.delete.Task", sampleBody, sampleSecret)}, http.StatusUnauthorized, BadSignature},
		"another secret":        {call{body: sampleBody, signature: paymotest.Signature([]byte(sampleBody), "Secret")}, http.StatusUnauthorized, BadSignature},
		"no secret":             {call{body: sampleBody, signature: paymotest.Signature([]byte(sampleBody), "")}, http.StatusUnauthorized, BadSignature},
		"another scheme":        {call{body: sampleBody, signature: "sha256=" + strings.Repeat("ab", 32)}, http.StatusUnauthorized, BadScheme},
		"the scheme in capital": {call{body: sampleBody, signature: strings.ToUpper(sampleSignature)}, http.StatusUnauthorized, BadScheme},
		"no scheme":             {call{body: sampleBody, signature: sampleSignature[len("sha1="):]}, http.StatusUnauthorized, BadScheme},
		"the scheme alone":      {call{body: sampleBody, signature: "sha1="}, http.StatusUnauthorized, BadScheme},
		"no signature":          {call{body: sampleBody, unsigned: true}, http.StatusUnauthorized, Unsigned},
		"a digit less":          {call{body: sampleBody, signature: sampleSignature[:len(sampleSignature)-1]}, http.StatusUnauthorized, BadScheme},
		"a byte of it less":     {call{body: sampleBody, signature: sampleSignature[:len(sampleSignature)-2]}, http.StatusUnauthorized, BadScheme},
		"a byte of it more":     {call{body: sampleBody, signature: sampleSignature + "00"}, http.StatusUnauthorized, BadScheme},
		"no digits":             {call{body: sampleBody, signature: "sha1=" + strings.Repeat("zz", 20)}, http.StatusUnauthorized, BadScheme},
		"no body, unsigned":     {call{body: "", signature: sampleSignature}, http.StatusUnauthorized, BadSignature},
		"no body":               {call{body: ""}, http.StatusBadRequest, BadBody},
		"a huge body":           {call{body: huge}, http.StatusRequestEntityTooLarge, TooLarge},
		"a huge body by length": {call{body: sampleBody, length: maxBody + 1}, http.StatusRequestEntityTooLarge, TooLarge},
		"a huge body by stream": {call{body: huge, from: strings.NewReader(huge), length: -1}, http.StatusRequestEntityTooLarge, TooLarge},
		"a body that is cut":    {call{body: sampleBody, from: io.MultiReader(strings.NewReader(sampleBody), brokenReader{})}, http.StatusBadRequest, Cut},
		"a signed list":         {call{body: `[{"id":1679584}]`}, http.StatusBadRequest, BadBody},
		"a signed object of no": {call{body: `{"name":"x"}`}, http.StatusBadRequest, BadBody},
	} {
		test.call.event = sampleEvent
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newReceiving(t, NewSecret(sample))
				r.must(test.call, test.status, test.result)
				if len(r.told()) > 0 {
					t.Errorf("noted %+v", r.told())
				}
			})
		})
	}
}

// brokenReader is a connection that breaks off.
type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// endless is a body that has no end; it counts what is read of it.
type endless struct{ read int }

func (e *endless) Read(into []byte) (int, error) {
	e.read += len(into)
	return len(into), nil
}

// What is read of an endless body is bounded, and of one that is unsigned nothing is read.
func TestEndlessBody(t *testing.T) {
	t.Parallel()
	r := newReceiving(t, NewSecret(sample))
	body := &endless{}
	r.must(call{event: sampleEvent, from: body, length: -1}, http.StatusRequestEntityTooLarge, TooLarge)
	if body.read > 2*maxBody {
		t.Errorf("%d bytes were read", body.read)
	}
	body = &endless{}
	r.must(call{event: sampleEvent, from: body, length: -1, unsigned: true}, http.StatusUnauthorized, Unsigned)
	if body.read > 0 {
		t.Errorf("%d bytes of an unsigned call were read", body.read)
	}
}

// The largest body that is taken is the limit itself.
func TestLargestBody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newReceiving(t, NewSecret(sample))
		body := `{"id":7,"description":"` + strings.Repeat("x", maxBody-len(`{"id":7,"description":""}`)) + `"}`
		r.must(call{event: "model.update.Task", body: body}, http.StatusOK, Noted)
		if told := r.told(); len(told) != 1 || string(told[0].Body) != body {
			t.Errorf("%d noted", len(told))
		}
	})
}

// What is of no use is taken all the same, so that Paymo does not send it again.
func TestOfNoUse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newReceiving(t, NewSecret(sample))
		for _, event := range []string{"", "Task", "model.Task", "model.archive.Task", "model.update.Wormhole", "model.update.", "model.update.Task.x", "timer.start.Task", "model.UPDATE.Task"} {
			r.must(call{event: event, body: `{"id":7}`}, http.StatusOK, UnknownEvent)
		}
		for _, event := range []string{"model.update.Client", "model.delete.Invoice", "model.insert.Booking"} {
			r.must(call{event: event, body: `{"id":7}`}, http.StatusOK, NotSynced)
		}
		// Nobody learns which events are known who has not the secret.
		r.must(call{event: "model.update.Wormhole", body: `{"id":7}`, signature: sampleSignature}, http.StatusUnauthorized, BadSignature)
		if len(r.told()) > 0 {
			t.Errorf("noted %+v", r.told())
		}
	})
}

// The same call is noted once, unless it tells of a deletion: that is the same each time.
func TestReplayed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newReceiving(t, NewSecret(sample))
		update := call{event: "model.update.Task", body: `{"id":7,"updated_on":"2026-03-04T05:06:07Z"}`}
		r.must(update, http.StatusOK, Noted)
		for range 3 {
			r.must(update, http.StatusOK, Replayed)
		}
		other := update
		other.event = "model.insert.Task" // tells nothing else of it
		r.must(other, http.StatusOK, Replayed)
		other.body = `{"id":7,"updated_on":"2026-03-04T05:06:08Z"}`
		r.must(other, http.StatusOK, Noted)
		gone := call{event: "model.delete.Task", body: `{"id":7}`}
		r.must(gone, http.StatusOK, Noted)
		r.must(gone, http.StatusOK, Noted)
		if told := r.told(); len(told) != 4 {
			t.Errorf("noted %+v", told)
		}
	})
}

// What was told of one model is refused as told of another. The account's secret signs for
// all, so that Paymo is asked for what has its signature.
func TestOfAnotherModel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newReceiving(t, NewSecret(sample))
		body := `{"id":7,"name":"x","updated_on":"2026-03-04T05:06:07Z"}`
		task := call{event: "model.update.Task", body: body, signature: signature("model.update.Task", body, sampleSecret)}
		r.must(task, http.StatusOK, Noted)
		for _, event := range []string{"model.update.Project", "model.delete.Project", "model.update.Entry", "model.update.Client", "model.update.Wormhole", ""} {
			task.event = event
			r.must(task, http.StatusUnauthorized, BadSignature)
		}
		byHand := call{body: body, signature: paymotest.Signature([]byte(body), sampleSecret)}
		for _, event := range []string{"model.update.Project", "model.update.Entry"} {
			byHand.event = event
			r.must(byHand, http.StatusOK, Noted)
		}
		told := r.told()
		if len(told) != 3 || string(told[0].Body) != body || told[1].Body != nil || told[2].Body != nil {
			t.Errorf("noted %+v", told)
		}
	})
}

// What was replayed is known for at least so many calls, and not for ever.
func TestRecentForgets(t *testing.T) {
	t.Parallel()
	r := newRecent()
	for i := range mostRecent * 5 {
		r.add("event", fmt.Append(nil, i))
		for _, before := range []int{0, 1, mostRecent - 1} {
			if before <= i && !r.has("event", fmt.Append(nil, i-before)) {
				t.Fatalf("call %d is forgotten after %d", i-before, before)
			}
		}
	}
	if r.has("event", []byte("0")) || len(r.now)+len(r.old) > 2*mostRecent {
		t.Errorf("%d calls are remembered", len(r.now)+len(r.old))
	}
}

// More calls at once than there may be are sent away, and may come again.
func TestBusy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newReceiving(t, NewSecret(sample))
		release := make(chan struct{})
		r.whenNoting(func(context.Context) error { <-release; return nil })
		var calls sync.WaitGroup
		for i := range maxCalls {
			calls.Go(func() {
				if got := r.send(call{event: "model.update.Task", body: fmt.Sprintf(`{"id":%d}`, i+1)}); got.Code != http.StatusOK {
					t.Errorf("%d: %d", i, got.Code)
				}
			})
		}
		synctest.Wait()
		late := call{event: "model.update.Task", body: `{"id":1000}`}
		r.must(late, http.StatusServiceUnavailable, Busy)
		// Who has no signature waits for no place.
		r.must(call{event: "model.update.Task", body: `{"id":1000}`, unsigned: true}, http.StatusUnauthorized, Unsigned)
		close(release)
		calls.Wait()
		r.must(late, http.StatusOK, Noted)
		if n := len(r.told()); n != maxCalls+1 {
			t.Errorf("%d noted, want %d", n, maxCalls+1)
		}
	})
}

// What could not be noted is not forgotten: the same call is noted at the next try.
func TestNoteFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newReceiving(t, NewSecret(sample))
		update := call{event: "model.update.Task", body: `{"id":7}`}
		r.whenNoting(func(context.Context) error { return errors.New("the database is away") })
		r.must(update, http.StatusServiceUnavailable, Unready)
		r.must(update, http.StatusServiceUnavailable, Unready)
		// A database that hangs is not waited for without an end.
		r.whenNoting(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		r.must(update, http.StatusServiceUnavailable, Unready)
		r.whenNoting(nil)
		r.must(update, http.StatusOK, Noted)
		r.must(update, http.StatusOK, Replayed)
		if told := r.told(); len(told) != 1 || told[0].ID != 7 || string(told[0].Body) != update.body {
			t.Errorf("noted %+v", told)
		}
		if n := strings.Count(r.log.String(), "the database is away"); n != 2 {
			t.Errorf("%d lines:\n%s", n, r.log.String())
		}
	})
}

// Who hangs up is not told that it was noted, and may call again; those who were noted along
// with it are.
func TestHungUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newReceiving(t, NewSecret(sample))
		release := make(chan struct{})
		r.whenNoting(func(ctx context.Context) error {
			<-release
			return ctx.Err()
		})
		ctx, cancel := context.WithCancel(t.Context())
		first := call{event: "model.update.Task", body: `{"id":7}`, ctx: ctx}
		var calls sync.WaitGroup
		calls.Go(func() {
			if got := r.send(first); got.Code != http.StatusServiceUnavailable {
				t.Errorf("who hung up got %d", got.Code)
			}
		})
		synctest.Wait() // its batch is there
		calls.Go(func() {
			if got := r.send(call{event: "model.update.Task", body: `{"id":8}`}); got.Code != http.StatusOK {
				t.Errorf("the other one got %d", got.Code)
			}
		})
		synctest.Wait()
		cancel()
		synctest.Wait()
		close(release)
		calls.Wait()
		first.ctx = nil
		r.must(first, http.StatusOK, Noted)
		if len(r.noted) != 3 || len(r.noted[0]) != 1 || r.log.Len() > 0 {
			t.Errorf("noted %+v, said %s", r.noted, r.log.String())
		}
	})
}

// What comes in while the database is busy is noted together, each call with its own answer.
func TestGather(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newReceiving(t, NewSecret(sample))
		r.whenNoting(func(context.Context) error { pass(secretRecent / 500); return nil })
		for round := range 3 {
			var calls sync.WaitGroup
			for i := range maxCalls {
				calls.Go(func() {
					if got := r.send(call{event: "model.update.Task", body: fmt.Sprintf(`{"id":%d}`, round*1000+i+1)}); got.Code != http.StatusOK {
						t.Errorf("%d: %d", i, got.Code)
					}
				})
			}
			calls.Wait()
			if len(r.noted) > 2*(round+1) {
				t.Errorf("round %d: noted %d times", round, len(r.noted))
			}
		}
		seen := map[int64]bool{}
		for _, told := range r.told() {
			seen[told.ID] = true
			if want := fmt.Sprintf(`{"id":%d}`, told.ID); string(told.Body) != want {
				t.Errorf("noted %s, want %s", told.Body, want)
			}
		}
		if len(seen) != 3*maxCalls || r.counted[Noted] != 3*maxCalls {
			t.Errorf("%d objects, counted %v", len(seen), r.counted)
		}
	})
}
