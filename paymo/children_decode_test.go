package paymo

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// parts are children of boxes, which hold them at the path.
func parts(path string) *catalog.Resource {
	r := things()
	r.Table, r.Key = "parts", "parts"
	r.Columns = append(r.Columns, catalog.Column{Name: "box_id", Kind: catalog.Integer})
	r.Scope = catalog.Scope{Filter: "box_id", Parent: "boxes"}
	r.Embedded = catalog.Embedded{Parent: "boxes", Include: path}
	return r
}

func boxes() *catalog.Resource {
	return &catalog.Resource{Table: "boxes", Key: "boxes", AlsoKey: "the_boxes", Columns: []catalog.Column{{Name: "id", Kind: catalog.Integer}}}
}

func decodeParts(path, body string, limit int) (decoded, error) {
	r := parts(path)
	return newDecoder(boxes()).decodeNested(strings.NewReader(body), limit, newNest(newDecoder(r), r))
}

func TestDecodeChildren(t *testing.T) {
	t.Parallel()
	const (
		flat = "parts"
		deep = "trays.parts"
	)
	for _, test := range []struct {
		name, path, body string
		ids              string // of the children
		families         []Family
		rejects          int
	}{
		{"lists", flat, `{"boxes":[{"id":1,"parts":[{"id":11},{"id":12}]},{"parts":[{"id":21}],"id":2}]}`, "11 12 21", []Family{{1, true, 2}, {2, true, 1}}, 0},
		{"empty list", flat, `{"boxes":[{"id":1,"parts":[]}]}`, "", []Family{{1, true, 0}}, 0},
		{"white space", flat, " { \"boxes\" : [ { \"id\" : 1 , \"parts\" : [ { \"id\" : 11 } , { \"id\" : 12 } ] } ,\n{ \"id\" : 2 , \"parts\" : [ ] } ] } ", "11 12", []Family{{1, true, 2}, {2, true, 0}}, 0},
		{"no parents", flat, `{"boxes":[]}`, "", nil, 0},
		{"null", flat, `{"boxes":[{"id":1,"parts":null}]}`, "", []Family{{1, false, 0}}, 0},
		{"absent", flat, `{"boxes":[{"id":1,"other":[{"id":9}]},{"id":2,"parts":[{"id":21}]}]}`, "21", []Family{{1, false, 0}, {2, true, 1}}, 0},
		{"a text", flat, `{"boxes":[{"id":1,"parts":"none"},{"id":2,"parts":0},{"id":3,"parts":false}]}`, "", []Family{{1, false, 0}, {2, false, 0}, {3, false, 0}}, 0},
		{"one object", flat, `{"boxes":[{"id":1,"parts":{"id":11}}]}`, "11", []Family{{1, true, 1}}, 0},
		{"empty object", flat, `{"boxes":[{"id":1,"parts":{ }}]}`, "", []Family{{1, false, 0}}, 0},
		{"lists by id", flat, `{"boxes":[{"id":1,"parts":{"11":{"id":11}}}]}`, "", []Family{{1, true, 1}}, 1},
		{"rejects", flat, `{"boxes":[{"id":1,"parts":[{"id":"x"},null,[{"id":5}],{},{"id":11}]}]}`, "11", []Family{{1, true, 5}}, 4},
		{"repeated member", flat, `{"boxes":[{"id":9,"parts":[{"id":5}],"id":1,"parts":[{"id":11}]}]}`, "11", []Family{{1, true, 1}}, 0},
		{"escaped names", flat, `{"boxes":[{"i\u0064":1,"p\u0061rts":[{"\u0069d":11}]}]}`, "11", []Family{{1, true, 1}}, 0},
		{"id in a text", flat, `{"boxes":[{"id":"1","parts":[{"id":"11"}]}]}`, "11", []Family{{1, true, 1}}, 0},
		{"one parent", flat, `{"boxes":{"id":1,"parts":[{"id":11}]}}`, "11", []Family{{1, true, 1}}, 0},
		{"bare list of parents", flat, `[{"id":1,"parts":[{"id":11}]}]`, "11", []Family{{1, true, 1}}, 0},
		{"other spelling", flat, `{"the_boxes":[{"id":1,"parts":[{"id":11}]}]}`, "11", []Family{{1, true, 1}}, 0},
		{"another key", flat, `{"crates":[{"id":1,"parts":[]}]}`, "", []Family{{1, true, 0}}, 0},
		{"another list before", flat, `{"x":[{"id":5,"parts":[{"id":51}]},3],"boxes":[{"id":1,"parts":[{"id":11}]}],"y":[1]}`, "11", []Family{{1, true, 1}}, 0},
		{"grandchildren", deep, `{"boxes":[{"id":1,"trays":[{"id":5,"parts":[{"id":11},{"id":12}]},{"id":6,"parts":[{"id":13}]}]},{"id":2,"trays":[{"parts":[]}]}]}`, "11 12 13", []Family{{1, true, 3}, {2, true, 0}}, 0},
		{"no list between", deep, `{"boxes":[{"id":1,"trays":[]},{"id":2,"trays":null},{"id":3,"parts":[{"id":9}]}]}`, "", []Family{{1, true, 0}, {2, false, 0}, {3, false, 0}}, 0},
		{"a list of several is missing", deep, `{"boxes":[{"id":1,"trays":[{"id":5},{"id":6,"parts":[{"id":11}]}]}]}`, "11", []Family{{1, false, 1}}, 0},
		{"a list of several is null", deep, `{"boxes":[{"id":1,"trays":[{"parts":[{"id":11}]},{"parts":null}]}]}`, "11", []Family{{1, false, 1}}, 0},
		{"no object between", deep, `{"boxes":[{"id":1,"trays":[null,{"parts":[{"id":11}]},7]}]}`, "11", []Family{{1, false, 1}}, 0},
		{"one object between", deep, `{"boxes":[{"id":1,"trays":{"parts":{"id":11}}}]}`, "11", []Family{{1, true, 1}}, 0},
		{"grandchild without an id", deep, `{"boxes":[{"id":1,"trays":[{"parts":[{"name":"x"}]}]}]}`, "", []Family{{1, true, 1}}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := decodeParts(test.path, test.body, 100)
			if err != nil {
				t.Fatal(err)
			}
			if ids(got.records) != test.ids || len(got.rejects) != test.rejects || got.rows != len(got.records)+len(got.rejects) || got.cut {
				t.Errorf("ids are %q of %d rows, rejects: %v; want ids %q, %d rejects", ids(got.records), got.rows, got.rejects, test.ids, test.rejects)
			}
			if !slices.Equal(got.families, test.families) {
				t.Errorf("families are %v, want %v", got.families, test.families)
			}
			if got.unknown != nil {
				t.Errorf("unknown fields: %v", got.unknown)
			}
		})
	}
}

