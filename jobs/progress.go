package jobs

import (
	"encoding/json"
	"time"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// progressLife is how long an unfinished run is worth going on with.
const progressLife = 24 * time.Hour

// Progress is an unfinished run: what it has still to read and what it has seen. It
// commits with every page, so that a killed run goes on where it was.
type Progress struct {
	Run        int64           `json:"run"` // the ledger's row
	Mode       Mode            `json:"mode"`
	StartedAt  time.Time       `json:"started_at"` // database clock
	Layout     string          `json:"layout"`     // of the table that it fills
	Listing    catalog.Listing `json:"listing"`
	Since      time.Time       `json:"since,omitzero"` // updated_on at or after it, zero: everything
	Ranges     *Ranges         `json:"ranges,omitempty"`
	Pages      *Pages          `json:"pages,omitempty"`
	Parents    *Parents        `json:"parents,omitempty"`
	Single     bool            `json:"single,omitempty"`     // the one object was read
	Unscoped   bool            `json:"unscoped,omitempty"`   // rows without a parent are being read, the others were
	Hot        bool            `json:"hot,omitempty"`        // only rows about the last weeks
	Timers     bool            `json:"timers,omitempty"`     // running timers were read
	Heard      bool            `json:"heard,omitempty"`      // there was a reply
	Dated      bool            `json:"dated,omitempty"`      // the first reply told Paymo's clock
	Horizon    time.Time       `json:"horizon,omitzero"`     // Paymo's clock at the first reply
	Newest     time.Time       `json:"newest,omitzero"`      // newest updated_on seen
	Highest    int64           `json:"highest,omitempty"`    // highest position seen, for the share that is left
	Witnesses  []int64         `json:"witnesses,omitempty"`  // ids that a range over them must hold
	Seen       int64           `json:"seen"`                 // rows read, repeated ones too
	Listed     int64           `json:"listed"`               // rows of the listing, as far as it is believed
	Longest    int             `json:"longest,omitempty"`    // rows of the longest reply that was not cut
	Known      int64           `json:"known,omitempty"`      // rows that the table held when it began to list everything
	Windowless bool            `json:"windowless,omitempty"` // listed by parent because windows of time showed nothing
	Doubt      Doubt           `json:"doubt,omitzero"`       // speaks against the listing's being whole
	Late       int64           `json:"late,omitempty"`       // rows that earlier incrementals should have brought
	Outdated   int64           `json:"outdated,omitempty"`   // rows that came in an older version than they are known in
	Blank      Doubt           `json:"blank,omitzero"`       // columns that came blank where they were not
	Misfits    bool            `json:"misfits,omitempty"`    // some values did not fit their columns
	Rejected   bool            `json:"rejected,omitempty"`   // rows without a usable id came, which may be any
	Excused    bool            `json:"excused,omitempty"`    // incrementals could not have brought every row
	Swept      Swept           `json:"swept,omitzero"`
	From       time.Time       `json:"from,omitzero"` // of a backfill: only rows about this day or a later one
	To         time.Time       `json:"to,omitzero"`   // of a backfill: only rows about a day before it; zero: no end
}

// parseProgress reads a checkpoint's progress; nil when there is none that can be
// gone on with.
func parseProgress(text json.RawMessage, layout string, now time.Time) *Progress {
	if text == nil {
		return nil
	}
	var p Progress
	if err := json.Unmarshal(text, &p); err != nil {
		return nil
	}
	if p.Layout != layout || now.Sub(p.StartedAt) > progressLife {
		return nil
	}
	return &p
}

// goesOn reports whether the unfinished run is one of what is asked for. A full serves an
// incremental too.
func (p *Progress) goesOn(mode Mode, req Request) bool {
	if mode == Backfill {
		return p.From.Equal(req.From) && p.To.Equal(req.To)
	}
	return p.Mode == mode || p.Mode == Full
}

func (p *Progress) text() json.RawMessage {
	text, err := json.Marshal(p)
	if err != nil { // a struct of numbers and times always marshals
		panic(err)
	}
	return text
}
