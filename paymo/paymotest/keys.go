package paymotest

import (
	"encoding/base64"
	"net/http"
	"strings"
)

// Key is an API key: it acts as a user of a company.
type Key struct {
	Value   string
	Company int // 0 is the one that Config describes
	UserID  int64
}

// AddKey lets a key in. It acts as the company's first user of that role (Admin,
// Employee, Guest, …), who is created if there is none. An existing key is replaced.
func (s *Server) AddKey(value, role string) Key { return s.AddCompanyKey(value, role, 0) }

// AddCompanyKey is AddKey for another company, which is seeded when it is first
// named: a small one with ids of its own.
func (s *Server) AddCompanyKey(value, role string, company int) Key {
	s.mu.Lock()
	defer s.mu.Unlock()
	acc := s.accounts[company]
	if acc == nil {
		cfg := s.cfg
		cfg.Seed += uint64(company)
		cfg.Users, cfg.Clients, cfg.Projects, cfg.Tasks, cfg.Entries, cfg.Invoices = 4, 3, 4, 20, 50, 4
		acc = newAccount(cfg, company)
		s.accounts[company] = acc
	}
	k := Key{Value: value, Company: company, UserID: acc.userOf(role)}
	s.keys[value] = k
	return k
}

// AddUserKey lets a key in that acts as one user of the first company.
func (s *Server) AddUserKey(value string, user int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[value] = Key{Value: value, UserID: user}
}

// RevokeKey makes a key answer 401.
func (s *Server) RevokeKey(value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.keys, value)
}

// Keys is the number of keys that are let in.
func (s *Server) Keys() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.keys)
}

// SetRole changes the type of the user that a key acts as. It reports whether
// there is such a key.
func (s *Server) SetRole(value, role string) bool {
	s.mu.Lock()
	k, ok := s.keys[value]
	acc := s.accounts[k.Company]
	s.mu.Unlock()
	if !ok {
		return false
	}
	_, err := acc.patch("users", k.UserID, fields{"type": role})
	return err == nil
}

// userOf is the first user of a role, created if there is none.
func (a *account) userOf(role string) int64 {
	for _, r := range a.snapshotOf("users").rows {
		if r.value("type").text == role {
			return r.id
		}
	}
	r, err := a.put("users", fields{"name": role + " of the API", "type": role, "active": true})
	if err != nil {
		panic(err) // a bug: the fields are fixed
	}
	return r.id
}

// authorize finds the key of a request in its Authorization header.
func (s *Server) authorize(r *http.Request) (Key, bool) {
	header := r.Header.Get("Authorization")
	var value string
	if scheme, rest, ok := strings.Cut(header, " "); ok && strings.EqualFold(scheme, "Basic") {
		if s.cfg.Auth == Raw {
			return Key{}, false
		}
		plain, err := base64.StdEncoding.DecodeString(strings.TrimSpace(rest))
		user, _, colon := strings.Cut(string(plain), ":")
		if err != nil || !colon {
			return Key{}, false
		}
		value = user
	} else {
		if s.cfg.Auth == Basic {
			return Key{}, false
		}
		value = header
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	k, ok := s.keys[value]
	return k, ok
}
