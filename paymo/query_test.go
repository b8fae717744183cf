package paymo_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/paymotest"
)

func TestWhere(t *testing.T) {
	t.Parallel()
	// Two hours east of UTC, and half a second that Paymo does not know.
	at := time.Date(2026, 3, 1, 1, 30, 0, 500_000_000, time.FixedZone("", 2*60*60))
	var none paymo.Where
	for _, test := range []struct {
		where paymo.Where
		want  string
	}{
		{none, ``},
		{none.IDRange(nil, nil), ``},
		{none.IDRange(new(int64(5)), nil), `id>=5`},
		{none.IDRange(nil, new(int64(9))), `id<9`},
		{none.IDRange(new(int64(5)), new(int64(9))), `id>=5 and id<9`},
		{none.IDRange(new(int64(0)), new(int64(1<<62))), `id>=0 and id<4611686018427387904`},
		{none.IDIn(7), `id in (7)`},
		{none.IDIn(7, 8, 9), `id in (7,8,9)`},
		{none.UpdatedSince(at), `updated_on>=1772321400`},
		{none.UpdatedSince(at.UTC()), `updated_on>=1772321400`},
		{none.Interval("time_interval", at, at.AddDate(0, 1, 0)), `time_interval in ("2026-02-28T23:30:00Z","2026-03-31T23:30:00Z")`},
		{none.Interval("date_interval", at, at.AddDate(0, 1, 0)), `date_interval in ("2026-02-28","2026-03-31")`},
		{none.CreatedIn(at, at.AddDate(0, 0, 1)), `created_on>=1772321400 and created_on<1772407800`},
		{none.CreatedIn(at, time.Time{}), `created_on>=1772321400`},
		{none.CreatedIn(time.Time{}, at), `created_on<1772321400`},
		{none.CreatedIn(time.Time{}, time.Time{}), ``},
		{none.In("project_id", 4), `project_id=4`},
		{none.In("project_id", 4, -5, 6), `project_id in (4,-5,6)`},
		{none.AtLeast("project_id", 4), `project_id>=4`},
		{none.Equal("project_id", 4), `project_id=4`},
		{none.IsNull("end_time"), `end_time=null`},
		{none.Equal("user_id", 1).UpdatedSince(at).IDRange(new(int64(2)), nil), `user_id=1 and updated_on>=1772321400 and id>=2`},
	} {
		if got := test.where.String(); got != test.want {
			t.Errorf("the filter is %s, want %s", got, test.want)
		}
	}
}

// Two filters that begin alike share nothing.
func TestWhereLeavesReceiverAlone(t *testing.T) {
	t.Parallel()
	var shared paymo.Where
	for i := range int64(20) {
		before := shared.String()
		first, second := shared.Equal("a", i), shared.Equal("b", i)
		third := first.IsNull("c")
		if shared.String() != before {
			t.Fatalf("%s became %s", before, shared)
		}
		if !strings.HasSuffix(first.String(), "a="+itoa(i)) || !strings.HasSuffix(second.String(), "b="+itoa(i)) ||
			third.String() != first.String()+" and c=null" {
			t.Fatalf("made %s, %s and %s of %s", first, second, third, before)
		}
		shared = second
	}
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// Paymo answers a clause that is not encoded wrongly instead of refusing it, so nothing
// but letters, digits and what RFC 3986 calls unreserved goes as it is.
func TestQueryIsEncoded(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		query paymo.Query
		want  string
	}{
		{paymo.Query{}, ""},
		{paymo.Query{Page: 3}, ""},
		{paymo.Query{PageSize: 100}, "page=0&page_size=100"},
		{paymo.Query{Page: 3, PageSize: 100, Include: "invoiceitems,a.b"}, "include=invoiceitems%2Ca.b&page=3&page_size=100"},
		{paymo.Query{Include: "*,progress_status"}, "include=%2A%2Cprogress_status"},
		{
			paymo.Query{Where: paymo.Where{}.Interval("time_interval", at, at.AddDate(0, 0, 1)).UpdatedSince(at)},
			"where=time_interval%20in%20%28%222026-03-01T00%3A00%3A00Z%22%2C%222026-03-02T00%3A00%3A00Z%22%29%20and%20updated_on%3E%3D1772323200",
		},
		{
			paymo.Query{Where: paymo.Where{}.IsNull("end_time").IDRange(nil, new(int64(5))), PageSize: 5, Include: "x"},
			"include=x&page=0&page_size=5&where=end_time%3Dnull%20and%20id%3C5",
		},
	} {
		server := play(ok())
		client := newClient(t, server)
		for range 5 {
			if _, err := client.List(t.Context(), resource(t, "clients"), test.query); err != nil {
				t.Fatal(err)
			}
		}
		for _, r := range server.requests {
			if r.URL.RawQuery != test.want || r.URL.Path != "/api/clients" {
				t.Errorf("asked %s, want the query %s", r.RequestURI, test.want)
			}
		}
		where, err := url.QueryUnescape(server.requests[0].URL.Query().Get("where"))
		if want := test.query.Where.String(); err != nil || where != want {
			t.Errorf("the server reads %q (%v), want %q", where, err, want)
		}
	}
}

