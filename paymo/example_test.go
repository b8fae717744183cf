package paymo_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/paymo/paymotest"
)

// Which projects changed since a moment? A Paymo that is played here answers.
func ExampleClient_List() {
	fake := paymotest.New(paymotest.Config{Key: "the-key"})
	since := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	for i, name := range []string{"Website", "Annual report"} {
		_, err := fake.Put("projects", map[string]any{"name": name, "budget_hours": 12.5, "updated_on": since.AddDate(0, 0, i)})
		if err != nil {
			fmt.Println(err)
		}
	}
	server := httptest.NewServer(fake)
	defer server.Close()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()

	client, err := paymo.New(paymo.Config{
		BaseURL:   server.URL,
		Key:       func(context.Context) (string, error) { return "the-key", nil },
		Transport: transport,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	projects, _ := catalog.Lookup("projects")
	page, err := client.List(context.Background(), projects, paymo.Query{Where: paymo.Where{}.UpdatedSince(since)})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, record := range page.Records {
		for i, column := range projects.Stored() {
			if column.Name == "name" || column.Name == "budget_hours" {
				fmt.Printf("%s: %s\n", column.Name, record.Values[i].Text)
			}
		}
	}
	fmt.Println("requests:", page.Requests)
	// Output:
	// name: Website
	// budget_hours: 12.5
	// name: Annual report
	// budget_hours: 12.5
	// requests: 1
}
