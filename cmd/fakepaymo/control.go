package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/paymosync/paymosync/paymo/paymotest"
)

// command is the body of a control request; each path reads what it needs.
type command struct {
	Fault   string           `json:"fault"` // as in --fault
	Spec    *paymotest.Fault `json:"spec"`  // or in full
	ID      int64            `json:"id"`
	Key     string           `json:"key"`
	Role    string           `json:"role"`
	Company int              `json:"company"`
	Table   string           `json:"table"`
	Object  map[string]any   `json:"object"`
	Count   int              `json:"count"`
}

// control drives the server from shell tests. It answers only clients on this
// machine, because it needs no key.
//
//	/_fake/faults/add    {"fault": "503:projects:3"} or {"spec": {"kind": "status", "n": 503}}
//	/_fake/faults/remove {"id": 1}
//	/_fake/faults/clear
//	/_fake/keys/add      {"key": "…", "role": "Admin", "company": 0}
//	/_fake/keys/revoke   {"key": "…"}
//	/_fake/keys/role     {"key": "…", "role": "Employee"}
//	/_fake/rows/put      {"table": "tasks", "object": {…}}
//	/_fake/rows/patch    {"table": "tasks", "id": 1, "object": {…}}
//	/_fake/rows/delete   {"table": "tasks", "id": 1}
//	/_fake/rows/restore  {"table": "tasks", "id": 1}: what was deleted
//	/_fake/rows/get      {"table": "tasks", "id": 1}
//	/_fake/rows/list     {"table": "tasks"}: one object a line
//	/_fake/rows/count    {"table": "tasks"}
//	/_fake/work          {"count": 10}: changes to make at once
//	/_fake/stats         requests by table, faults that wait
//	/_fake/requests      the log
//	/_fake/reset         forget the log
func control(s *paymotest.Server) http.Handler {
	mux := http.NewServeMux()
	handle := func(path string, act func(command) (any, error)) {
		mux.HandleFunc("POST /_fake/"+path, func(w http.ResponseWriter, r *http.Request) {
			var c command
			dec := json.NewDecoder(r.Body)
			dec.UseNumber()
			if err := dec.Decode(&c); err != nil && r.ContentLength != 0 {
				answer(w, http.StatusBadRequest, map[string]string{"message": err.Error()})
				return
			}
			result, err := act(c)
			switch {
			case errors.Is(err, paymotest.ErrNotFound):
				answer(w, http.StatusNotFound, map[string]string{"message": err.Error()})
			case err != nil:
				answer(w, http.StatusBadRequest, map[string]string{"message": err.Error()})
			default:
				answer(w, http.StatusOK, result)
			}
		})
	}
	done := map[string]bool{"ok": true}
	handle("faults/add", func(c command) (any, error) {
		var f paymotest.Fault
		var err error
		if c.Spec != nil {
			f, err = *c.Spec, c.Spec.Validate()
		} else {
			f, err = paymotest.ParseFault(c.Fault)
		}
		if err != nil {
			return nil, err
		}
		return map[string]int{"id": s.AddFault(f)}, nil
	})
	handle("faults/remove", func(c command) (any, error) {
		s.RemoveFault(int(c.ID))
		return done, nil
	})
	handle("faults/clear", func(command) (any, error) {
		s.ClearFaults()
		return done, nil
	})
	handle("keys/add", func(c command) (any, error) {
		if c.Role == "" {
			c.Role = "Admin"
		}
		if c.Key == "" {
			return nil, errors.New("key is empty")
		}
		return map[string]int64{"user_id": s.AddCompanyKey(c.Key, c.Role, c.Company).UserID}, nil
	})
	handle("keys/revoke", func(c command) (any, error) {
		s.RevokeKey(c.Key)
		return done, nil
	})
	handle("keys/role", func(c command) (any, error) {
		if !s.SetRole(c.Key, c.Role) {
			return nil, errors.New("no such key")
		}
		return done, nil
	})
	handle("rows/put", func(c command) (any, error) {
		id, err := s.Put(c.Table, c.Object)
		return map[string]int64{"id": id}, err
	})
	handle("rows/patch", func(c command) (any, error) { return done, s.Patch(c.Table, c.ID, c.Object) })
	handle("rows/delete", func(c command) (any, error) {
		n, err := s.Delete(c.Table, c.ID)
		return map[string]int{"deleted": n}, err
	})
	handle("rows/restore", func(c command) (any, error) {
		n, err := s.Restore(c.Table, c.ID)
		return map[string]int{"restored": n}, err
	})
	handle("rows/get", func(c command) (any, error) { return s.Get(c.Table, c.ID) })
	handle("rows/list", func(c command) (any, error) { return (func(func(json.RawMessage) bool))(s.Rows(c.Table)), nil })
	handle("rows/count", func(c command) (any, error) { return map[string]int{"count": s.Count(c.Table)}, nil })
	handle("work", func(c command) (any, error) {
		s.Work(max(1, c.Count))
		return done, nil
	})
	handle("stats", func(command) (any, error) {
		return map[string]any{"tables": s.Counts(), "faults": s.Armed(), "keys": s.Keys()}, nil
	})
	handle("requests", func(command) (any, error) { return s.Requests(), nil })
	handle("reset", func(command) (any, error) {
		s.ResetLog()
		return done, nil
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
			answer(w, http.StatusForbidden, map[string]string{"message": "control is for this machine"})
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// answer writes JSON; rows go out one a line.
func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if rows, ok := v.(func(func(json.RawMessage) bool)); ok {
		rows(func(raw json.RawMessage) bool {
			_, err := fmt.Fprintf(w, "%s\n", raw)
			return err == nil
		})
		return
	}
	_ = json.NewEncoder(w).Encode(v)
}
