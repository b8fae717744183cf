package migrations

import "slices"

// The sets, in the order in which they are applied: the warehouse's views read the
// bookkeeping.
const (
	Bookkeeping = "paymosync"
	River       = "river"
	Warehouse   = "warehouse"
)

// chosen are the sets that a caller names, in the order of their application: all three
// where it names none.
func chosen(named []string) []string {
	all := []string{Bookkeeping, River, Warehouse}
	if len(named) == 0 {
		return all
	}
	return slices.DeleteFunc(all, func(set string) bool { return !slices.Contains(named, set) })
}

// schemas are those of the sets that a caller names.
func schemas(named []string, warehouse string) []string {
	of := map[string]string{Bookkeeping: BookkeepingSchema, River: RiverSchema, Warehouse: warehouse}
	var schemas []string
	for _, set := range chosen(named) {
		schemas = append(schemas, of[set])
	}
	return schemas
}
