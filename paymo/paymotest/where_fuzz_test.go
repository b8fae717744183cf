package paymotest

import (
	"encoding/binary"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paymosync/paymosync/paymo"
)

// FuzzWhere builds filters of any conditions with any values: the fake's parser reads the
// same conditions out of them, none more and none less.
func FuzzWhere(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
	f.Add([]byte{7, 0x22, 0x20, 0x29, 0x61, 0x6e, 0x64, 0x20, 0x31, 8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f})
	f.Add([]byte{2, 3, 0x80, 0, 0, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 9})
	f.Fuzz(func(t *testing.T, data []byte) {
		script := script{data}
		var where paymo.Where
		var want []condition
		for len(script.rest) > 0 {
			var more []condition
			where, more = script.step(where)
			want = append(want, more...)
		}
		if where.String() == "" && len(want) == 0 {
			return
		}
		got, err := parseWhere(where.String())
		if err != nil {
			t.Fatalf("%s: %v", where, err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(condition{}, literal{})); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", where, diff)
		}
	})
}

// script is bytes that say which conditions to make.
type script struct{ rest []byte }

// step makes one call, and says which conditions are to come of it.
func (s *script) step(where paymo.Where) (paymo.Where, []condition) {
	field := []string{"id", "project_id", "updated_on", "and", "null", "users.id"}[s.below(6)]
	switch s.below(10) {
	case 0:
		from, to := s.number(), s.number()
		return where.IDRange(&from, &to), []condition{compared("id", ">=", from), compared("id", "<", to)}
	case 1:
		from := s.number()
		return where.IDRange(&from, nil), []condition{compared("id", ">=", from)}
	case 2:
		values := s.numbers()
		return where.IDIn(values...), []condition{compared("id", "in", values...)}
	case 3:
		values := s.numbers()
		if len(values) == 1 {
			return where.In(field, values...), []condition{compared(field, "=", values...)}
		}
		return where.In(field, values...), []condition{compared(field, "in", values...)}
	case 4:
		value := s.number()
		return where.AtLeast(field, value), []condition{compared(field, ">=", value)}
	case 5:
		at := s.number()
		return where.UpdatedSince(time.Unix(at, 1)), []condition{compared("updated_on", ">=", at)}
	case 6:
		from, to := s.number(), s.number()
		return where.CreatedIn(time.Unix(from, 1), time.Unix(to, 1)), []condition{compared("created_on", ">=", from), compared("created_on", "<", to)}
	case 7:
		from, to := time.Unix(s.number(), 0), time.Unix(s.number(), 0)
		field, layout := "time_interval", "2006-01-02T15:04:05Z"
		if s.below(2) == 0 {
			field, layout = "date_interval", time.DateOnly
		}
		return where.Interval(field, from, to), []condition{{field, "in", []literal{{from.UTC().Format(layout), true}, {to.UTC().Format(layout), true}}}}
	case 8:
		value := s.number()
		return where.Equal(field, value), []condition{compared(field, "=", value)}
	default:
		return where.IsNull(field), []condition{{field, "=", []literal{{text: "null"}}}}
	}
}

func compared(field, op string, values ...int64) condition {
	c := condition{field: field, op: op}
	for _, value := range values {
		c.args = append(c.args, literal{text: strconv.FormatInt(value, 10)})
	}
	return c
}

func (s *script) below(n byte) byte {
	if len(s.rest) == 0 {
		return 0
	}
	b := s.rest[0] % n
	s.rest = s.rest[1:]
	return b
}

// number takes eight bytes, the missing ones for 0.
func (s *script) number() int64 {
	var bytes [8]byte
	s.rest = s.rest[copy(bytes[:], s.rest):]
	return int64(binary.BigEndian.Uint64(bytes[:]))
}

func (s *script) numbers() []int64 {
	values := make([]int64, 1+s.below(4))
	for i := range values {
		values[i] = s.number()
	}
	return values
}
