package paymotest

import (
	"encoding/json"
	"fmt"
	"iter"
	"maps"
)

// main is the account that Config describes.
func (s *Server) main() *account {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accounts[0]
}

// Put stores an object in a table and returns its id. Without an id it gets the
// next one; with one it replaces the object of that id. created_on and
// updated_on are the clock's, unless given. Values: nil, bool, string, integers,
// float64, json.Number, json.RawMessage, time.Time for a datetime, and slices
// and maps of these. Fields left out are absent from the object.
func (s *Server) Put(table string, object map[string]any) (int64, error) {
	r, err := s.main().put(table, object)
	if err != nil {
		return 0, err
	}
	return r.id, nil
}

// Patch changes fields of an object; updated_on is the clock's, unless given.
func (s *Server) Patch(table string, id int64, changes map[string]any) error {
	_, err := s.main().patch(table, id, changes)
	return err
}

// PatchQuietly changes fields and leaves updated_on as it is, as Paymo may do
// when it changes many rows at once.
func (s *Server) PatchQuietly(table string, id int64, changes map[string]any) error {
	f := fields{"updated_on": keep{}}
	maps.Copy(f, changes)
	_, err := s.main().patch(table, id, f)
	return err
}

// Unset removes fields from an object.
func (s *Server) Unset(table string, id int64, names ...string) error {
	f := fields{}
	for _, name := range names {
		f[name] = drop{}
	}
	_, err := s.main().patch(table, id, f)
	return err
}

// Delete removes an object and all that Paymo removes with it, and returns how
// many objects went. A workflow with projects and a status with tasks are refused.
func (s *Server) Delete(table string, id int64) (int, error) {
	return s.main().remove(table, id, false)
}

// Restore brings an object back that Delete removed, with all that went with it and
// is not there again by now, and returns how many objects came. What comes has the
// created_on that it had, and the clock's updated_on. It is ErrNotFound for an
// object that is none of the last 500 that were deleted, or was restored since;
// what went along with another comes back with that one only.
func (s *Server) Restore(table string, id int64) (int, error) { return s.main().restore(table, id) }

// Get is an object as served to an Admin, or ErrNotFound.
func (s *Server) Get(table string, id int64) (json.RawMessage, error) {
	v := s.main().snapshot()
	if _, ok := v.index[table]; !ok {
		return nil, fmt.Errorf("get %s: no such table", table)
	}
	t := v.table(table)
	at, ok := t.find(id)
	if !ok {
		return nil, fmt.Errorf("get %s %d: %w", table, id, ErrNotFound)
	}
	return t.append(nil, at), nil
}

// Rows are a table's objects by ascending id, each exactly as served to an Admin:
// a snapshot of the moment of the call. An unknown table has none.
func (s *Server) Rows(table string) iter.Seq[json.RawMessage] {
	v := s.main().snapshot()
	return func(yield func(json.RawMessage) bool) {
		if _, ok := v.index[table]; !ok {
			return
		}
		t := v.table(table)
		t.each(Ascending, everything(), func(r ref) bool { return yield(t.append(nil, r)) })
	}
}

// Count is the number of objects in a table.
func (s *Server) Count(table string) int {
	v := s.main().snapshot()
	if _, ok := v.index[table]; !ok {
		return 0
	}
	return v.table(table).count()
}
