package paymo

import (
	"strings"
	"testing"
	"time"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// conversion is a JSON value and what becomes of it. An issue leaves the column null.
type conversion struct {
	json  string
	want  string
	state catalog.State
	issue bool
}

func set(json, want string) conversion {
	return conversion{json: json, want: want, state: catalog.Set}
}
func null(json string) conversion { return conversion{json: json, state: catalog.Null} }
func bad(json string) conversion {
	return conversion{json: json, state: catalog.Null, issue: true}
}

func testConversions(t *testing.T, kind catalog.Kind, conversions []conversion) {
	t.Helper()
	d := newDecoder(&catalog.Resource{Table: "things", Key: "things", Columns: []catalog.Column{
		{Name: "id", Kind: catalog.Integer}, {Name: "value", Kind: kind},
	}})
	for _, c := range append(conversions, null("null")) {
		got, err := d.decode(strings.NewReader(`{"things":[{"id":1,"value":`+c.json+`}]}`), 0)
		if err != nil || len(got.records) != 1 {
			t.Errorf("%s: %d records: %v", c.json, len(got.records), err)
			continue
		}
		r := got.records[0]
		if value := r.Values[1]; value.State != c.state || value.Text != c.want {
			t.Errorf("%s: becomes %d %q, want %d %q", c.json, value.State, value.Text, c.state, c.want)
		}
		issues := ""
		if c.issue {
			issues = `{"value":` + c.json + `}`
		}
		if r.Issues != issues || r.Extra != "" {
			t.Errorf("%s: issues are %s, want %s", c.json, r.Issues, issues)
		}
	}
}

func TestConvertInteger(t *testing.T) {
	t.Parallel()
	testConversions(t, catalog.Integer, []conversion{
		set(`0`, "0"), set(`-0`, "0"), set(`5`, "5"), set(`-5`, "-5"), set(`5.0`, "5"), set(`5.000`, "5"),
		set(`1e3`, "1000"), set(`1.5E+1`, "15"), set(`1200e-2`, "12"), set(`0e999999999999`, "0"), set(`0.0`, "0"),
		set(`"517429"`, "517429"), set(`" 7 "`, "7"), set(`"007"`, "7"), set(`"+7"`, "7"), set(`"-7"`, "-7"), set(`"\u0037"`, "7"),
		set(`999999999999999999`, "999999999999999999"),
		set(`9223372036854775807`, "9223372036854775807"), set(`-9223372036854775808`, "-9223372036854775808"),
		set(`922337203685477580.7e1`, "9223372036854775807"),
		bad(`9223372036854775808`), bad(`-9223372036854775809`), bad(`18446744073709551616`), bad(`99999999999999999999999`),
		bad(`1e19`), bad(`"1e999999999999"`), bad(`5.5`), bad(`1e-1`), bad(`"5.5"`),
		null(`""`), null(`" "`), null(`"\u0000"`),
		bad(`"abc"`), bad(`"5x"`), bad(`"0x10"`), bad(`"-"`), bad(`"."`), bad(`"1e"`), bad(`"NaN"`), bad(`"1,000"`), bad(`"1 000"`), bad(`"--5"`),
		bad(`true`), bad(`[1]`), bad(`{"id":5}`),
	})
}

func TestConvertDecimal(t *testing.T) {
	t.Parallel()
	nines := strings.Repeat("9", maxNumber)
	testConversions(t, catalog.Decimal, []conversion{
		set(`0`, "0"), set(`1911.60`, "1911.60"), set(`-0.25`, "-0.25"), set(`0.1000000000000000055511151231257827`, "0.1000000000000000055511151231257827"),
		set(`1e3`, "1e3"), set(`1.5E-7`, "1.5E-7"), set(`1e1000`, "1e1000"), set(`1e-1000`, "1e-1000"),
		set(`"9.45"`, "9.45"), set(`" 9.450 "`, "9.450"), set(`".5"`, ".5"), set(`"5."`, "5."), set(`"+5"`, "+5"),
		set(nines, nines),
		bad(`"1e1001"`), bad(`"1e-1001"`), bad(`"1e99999999999999999999"`), bad(`"` + nines + `9"`),
		null(`""`), null(`"\t"`),
		bad(`"NaN"`), bad(`"Infinity"`), bad(`"-inf"`), bad(`"1,5"`), bad(`"5 EUR"`), bad(`"0x1F"`), bad(`"1_000"`), bad(`"e5"`),
		bad(`false`), bad(`[]`), bad(`{}`),
	})
}

func TestConvertBoolean(t *testing.T) {
	t.Parallel()
	testConversions(t, catalog.Boolean, []conversion{
		set(`true`, "true"), set(`false`, "false"), set(`1`, "true"), set(`0`, "false"),
		set(`"true"`, "true"), set(`"False"`, "false"), set(`"1"`, "true"), set(`"0"`, "false"), set(`"yes"`, "true"), set(`"NO"`, "false"), set(`" 1 "`, "true"),
		null(`""`),
		bad(`2`), bad(`-1`), bad(`1.0`), bad(`"on"`), bad(`"maybe so"`), bad(`"t"`), bad(`[]`), bad(`{}`),
	})
}

func TestConvertDatetime(t *testing.T) {
	t.Parallel()
	testConversions(t, catalog.Datetime, []conversion{
		set(`"2024-02-29T23:59:59Z"`, "2024-02-29T23:59:59Z"), set(`"0001-01-01T00:00:00Z"`, "0001-01-01T00:00:00Z"),
		set(`"9999-12-31T23:59:59Z"`, "9999-12-31T23:59:59Z"),
		set(`"2024-01-01T01:00:00+02:00"`, "2023-12-31T23:00:00Z"), set(`"2024-01-01T01:00:00-0230"`, "2024-01-01T03:30:00Z"),
		set(`"2024-01-01 01:00:00+02"`, "2023-12-31T23:00:00Z"), set(`"2024-01-01 01:00:00"`, "2024-01-01T01:00:00Z"),
		set(`"2024-01-01 01:00:00 +0100"`, "2024-01-01T00:00:00Z"), set(`"2024-01-01t01:00:00z"`, "2024-01-01T01:00:00Z"),
		set(`"2024-01-01T01:00"`, "2024-01-01T01:00:00Z"), set(`"2024-01-01"`, "2024-01-01T00:00:00Z"), set(`" 2024-01-01T01:00:00Z "`, "2024-01-01T01:00:00Z"),
		set(`"2024-01-01T01:00:00.000Z"`, "2024-01-01T01:00:00Z"), set(`"2024-01-01T01:00:00.120Z"`, "2024-01-01T01:00:00.12Z"),
		set(`"2024-01-01T01:00:00.123456789+01:00"`, "2024-01-01T00:00:00.123456Z"),
		set(`1583954441`, "2020-03-11T19:20:41Z"), set(`"1583954441"`, "2020-03-11T19:20:41Z"), set(`1583954441.5`, "2020-03-11T19:20:41.5Z"),
		set(`0`, "1970-01-01T00:00:00Z"), set(`-1`, "1969-12-31T23:59:59Z"), set(`1.5e9`, "2017-07-14T02:40:00Z"),
		set(`-62135596800`, "0001-01-01T00:00:00Z"), set(`253402300799`, "9999-12-31T23:59:59Z"),
		null(`""`), null(`" "`),
		bad(`"0000-00-00 00:00:00"`), bad(`"0000-00-00"`), bad(`"0000-00-00T00:00:00Z"`), bad(`"0000-01-01T00:00:00Z"`),
		bad(`"2023-02-29T00:00:00Z"`), bad(`"1900-02-29T00:00:00Z"`), bad(`"2024-13-01T00:00:00Z"`), bad(`"2024-04-31T00:00:00Z"`), bad(`"2024-01-00T00:00:00Z"`),
		bad(`"2024-01-01T24:00:00Z"`), bad(`"2024-01-01T00:60:00Z"`), bad(`"2024-01-01T00:00:60Z"`), bad(`"2024-01-01T00:00:0xZ"`), bad(`"2024-01-01T00:00:00X"`),
		bad(`"2024-01-01T00:00:00.Z"`), bad(`"2024-01-01T00:00:00+16:00"`), bad(`"2024-01-01T00:00:00+01:60"`), bad(`"2024-01-01T00:00:00+1"`), bad(`"2024-01-01T00:00:00+01:000"`),
		bad(`"2024-01-01T"`), bad(`"2024-01-01x00:00:00"`), bad(`"2024-1-1"`), bad(`"01/02/2024"`), bad(`"now"`), bad(`"infinity"`),
		bad(`"0001-01-01T00:00:00+01:00"`), bad(`"9999-12-31T23:59:59-01:00"`),
		bad(`-62135596801`), bad(`253402300800`), bad(`1583954441000`), bad(`-1.5`), bad(`1e300`), bad(`15.5e-1`),
		bad(`true`), bad(`[]`), bad(`{"date":"2024-01-01"}`),
	})
}

func TestConvertDate(t *testing.T) {
	t.Parallel()
	testConversions(t, catalog.Date, []conversion{
		set(`"2024-02-29"`, "2024-02-29"), set(`"2000-02-29"`, "2000-02-29"), set(`"0001-01-01"`, "0001-01-01"), set(`"9999-12-31"`, "9999-12-31"), set(`" 2024-02-29 "`, "2024-02-29"),
		set(`"2024-02-29T23:00:00Z"`, "2024-02-29"), set(`"2024-02-29T23:00:00-05:00"`, "2024-02-29"), set(`"2024-02-29 00:00:00"`, "2024-02-29"), set(`"2024-02-29T10:00:00.5Z"`, "2024-02-29"),
		set(`1583954441`, "2020-03-11"), set(`"1583954441"`, "2020-03-11"), set(`-1`, "1969-12-31"),
		null(`""`),
		bad(`"0000-00-00"`), bad(`"0000-00-00 00:00:00"`), bad(`"2023-02-29"`), bad(`"2024-06-31"`), bad(`"2024-00-10"`), bad(`"2024-02-29x"`), bad(`"2024-02-29T25:00:00Z"`),
		bad(`"2024-02"`), bad(`"29.02.2024"`), bad(`"today"`), bad(`253402300800`), bad(`1.5e-1`), bad(`false`), bad(`[]`), bad(`{}`),
	})
}

func TestConvertText(t *testing.T) {
	t.Parallel()
	testConversions(t, catalog.Text, []conversion{
		set(`"abc"`, "abc"), set(`""`, ""), set(`" a "`, " a "), set(`"a\"b\\c\/d\n\t"`, "a\"b\\c/d\n\t"), set(`"Zoë 日本 🙂"`, "Zoë 日本 🙂"),
		set(`"\u005a\u00eb\ud83d\ude42"`, "Zë🙂"), set(`"&#039;"`, "&#039;"), set(`"null"`, "null"),
		set(`5`, "5"), set(`5.50`, "5.50"), set(`-1e3`, "-1e3"), set(`true`, "true"), set(`false`, "false"),
		bad(`[]`), bad(`{}`), bad(`["a"]`), bad(`{"a":1}`),
	})
}

func TestConvertJSON(t *testing.T) {
	t.Parallel()
	testConversions(t, catalog.JSON, []conversion{
		set(`[]`, `[]`), set(`{}`, `{}`), set(`[ 1 , "a" , null , true ]`, `[1,"a",null,true]`), set(`{ "a" : [ ] , "b" : { "c" : 1.50 } }`, `{"a":[],"b":{"c":1.50}}`),
		set(`"text"`, `"text"`), set(`""`, `""`), set(`5`, `5`), set(`false`, `false`),
		set(`{"linked_projects":[1,2],"key":"kept: the column is known"}`, `{"linked_projects":[1,2],"key":"kept: the column is known"}`),
		set(`[1e1000,1e1001,-1e-5000]`, `[1e1000,"1e1001","-1e-5000"]`),
		set(`{"a":1,"a":2}`, `{"a":1,"a":2}`),
	})
}

func TestRecordUpdated(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ json, want string }{
		{`"2024-01-02T03:04:05Z"`, "2024-01-02T03:04:05Z"},
		{`"2024-01-02T03:04:05.25+01:00"`, "2024-01-02T02:04:05.25Z"},
		{`1583954441`, "2020-03-11T19:20:41Z"},
		{`null`, "0001-01-01T00:00:00Z"},
		{`"yesterday"`, "0001-01-01T00:00:00Z"},
	} {
		got, err := decoderFor(t, "clients").decode(strings.NewReader(`{"clients":[{"id":1,"updated_on":`+test.json+`}]}`), 0)
		if err != nil {
			t.Fatal(err)
		}
		if updated := got.records[0].Updated; updated.Format(time.RFC3339Nano) != test.want {
			t.Errorf("%s: updated is %s, want %s", test.json, updated, test.want)
		}
	}
}
