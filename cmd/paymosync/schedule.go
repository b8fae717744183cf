package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// Schedule is a cron schedule in a time zone. It satisfies River's
// PeriodicSchedule. The zero Schedule never comes.
type Schedule struct {
	spec  string
	ticks cron.Schedule
}

// ParseSchedule reads the five fields of cron, a descriptor such as @daily, or
// @every with a duration of whole seconds. The fields are read in the zone,
// unless the text begins with CRON_TZ=Area/City.
func ParseSchedule(text string, zone *time.Location) (Schedule, error) {
	spec := strings.Join(strings.Fields(text), " ")
	schedule := Schedule{spec: spec}
	if hasZone(spec) {
		name, rest, _ := strings.Cut(spec[strings.Index(spec, "=")+1:], " ")
		var err error
		if zone, err = loadZone(name); err != nil {
			return Schedule{}, err
		}
		spec = rest
	}
	// robfig/cron panics on a zone with nothing behind it.
	if hasZone(spec) {
		return Schedule{}, errors.New("it names a time zone twice")
	}
	if every, ok := strings.CutPrefix(spec, "@every "); ok {
		d, err := time.ParseDuration(every)
		if err != nil || d < time.Second || d%time.Second != 0 {
			return Schedule{}, fmt.Errorf("%q is not a duration of whole seconds, such as 30s or 2h", every)
		}
		schedule.ticks = everySchedule(d)
		return schedule, nil
	}
	if n := len(strings.Fields(spec)); !strings.HasPrefix(spec, "@") && n != 5 {
		return Schedule{}, fmt.Errorf("expected 5 fields (minute, hour, day of month, month, day of week), found %d", n)
	}
	ticks, err := cron.ParseStandard(spec)
	if err != nil {
		return Schedule{}, err
	}
	if fields, ok := ticks.(*cron.SpecSchedule); ok {
		fields.Location = zone
	}
	schedule.ticks = ticks
	if schedule.Next(time.Now()).IsZero() {
		return Schedule{}, errors.New("no day ever matches it")
	}
	return schedule, nil
}

func hasZone(spec string) bool {
	return strings.HasPrefix(spec, "CRON_TZ=") || strings.HasPrefix(spec, "TZ=")
}

// loadZone finds an IANA time zone. "Local" is refused: it would mean another
// thing on every machine.
func loadZone(name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" || zone == time.Local {
		return nil, fmt.Errorf("%q is not an IANA time zone; examples: UTC, Europe/Vienna", name)
	}
	return zone, nil
}

// String is the schedule as it was written.
func (s Schedule) String() string { return s.spec }

// MarshalText encodes the schedule as it was written.
func (s Schedule) MarshalText() ([]byte, error) { return []byte(s.spec), nil }

// Next is the first tick after t, zero if none comes.
func (s Schedule) Next(t time.Time) time.Time {
	if s.ticks == nil {
		return time.Time{}
	}
	return s.ticks.Next(t)
}

// LastTick is the latest tick at or before now, false if there was none in the
// last fifteen years.
func (s Schedule) LastTick(now time.Time) (time.Time, bool) {
	const years = 365 * 24 * time.Hour
	passed := func(t time.Time) bool {
		tick := s.Next(t)
		return !tick.IsZero() && !tick.After(now)
	}
	for span := time.Minute; span < 16*years; span *= 2 {
		before := now.Add(-span)
		if !passed(before) {
			continue
		}
		// Ticks lie on whole seconds, so a second's width holds at most the last.
		after := now
		for after.Sub(before) > time.Second {
			if middle := before.Add(after.Sub(before) / 2); passed(middle) {
				before = middle
			} else {
				after = middle
			}
		}
		return s.Next(before), true
	}
	return time.Time{}, false
}

// everySchedule ticks at the whole multiples of its length. cron's own counts
// from whenever it is asked, so a service restarted often would never reach a
// long one, and two processes would not agree.
type everySchedule time.Duration

// Next is the first multiple after t.
func (e everySchedule) Next(t time.Time) time.Time {
	return t.Truncate(time.Duration(e)).Add(time.Duration(e))
}
