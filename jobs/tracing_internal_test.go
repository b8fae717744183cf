package jobs

import (
	"testing"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// A page's span names what it is about, the last position included.
func TestRangeWords(t *testing.T) {
	t.Parallel()
	for want, test := range map[string]struct {
		asked   Range
		listing catalog.Listing
	}{
		"everything":                         {Range{}, catalog.ByID},
		"ids to 499":                         {Range{To: new(int64(500))}, catalog.ByID},
		"ids from 500":                       {Range{From: new(int64(500))}, catalog.ByID},
		"ids from 500 to 599":                {Range{From: new(int64(500)), To: new(int64(600))}, catalog.ByID},
		"days from 2024-01-01 to 2024-01-31": {Range{From: new(int64(19723)), To: new(int64(19754))}, catalog.ByWindow},
	} {
		if got := test.asked.words(test.listing); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