func TestDecodeChildrenRefusesReply(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, body, want string }{
		{"no id", `{"boxes":[{"id":1,"parts":[]},{"parts":[{"id":11}]}]}`, "parent 2 of the list has no usable id: the id is missing"},
		{"no id and no list", `{"boxes":[{"name":"x"}]}`, "parent 1 of the list has no usable id: the id is missing"},
		{"null id", `{"boxes":[{"id":null,"parts":[]}]}`, "the id is null"},
		{"a word for an id", `{"boxes":[{"id":"one","parts":[]}]}`, "the id is not a whole number"},
		{"id 0", `{"boxes":[{"id":0,"parts":[]}]}`, "the id is not positive"},
		{"no object", `{"boxes":[{"id":1,"parts":[]},null]}`, "parent 2 of the list has no usable id: it is null instead of an object"},
		{"a list", `{"boxes":[[]]}`, "it is an array instead of an object"},
		{"one parent without an id", `{"boxes":{"parts":[{"id":11}]}}`, "the id is missing"},
		{"no list", `{"total":0}`, `holds no list "boxes"`},
		{"another empty list", `{"crates":[]}`, `holds no list "boxes"`},
		{"another list of something else", `{"crates":[1,2]}`, `holds no list "boxes"`},
		{"another list with an orphan", `{"crates":[{"id":1,"parts":[]},{"parts":[]}]}`, "parent 2 of the list has no usable id"},
		{"ends early", `{"boxes":[{"id":1,"parts":[{"id":11}`, "ends early"},
		{"bad syntax", `{"boxes":[{"id":1,"parts":[{"id":}]}]}`, "not valid JSON"},
		{"message", `{"message":"no"}`, "message instead of a list: no"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := decodeParts("parts", test.body, 100)
			if _, ok := errors.AsType[*decodeError](err); !ok || !strings.Contains(err.Error(), test.want) {
				t.Errorf("the error is %v, want %q", err, test.want)
			}
			if got.rows != 0 || got.families != nil {
				t.Errorf("%d rows and %d families came with the error", got.rows, len(got.families))
			}
		})
	}
}

