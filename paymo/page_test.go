package paymo

import (
	"maps"
	"strings"
	"testing"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// things is a resource that has one of everything.
func things() *catalog.Resource {
	return &catalog.Resource{
		Table: "things", Key: "things",
		Together: []string{"start", "end", "day"},
		Columns: []catalog.Column{
			{Name: "id", Kind: catalog.Integer},
			{Name: "name", Kind: catalog.Text},
			{Name: "pin", Kind: catalog.Text, Flags: catalog.Secret},
			{Name: "size", Kind: catalog.Integer},
			{Name: "data", Kind: catalog.JSON},
			{Name: "start", Kind: catalog.Datetime},
			{Name: "end", Kind: catalog.Datetime},
			{Name: "day", Kind: catalog.Date},
			{Name: "linked", Kind: catalog.JSON},
		},
	}
}

// show writes a record's values as name=text, name for null; absent ones are left out.
func show(r *catalog.Resource, record catalog.Record) string {
	var words []string
	for i, c := range r.Stored() {
		switch value := record.Values[i]; value.State {
		case catalog.Set:
			words = append(words, c.Name+"="+value.Text)
		case catalog.Null:
			words = append(words, c.Name)
		}
	}
	return strings.Join(words, " ")
}

func TestDecodeRow(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		row      string
		values   string
		extra    string
		issues   string
		stripped int
		dropped  int
		unknown  map[string]string
	}{
		{name: "id alone", row: `{"id":1}`, values: "id=1"},
		{name: "id as a text", row: `{"id":"1679584"}`, values: "id=1679584"},
		{name: "null is not absent", row: `{"id":1,"name":null}`, values: "id=1 name"},
		{name: "any order", row: `{"size":3,"name":"a","id":1}`, values: "id=1 name=a size=3"},
		{name: "white space", row: "{ \"id\" :\t1 , \"data\" : [ 1 , 2 ] , \"x\" : { \"a\" : 1 } }", values: "id=1 data=[1,2]", extra: `{"x":{"a":1}}`, unknown: map[string]string{"x": "object"}},
		{name: "escaped name", row: `{"id":1,"n\u0061me":"a"}`, values: "id=1 name=a"},

		{name: "one of a group empties the others", row: `{"id":1,"day":"2024-01-02"}`, values: "id=1 start end day=2024-01-02"},
		{name: "null of a group empties the others", row: `{"id":1,"end":null}`, values: "id=1 start end day"},
		{name: "none of a group", row: `{"id":1,"name":"a"}`, values: "id=1 name=a"},
		{name: "bad one of a group empties the others", row: `{"id":1,"start":"soon"}`, values: "id=1 start end day", issues: `{"start":"soon"}`},

		{name: "last of a repeated field", row: `{"id":5,"name":"a","id":1,"name":"b"}`, values: "id=1 name=b"},
		{name: "last of a repeated field converts", row: `{"id":1,"size":"x","size":2}`, values: "id=1 size=2"},
		{name: "last of a repeated unknown field", row: `{"id":1,"x":1,"y":2,"x":3}`, values: "id=1", extra: `{"x":3,"y":2}`, unknown: map[string]string{"x": "number", "y": "number"}},

		{name: "unknown fields", row: `{"id":1,"a":"s","b":1.50,"c":true,"d":null,"e":[1],"f":{}}`, values: "id=1",
			extra:   `{"a":"s","b":1.50,"c":true,"d":null,"e":[1],"f":{}}`,
			unknown: map[string]string{"a": "string", "b": "number", "c": "boolean", "d": "null", "e": "array", "f": "object"}},
		{name: "unknown name that needs quoting", row: `{"id":1,"a\"\\\n":1}`, values: "id=1", extra: `{"a\"\\\n":1}`, unknown: map[string]string{"a\"\\\n": "number"}},
		{name: "empty name", row: `{"id":1,"":2}`, values: "id=1", extra: `{"":2}`, unknown: map[string]string{"": "number"}},
		{name: "issues", row: `{"id":1,"size":"big","name":["a", "b"],"day":{"d": 1}}`, values: "id=1 name size start end day", issues: `{"name":["a","b"],"size":"big","day":{"d":1}}`},
		{name: "a number that jsonb refuses", row: `{"id":1,"size":1e999999,"x":[-1e999999]}`, values: "id=1 size", issues: `{"size":"1e999999"}`, extra: `{"x":["-1e999999"]}`, unknown: map[string]string{"x": "array"}},

		{name: "secret field", row: `{"id":1,"pin":"1234"}`, values: "id=1"},
		{name: "secret field of another type", row: `{"id":1,"pin":{"a":"1234"},"pin":["1234"]}`, values: "id=1"},
		{name: "secret field with an escaped name", row: `{"id":1,"p\u0069n":"1234"}`, values: "id=1"},
		{name: "secret field with U+0000 in its name", row: `{"id":1,"p\u0000in":"1234"}`, values: "id=1", stripped: 1},
		{name: "smelly field", row: `{"id":1,"api_key":"1234","Token":"1234"}`, values: "id=1", dropped: 2},
		{name: "smelly field with an escaped name", row: `{"id":1,"to\u006ben":"1234","to\u0000ken":"1234"}`, values: "id=1", dropped: 2, stripped: 1},
		{name: "smelly nested fields", row: `{"id":1,"x":{"a":1,"token":"1234","b":[{"to\u006ben":"1234"},{"c":2,"to\u0000ken":"1234","link":{}}]}}`, values: "id=1",
			extra: `{"x":{"a":1,"b":[{},{"c":2}]}}`, dropped: 4, unknown: map[string]string{"x": "object"}},
		{name: "smelly field in an issue", row: `{"id":1,"size":{"token":"1234","n":1}}`, values: "id=1 size", issues: `{"size":{"n":1}}`, dropped: 1},
		{name: "known field that smells", row: `{"id":1,"linked":[1]}`, values: "id=1 linked=[1]"},

		{name: "U+0000 in a text", row: `{"id":1,"name":"a\u0000b\u0000"}`, values: "id=1 name=ab", stripped: 2},
		{name: "U+0000 alone", row: `{"id":1,"name":"\u0000"}`, values: "id=1 name=", stripped: 1},
		{name: "escaped backslash before u0000", row: `{"id":1,"name":"a\\u0000","data":"a\\u0000\\\u0000b"}`, values: `id=1 name=a\u0000 data="a\\u0000\\b"`, stripped: 1},
		{name: "U+0000 in JSON", row: `{"id":1,"data":{"a\u0000":["\u0000b"]}}`, values: `id=1 data={"a":["b"]}`, stripped: 2},
		{name: "U+0000 in an unknown field", row: `{"id":1,"x\u0000":"\u0000"}`, values: "id=1", extra: `{"x":""}`, stripped: 2, unknown: map[string]string{"x": "string"}},
		{name: "U+0000 in an issue", row: `{"id":1,"size":"\u0000x"}`, values: "id=1 size", issues: `{"size":"x"}`, stripped: 1},
		{name: "U+0000 in a number", row: `{"id":1,"size":"\u00005"}`, values: "id=1 size=5", stripped: 1},
		{name: "U+0000 in the id", row: `{"id":"\u00001"}`, values: "id=1", stripped: 1},

		{name: "surrogate pair", row: `{"id":1,"name":"\ud83d\ude42","data":"\uD83D\uDE42"}`, values: `id=1 name=🙂 data="\uD83D\uDE42"`},
		{name: "half a surrogate pair", row: `{"id":1,"name":"a\ud83db","data":["\ud83d","\ude42x","\ud83d\u0041","\ud83d\ud83d\ude42","\ud83d\n"]}`,
			values: `id=1 name=a` + "\uFFFD" + `b data=["` + "\uFFFD" + `","` + "\uFFFD" + `x","` + "\uFFFD" + `\u0041","` + "\uFFFD" + `\ud83d\ude42","` + "\uFFFD" + `\n"]`},
		{name: "U+0000 within a surrogate pair", row: `{"id":1,"name":"\ud83d\u0000\ude42","data":"\ud83d\u0000\ude42"}`, values: "id=1 name=\uFFFD\uFFFD data=\"\uFFFD\uFFFD\"", stripped: 2},
		{name: "bytes that are not UTF-8", row: "{\"id\":1,\"name\":\"a\xffb\",\"data\":\"a\xc3(\",\"x\xff\":\"\xed\xa0\x80\"}",
			values: "id=1 name=a\uFFFDb data=\"a\uFFFD(\"", extra: "{\"x\uFFFD\":\"\uFFFD\uFFFD\uFFFD\"}", unknown: map[string]string{"x\uFFFD": "string"}},
		{name: "escapes are kept in JSON", row: `{"id":1,"data":"\u00e9\"\\\/\b\f\n\r\t"}`, values: `id=1 data="\u00e9\"\\\/\b\f\n\r\t"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := things()
			got, err := newDecoder(r).decode(strings.NewReader(`{"things":[`+test.row+`]}`), 0)
			if err != nil || len(got.records) != 1 {
				t.Fatalf("%d records, rejects %v: %v", len(got.records), got.rejects, err)
			}
			record := got.records[0]
			if values := show(r, record); values != test.values {
				t.Errorf("values are %s, want %s", values, test.values)
			}
			if record.Extra != test.extra {
				t.Errorf("extra is %s, want %s", record.Extra, test.extra)
			}
			if record.Issues != test.issues {
				t.Errorf("issues are %s, want %s", record.Issues, test.issues)
			}
			if got.stripped != test.stripped || got.dropped != test.dropped {
				t.Errorf("%d stripped and %d dropped, want %d and %d", got.stripped, got.dropped, test.stripped, test.dropped)
			}
			if !maps.Equal(got.unknown, test.unknown) || (got.unknown == nil) != (test.unknown == nil) {
				t.Errorf("unknown are %v, want %v", got.unknown, test.unknown)
			}
		})
	}
}

func TestDecodeRejects(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		row     string
		payload string
		problem string
	}{
		{`{"name":"a"}`, `{"name":"a"}`, "the id is missing"},
		{`{}`, `{}`, "the id is missing"},
		{`{"id":null,"size":1}`, `{"id":null,"size":1}`, "the id is null"},
		{`{"id":""}`, `{"id":""}`, "the id is null"},
		{`{"id":0}`, `{"id":0}`, "the id is not positive"},
		{`{"id":-3}`, `{"id":-3}`, "the id is not positive"},
		{`{"id":1.5}`, `{"id":1.5}`, "the id is not a whole number"},
		{`{"id":"abc"}`, `{"id":"abc"}`, "the id is not a whole number"},
		{`{"id":9223372036854775808}`, `{"id":9223372036854775808}`, "the id is not a whole number"},
		{`{"id":[1]}`, `{"id":[1]}`, "the id is not a whole number"},
		{`{"id":1,"id":null}`, `{"id":null}`, "the id is null"},
		{`{"x": {"token":"1234","a":[ {"link":"1234"} ]},"pin":"1234","size":"big","key":"1234"}`, `{"size":"big","x":{"a":[{}]}}`, "the id is missing"},
		{`{"name":"a\u0000\ud800"}`, `{"name":"a` + "\uFFFD" + `"}`, "the id is missing"},
		{`null`, `null`, "the list holds null instead of an object"},
		{`"a\u0000"`, `"a"`, "the list holds a string instead of an object"},
		{`[ {"token":"1234","a":1} ]`, `[{"a":1}]`, "the list holds an array instead of an object"},
		{`17`, `17`, "the list holds a number instead of an object"},
	} {
		r := things()
		got, err := newDecoder(r).decode(strings.NewReader(`{"things":[`+test.row+`,{"id":1}]}`), 0)
		if err != nil || len(got.rejects) != 1 || ids(got.records) != "1" || got.rows != 2 {
			t.Errorf("%s: %d rejects, records %q, %d rows: %v", test.row, len(got.rejects), ids(got.records), got.rows, err)
			continue
		}
		if reject := got.rejects[0]; reject.Payload != test.payload || reject.Problem != test.problem {
			t.Errorf("%s: rejected as %s because %s, want %s because %s", test.row, reject.Payload, reject.Problem, test.payload, test.problem)
		}
	}
}

// The company's unknown fields are credentials more often than not.
func TestDecodeAllowList(t *testing.T) {
	t.Parallel()
	got, err := decoderFor(t, "company").decode(strings.NewReader(
		`{"company":{"id":1,"name":"Studio","smtp_user":"1234","smtp_password":"1234","op_stripe_secret_key":"1234"}}`), 0)
	if err != nil || len(got.records) != 1 {
		t.Fatalf("%d records: %v", len(got.records), err)
	}
	if r := got.records[0]; r.Extra != "" || r.Issues != "" || got.unknown != nil || got.dropped != 0 {
		t.Errorf("extra %s, issues %s, unknown %v, %d dropped; want nothing", r.Extra, r.Issues, got.unknown, got.dropped)
	}
	for _, body := range []string{
		`{"company":{"name":"Studio","smtp_user":"1234","op_stripe_secret_key":"1234"}}`,
		`{"company":["1234"]}`,
	} {
		got, err = decoderFor(t, "company").decode(strings.NewReader(body), 0)
		if err != nil || len(got.rejects) != 1 {
			t.Fatalf("%d rejects: %v", len(got.rejects), err)
		}
		if payload := got.rejects[0].Payload; strings.Contains(payload, "1234") {
			t.Errorf("the payload %s tells a secret", payload)
		}
	}
}

// Rows of one page share memory: none may show through in another.
func TestRowsKeepApart(t *testing.T) {
	t.Parallel()
	var body strings.Builder
	body.WriteString(`{"things":[`)
	for range 300 {
		body.WriteString(`{"id":1,"name":"first","x":1,"size":"a"},{"id":2,"data":[2]},{"id":3,"name":"th\u0069rd","y":"z"},`)
	}
	body.WriteString(`{"id":4}]}`)
	r := things()
	got, err := newDecoder(r).decode(strings.NewReader(body.String()), 0)
	if err != nil || len(got.records) != 901 {
		t.Fatalf("%d records: %v", len(got.records), err)
	}
	want := []string{`id=1 name=first size {"x":1} {"size":"a"}`, `id=2 data=[2]  `, `id=3 name=third {"y":"z"} `}
	for i, record := range got.records[:900] {
		if text := show(r, record) + " " + record.Extra + " " + record.Issues; text != want[i%3] {
			t.Fatalf("record %d is %s, want %s", i, text, want[i%3])
		}
		if cap(record.Values) != len(r.Stored()) {
			t.Fatalf("record %d: appending to its values would overwrite another's", i)
		}
	}
}
