package paymo

import (
	"testing"

	"github.com/paymosync/paymosync/paymo/catalog"
)

func decoderFor(t testing.TB, table string) *decoder {
	t.Helper()
	r, found := catalog.Lookup(table)
	if !found {
		t.Fatalf("no table %s", table)
	}
	return newDecoder(r)
}
