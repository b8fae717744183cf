package catalog

import "time"

// State tells whether a record says anything about a column.
type State uint8

// The states. An absent column is left as it is: absent is not null.
const (
	Absent State = iota
	Null
	Set
)

// Value is what a record says about one column: its text as PostgreSQL reads it
// for the column's kind, when State is Set.
type Value struct {
	Text  string
	State State
}

// Record is one decoded object of a resource.
type Record struct {
	ID      int64
	Updated time.Time // updated_on, zero when unknown
	Values  []Value   // one for each of Resource.Stored, in that order
	Extra   string    // JSON object of the fields the catalogue does not know, "" for none
	Issues  string    // JSON object of column → raw value that would not convert, "" for none
}

// Reject is an object that cannot become a row: it is kept aside, not lost.
type Reject struct {
	Payload string // the object as JSON, without secret fields
	Problem string // why, in words
}
