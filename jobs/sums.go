package jobs

import (
	"cmp"
	"maps"
	"math/big"
	"slices"
	"strconv"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// SumDifference is a sum on which Paymo and the warehouse disagree. Amounts are exact,
// hours are rounded to less than a second.
type SumDifference struct {
	What      string `json:"what"`            // "hours", "total", "rows", …
	Month     string `json:"month,omitempty"` // YYYY-MM, in UTC
	By        string `json:"by,omitempty"`    // what else it is the sum of, as "project_id 12"
	Paymo     string `json:"paymo"`
	Warehouse string `json:"warehouse"`
}

// sums adds up what is read of a resource, for each month and each value of a column.
type sums struct {
	of     sink.Sum
	amount int // columns of a record
	when   []int
	by     int // -1: none
	totals map[sumKey]*big.Rat
	silent []int64 // records that say nothing of a column: what the rows hold is as good
}

type sumKey struct{ month, by string }

// newSums are the sums that people care about, nil where there are none.
func newSums(resource *catalog.Resource) *sums {
	s := &sums{by: -1, totals: map[sumKey]*big.Rat{}}
	switch resource.Table {
	case "time_entries":
		s.of = sink.Sum{Amount: "duration", When: []string{"start_time", "date"}, By: "project_id"}
	case "invoices":
		s.of = sink.Sum{Amount: "total", When: []string{"date"}, By: "currency"}
	case "invoice_payments":
		s.of = sink.Sum{Amount: "amount", When: []string{"date"}}
	case "expenses":
		s.of = sink.Sum{Amount: "amount", When: []string{"date"}, By: "currency"}
	default:
		return nil
	}
	s.amount = columnIndex(resource, s.of.Amount)
	for _, name := range s.of.When {
		s.when = append(s.when, columnIndex(resource, name))
	}
	if s.of.By != "" {
		s.by = columnIndex(resource, s.of.By)
	}
	return s
}

// mostSilent is how many records may say nothing of what is summed. Running timers have no
// duration.
const mostSilent = 10_000

// add adds a record.
func (s *sums) add(record catalog.Record) {
	columns := append(slices.Clone(s.when), s.amount)
	if s.by >= 0 {
		columns = append(columns, s.by)
	}
	if slices.ContainsFunc(columns, func(at int) bool { return record.Values[at].State == catalog.Absent }) {
		s.silent = append(s.silent, record.ID)
		return
	}
	var key sumKey
	for _, at := range s.when {
		if text := record.Values[at].Text; key.month == "" {
			key.month = text[:min(len(text), len("2006-01"))]
		}
	}
	if s.by >= 0 {
		key.by = record.Values[s.by].Text
	}
	total := s.totals[key]
	if total == nil {
		total = new(big.Rat)
		s.totals[key] = total
	}
	text := record.Values[s.amount].Text // none for null
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		total.Add(total, new(big.Rat).SetInt64(n))
	} else if n, ok := new(big.Rat).SetString(text); ok {
		total.Add(total, n)
	}
}

// disagree are the sums that are others in the warehouse.
func (s *sums) disagree(totals []sink.Total) []SumDifference {
	theirs := make(map[sumKey]*big.Rat, len(totals))
	for _, t := range totals {
		if n, ok := new(big.Rat).SetString(t.Amount); ok { // PostgreSQL's numeric always is one, but for NaN
			theirs[sumKey{t.Month, t.By}] = n
		}
	}
	keys := maps.Clone(theirs)
	maps.Copy(keys, s.totals)
	var found []SumDifference
	for _, key := range slices.SortedFunc(maps.Keys(keys), func(a, b sumKey) int {
		return cmp.Or(cmp.Compare(a.month, b.month), cmp.Compare(a.by, b.by))
	}) {
		paymo, warehouse := orZero(s.totals[key]), orZero(theirs[key])
		if paymo.Cmp(warehouse) == 0 {
			continue
		}
		difference := SumDifference{What: s.of.Amount, Month: key.month, Paymo: s.show(paymo), Warehouse: s.show(warehouse)}
		if s.of.Amount == "duration" {
			difference.What = "hours"
		}
		if s.of.By != "" {
			difference.By = s.of.By + " " + cmp.Or(key.by, "null")
		}
		found = append(found, difference)
	}
	return found
}

func orZero(n *big.Rat) *big.Rat {
	if n == nil {
		return new(big.Rat)
	}
	return n
}

// show is a sum for people.
func (s *sums) show(n *big.Rat) string {
	if s.of.Amount == "duration" {
		return new(big.Rat).Quo(n, big.NewRat(3600, 1)).FloatString(4)
	}
	digits, _ := n.FloatPrec()
	return n.FloatString(max(2, digits))
}
