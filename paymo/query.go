package paymo

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxQuery is the longest query that is sent. Paymo's own limit is unknown; common
// servers stop at 8 KiB for the whole request line.
const maxQuery = 6000

// Query says what of a resource to list. The zero Query asks for everything in one
// reply.
type Query struct {
	Where    Where
	Include  string
	Page     int // from 0; with PageSize only
	PageSize int // 0: not paged
}

// Equal reports whether both ask for the same.
func (q Query) Equal(other Query) bool { return q.encode() == other.encode() }

// Fits reports whether the query is short enough to be sent. For Client.Children it is
// asked without an Include.
func (q Query) Fits() bool { return len(q.encode()) <= maxQuery }

// encode renders the query's parameters. The whole clause is percent-encoded:
// Paymo does not complain about one that is not, it answers wrongly
// (paymo-org/api issue 28). A space is %20, which nobody can read as a plus.
func (q Query) encode() string {
	values := url.Values{}
	if len(q.Where.conditions) > 0 {
		values.Set("where", q.Where.String())
	}
	if q.Include != "" {
		values.Set("include", q.Include)
	}
	if q.PageSize > 0 {
		values.Set("page", strconv.Itoa(q.Page))
		values.Set("page_size", strconv.Itoa(q.PageSize))
	}
	return strings.ReplaceAll(values.Encode(), "+", "%20")
}

// Where is a filter: conditions that must all hold. The zero Where holds for every
// row. Its methods return a new Where and leave the old one as it was.
type Where struct{ conditions []string }

// String is the filter in Paymo's grammar.
func (w Where) String() string { return strings.Join(w.conditions, " and ") }

func (w Where) and(condition string) Where {
	return Where{conditions: append(slices.Clip(w.conditions), condition)}
}

// IDRange asks for ids at or after from and before to; nil is open.
func (w Where) IDRange(from, to *int64) Where {
	if from != nil {
		w = w.and(fmt.Sprintf("id>=%d", *from))
	}
	if to != nil {
		w = w.and(fmt.Sprintf("id<%d", *to))
	}
	return w
}

// IDIn asks for the rows with these ids.
func (w Where) IDIn(ids ...int64) Where {
	return w.and("id in (" + commas(ids) + ")")
}

// In asks for rows whose field has one of the values, of which there must be one at
// least: Paymo's grammar knows no empty list.
func (w Where) In(field string, values ...int64) Where {
	if len(values) == 1 {
		return w.Equal(field, values[0])
	}
	return w.and(field + " in (" + commas(values) + ")")
}

func commas(values []int64) string {
	words := make([]string, len(values))
	for i, value := range values {
		words[i] = strconv.FormatInt(value, 10)
	}
	return strings.Join(words, ",")
}

// AtLeast asks for rows whose field has the value or a greater one.
func (w Where) AtLeast(field string, value int64) Where {
	return w.and(fmt.Sprintf("%s>=%d", field, value))
}

// UpdatedSince asks for rows changed at or after the time. Filters on datetimes
// take UNIX seconds; an ISO time is answered with an empty list.
func (w Where) UpdatedSince(t time.Time) Where {
	return w.and(fmt.Sprintf("updated_on>=%d", t.Unix()))
}

// CreatedIn asks for rows made at or after from and before to; a zero time is open.
func (w Where) CreatedIn(from, to time.Time) Where {
	if !from.IsZero() {
		w = w.and(fmt.Sprintf("created_on>=%d", from.Unix()))
	}
	if !to.IsZero() {
		w = w.and(fmt.Sprintf("created_on<%d", to.Unix()))
	}
	return w
}

// Interval asks for rows in the half-open range of a pseudo-field, in UTC: moments for
// time_interval, and for date_interval the days of the two times.
func (w Where) Interval(field string, from, to time.Time) Where {
	layout := "2006-01-02T15:04:05Z"
	if field == "date_interval" {
		layout = time.DateOnly
	}
	return w.and(fmt.Sprintf(`%s in ("%s","%s")`, field, from.UTC().Format(layout), to.UTC().Format(layout)))
}

// Equal asks for rows whose field has the value.
func (w Where) Equal(field string, value int64) Where {
	return w.and(fmt.Sprintf("%s=%d", field, value))
}

// IsNull asks for rows whose field is unset.
func (w Where) IsNull(field string) Where { return w.and(field + "=null") }
