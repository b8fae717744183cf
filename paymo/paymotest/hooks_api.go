package paymotest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// hookBody is what a client sends of a hook: what it leaves out stays as it is.
type hookBody struct {
	TargetURL *string `json:"target_url"`
	Event     *string `json:"event"`
	Where     *string `json:"where"`
	Secret    *string `json:"secret"`
}

// changeHook makes, changes or deletes a hook, as the key's user.
func (s *Server) changeHook(w http.ResponseWriter, r *http.Request, key Key, id string) {
	s.mu.Lock()
	acc := s.accounts[key.Company]
	s.mu.Unlock()
	view := acc.snapshot()
	if user, ok := view.table("users").find(key.UserID); !ok || newViewer(&view, user.row).barred(view.table("webhooks").res) {
		fail(w, http.StatusForbidden, "Access denied")
		return
	}
	if id == "" {
		if r.Method != http.MethodPost {
			fail(w, http.StatusMethodNotAllowed, "Method not allowed")
			return
		}
		s.writeHook(w, r, acc, key, 0)
		return
	}
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil || !acc.ownsHook(n, key.UserID) {
		fail(w, http.StatusNotFound, "Object not found")
		return
	}
	if r.Method == http.MethodDelete {
		if _, err := acc.remove("webhooks", n, false); err != nil {
			fail(w, http.StatusNotFound, "Object not found")
			return
		}
		w.WriteHeader(http.StatusOK)
		return
	}
	s.writeHook(w, r, acc, key, n)
}

// writeHook makes a hook of what is sent or, with an id, changes one.
func (s *Server) writeHook(w http.ResponseWriter, r *http.Request, acc *account, key Key, id int64) {
	var sent hookBody
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&sent); err != nil {
		fail(w, http.StatusBadRequest, "Decoding failed: Syntax error")
		return
	}
	f, err := sent.fields(id == 0)
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	var made *row
	status := http.StatusOK
	if id == 0 {
		status = http.StatusCreated
		made, err = acc.put("webhooks", f)
	} else {
		made, err = acc.patch("webhooks", id, f)
	}
	if err != nil {
		fail(w, http.StatusNotFound, "Object not found")
		return
	}
	acc.keepHook(made.id, key.UserID, sent.Secret)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if id == 0 {
		w.Header().Set("Location", fmt.Sprintf("%s/%d", r.URL.Path, made.id))
	}
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"hooks":[%s]}`, made.raw)
}

// fields are those of the hook's row: the secret is never among them.
func (b hookBody) fields(fresh bool) (fields, error) {
	f := fields{"last_status_code": nil}
	if fresh {
		f["where"] = nil
	}
	if b.TargetURL != nil {
		target, err := url.Parse(*b.TargetURL)
		if err != nil || target.Host == "" || !strings.HasPrefix(target.Scheme, "http") {
			return nil, fmt.Errorf("Invalid target_url") //nolint:staticcheck // Paymo's words begin so
		}
		f["target_url"] = *b.TargetURL
	}
	if b.Event != nil {
		res, err := hookModel(*b.Event)
		if err != nil {
			return nil, err
		}
		// That of a wildcard is not looked at before an event comes.
		if b.Where != nil && res != nil && !strings.Contains(*b.Event, "*") {
			if _, err := newFilter(res, *b.Where); err != nil {
				return nil, err
			}
		}
		f["event"] = *b.Event
	}
	if b.Where != nil {
		f["where"] = *b.Where
	}
	for _, name := range []string{"target_url", "event"} {
		if fresh && f[name] == nil {
			return nil, fmt.Errorf("%s is required", name)
		}
	}
	return f, nil
}

// keepHook remembers what the listing of hooks does not show.
func (a *account) keepHook(id, owner int64, secret *string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	h := hook{owner: owner, secret: a.hooks[id].secret}
	if secret != nil {
		h.secret = *secret
	}
	a.hooks[id] = h
}

// ownsHook reports whether a hook is the user's. Those that were seeded are everybody's.
func (a *account) ownsHook(id, user int64) bool {
	a.mu.RLock()
	defer a.mu.RUnlock()
	h, made := a.hooks[id]
	return !made || h.owner == user
}