func TestChildrenSayWhoseTheyAre(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ part, want string }{
		{`{"id":11}`, "id=11 box_id=7"},
		{`{"box_id":5,"id":11}`, "id=11 box_id=5"},
		{`{"id":11,"box_id":null}`, "id=11 box_id"},
		{`{"id":11,"box_id":"x"}`, "id=11 box_id"},
		{`{"id":11,"start":"2024-01-01T00:00:00Z"}`, "id=11 start=2024-01-01T00:00:00Z end day box_id=7"},
	} {
		for path, body := range map[string]string{
			"parts":       `{"boxes":[{"id":6,"parts":[]},{"parts":[` + test.part + `],"id":" 7 "}]}`,
			"trays.parts": `{"boxes":[{"id":7.0,"trays":[{"id":3,"parts":[` + test.part + `]}]}]}`,
		} {
			got, err := decodeParts(path, body, 0)
			if err != nil || len(got.records) != 1 {
				t.Fatalf("%s: %d records, %v", body, len(got.records), err)
			}
			if shown := show(parts(path), got.records[0]); shown != test.want {
				t.Errorf("%s: %s, want %s", body, shown, test.want)
			}
		}
	}
	got, err := decodeParts("parts", `{"boxes":[{"id":7,"parts":[{"name":"a"},{"name":"b","box_id":null}]}]}`, 0)
	if err != nil || len(got.rejects) != 2 || got.rejects[0].Payload != `{"name":"a","box_id":7}` || got.rejects[1].Payload != `{"name":"b","box_id":null}` {
		t.Errorf("rejects are %v: %v", got.rejects, err)
	}

	// A parent by another filter is no owner.
	r := parts("parts")
	r.Scope.Parent = "rooms"
	got, err = newDecoder(boxes()).decodeNested(strings.NewReader(`{"boxes":[{"id":7,"parts":[{"id":11}]}]}`), 0, newNest(newDecoder(r), r))
	if err != nil || len(got.records) != 1 || show(r, got.records[0]) != "id=11" {
		t.Errorf("records are %v: %v", got.records, err)
	}
}

