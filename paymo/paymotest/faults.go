package paymotest

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// FaultKind is a way to misbehave.
type FaultKind string

// The kinds. N, Field, Delay and URL are fields of Fault.
const (
	FaultStatus       FaultKind = "status"        // answers N; Retry-After: Delay, and 1 s with 429 if it is zero
	FaultHTML         FaultKind = "html"          // answers N (200) with a page of HTML
	FaultRedirect     FaultKind = "redirect"      // 302 to URL (https://elsewhere.invalid)
	FaultCut          FaultKind = "cut"           // closes the connection after N bytes (256) or half of the body
	FaultTruncate     FaultKind = "truncate"      // ends the reply there, properly
	FaultSlow         FaultKind = "slow"          // waits for Delay (1 s) before it answers
	FaultDrip         FaultKind = "drip"          // waits for Delay (50 ms) after every N bytes (64)
	FaultEndless      FaultKind = "endless"       // the list never ends
	FaultEmpty        FaultKind = "empty"         // 200 with an empty list
	FaultCutList      FaultKind = "cut-list"      // the list ends after N rows (10) over all pages
	FaultIgnorePaging FaultKind = "ignore-paging" // page and page_size do nothing
	FaultPageCap      FaultKind = "page-cap"      // page_size is at most N (10)
	FaultIgnoreFilter FaultKind = "ignore-filter" // conditions on Field (updated_on) do nothing
	FaultBreakFilter  FaultKind = "break-filter"  // conditions on Field (updated_on) match nothing
	FaultRotate       FaultKind = "rotate"        // the list begins N rows (1) later at every request
	FaultDuplicate    FaultKind = "duplicate"     // each page begins with the last row of the one before
	FaultEmptyNested  FaultKind = "empty-nested"  // included lists are empty
	FaultMove         FaultKind = "move"          // the first N rows (1) are the last ones, but only while page 0 is asked for: the next page repeats as many
	FaultForget       FaultKind = "forget"        // no list of the table has every Nth row (7) of it, though each is served by its id alone, and as an include
	FaultStale        FaultKind = "stale"         // rows are as they were before their last Put or Patch, in filters too; nested ones as well
	FaultBlank        FaultKind = "blank"         // prices and amounts are null, as they are for lesser keys
	FaultWrongKey     FaultKind = "wrong-key"     // the list is under another key

	// These change every third row, the first one included.
	FaultBadID     FaultKind = "bad-id"     // the id is a word
	FaultNoID      FaultKind = "no-id"      // the id is absent
	FaultWrongType FaultKind = "wrong-type" // Field (the first text) is an object
	FaultNUL       FaultKind = "nul"        // Field (the first text) holds U+0000
	FaultHuge      FaultKind = "huge"       // Field (the first integer after id) has 30 digits
)

// Fault makes some requests go wrong.
type Fault struct {
	Kind  FaultKind     `json:"kind"`
	Table string        `json:"table,omitempty"` // "" is all, "me" is /api/me
	Where string        `json:"where,omitempty"` // only requests whose where holds this text, such as one parent's
	Skip  int           `json:"skip,omitempty"`  // requests to let by first
	Count int           `json:"count,omitempty"` // requests to spoil; 0 is all until it is removed
	N     int           `json:"n,omitempty"`
	Field string        `json:"field,omitempty"`
	Delay time.Duration `json:"delay,omitempty"`
	URL   string        `json:"url,omitempty"`
}

// Faults are all kinds.
func Faults() []FaultKind {
	return []FaultKind{FaultStatus, FaultHTML, FaultRedirect, FaultCut, FaultTruncate, FaultSlow, FaultDrip,
		FaultEndless, FaultEmpty, FaultCutList, FaultIgnorePaging, FaultPageCap, FaultIgnoreFilter, FaultBreakFilter,
		FaultRotate, FaultDuplicate, FaultMove, FaultForget, FaultStale, FaultBlank, FaultEmptyNested, FaultWrongKey, FaultBadID, FaultNoID, FaultWrongType, FaultNUL, FaultHuge}
}

