package jobs

import (
	"context"
	"slices"
	"strings"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// fewRows is how many rows must lose a number at once before that is no coincidence.
const fewRows = 10

// keepBlanked leaves columns of numbers as they are where a page has them blank in every
// one of its rows and the table has not. So Paymo hides prices and amounts from keys that
// may not see them; nobody empties them in all rows at once.
func (r *run) keepBlanked(ctx context.Context, records []catalog.Record) ([]catalog.Record, error) {
	if len(records) < fewRows {
		return records, nil
	}
	ids := make([]int64, len(records))
	for i := range records {
		ids[i] = records[i].ID
	}
	var blank []int
	var names []string
	for i, column := range r.resource.Stored() {
		told := func(record catalog.Record) bool { return record.Values[i].State != catalog.Null }
		if column.Kind != catalog.Decimal || slices.ContainsFunc(records, told) {
			continue
		}
		valued, err := r.Store.Valued(ctx, r.resource, column.Name, ids)
		if err != nil {
			return nil, err
		}
		if valued >= fewRows {
			blank, names = append(blank, i), append(names, column.Name)
		}
	}
	if len(blank) == 0 {
		return records, nil
	}
	r.progress.Blank = doubtf(CauseBlank, "prices are blank where they were not (%s): Paymo hides them from keys that may not see them; they are kept", strings.Join(names, ", "))
	kept := slices.Clone(records)
	for i := range kept {
		kept[i].Values = slices.Clone(kept[i].Values)
		for _, column := range blank {
			kept[i].Values[column] = catalog.Value{}
		}
	}
	return kept, nil
}