func TestQueryHasLimit(t *testing.T) {
	t.Parallel()
	server := play(ok())
	client := newClient(t, server)
	ids := func(n int) paymo.Query {
		return paymo.Query{Where: paymo.Where{}.IDIn(slices.Repeat([]int64{123456789}, n)...)}
	}
	if !ids(400).Fits() || ids(600).Fits() {
		t.Errorf("400 ids fit: %v, 600 ids: %v", ids(400).Fits(), ids(600).Fits())
	}
	if _, err := client.List(t.Context(), resource(t, "clients"), ids(400)); err != nil {
		t.Errorf("400 ids: %v", err)
	}
	page, err := client.List(t.Context(), resource(t, "clients"), ids(600))
	if page != nil || err == nil || !strings.Contains(err.Error(), "list clients: the query has 7219 bytes, more than the 6000") {
		t.Errorf("600 ids: page %v, error %v", page, err)
	}
	if server.count() != 1 {
		t.Errorf("%d requests, want that the long one is not made", server.count())
	}
	if size := len(server.requests[0].RequestURI); size > 8192 {
		t.Errorf("a request line of %d bytes was sent", size)
	}
}

// The fake reads filters as Paymo does.
func TestFiltersMeanWhatTheySay(t *testing.T) {
	t.Parallel()
	fake := paymotest.New(paymotest.Config{Clients: 1, Projects: 2, Entries: -1, Users: 2})
	client := newClient(t, fake, withKey(paymotest.DefaultKey))
	at := func(hour int) time.Time { return time.Date(2026, 3, 2, hour, 0, 0, 0, time.UTC) }
	made := at(0).AddDate(2, 0, 0)
	created := []time.Time{at(0), made, made.Add(time.Hour), at(0), at(0)}
	for id := range int64(5) {
		_, err := fake.Put("milestones", map[string]any{"id": 10 + id, "name": "Launch", "created_on": created[id], "updated_on": at(int(id))})
		if err != nil {
			t.Fatal(err)
		}
	}
	for row := range fake.Rows("milestones") {
		var seeded struct {
			ID int64 `json:"id"`
		}
		if err := json.Unmarshal(row, &seeded); err != nil {
			t.Fatal(err)
		}
		if seeded.ID >= 20 {
			if _, err := fake.Delete("milestones", seeded.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	var task struct {
		ID        int64 `json:"id"`
		ProjectID int64 `json:"project_id"`
	}
	for row := range fake.Rows("tasks") {
		if err := json.Unmarshal(row, &task); err != nil {
			t.Fatal(err)
		}
	}
	for id, entry := range []map[string]any{
		{"start_time": at(8), "end_time": at(9), "duration": 3600},
		{"start_time": at(10), "end_time": at(12), "duration": 7200},
		{"start_time": at(13), "end_time": nil},
	} {
		entry["id"], entry["task_id"], entry["project_id"], entry["user_id"] = 20+id, task.ID, task.ProjectID, 1
		if _, err := fake.Put("time_entries", entry); err != nil {
			t.Fatal(err)
		}
	}
	var none paymo.Where
	for _, test := range []struct {
		table string
		where paymo.Where
		want  []int64
	}{
		{"milestones", none, []int64{10, 11, 12, 13, 14}},
		{"milestones", none.IDRange(new(int64(11)), new(int64(13))), []int64{11, 12}},
		{"milestones", none.IDRange(new(int64(13)), nil), []int64{13, 14}},
		{"milestones", none.IDRange(nil, new(int64(10))), []int64{}},
		{"milestones", none.IDIn(14, 10, 99), []int64{10, 14}},
		{"milestones", none.In("id", 14, 10, 99), []int64{10, 14}},
		{"milestones", none.In("id", 14), []int64{14}},
		{"milestones", none.AtLeast("id", 13), []int64{13, 14}},
		{"milestones", none.CreatedIn(made, made.Add(time.Second)), []int64{11}},
		{"milestones", none.CreatedIn(made, time.Time{}), []int64{11, 12}},
		{"milestones", none.CreatedIn(time.Time{}, made.Add(time.Hour)).AtLeast("id", 11), []int64{11, 13, 14}},
		{"milestones", none.UpdatedSince(at(3)), []int64{13, 14}},
		{"milestones", none.UpdatedSince(at(3).Add(time.Second)), []int64{14}},
		{"milestones", none.UpdatedSince(at(1)).IDRange(nil, new(int64(13))), []int64{11, 12}},
		{"time_entries", none.Interval("time_interval", at(8), at(13)), []int64{20, 21}},
		{"time_entries", none.Interval("time_interval", at(9), at(10)), []int64{}},
		{"time_entries", none.Equal("project_id", task.ProjectID).IsNull("end_time"), []int64{22}},
	} {
		page, err := client.List(t.Context(), resource(t, test.table), paymo.Query{Where: test.where})
		if err != nil {
			t.Errorf("%s where %s: %v", test.table, test.where, err)
			continue
		}
		if got := rowIDs(page); !slices.Equal(got, test.want) {
			t.Errorf("%s where %s: ids %v, want %v", test.table, test.where, got, test.want)
		}
	}
	page, err := client.List(t.Context(), resource(t, "milestones"), paymo.Query{Page: 1, PageSize: 2})
	if err != nil || !slices.Equal(rowIDs(page), []int64{12, 13}) {
		t.Errorf("the second page is %+v: %v", page, err)
	}
	_, err = client.List(t.Context(), resource(t, "clients"), paymo.Query{Where: none.IsNull("nonsense")})
	if err == nil || !strings.Contains(err.Error(), "answered 400 "+http.StatusText(http.StatusBadRequest)) {
		t.Errorf("an unknown field: %v", err)
	}
}
