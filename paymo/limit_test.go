package paymo_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/paymosync/paymosync/paymo"
)

// endless sends a text and then another one for ever.
func endless(code int, text, then string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		status(code, text, headers...)(w, nil)
		block := strings.Repeat(then, 1+4096/len(then))
		for {
			if _, err := fmt.Fprint(w, block); err != nil {
				return
			}
		}
	}
}

func TestReplyHasLimit(t *testing.T) {
	t.Parallel()
	const most = 10_000
	padded := func(size int) string {
		return oneClient[:len(oneClient)-4] + strings.Repeat("x", size-len(oneClient)) + oneClient[len(oneClient)-4:]
	}
	for _, test := range []struct {
		name    string
		handler http.HandlerFunc
		fits    bool
	}{
		{"as long as may be", status(200, padded(most)), true},
		{"a byte longer", status(200, padded(most+1)), false},
		{"with white space after it", status(200, padded(most)+"\n"), false},
		{"endless text", endless(200, `{"clients":[{"id":1,"name":"`, "x"), false},
		{"endless row", endless(200, `{"clients":[{"id":1`, `,"name":"x"`), false},
		{"endless white space", endless(200, "", " \n"), false},
		{"endless nesting", endless(200, `{"clients":[{"id":1,"x":`, "[["), false},
		{"endless names", endless(200, `{"clients":[],"x":1`, `,"y":2`), false},
		{"endless html", endless(200, "", "<p>"), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := play(test.handler)
			page, err := list(t, newClient(t, server, func(c *paymo.Config) { c.MaxBytes = most }))
			if test.fits {
				if err != nil || page.Rows != 1 || page.Bytes != most {
					t.Errorf("page %+v: %v", page, err)
				}
				return
			}
			var decode *paymo.DecodeError
			told := !strings.HasSuffix(test.name, "html") // which is told by its beginning
			if !errors.As(err, &decode) || decode.Truncated {
				t.Errorf("the error is %v", err)
			}
			if page.Bytes > most+1 || page.Requests != 1 || server.count() != 1 {
				t.Errorf("%d bytes were read in %d requests", page.Bytes, server.count())
			}
			if page.Bytes > most != told || told && !strings.HasSuffix(err.Error(), "it is longer than the 0.00954 MiB that are read") {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

// What is small on the wire may be large.
func TestCompressedReplyHasLimit(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	fmt.Fprint(zip, `{"clients":[{"id":1,"name":"`, strings.Repeat("x", 1<<20), `"}]}`)
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	server := play(status(200, packed.String(), "Content-Encoding", "gzip"))
	for most, fits := range map[int64]bool{1 << 19: false, 1 << 21: true} {
		page, err := list(t, newClient(t, server, func(c *paymo.Config) { c.MaxBytes = most }))
		if fits != (err == nil) || page.Bytes > most+1 || page.Bytes < 1<<19 {
			t.Errorf("up to %d bytes: %d were read: %v", most, page.Bytes, err)
		}
	}
}

func TestErrorMessageHasLimit(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]http.HandlerFunc{
		"endless text":    endless(500, "", "abc "),
		"endless message": endless(500, `{"message":"`, "é"),
		"long message":    status(500, `{"message":"`+strings.Repeat("é", 10_000)+`"}`),
	} {
		page, err := list(t, newClient(t, play(handler)))
		if err == nil || len(err.Error()) > 600 || page.Bytes > 64<<10 {
			t.Errorf("%s: %d bytes were read for %v", name, page.Bytes, err)
		}
	}
}

// Every reply counts, those of the tries before the last too.
func TestCostOfTries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := play(status(502, "12345"), status(503, "1234567"), ok())
		client := newPipeClient(t, server)
		page, err := list(t, client)
		if want := int64(5 + 7 + len(oneClient)); err != nil || page.Bytes != want || page.Requests != 3 {
			t.Errorf("%d bytes in %d requests, want %d in 3: %v", page.Bytes, page.Requests, want, err)
		}
	})
}
