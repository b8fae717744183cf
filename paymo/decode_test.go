package paymo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/paymosync/paymosync/paymo/catalog"
)

func decoderFor(t testing.TB, table string) *decoder {
	t.Helper()
	r, found := catalog.Lookup(table)
	if !found {
		t.Fatalf("no table %s", table)
	}
	return newDecoder(r)
}

// ids are the ids of the records, in order.
func ids(records []catalog.Record) string {
	words := make([]string, len(records))
	for i, r := range records {
		words[i] = fmt.Sprint(r.ID)
	}
	return strings.Join(words, " ")
}

func TestDecodeEnvelope(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		table string
		body  string
		want  string // ids
	}{
		{"list", "clients", `{"clients":[{"id":1},{"id":2}]}`, "1 2"},
		{"empty list", "clients", `{"clients":[]}`, ""},
		{"white space", "clients", " \r\n\t{ \"clients\" : [ { \"id\" : 1 , \"name\" : \"a\" } , { \"id\" : 2 } ] } \n", "1 2"},
		{"byte order mark", "clients", "\uFEFF" + `{"clients":[{"id":1}]}`, "1"},
		{"long white space", "clients", strings.Repeat(" ", 200) + `{"clients":[{"id":1}]}`, "1"},
		{"bare array", "clients", `[{"id":1},{"id":2}]`, "1 2"},
		{"empty bare array", "clients", `[]`, ""},
		{"singleton", "company", `{"company":{"id":9,"name":"Studio"}}`, "9"},
		{"singleton in a list", "company", `{"company":[{"id":9}]}`, "9"},
		{"one object instead of a list", "clients", `{"clients":{"id":1}}`, "1"},
		{"one object under another key", "clients", `{"client":{"id":1}}`, "1"},
		{"another key", "clients", `{"customers":[{"id":1}]}`, "1"},
		{"other spelling", "recurring_profiles", `{"recurring_profiles":[{"id":1}]}`, "1"},
		{"other spelling beats another key", "recurring_profiles", `{"a":[{"id":5}],"recurring_profiles":[{"id":1}],"b":[]}`, "1"},
		{"key beats the other spelling", "recurring_profiles", `{"recurring_profiles":[{"id":5}],"recurringprofiles":[{"id":1}]}`, "1"},
		{"key beats the other spelling that follows", "recurring_profiles", `{"recurringprofiles":[{"id":1}],"recurring_profiles":[{"id":5}]}`, "1"},
		{"scalars around", "clients", `{"total":2,"next":null,"ok":true,"clients":[{"id":1}],"page":"0"}`, "1"},
		{"message beside the list", "clients", `{"message":"hello","clients":[{"id":1}]}`, "1"},
		{"id beside the list", "clients", `{"id":7,"clients":[{"id":1}]}`, "1"},
		{"other list first", "clients", `{"projects":[{"id":5}],"clients":[{"id":1}]}`, "1"},
		{"other list last", "clients", `{"clients":[{"id":1}],"projects":[{"id":5}]}`, "1"},
		{"other lists around", "clients", `{"a":[{"id":5}],"b":[{"id":6}],"clients":[],"c":[{"id":7}]}`, ""},
		{"array beats object", "clients", `{"meta":{"id":8},"customers":[{"id":1}],"more":{}}`, "1"},
		{"key twice", "clients", `{"clients":[{"id":5}],"clients":[{"id":1}]}`, "1"},
		{"escaped key", "clients", `{"cl\u0069ents":[{"id":1}]}`, "1"},
		{"key beats a longer list of another", "clients", `{"x":[{"id":1},{"id":2},{"id":3}],"clients":[{"id":4}]}`, "4"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, limit := range []int{0, 10} {
				for _, body := range []io.Reader{strings.NewReader(test.body), iotest.OneByteReader(strings.NewReader(test.body)), iotest.DataErrReader(strings.NewReader(test.body))} {
					got, err := decoderFor(t, test.table).decode(body, limit)
					if err != nil {
						t.Fatal(err)
					}
					if ids(got.records) != test.want || got.rows != len(got.records) || got.cut || len(got.rejects) > 0 {
						t.Errorf("ids are %q of %d rows, cut: %v, rejects: %v; want ids %q", ids(got.records), got.rows, got.cut, got.rejects, test.want)
					}
				}
			}
		})
	}
}

