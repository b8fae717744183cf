package paymo_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/paymo/paymotest"
)

// stored are the ids of the fake's rows by what they say in a column.
func stored(t *testing.T, fake *paymotest.Server, table, column string) map[int64][]int64 {
	t.Helper()
	rows := map[int64][]int64{}
	for raw := range fake.Rows(table) {
		var row map[string]any
		if err := json.Unmarshal(raw, &row); err != nil {
			t.Fatal(err)
		}
		owner := int64(row[column].(float64))
		rows[owner] = append(rows[owner], int64(row["id"].(float64)))
	}
	return rows
}

// All that comes with parents, as the fake serves it.
func TestChildren(t *testing.T) {
	t.Parallel()
	fake := paymotest.New(paymotest.Config{Clients: 3, Projects: 4, Tasks: 40, Entries: -1, AlsoKeys: true})
	client := newClient(t, fake, withKey(paymotest.DefaultKey))
	tested := 0
	for _, child := range catalog.All() {
		// What other tables embed may have no column of the parent.
		if child.Embedded.Parent == "" || child.Scope.Parent != child.Embedded.Parent {
			continue
		}
		want := stored(t, fake, child.Table, child.Scope.Filter)
		parent := resource(t, child.Embedded.Parent)
		query := paymo.Query{Include: "nonsense"}
		if parent.Scope.Filter != "" { // demanded of lists of threads
			query.Where = query.Where.AtLeast(parent.Scope.Filter, 1)
		}
		page, err := client.Children(t.Context(), child, query)
		if err != nil {
			t.Errorf("%s: %v", child.Table, err)
			continue
		}
		tested++
		got, owner := map[int64][]int64{}, slices.IndexFunc(child.Stored(), func(c catalog.Column) bool { return c.Name == child.Scope.Filter })
		for _, record := range page.Records {
			id, err := strconv.ParseInt(record.Values[owner].Text, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			got[id] = append(got[id], record.ID)
		}
		parents := 0
		for range fake.Rows(parent.Table) {
			parents++
		}
		if len(page.Families) != parents || page.Requests != 1 || page.Bytes == 0 || page.Date.IsZero() || page.Cut {
			t.Errorf("%s: the page is of %d families, want %d: %+v", child.Table, len(page.Families), parents, page)
		}
		rows := 0
		for _, family := range page.Families {
			rows += family.Children
			slices.Sort(got[family.ID])
			slices.Sort(want[family.ID])
			if !family.Listed || family.Children != len(want[family.ID]) || !slices.Equal(got[family.ID], want[family.ID]) {
				t.Errorf("%s of %+v are %v, want %v", child.Table, family, got[family.ID], want[family.ID])
			}
		}
		if rows != page.Rows || rows != len(page.Records) {
			t.Errorf("%s: %d rows, %d records, %d in families", child.Table, page.Rows, len(page.Records), rows)
		}
		for name := range page.Unknown {
			if _, of := parent.Column(name); of {
				t.Errorf("%s: the parent's %s counts as unknown", child.Table, name)
			}
		}
	}
	if tested < 5 {
		t.Errorf("%d tables were tested", tested)
	}
}

// The query speaks of the parents.
func TestChildrenOfSomeParents(t *testing.T) {
	t.Parallel()
	fake := paymotest.New(paymotest.Config{Projects: 5, Entries: -1})
	client := newClient(t, fake, withKey(paymotest.DefaultKey))
	byInvoice := stored(t, fake, "invoice_items", "invoice_id")
	var some []int64
	for id := range byInvoice {
		if some = append(some, id); len(some) == 2 {
			break
		}
	}
	page, err := client.Children(t.Context(), resource(t, "invoice_items"), paymo.Query{Where: paymo.Where{}.In("id", some...)})
	if err != nil || len(page.Families) != 2 || page.Rows != len(byInvoice[some[0]])+len(byInvoice[some[1]]) {
		t.Fatalf("of invoices %v came %+v: %v", some, page, err)
	}
	page, err = client.Children(t.Context(), resource(t, "invoice_items"), paymo.Query{PageSize: 3})
	if err != nil || len(page.Families) != 3 {
		t.Errorf("a page of 3 invoices is %+v: %v", page, err)
	}
}

// A reply that is full leaves nested lists empty and does not say so.
func TestChildrenBeyondCap(t *testing.T) {
	t.Parallel()
	fake := paymotest.New(paymotest.Config{Projects: 5, Entries: -1, Cap: 6})
	client := newClient(t, fake, withKey(paymotest.DefaultKey))
	items := stored(t, fake, "invoice_items", "invoice_id")
	page, err := client.Children(t.Context(), resource(t, "invoice_items"), paymo.Query{})
	if err != nil {
		t.Fatal(err)
	}
	emptied := 0
	for _, family := range page.Families {
		if family.Listed && family.Children == 0 && len(items[family.ID]) > 0 {
			emptied++
		}
	}
	if emptied == 0 || page.Rows == 0 || page.Rows > 6 {
		t.Errorf("%d lists came empty, %d rows: %+v", emptied, page.Rows, page.Families)
	}
}

func TestChildrenGoTheOneWay(t *testing.T) {
	t.Parallel()
	server := play(status(http.StatusServiceUnavailable, ""), status(http.StatusOK, `{"invoices":[{"id":1,"token":"t","invoiceitems":[{"id":5}]}]}`))
	client := newPipeClient(t, server, func(c *paymo.Config) { c.Scheme = paymo.SchemeBasic })
	query := paymo.Query{Where: paymo.Where{}.In("id", 1), Include: "payments", Page: 2, PageSize: 100}
	page, err := client.Children(t.Context(), resource(t, "invoice_items"), query)
	if err != nil || page.Requests != 2 || !slices.Equal(rowIDs(page), []int64{5}) || page.Unknown != nil {
		t.Fatalf("the page is %+v: %v", page, err)
	}
	for i, r := range server.requests {
		if r.URL.Path != "/api/invoices" || r.URL.RawQuery != "include=invoiceitems&page=2&page_size=100&where=id%3D1" {
			t.Errorf("asked %s", r.RequestURI)
		}
		if !strings.HasPrefix(server.sent()[i], "Basic ") {
			t.Errorf("sent %s", server.sent()[i])
		}
	}
}

func TestChildrenRefused(t *testing.T) {
	t.Parallel()
	server := play(status(http.StatusOK, `{"invoices":[{"id":1,"invoiceitems":[]},{"id":"`+key+`","invoiceitems":[{"id":5}]}]}`))
	client := newClient(t, server)
	many := paymo.Query{Where: paymo.Where{}.In("id", slices.Repeat([]int64{123456789}, 600)...)}
	if page, err := client.Children(t.Context(), resource(t, "invoice_items"), many); page != nil || err == nil || !strings.Contains(err.Error(), "list invoices: the query has") {
		t.Errorf("a long query: page %v, error %v", page, err)
	}
	if page, err := client.Children(t.Context(), resource(t, "clients"), paymo.Query{}); page != nil || err == nil || !strings.Contains(err.Error(), "do not come with a parent") {
		t.Errorf("clients: page %v, error %v", page, err)
	}
	if server.count() != 0 {
		t.Errorf("%d requests were made", server.count())
	}
	page, err := client.Children(t.Context(), resource(t, "invoice_items"), paymo.Query{})
	failure, ok := errors.AsType[*paymo.DecodeError](err)
	if !ok || failure.Truncated || failure.Path != "/api/invoices" || !strings.Contains(failure.Problem, "parent 2 of the list has no usable id: the id is not a whole number") {
		t.Errorf("the error is %v", err)
	}
	if server.count() != 1 || page == nil || page.Requests != 1 || page.Rows != 0 || page.Families != nil {
		t.Errorf("%d requests, the page is %+v", server.count(), page)
	}
}
