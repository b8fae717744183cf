package paymo

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/paymosync/paymosync/paymo/catalog"
)

func TestDecodeStoredRow(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, object string
		want         string // the values; of a reject, its payload
		extra        string
		problem      string
	}{
		{"as served", `{"id":7,"size":5,"data":{"a":[1]},"colour":"red"}`, `id=7 size=5 data={"a":[1]}`, `{"colour":"red"}`, ""},
		{"as served, JSON that is a text", `{"id":7,"data":"[1]"}`, `id=7 data="[1]"`, "", ""},
		{"texts", `{"id":"7","name":"5","size":"5","data":"{\"a\":[1,\"x\"]}","start":"2024-01-01T00:00:00Z","end":null}`, `id=7 name=5 size=5 data={"a":[1,"x"]} start=2024-01-01T00:00:00Z end day`, "", ""},
		{"texts of other JSON", `{"id":"7","data":" 5 ","linked":"\"x\""}`, `id=7 data=5 linked="x"`, "", ""},
		{"a text that is not JSON", `{"id":"7","data":"{a}","linked":""}`, `id=7 data="{a}" linked=""`, "", ""},
		{"JSON null", `{"id":"7","data":null}`, `id=7 data`, "", ""},
		{"extra", `{"_extra":{"colour":"red","x":[1]},"id":"7","data":"[]"}`, `id=7 data=[]`, `{"colour":"red","x":[1]}`, ""},
		{"empty extra", `{"id":"7","_extra":{ }}`, `id=7`, "", ""},
		{"extra alone", `{"_extra":{"id":7}}`, `id=7`, "", ""},
		{"extra and an unknown field", `{"id":7,"_extra":{"colour":"red","x":1},"colour":"blue"}`, `id=7`, `{"colour":"blue","x":1}`, ""},
		{"extra that is known by now", `{"id":"7","_extra":{"size":5,"name":"old","data":{"b":1}},"name":"new"}`, `id=7 name=new size=5 data={"b":1}`, "", ""},
		{"extra that is no object", `{"id":7,"_extra":[1]}`, `id=7`, `{"_extra":[1]}`, ""},
		{"white space", " {\n\"id\" : \"7\" , \"_extra\" : { \"x\" : 1 } , \"data\" : \"[ 1 ]\" } \n", `id=7 data=[1]`, `{"x":1}`, ""},
		{"escaped names", `{"\u0069d":"7","d\u0061ta":"[1]","_extr\u0061":{"x":1}}`, `id=7 data=[1]`, `{"x":1}`, ""},
		{"no id", `{"name":"a","_extra":{"x":1}}`, `{"name":"a","x":1}`, "", "the id is missing"},
		{"a word for an id", `{"id":"x"}`, `{"id":"x"}`, "", "the id is not a whole number"},
		{"empty", `{}`, `{}`, "", "the id is missing"},
		{"no object", `[1]`, `[1]`, "", "the list holds an array instead of an object"},
		{"null", `null`, `null`, "", "the list holds null instead of an object"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := newDecoder(things()).decodeRow([]byte(test.object))
			if err != nil || got.rows != 1 || len(got.records)+len(got.rejects) != 1 {
				t.Fatalf("%+v: %v", got, err)
			}
			if test.problem != "" {
				if len(got.rejects) != 1 || got.rejects[0] != (catalog.Reject{Payload: test.want, Problem: test.problem}) {
					t.Errorf("rejects are %v, want %s: %s", got.rejects, test.want, test.problem)
				}
				return
			}
			if len(got.records) != 1 {
				t.Fatalf("rejects are %v", got.rejects)
			}
			if shown := show(things(), got.records[0]); shown != test.want || got.records[0].Extra != test.extra || got.records[0].Issues != "" {
				t.Errorf("the record is %s with %s (%s), want %s with %s", shown, got.records[0].Extra, got.records[0].Issues, test.want, test.extra)
			}
		})
	}
}

func TestDecodeStoredRowRefuses(t *testing.T) {
	t.Parallel()
	clients, _ := catalog.Lookup("clients")
	c := &Client{decoders: map[string]*decoder{"clients": newDecoder(clients)}}
	for _, object := range []string{``, ` `, `{`, `{"id":1`, `{"id":1}}`, `{"id":1} {}`, `{"id":1} x`, `x`, `{"id":}`} {
		page, err := c.DecodeRow(clients, []byte(object))
		if page != nil || err == nil || !strings.HasPrefix(err.Error(), "decode a stored row of clients: ") {
			t.Errorf("%q: page %v, error %v", object, page, err)
		}
	}
	page, err := c.DecodeRow(clients, []byte(`{"id":7,"_extra":{"colour":"red"}}`))
	if err != nil || page.Rows != 1 || len(page.Records) != 1 || page.Unknown["colour"] != "string" || page.Requests != 0 {
		t.Errorf("the page is %+v: %v", page, err)
	}
}

// What is secret comes back from no store.
func TestDecodeStoredRowKeepsSecrets(t *testing.T) {
	t.Parallel()
	for _, id := range []string{`"id":"7",`, ``} {
		object := fmt.Sprintf(`{%s"pin":%q,"token":%[2]q,"data":"{\"password\":\"%s\",\"a\":1}","_extra":{"pin":%[2]q,"api_key":%[2]q,"x":{"login":%[2]q}}}`, id, planted, planted)
		got, err := newDecoder(things()).decodeRow([]byte(object))
		if err != nil || got.dropped < 3 {
			t.Errorf("%+v: %v", got, err)
		}
		for _, reject := range got.rejects {
			testJSON(t, reject.Payload)
		}
		for _, record := range got.records {
			testPlain(t, record.Extra)
		}
	}
}

// A record that is stored as its texts is the same when it is read again.
func TestDecodeStoredRowReadsItsTexts(t *testing.T) {
	t.Parallel()
	const served = `{"things":[{"id":7,"name":"{}","size":"5","data":{"a":"\ud83d\ude42\"","b":[1.50]},"linked":"[1]",
		"start":1583954441,"end":"2024-01-01 01:00:00","day":null,"colour":{"a":null},"<b>":"\u2028"}]}`
	r := things()
	first, err := newDecoder(r).decode(strings.NewReader(served), 0)
	if err != nil || len(first.records) != 1 {
		t.Fatalf("%+v: %v", first, err)
	}
	object := map[string]any{"_extra": json.RawMessage(first.records[0].Extra)}
	for i, value := range first.records[0].Values {
		switch value.State {
		case catalog.Set:
			object[r.Stored()[i].Name] = value.Text
		case catalog.Null:
			object[r.Stored()[i].Name] = nil
		}
	}
	text, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	again, err := newDecoder(r).decodeRow(text)
	if err != nil || len(again.records) != 1 {
		t.Fatalf("%s: %+v: %v", text, again, err)
	}
	// Escapes within JSON may be written another way.
	var before, after any
	for _, each := range []struct {
		record *catalog.Record
		extra  *any
	}{{&first.records[0], &before}, {&again.records[0], &after}} {
		if err := json.Unmarshal([]byte(each.record.Extra), each.extra); err != nil {
			t.Fatal(err)
		}
		each.record.Extra = ""
	}
	if !reflect.DeepEqual(before, after) || !reflect.DeepEqual(first.records, again.records) {
		t.Errorf("%s became %+v with %v, was %+v with %v", text, again.records, after, first.records, before)
	}
}