func TestDecodeRefusesReply(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name      string
		body      string
		want      string // part of the error
		truncated bool
	}{
		{"nothing", ``, "empty", true},
		{"white space alone", " \n ", "empty", true},
		{"html", `<html><head><title>502 Bad Gateway</title></head></html>`, "not JSON: begins with `<html><head><title>502 Bad Gateway</titl…`", false},
		{"short text", "  Bad\r\n  Gateway\x00", "not JSON: begins with `Bad Gateway`", false},
		{"null", `null`, "not JSON: begins with `null`", false},
		{"number", `12`, "not JSON", false},
		{"empty object", `{}`, `holds no list "clients"`, false},
		{"no list", `{"total":0}`, `holds no list "clients"`, false},
		{"list is null", `{"clients":null}`, `holds no list "clients"`, false},
		{"list is a text", `{"clients":"none"}`, `holds no list "clients"`, false},
		{"message", `{"message":"Access to project denied"}`, "message instead of a list: Access to project denied", false},
		{"message and another list", `{"errors":[],"message":"no"}`, "message instead of a list: no", false},
		{"two other lists", `{"a":[{"id":1}],"b":[{"id":2}]}`, "several lists", false},
		{"two other objects", `{"a":{"id":1},"b":{"id":2}}`, "several lists", false},
		{"bare row", `{"id":1,"name":"x","additional_privileges":{"id":2}}`, "bare object", false},
		{"bare row with a list", `{"tags":[{"id":2}],"id":1}`, "bare object", false},
		{"trailing value", `{"clients":[{"id":1}]} {}`, "goes on after its end", false},
		{"trailing text", `{"clients":[{"id":1}]}<!-- end -->`, "not valid JSON", false},
		{"trailing text after an array", `[{"id":1}]]`, "not valid JSON", false},
		{"ends in the list", `{"clients":[{"id":1},`, "ends early", true},
		{"ends in a row", `{"clients":[{"id":1},{"id":2,"na`, "ends early", true},
		{"ends after the list", `{"clients":[{"id":1}]`, "ends early", true},
		{"ends before the list", `{"clients"`, "ends early", true},
		{"ends in a skipped list", `{"clients":[],"x":[1,`, "ends early", true},
		{"ends in a scalar", `{"x":"ab`, "ends early", true},
		{"bad syntax", `{"clients":[{"id":1},{"id":}]}`, "not valid JSON", false},
		{"bad escape", `{"clients":[{"id":1,"name":"\x"}]}`, "not valid JSON", false},
		{"missing comma", `{"clients":[{"id":1}{"id":2}]}`, "not valid JSON", false},
		{"not a number", `{"clients":[{"id":NaN}]}`, "not valid JSON", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := decoderFor(t, "clients").decode(strings.NewReader(test.body), 0)
			var failure *decodeError
			if !errors.As(err, &failure) {
				t.Fatalf("the error is %v, and %d records came", err, len(got.records))
			}
			if !strings.Contains(err.Error(), test.want) || failure.Truncated != test.truncated {
				t.Errorf("the error is %q, truncated: %v; want %q, %v", err, failure.Truncated, test.want, test.truncated)
			}
			if got.rows != 0 || got.records != nil {
				t.Errorf("%d rows came with the error", got.rows)
			}
		})
	}
}

func TestDecodeErrorSaysWhere(t *testing.T) {
	t.Parallel()
	_, err := decoderFor(t, "clients").decode(strings.NewReader(`{"clients":[{"id":1},{"id":!}]}`), 0)
	var failure *decodeError
	if !errors.As(err, &failure) || failure.Offset != 27 {
		t.Errorf("the error is %v, want offset 27", err)
	}
}

func TestDecodeCapsMessage(t *testing.T) {
	t.Parallel()
	_, err := decoderFor(t, "clients").decode(strings.NewReader(`{"message":"`+strings.Repeat("é", 400)+`"}`), 0)
	var failure *decodeError
	if !errors.As(err, &failure) || failure.Message != strings.Repeat("é", 150)+"…" {
		t.Errorf("the error is %v", err)
	}
}

