package paymotest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/paymosync/paymosync/paymo/paymotest"
)

func Example() {
	paymo := paymotest.New(paymotest.Config{Seed: 1})
	server := httptest.NewServer(paymo)
	defer server.Close()

	id, err := paymo.Put("project_statuses", map[string]any{"id": 77, "name": "Waiting", "created_on": nil, "updated_on": nil})
	if err != nil {
		fmt.Println(err)
	}
	ask := func() {
		req, _ := http.NewRequest(http.MethodGet, fmt.Sprintf("%s/api/projectstatuses?where=id=%d", server.URL, id), nil)
		req.Header.Set("Authorization", paymotest.DefaultKey)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			fmt.Println(err)
			return
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		fmt.Println(resp.StatusCode, string(body))
	}
	ask()
	paymo.AddFault(paymotest.Fault{Kind: paymotest.FaultStatus, N: http.StatusForbidden, Table: "project_statuses", Count: 1})
	ask()
	ask()
	http.DefaultClient.CloseIdleConnections()
	// Output:
	// 200 {"projectstatuses":[{"id":77,"name":"Waiting","created_on":null,"updated_on":null}]}
	// 403 {"message":"Access denied"}
	// 200 {"projectstatuses":[{"id":77,"name":"Waiting","created_on":null,"updated_on":null}]}
}