// What is secret, unknown or odd in a child is treated as in a list; of the parent
// nothing is kept.
func TestChildrenAreDecodedWithCare(t *testing.T) {
	t.Parallel()
	body := fmt.Sprintf(`{"boxes":[{"id":1,"tok\u0000en":%q,"note":"n","name":"\u0000","parts":[
		{"id":11,"pin":%[1]q,"api_key":%[1]q,"colour":"red\u0000","meta":{"token":%[1]q,"a":1},"size":{"x":1,"pass":%[1]q}},
		{"pin":%[1]q,"secret":%[1]q,"colour":2}]}]}`, planted)
	got, err := decodeParts("parts", body, 0)
	if err != nil || len(got.records) != 1 || len(got.rejects) != 1 {
		t.Fatalf("%d records, %d rejects: %v", len(got.records), len(got.rejects), err)
	}
	testRecord(t, newDecoder(parts("parts")), got.records[0])
	testJSON(t, got.rejects[0].Payload)
	record := got.records[0]
	if record.Extra != `{"colour":"red","meta":{"a":1}}` || record.Issues != `{"size":{"x":1}}` {
		t.Errorf("extra is %s, issues are %s", record.Extra, record.Issues)
	}
	if payload := got.rejects[0].Payload; payload != `{"box_id":1,"colour":2}` {
		t.Errorf("the payload is %s", payload)
	}
	if len(got.unknown) != 2 || got.unknown["colour"] != "string" || got.unknown["meta"] != "object" {
		t.Errorf("unknown fields: %v", got.unknown)
	}
	if got.stripped != 1 || got.dropped != 4 {
		t.Errorf("%d stripped, %d dropped, want 1 and 4", got.stripped, got.dropped)
	}
}

func TestDecodeChildrenStopsAtLimit(t *testing.T) {
	t.Parallel()
	const (
		one   = `{"id":1,"parts":[{"id":11}]}`
		three = `{"id":2,"parts":[{"id":21},{"id":22},{"id":23}]}`
		none  = `{"id":3,"parts":[]}`
	)
	for _, test := range []struct {
		name, body, ids string
		families        int
		cut             bool
	}{
		{"as many", `{"boxes":[` + one + `,` + one + `]}`, "11 11", 2, false},
		{"more children", `{"boxes":[` + one + `,` + one + `,` + one + `]}`, "11 11", 2, true},
		{"more parents", `{"boxes":[` + none + `,` + none + `,` + none + `]}`, "", 2, true},
		{"a family is whole", `{"boxes":[` + one + `,` + three + `,` + none + `]}`, "11 21 22 23", 2, true},
		{"one long family", `{"boxes":[` + three + `]}`, "21 22 23", 1, false},
		{"what follows is not read", `{"boxes":[` + three + `,` + none + `,!`, "21 22 23", 1, true},
		{"another long list before", `{"x":[1,2,3,4],"boxes":[` + one + `]}`, "11", 1, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := decodeParts("parts", test.body, 2)
			if err != nil {
				t.Fatal(err)
			}
			if ids(got.records) != test.ids || len(got.families) != test.families || got.cut != test.cut {
				t.Errorf("ids are %q, %d families, cut: %v; want %q, %d, %v", ids(got.records), len(got.families), got.cut, test.ids, test.families, test.cut)
			}
		})
	}
}

// BenchmarkDecodeChildren reads what BenchmarkDecode does, in families of ten.
func BenchmarkDecodeChildren(b *testing.B) {
	const rows, size = 2000, 10
	entries, _ := catalog.Lookup("time_entries")
	embedded := *entries
	embedded.Embedded = catalog.Embedded{Parent: "tasks", Include: "entries"}
	nest := newNest(newDecoder(entries), &embedded)
	d := decoderFor(b, "tasks")
	var body bytes.Buffer
	fmt.Fprintf(&body, "{%q:[", d.key)
	for id := range rows {
		switch {
		case id == 0:
			body.WriteString(`{"id":1,"name":"Draft","entries":[`)
		case id%size == 0:
			fmt.Fprintf(&body, `]},{"id":%d,"name":"Draft","entries":[`, id)
		default:
			body.WriteByte(',')
		}
		body.WriteString(entryRow(id))
	}
	body.WriteString("]}]}")
	b.SetBytes(int64(body.Len()))
	b.ReportAllocs()
	for b.Loop() {
		got, err := d.decodeNested(bytes.NewReader(body.Bytes()), 0, nest)
		if err != nil || len(got.records) != rows || len(got.families) != rows/size {
			b.Fatalf("%d records, %d families: %v", len(got.records), len(got.families), err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
}
