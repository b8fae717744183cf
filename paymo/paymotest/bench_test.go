package paymotest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/paymosync/paymosync/paymo/paymotest"
)

// BenchmarkList measures what a client that reads a million entries would wait for.
func BenchmarkList(b *testing.B) {
	s := paymotest.New(paymotest.Config{Entries: 1_000_000, RelaxEntries: true})
	for name, query := range map[string]string{
		"ids":          "where=" + url.QueryEscape("id>=330000000 and id<330082000"),
		"window":       "where=" + url.QueryEscape(`time_interval in ("2025-03-03T00:00:00Z","2025-03-04T00:00:00Z")`),
		"updated":      "where=" + url.QueryEscape("updated_on>=1780200000"),
		"user":         "where=" + url.QueryEscape("user_id=11470100"),
		"window+stamp": "where=" + url.QueryEscape(`time_interval in ("2025-03-03T00:00:00Z","2025-03-04T00:00:00Z") and updated_on>=1780000000`),
		"last page":    "page=399&page_size=2500",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				req := httptest.NewRequest(http.MethodGet, "/api/entries?"+query, nil)
				req.Header.Set("Authorization", paymotest.DefaultKey)
				w := httptest.NewRecorder()
				s.ServeHTTP(w, req)
				if w.Code != 200 {
					b.Fatal(fmt.Sprint(w.Code, w.Body))
				}
				b.ReportMetric(float64(w.Body.Len()), "body")
			}
		})
	}
}

// BenchmarkLookup measures lists that name what they want, in a company that is busy
// enough for a scan to show.
func BenchmarkLookup(b *testing.B) {
	s := paymotest.New(paymotest.Config{Users: 60, Projects: 400, Tasks: 8000, Entries: 100_000, Invoices: 2000})
	some := func(table string, n int) string {
		var ids []string
		for raw := range s.Rows(table) {
			ids = append(ids, gjson.GetBytes(raw, "id").Raw)
		}
		var picked []string
		for i := range n {
			picked = append(picked, ids[i*len(ids)/n])
		}
		return strings.Join(picked, ",")
	}
	for name, path := range map[string]string{
		"items":     "/api/invoices?include=invoiceitems&where=" + url.QueryEscape("id in ("+some("invoices", 100)+")"),
		"comments":  "/api/threads?include=comments&where=" + url.QueryEscape("project_id>0 and id in ("+some("comment_threads", 100)+")"),
		"thread":    "/api/comments?where=" + url.QueryEscape("thread_id in ("+some("comment_threads", 100)+")"),
		"templates": "/api/projecttemplates?include=projecttemplatestasklists.projecttemplatestasks",
		"entries":   "/api/entries?where=" + url.QueryEscape("user_id>0 and id in ("+some("time_entries", 100)+")"),
		"entry":     "/api/entries/" + some("time_entries", 1),
		"user":      "/api/entries?where=" + url.QueryEscape("user_id in ("+some("users", 1)+")"),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				req := httptest.NewRequest(http.MethodGet, path, nil)
				req.Header.Set("Authorization", paymotest.DefaultKey)
				w := httptest.NewRecorder()
				s.ServeHTTP(w, req)
				if w.Code != 200 {
					b.Fatal(fmt.Sprint(w.Code, w.Body))
				}
				b.ReportMetric(float64(w.Body.Len()), "body")
			}
		})
	}
}

// BenchmarkSeed measures the making of a big company.
func BenchmarkSeed(b *testing.B) {
	for b.Loop() {
		paymotest.New(paymotest.Config{Tasks: 20_000, Entries: 1_000_000})
	}
}

// BenchmarkSeedWide measures the making of a company that has much of everything.
func BenchmarkSeedWide(b *testing.B) {
	for b.Loop() {
		paymotest.New(paymotest.Config{Users: 60, Projects: 400, Tasks: 8000, Entries: 100_000, Invoices: 2000})
	}
}
