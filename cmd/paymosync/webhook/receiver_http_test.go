package webhook

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// Over a connection, a call that does not come in whole is ended after a while, and one that
// tells of a huge body is refused before it is sent.
func TestSlowCalls(t *testing.T) {
	t.Parallel()
	r := newReceiving(t, NewSecret(sample))
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	for name, test := range map[string]struct {
		length, status int
		sent, result   string
	}{
		"half of a body": {len(sampleBody), http.StatusBadRequest, sampleBody[:4], Cut},
		"a huge body":    {maxBody + 1, http.StatusRequestEntityTooLarge, "", TooLarge},
	} {
		var dialer net.Dialer
		conn, err := dialer.DialContext(t.Context(), "tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nX-Paymo-Event: %s\r\nX-Paymo-Signature: %s\r\nContent-Length: %d\r\n\r\n%s",
			sampleEvent, sampleSignature, test.length, test.sent)
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		_ = answer.Body.Close()
		_ = conn.Close()
		r.mu.Lock()
		if answer.StatusCode != test.status || r.counted[test.result] != 1 {
			t.Errorf("%s: %d, counted %v", name, answer.StatusCode, r.counted)
		}
		r.mu.Unlock()
	}
	if len(r.told()) > 0 {
		t.Errorf("noted %+v", r.told())
	}
}
