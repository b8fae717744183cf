package jobs

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// Repair is the mode, in the ledger, of a run that mends what a verification found.
const Repair Mode = "repair"

// The verdicts of a verification.
const (
	VerdictEqual       = "equal"
	VerdictRepaired    = "repaired"    // it differed, and does not any more
	VerdictPending     = "pending"     // what differed changed while it was compared
	VerdictDifferent   = "different"   // it differs
	VerdictUnproven    = "unproven"    // Paymo could not be read, or not be believed
	VerdictUnavailable = "unavailable" // Paymo does not serve the table to this key
)

// mostExamples is how many differences of a table are told one by one.
const mostExamples = 20

// VerifyRequest asks for the verification of one table.
type VerifyRequest struct {
	Resource      *catalog.Resource
	Since         time.Time                              // compare what is about this time or later, or changed since; zero: everything
	Repair        bool                                   // mend what differs
	AcceptDeletes bool                                   // with Repair: rows that are gone from Paymo are marked deleted, however many nothing explains
	Waiting       func(reason error, wait time.Duration) // called before a wait; may be nil
}

// Count is a number of rows, or Unknown. As JSON it is a number or null.
type Count int64

// Unknown is the count of rows that could not be counted.
const Unknown Count = -1

// Known is the number, 0 where it is not known.
func (c Count) Known() int64 { return int64(max(0, c)) }

// MarshalJSON writes the number, or null.
func (c Count) MarshalJSON() ([]byte, error) {
	if c == Unknown {
		return []byte("null"), nil
	}
	return strconv.AppendInt(nil, int64(c), 10), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (c *Count) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*c = Unknown
		return nil
	}
	return json.Unmarshal(text, (*int64)(c))
}

// Verified is what a verification found. Missing, Extra and Different count what was
// found, and found again when it was read once more; none is told as 0 where not all of
// the table was looked through. Repaired are those of them that do not differ any more.
type Verified struct {
	Table     string          `json:"table"`
	Verdict   string          `json:"verdict"`
	Reason    string          `json:"reason"`         // why nothing is proven, or not everything is mended
	From      string          `json:"from,omitempty"` // YYYY-MM-DD, the first day that was compared, of a table that is read by such days; "" for all
	Paymo     Count           `json:"paymo"`          // rows there
	Warehouse Count           `json:"warehouse"`      // live rows here
	Missing   Count           `json:"missing"`        // rows of Paymo that the warehouse lacks or has marked deleted
	Extra     Count           `json:"extra"`          // live rows of the warehouse that are gone from Paymo
	Different Count           `json:"different"`      // rows with other values
	Repaired  int64           `json:"repaired"`
	Pending   int64           `json:"pending"`            // rows that changed while they were compared
	Rows      []RowDifference `json:"rows"`               // examples
	Omitted   int64           `json:"rows_omitted"`       // rows that differ beside the examples
	Sums      []SumDifference `json:"sums"`               // those that disagree
	Unsummed  string          `json:"unsummed,omitempty"` // why the sums could not be compared
	Requests  int             `json:"requests"`
	Waited    time.Duration   `json:"waited_ns"`
	Took      time.Duration   `json:"took_ns"`
}

// RowDifference is a row that differs.
type RowDifference struct {
	ID       int64                   `json:"id"`
	Kind     string                  `json:"kind"`
	Columns  []sink.ColumnDifference `json:"columns,omitempty"`
	Older    bool                    `json:"older"` // Paymo's version is older than the warehouse's
	Repaired bool                    `json:"repaired"`
}

// The kinds of a RowDifference.
const (
	RowMissing   = "missing"   // Paymo alone has it
	RowDeleted   = "deleted"   // Paymo has it, and the warehouse has it marked deleted
	RowExtra     = "extra"     // the warehouse alone has it
	RowDifferent = "different" // it has other values
)

// Found is how many rows differed.
func (v *Verified) Found() int64 { return v.Missing.Known() + v.Extra.Known() + v.Different.Known() }

// Guarded reports whether more rows are gone from Paymo than a repair marks deleted
// without an explanation. Whether there is one it does not tell.
func (v *Verified) Guarded() bool {
	return v.Extra.Known() > max(guardFloor, v.Warehouse.Known()/guardShare)
}

// judge sets the verdict, unless it was set.
func (v *Verified) judge(err error) {
	switch {
	case err != nil:
		v.Verdict = VerdictUnproven
	case v.Verdict != "":
	case v.Found() > v.Repaired, len(v.Sums) > 0:
		v.Verdict = VerdictDifferent
	case v.Reason != "":
		v.Verdict = VerdictUnproven
	case v.Repaired > 0:
		v.Verdict = VerdictRepaired
	case v.Pending > 0:
		v.Verdict = VerdictPending
	default:
		v.Verdict = VerdictEqual
	}
}
