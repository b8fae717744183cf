package sink

import (
	"encoding/binary"
	"strconv"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// encodeColumns turns records into PostgreSQL's binary text arrays: one for each
// column, then the absent columns' positions (an array literal, or null), _extra
// and _issues.
func encodeColumns(records []catalog.Record, columns int) [][]byte {
	arrays := make([][]byte, 0, columns+3)
	for c := range columns {
		size := 20
		for i := range records {
			size += 4 + len(records[i].Values[c].Text)
		}
		array := arrayHeader(make([]byte, 0, size), len(records))
		for i := range records {
			v := records[i].Values[c]
			array = appendText(array, v.Text, v.State == catalog.Set)
		}
		arrays = append(arrays, array)
	}
	absent := arrayHeader(nil, len(records))
	extra := arrayHeader(nil, len(records))
	issues := arrayHeader(nil, len(records))
	for i := range records {
		positions := absentColumns(records[i].Values)
		absent = appendText(absent, positions, positions != "")
		extra = appendText(extra, records[i].Extra, records[i].Extra != "")
		issues = appendText(issues, records[i].Issues, records[i].Issues != "")
	}
	return append(arrays, absent, extra, issues)
}

// absentColumns is the array literal of the positions of absent values, "" for none.
func absentColumns(values []catalog.Value) string {
	var literal []byte
	for i, v := range values {
		if v.State != catalog.Absent {
			continue
		}
		if literal == nil {
			literal = append(literal, '{')
		} else {
			literal = append(literal, ',')
		}
		literal = strconv.AppendInt(literal, int64(i), 10)
	}
	if literal == nil {
		return ""
	}
	return string(append(literal, '}'))
}

// arrayHeader begins a one-dimensional array: dimensions, null flag, type of the
// elements, length, lower bound.
func arrayHeader(dst []byte, length int) []byte {
	for _, word := range []uint32{1, 1, pgtype.TextOID, uint32(length), 1} {
		dst = binary.BigEndian.AppendUint32(dst, word)
	}
	return dst
}

func appendText(dst []byte, text string, set bool) []byte {
	if !set {
		return binary.BigEndian.AppendUint32(dst, 0xFFFFFFFF)
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(text)))
	return append(dst, text...)
}
