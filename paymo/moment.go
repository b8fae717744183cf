package paymo

import (
	"bytes"
	"time"
)

// The seconds of the years 1 to 9999 since 1970: what is outside is no time of work.
const (
	minUnix = -62135596800
	maxUnix = 253402300799
)

// moment is a point in time. Its fraction is the digits after the point, as far as
// timestamptz holds them, without trailing zeros.
type moment struct {
	unix     int64
	fraction []byte
}

// appendDatetime appends a time in UTC. It takes ISO 8601 with or without a zone
// (none is UTC), with a space instead of the T, and UNIX seconds.
func appendDatetime(dst, token []byte) ([]byte, bool) {
	if isUsual(token) {
		return append(dst, token...), true
	}
	m, ok := parseISO(token)
	if !ok {
		m, ok = parseUnix(token)
	}
	if !ok || m.unix < minUnix || m.unix > maxUnix {
		return dst, false
	}
	dst = time.Unix(m.unix, 0).UTC().AppendFormat(dst, "2006-01-02T15:04:05")
	if len(m.fraction) > 0 {
		dst = append(append(dst, '.'), m.fraction...)
	}
	return append(dst, 'Z'), true
}

// appendDate appends a day: of an ISO time the day that is written, whatever the
// zone, of UNIX seconds the day in UTC.
func appendDate(dst, token []byte) ([]byte, bool) {
	if _, _, _, rest, ok := parseDay(token); ok {
		if len(rest) > 0 {
			if _, ok := parseISO(token); !ok {
				return dst, false
			}
		}
		return append(dst, token[:len(token)-len(rest)]...), true
	}
	m, ok := parseUnix(token)
	if !ok || m.unix < minUnix || m.unix > maxUnix {
		return dst, false
	}
	return time.Unix(m.unix, 0).UTC().AppendFormat(dst, time.DateOnly), true
}

// isUsual reports whether a token is a valid time as Paymo writes it,
// YYYY-MM-DDTHH:MM:SSZ, which is also what is stored.
func isUsual(token []byte) bool {
	if len(token) != len("2006-01-02T15:04:05Z") || token[10] != 'T' || token[19] != 'Z' {
		return false
	}
	if _, _, _, _, ok := parseDay(token); !ok {
		return false
	}
	_, rest, ok := parseClock(token[11:])
	return ok && len(rest) == 1
}

// parseDay reads YYYY-MM-DD and checks that there is such a day.
func parseDay(token []byte) (year, month, day int, rest []byte, ok bool) {
	if len(token) < 10 || token[4] != '-' || token[7] != '-' {
		return 0, 0, 0, nil, false
	}
	century, ok1 := twoDigits(token)
	years, ok2 := twoDigits(token[2:])
	month, ok3 := twoDigits(token[5:])
	day, ok4 := twoDigits(token[8:])
	year = century*100 + years
	if !ok1 || !ok2 || !ok3 || !ok4 || year < 1 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return 0, 0, 0, nil, false
	}
	return year, month, day, token[10:], true
}

func daysIn(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// parseClock reads HH:MM, with :SS or without.
func parseClock(token []byte) (seconds int, rest []byte, ok bool) {
	if len(token) < 5 || token[2] != ':' {
		return 0, nil, false
	}
	hour, ok1 := twoDigits(token)
	minute, ok2 := twoDigits(token[3:])
	if !ok1 || !ok2 || hour > 23 || minute > 59 {
		return 0, nil, false
	}
	seconds, rest = hour*3600+minute*60, token[5:]
	if len(rest) < 3 || rest[0] != ':' {
		return seconds, rest, true
	}
	second, ok := twoDigits(rest[1:])
	if !ok || second > 59 {
		return 0, nil, false
	}
	return seconds + second, rest[3:], true
}

func twoDigits(b []byte) (int, bool) {
	if len(b) < 2 || b[0] < '0' || b[0] > '9' || b[1] < '0' || b[1] > '9' {
		return 0, false
	}
	return int(b[0]-'0')*10 + int(b[1]-'0'), true
}

// parseISO reads a day, with a time and a zone or without.
func parseISO(token []byte) (moment, bool) {
	year, month, day, rest, ok := parseDay(token)
	if !ok {
		return moment{}, false
	}
	m := moment{unix: time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).Unix()}
	if len(rest) == 0 {
		return m, true
	}
	if rest[0] != 'T' && rest[0] != 't' && rest[0] != ' ' {
		return moment{}, false
	}
	seconds, rest, ok := parseClock(rest[1:])
	if !ok {
		return moment{}, false
	}
	m.unix += int64(seconds)
	if len(rest) > 1 && rest[0] == '.' {
		var fraction []byte
		if fraction, rest = digits(rest[1:]); len(fraction) == 0 {
			return moment{}, false
		}
		m.fraction = shortFraction(fraction)
	}
	offset, ok := parseZone(bytes.TrimLeft(rest, " "))
	m.unix -= int64(offset)
	return m, ok
}

// parseZone reads Z, +HH, +HHMM or +HH:MM as seconds; nothing is UTC.
func parseZone(token []byte) (seconds int, ok bool) {
	if len(token) == 0 || len(token) == 1 && (token[0] == 'Z' || token[0] == 'z') {
		return 0, true
	}
	sign := 1
	switch token[0] {
	case '-':
		sign = -1
	case '+':
	default:
		return 0, false
	}
	hours, ok := twoDigits(token[1:])
	if !ok || hours > 15 {
		return 0, false
	}
	rest := token[3:]
	if len(rest) == 0 {
		return sign * hours * 3600, true
	}
	rest = bytes.TrimPrefix(rest, []byte(":"))
	minutes, ok := twoDigits(rest)
	if !ok || minutes > 59 || len(rest) != 2 {
		return 0, false
	}
	return sign * (hours*3600 + minutes*60), true
}

// parseUnix reads seconds since 1970, with a fraction or without.
func parseUnix(token []byte) (moment, bool) {
	n, ok := parseNumber(token)
	if !ok {
		return moment{}, false
	}
	var fraction []byte
	if n.exponent == 0 && !n.negative {
		fraction, n.frac = shortFraction(n.frac), nil
	}
	unix, ok := n.integer()
	return moment{unix: unix, fraction: fraction}, ok
}

// shortFraction cuts a fraction to microseconds, which is what timestamptz holds.
func shortFraction(digits []byte) []byte {
	return bytes.TrimRight(digits[:min(len(digits), 6)], "0")
}