func TestDecodeStopsAtLimit(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		body string
		want string
		cut  bool
	}{
		{"more", `{"clients":[{"id":1},{"id":2},{"id":3},{"id":4}]}`, "1 2", true},
		{"what follows is not read", `{"clients":[{"id":1},{"id":2},{"id":3},!`, "1 2", true},
		{"as many", `{"clients":[{"id":1},{"id":2}]}`, "1 2", false},
		{"fewer", `{"clients":[{"id":1}]}`, "1", false},
		{"bare array", `[{"id":1},{"id":2},{"id":3}]`, "1 2", true},
		{"another key", `{"customers":[{"id":1},{"id":2},{"id":3}]}`, "1 2", true},
		{"a long list before the list", `{"x":[{"id":5},{"id":6},{"id":7}],"clients":[{"id":1}]}`, "1", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := decoderFor(t, "clients").decode(strings.NewReader(test.body), 2)
			if err != nil {
				t.Fatal(err)
			}
			if ids(got.records) != test.want || got.cut != test.cut || got.rows != len(got.records) {
				t.Errorf("ids are %q, cut: %v, want %q, %v", ids(got.records), got.cut, test.want, test.cut)
			}
		})
	}
	for _, body := range []string{`{"clients":[{"id":1},{"id":2}`, `{"clients":[{"id":1},{"id":2},`} {
		if _, err := decoderFor(t, "clients").decode(strings.NewReader(body), 2); err == nil {
			t.Errorf("%s: that the reply ends early is not noticed", body)
		}
	}
}

func TestDecodeKeepsReadError(t *testing.T) {
	t.Parallel()
	body := `{"clients":[{"id":1},{"id":2,"name":"` + strings.Repeat("x", 10_000)
	for _, cause := range []error{context.Canceled, errors.New("connection reset"), io.ErrUnexpectedEOF} {
		for _, length := range []int{0, 1, 30, 64, 65, len(body)} {
			reader := io.MultiReader(strings.NewReader(body[:length]), iotest.ErrReader(cause))
			_, err := decoderFor(t, "clients").decode(reader, 0)
			var failure *decodeError
			if !errors.Is(err, cause) || !errors.As(err, &failure) {
				t.Errorf("after %d bytes the error is %v, want one that wraps %v", length, err, cause)
			} else if failure.Truncated != errors.Is(cause, io.ErrUnexpectedEOF) {
				t.Errorf("after %d bytes and %v truncated is %v", length, cause, failure.Truncated)
			}
		}
	}
	complete := io.MultiReader(strings.NewReader(`{"clients":[{"id":1}]}`), iotest.ErrReader(context.Canceled))
	if _, err := decoderFor(t, "clients").decode(complete, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("after a complete list the error is %v, want %v", err, context.Canceled)
	}
}

func TestDecoderServesManyAtOnce(t *testing.T) {
	t.Parallel()
	d := decoderFor(t, "time_entries")
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for id := range 50 {
				got, err := d.decode(strings.NewReader(`{"entries":[`+entryRow(id)+`]}`), 0)
				if err != nil || ids(got.records) != fmt.Sprint(10_000_000+id) {
					t.Errorf("ids are %q: %v", ids(got.records), err)
				}
			}
		})
	}
	group.Wait()
}

// A list under a name that the catalogue does not know may be empty once rows have
// come under it; anything else that is empty is no list.
func TestEmptyListUnderAnotherName(t *testing.T) {
	t.Parallel()
	clients, _ := catalog.Lookup("clients")
	d := newDecoder(clients)
	for _, step := range []struct {
		reply string
		rows  int // -1: refused
	}{
		{`{"customers":[]}`, -1},
		{`{"customers":[{"id":1}]}`, 1},
		{`{"customers":[]}`, 0},
		{`{"errors":[]}`, -1},
		{`{"clients":[]}`, 0},
	} {
		found, err := d.decode(strings.NewReader(step.reply), 0)
		if (err != nil) != (step.rows < 0) || err == nil && found.rows != step.rows {
			t.Errorf("%s: %d rows, %v", step.reply, found.rows, err)
		}
	}
}
