package jobs

import (
	"testing"
	"time"

	"github.com/paymosync/paymosync/paymo"
)

// Every filter that is sent can be read, and shown.
func TestReadableWhere(t *testing.T) {
	t.Parallel()
	from, to := int64(5), int64(9)
	day := time.Date(2026, 11, 27, 20, 14, 0, 0, time.UTC)
	var where paymo.Where
	for want, sent := range map[string]paymo.Where{
		"":                                  where,
		"id>=5 and id<9":                    where.IDRange(&from, &to),
		"project_id=7":                      where.In("project_id", 7),
		"id in (1, 2, 3)":                   where.IDIn(1, 2, 3),
		"project_id>=1":                     where.AtLeast("project_id", 1),
		"end_time=null":                     where.IsNull("end_time"),
		"id in (1, 2, 3, 4, 5, … 7: 7 ids)": where.IDIn(1, 2, 3, 4, 5, 6, 7),
		"updated_on>=2026-11-27T20:14:00Z":  where.UpdatedSince(day),
		"created_on>=2026-11-27T20:14:00Z":  where.CreatedIn(day, time.Time{}),
		"date_interval in (2026-11-27, 2026-11-28)":                       where.Interval("date_interval", day, day.AddDate(0, 0, 1)),
		"time_interval in (2026-11-27T20:14:00Z, 2026-11-27T20:14:00Z)":   where.Interval("time_interval", day, day),
		"id in (1, 2) and updated_on>=2026-11-27T20:14:00Z and user_id=3": where.IDIn(1, 2).UpdatedSince(day).Equal("user_id", 3),
	} {
		conditions, err := parseWhere(sent.String())
		if got := readable(conditions); got != want || err != nil {
			t.Errorf("%s is shown as %q, %v", sent, got, err)
		}
	}
	for _, unknown := range []string{"name like \"a\"", "id in ()", "id>5", "id=99999999999999999999", `time_interval in ("now","then")`} {
		if conditions, err := parseWhere(unknown); err == nil {
			t.Errorf("%s is read as %v", unknown, conditions)
		}
	}
}