// ParseFault reads KIND[=VALUE][:TABLE[:COUNT]]. KIND is a fault kind or an HTTP
// status; VALUE is its N, Field, Delay or URL, whichever it looks like.
func ParseFault(s string) (Fault, error) {
	var f Fault
	head, rest, _ := strings.Cut(s, ":")
	if kind, value, ok := strings.Cut(s, "="); ok && strings.HasPrefix(value, "http") {
		head, rest, f.URL = kind, "", value
	}
	kind, value, valued := strings.Cut(head, "=")
	f.Kind = FaultKind(kind)
	if status, err := strconv.Atoi(kind); err == nil {
		f.Kind, f.N = FaultStatus, status
	}
	if n, err := strconv.Atoi(value); err == nil {
		f.N = n
	} else if d, err := time.ParseDuration(value); err == nil {
		f.Delay = d
	} else if valued {
		f.Field = value
	}
	table, count, counted := strings.Cut(rest, ":")
	f.Table = table
	if counted {
		n, err := strconv.Atoi(count)
		if err != nil || n < 0 {
			return f, fmt.Errorf("fault %q: %q is not a count", s, count)
		}
		f.Count = n
	}
	if err := f.Validate(); err != nil {
		return f, fmt.Errorf("fault %q: %w", s, err)
	}
	return f, nil
}

// Validate reports a kind, status or table that there is not.
func (f Fault) Validate() error {
	if !slices.Contains(Faults(), f.Kind) {
		return fmt.Errorf("unknown kind %q", f.Kind)
	}
	if f.Kind == FaultStatus && (f.N < 300 || f.N > 599) {
		return fmt.Errorf("status %d is none of an error", f.N)
	}
	if _, ok := catalog.Lookup(f.Table); !ok && f.Table != "" && f.Table != "me" {
		return fmt.Errorf("unknown table %q", f.Table)
	}
	return nil
}

func (f Fault) withDefaults() Fault {
	def := func(n int) {
		if f.N == 0 {
			f.N = n
		}
	}
	wait := func(d time.Duration) {
		if f.Delay == 0 {
			f.Delay = d
		}
	}
	switch f.Kind {
	case FaultStatus:
		if f.N == http.StatusTooManyRequests {
			wait(time.Second)
		}
	case FaultHTML:
		def(http.StatusOK)
	case FaultRedirect:
		if f.URL == "" {
			f.URL = "https://elsewhere.invalid"
		}
	case FaultCut, FaultTruncate:
		def(256)
	case FaultSlow:
		wait(time.Second)
	case FaultDrip:
		def(64)
		wait(50 * time.Millisecond)
	case FaultCutList, FaultPageCap:
		def(10)
	case FaultRotate, FaultMove:
		def(1)
	case FaultForget:
		def(7)
	case FaultIgnoreFilter, FaultBreakFilter:
		if f.Field == "" {
			f.Field = "updated_on"
		}
	}
	return f
}

// armed is a fault that waits for requests.
type armed struct {
	Fault
	id   int
	seen int // requests that it is meant for
}

// AddFault arms a fault and returns its number. Faults add up; of those that
// answer at once the first wins. It panics on a kind or table that there is not,
// which is a mistake in a test.
func (s *Server) AddFault(f Fault) int {
	if err := f.Validate(); err != nil {
		panic("paymotest: " + err.Error())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faultID++
	s.faults = append(s.faults, &armed{Fault: f.withDefaults(), id: s.faultID})
	return s.faultID
}

// RemoveFault disarms a fault.
func (s *Server) RemoveFault(id int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = slices.DeleteFunc(s.faults, func(f *armed) bool { return f.id == id })
}

// ClearFaults disarms all faults.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// Armed are the faults that still wait for requests, by number.
func (s *Server) Armed() map[int]Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := map[int]Fault{}
	for _, f := range s.faults {
		m[f.id] = f.Fault
	}
	return m
}

// fire counts a request and collects the faults that spoil it. Those
// that are used up are disarmed.
func (s *Server) fire(table, where string) firing {
	s.mu.Lock()
	defer s.mu.Unlock()
	var fired firing
	s.faults = slices.DeleteFunc(s.faults, func(f *armed) bool {
		if f.Table != "" && f.Table != table || !strings.Contains(where, f.Where) {
			return false
		}
		f.seen++
		if f.seen > f.Skip {
			fired = append(fired, shot{Fault: f.Fault, nth: f.seen - f.Skip})
		}
		return f.Count > 0 && f.seen >= f.Skip+f.Count
	})
	return fired
}

// shot is a fault that spoils a request, its nth.
type shot struct {
	Fault
	nth int
}

// firing are the faults that spoil one request.
type firing []shot
