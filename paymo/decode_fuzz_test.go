package paymo

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// planted is put into secret and smelly fields: it must never come out.
const planted = "PLANTED-SECRET"

// FuzzDecode reads any bytes as a reply, and again as members of a row with secrets,
// and holds what comes out against what PostgreSQL takes.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"things":[{"id":1,"name":"a\u0000\ud83d\ude42\ud83d","size":"5","price":1.50,"done":"yes","data":{"a":[1,"\u0000"]}}]}`,
		`{"things":[{"id":"7","start":1583954441.5,"day":"2024-02-29T00:00:00+01:00","x":{"token":1},"x":2},null,[],{"id":0}]}`,
		`{"other":[{"id":1}],"things":{"id":1},"message":"m"}`,
		`[{"id":1},{"id":2},{"id":3},{"id":4}]`,
		`"name":"\\u0000","size":1e3,"price":"1e999","done":1,"start":"2024-01-01 01:00:00.5-02:30","day":"0000-00-00","end":""`,
		`"to\u006ben":{"a":1},"x":{"pass\u0000word":[1],"b":-1e99999},"size":{"login":2}`,
		"\uFEFF {\"things\":[{\"id\":1,\"name\":\"\xff\xed\xa0\x80\",\"\xff\":\"\xff\"}]} x",
		`<html>`,
		`{}`,
	} {
		f.Add([]byte(seed))
	}
	r := things()
	r.Columns = append(r.Columns, catalog.Column{Name: "price", Kind: catalog.Decimal}, catalog.Column{Name: "done", Kind: catalog.Boolean})
	d := newDecoder(r)
	f.Fuzz(func(t *testing.T, data []byte) {
		testReply(t, d, data, 0)
		testReply(t, d, data, 2)
		if !bytes.Contains(data, []byte(planted)) {
			testReply(t, d, fmt.Appendf(nil, `{"things":[{"pin":%q,"x":[{"token":%q}],"size":{"api_key":%q},"password":%q,%s}]}`, planted, planted, planted, planted, data), 0)
		}
	})
}

func testReply(t *testing.T, d *decoder, body []byte, limit int) {
	t.Helper()
	got, err := d.decode(bytes.NewReader(body), limit)
	if err != nil {
		if failure, ok := errors.AsType[*decodeError](err); !ok || failure.Problem == "" || failure.Error() == "" {
			t.Fatalf("the error is %v", err)
		}
		return
	}
	if got.rows != len(got.records)+len(got.rejects) || limit > 0 && got.rows > limit {
		t.Fatalf("%d rows, %d records, %d rejects", got.rows, len(got.records), len(got.rejects))
	}
	for _, reject := range got.rejects {
		testJSON(t, reject.Payload)
		if reject.Problem == "" {
			t.Fatal("rejected without a reason")
		}
	}
	for _, record := range got.records {
		testRecord(t, d, record)
	}
	for name := range got.unknown {
		testPlain(t, name)
	}
}

func testRecord(t *testing.T, d *decoder, record catalog.Record) {
	t.Helper()
	if len(record.Values) != len(d.stored) || record.ID < 1 || record.Values[0].Text != strconv.FormatInt(record.ID, 10) {
		t.Fatalf("record %d has %d values for %d columns, the id is %q", record.ID, len(record.Values), len(d.stored), record.Values[0].Text)
	}
	for i, value := range record.Values {
		if value.State == catalog.Set {
			testValue(t, d.stored[i], value.Text)
		} else if value.Text != "" {
			t.Fatalf("%s is not set and has the text %q", d.stored[i].Name, value.Text)
		}
	}
	for _, object := range []string{record.Extra, record.Issues} {
		if object != "" {
			testJSON(t, object)
			if object[0] != '{' || object == "{}" {
				t.Fatalf("%s is no object with members", object)
			}
		}
	}
}

