package paymo

import (
	"net/url"
	"regexp"
	"strconv"
	"testing"
)

// FuzzQuery encodes any query: the server reads what was asked for, and nothing but what
// is unreserved goes as it is.
func FuzzQuery(f *testing.F) {
	f.Add("id>=5 and name=\"a&page=9\"", "a.b,*", 0, 100)
	f.Add("a+b%20c&where=x#", "x&where=id>0", 7, 1)
	f.Add("\x00\xff\u202e\r\n", "", -1, -1)
	encoded := regexp.MustCompile(`^([a-z_]+=([A-Za-z0-9_.~-]|%[0-9A-F]{2})*(&[a-z_]+=([A-Za-z0-9_.~-]|%[0-9A-F]{2})*)*)?$`)
	f.Fuzz(func(t *testing.T, where, include string, page, pageSize int) {
		text := Query{Where: Where{conditions: []string{where}}, Include: include, Page: page, PageSize: pageSize}.encode()
		if !encoded.MatchString(text) {
			t.Fatalf("%q is not encoded", text)
		}
		got, err := url.ParseQuery(text)
		if err != nil {
			t.Fatal(err)
		}
		want := url.Values{"where": {where}}
		if include != "" {
			want.Set("include", include)
		}
		if pageSize > 0 {
			want.Set("page", strconv.Itoa(page))
			want.Set("page_size", strconv.Itoa(pageSize))
		}
		if len(got) != len(want) {
			t.Fatalf("the server reads %q, want %q", got, want)
		}
		for name := range want {
			if len(got[name]) != 1 || got.Get(name) != want.Get(name) {
				t.Fatalf("the server reads %q, want %q", got, want)
			}
		}
	})
}
