package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paymosync/paymosync/paymo/paymotest"
)

// forgery is a call that Paymo did not make.
type forgery struct {
	event, signature string
	body             []byte
	unsized          bool // its length is not told
	status           int  // to be answered; where the service need not read all, the connection may break instead
}

// forgeries are calls of somebody who has seen a genuine one and does not know the secret.
func forgeries(genuine []byte, secret string) []forgery {
	const event = "model.update.Client"
	signature := hookSignature(event, genuine, secret)
	other := bytes.Replace(genuine, []byte(`"name"`), []byte(`"nam3"`), 1)
	digest := strings.TrimPrefix(signature, "sha1=")
	forged := []forgery{
		{signature: "", body: genuine},
		{signature: signature, body: other},
		{signature: signature, body: append(bytes.Clone(genuine), ' ')},
		{signature: signature, body: genuine[:len(genuine)-1]},
		{signature: signature, body: nil},
		{signature: hookSignature(event, genuine, ""), body: genuine},
		{signature: hookSignature(event, genuine, secret+" "), body: genuine},
		{signature: hookSignature(event, nil, secret), body: genuine},
		{signature: hookSignature("model.update.Project", genuine, secret), body: genuine},
		{signature: "sha1=", body: genuine},
		{signature: digest, body: genuine},
		{signature: "sha256=" + digest, body: genuine},
		{signature: "SHA1=" + digest, body: genuine},
		{signature: "sha1=" + digest[:38], body: genuine},
		{signature: "sha1=" + digest + "00", body: genuine},
		{signature: "sha1=" + strings.Repeat("0", 40), body: genuine},
		{signature: "sha1=" + strings.Repeat("z", 40), body: genuine},
		{signature: signature, body: []byte(strings.Repeat("[", 100_000))},
		{signature: signature, body: []byte(strings.Repeat(`{"id":1,`, 10_000))},
		{signature: signature, body: bytes.Repeat([]byte{0xff}, 1000)},
		{signature: signature, body: bytes.Repeat([]byte{0}, 200<<10), unsized: true},
	}
	for i := range forged {
		forged[i].status = http.StatusUnauthorized
	}
	for _, unsized := range []bool{false, true} {
		forged = append(forged, forgery{signature: signature, body: bytes.Repeat([]byte("x"), 300<<10), unsized: unsized, status: http.StatusRequestEntityTooLarge},
			forgery{signature: signature, body: bytes.Repeat([]byte("x"), 5<<20), unsized: unsized, status: http.StatusRequestEntityTooLarge})
	}
	for i := range forged {
		forged[i].event = event
	}
	return forged
}

// signed are calls with a good signature that name no object which is synced.
func signed(secret string) []forgery {
	var calls []forgery
	call := func(event, body string, status int) {
		calls = append(calls, forgery{event: event, signature: hookSignature(event, []byte(body), secret), body: []byte(body), status: status})
	}
	for _, body := range []string{"", "null", "[]", "{}", "7", `"x"`, `{"id":null}`, `{"id":0}`, `{"id":-1}`, `{"id":1.5}`, `{"id":"x"}`, `{"id":{}}`, `{"id":99999999999999999999}`, `{"id":1`, `[{"id":1}]`} {
		call("model.update.Client", body, http.StatusBadRequest)
		call("model.delete.Client", body, http.StatusBadRequest)
	}
	for _, event := range []string{"", "x", "model.update", "model.update.", "model.update.Unheard", "model.burn.Client", "timer.start.Client", "model.update.Client.x", "*.Client"} {
		call(event, `{"id":1}`, http.StatusOK)
	}
	return calls
}

// forge makes a call, and reports an answer that is another than it should be.
func (w *told) forge(client *http.Client, call forgery) error {
	var body io.Reader = bytes.NewReader(call.body)
	if call.unsized {
		body = io.MultiReader(body)
	}
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, "http://"+w.variables["HTTP_ADDR"]+webhookPath, body)
	if err != nil {
		return err
	}
	req.Header.Set("X-Paymo-Event", call.event)
	if call.signature != "" {
		req.Header.Set("X-Paymo-Signature", call.signature)
	}
	res, err := client.Do(req)
	if err != nil {
		if len(call.body) > 256<<10 {
			return nil // it is not read to its end
		}
		return err
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	if res.StatusCode != call.status {
		return fmt.Errorf("%s of %q, signed %q, is answered with %d, want %d", call.event, call.body[:min(len(call.body), 60)], call.signature, res.StatusCode, call.status)
	}
	return nil
}

// Calls that Paymo did not make are refused. They cost no request to Paymo, note nothing and
// write nothing, however many there are.
func TestSoakWebhooksForged(t *testing.T) {
	t.Parallel()
	rounds := 8
	if soak() {
		rounds = 100
	}
	w := newTold(t, paymotest.Config{Seed: 11, Entries: 50, Projects: 3, Tasks: 20})
	w.run("sync").mustExit(exitOK)
	service := w.serve("SYNC_SCHEDULE", "@every 1h")
	var genuine []byte
	for raw := range w.paymo.Rows("clients") {
		genuine = raw
		break
	}
	secret := w.variables["PAYMO_WEBHOOK_SECRET"]
	calls := append(forgeries(genuine, secret), signed(secret)...)
	w.paymo.ResetLog()
	transport := &http.Transport{MaxIdleConnsPerHost: 8}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: time.Minute}
	var forging sync.WaitGroup
	for worker := range 8 {
		forging.Go(func() {
			for i := range rounds * len(calls) / 8 {
				if err := w.forge(client, calls[(i*8+worker)%len(calls)]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	forging.Wait()
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
		if status, _ := w.get(method, webhookPath, nil); status/100 != 4 {
			t.Errorf("%s is answered with %d", method, status)
		}
	}
	if requests := w.paymo.Requests(); len(requests) > 0 {
		t.Errorf("paymo was asked %d times: %+v", len(requests), requests[0])
	}
	if n := value[int](w.world, `SELECT count(*) FROM paymosync.changes`); n > 0 {
		t.Errorf("%d changes are noted", n)
	}
	if n := value[int](w.world, `SELECT count(*) FROM paymosync.hooks WHERE heard_at IS NOT NULL`); n > 0 {
		t.Errorf("%d hooks were heard", n)
	}
	r := service.mustStop()
	t.Logf("%d calls, %d KiB of memory at most", rounds*len(calls), r.peak)
	if most := int64(100 << 10); !raceDetector() && r.peak > most {
		t.Errorf("%d KiB of memory, want %d at most", r.peak, most)
	}
	if n := strings.Count(r.err, "\n"); n > 200 {
		t.Errorf("%d lines of log for calls that were refused", n)
	}
	w.bury()
	w.mustEqual()
}