func testValue(t *testing.T, column catalog.Column, text string) {
	t.Helper()
	testPlain(t, text)
	var err error
	switch column.Kind {
	case catalog.Integer:
		_, err = strconv.ParseInt(text, 10, 64)
	case catalog.Decimal:
		if !regexp.MustCompile(`^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,9})?$`).MatchString(text) || len(text) > maxNumber {
			t.Fatalf("%s is no number", text)
		}
	case catalog.Boolean:
		if text != "true" && text != "false" {
			t.Fatalf("%s is no boolean", text)
		}
	case catalog.Datetime:
		if _, err = time.Parse(time.RFC3339, text); !strings.HasSuffix(text, "Z") {
			t.Fatalf("%s is not in UTC", text)
		}
	case catalog.Date:
		_, err = time.Parse(time.DateOnly, text)
	case catalog.JSON:
		testJSON(t, text)
	}
	if err != nil {
		t.Fatalf("%s: %v", column.Name, err)
	}
}

// testPlain holds a text against what PostgreSQL's text takes.
func testPlain(t *testing.T, text string) {
	t.Helper()
	if !utf8.ValidString(text) || strings.Contains(text, "\x00") || strings.Contains(text, planted) {
		t.Fatalf("%q is no text that may be stored", text)
	}
}

// testJSON holds a text against what jsonb takes: strict JSON, no U+0000, no half of
// a surrogate pair.
func testJSON(t *testing.T, text string) {
	t.Helper()
	testPlain(t, text)
	decoder := jsontext.NewDecoder(strings.NewReader(text), jsontext.AllowDuplicateNames(true))
	for {
		token, err := decoder.ReadToken()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%q is not what jsonb takes: %v", text, err)
		}
		if token.Kind() == jsontext.KindString {
			testPlain(t, token.String())
		}
	}
}

// FuzzDecodeChildren reads any bytes as parents with children and with grandchildren.
func FuzzDecodeChildren(f *testing.F) {
	for _, seed := range []string{
		`{"boxes":[{"id":1,"parts":[{"id":11,"name":"a\u0000"},{"id":"x"},null]},{"id":"2","parts":{"id":21}}]}`,
		`{"boxes":[{"id":1,"trays":[{"parts":[{"id":11}]},{"parts":{}},{"parts":null},[],1]},{"id":3,"trays":{"parts":[{}]}}]}`,
		`{"crates":[{"p\u0061rts":[],"id":3.0,"parts":[{"id":5,"box_id":"x","pin":1}]}],"x":[1]}`,
		`[{"id":1},{"id":2,"parts":""},{"id":3,"parts":[ ] },{ "trays" : [ ] , "id" : 4 }]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, path := range []string{"parts", "trays.parts"} {
			got, err := decodeParts(path, string(data), 3)
			if err != nil {
				if failure, ok := errors.AsType[*decodeError](err); !ok || failure.Problem == "" {
					t.Fatalf("the error is %v", err)
				}
				continue
			}
			children := 0
			for _, family := range got.families {
				children += family.Children
				if family.ID < 1 {
					t.Fatalf("families are %v", got.families)
				}
			}
			if children != got.rows || got.rows != len(got.records)+len(got.rejects) {
				t.Fatalf("%d rows, %d in families, %d records, %d rejects", got.rows, children, len(got.records), len(got.rejects))
			}
			for _, reject := range got.rejects {
				testJSON(t, reject.Payload)
			}
			for _, record := range got.records {
				testRecord(t, newDecoder(parts(path)), record)
			}
		}
	})
}

// FuzzDecodeRow reads any bytes as a stored object.
func FuzzDecodeRow(f *testing.F) {
	for _, seed := range []string{
		`{"id":7,"data":"[1]","_extra":{"x":1,"token":2}}`,
		`{"id":"7","data":"{\"a\":\"\\u0000\"}","linked":"1e9999","_extra":{"\u0000":"\ud83d"},"_extra":{ }}`,
		` { "_extra" : null , "d\u0061ta" : "\"\\ud800\"" , "id" : "7" } `,
		`[{"id":1}]`,
	} {
		f.Add([]byte(seed))
	}
	d := newDecoder(things())
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := d.decodeRow(data)
		if err != nil {
			return
		}
		if got.rows != 1 || len(got.records)+len(got.rejects) != 1 {
			t.Fatalf("%d rows, %d records, %d rejects", got.rows, len(got.records), len(got.rejects))
		}
		for _, reject := range got.rejects {
			testJSON(t, reject.Payload)
		}
		for _, record := range got.records {
			testRecord(t, d, record)
		}
	})
}
