package sink

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// UPDATE_GOLDEN=1 writes the golden files anew.
func TestDDL(t *testing.T) {
	t.Parallel()
	// A table with notes and references, one of one row, one with a name that wants
	// quotes, and one that is read with another.
	for _, table := range []string{"time_entries", "company", "webhooks", "invoice_items"} {
		t.Run(table, func(t *testing.T) {
			t.Parallel()
			r, ok := catalog.Lookup(table)
			if !ok {
				t.Fatal("not in the catalogue")
			}
			got := DDL(r, "{{schema}}")
			path := filepath.Join("testdata", "ddl_"+table+".sql")
			if os.Getenv("UPDATE_GOLDEN") == "1" {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("the SQL is\n%s\nand %s says\n%s", got, path, want)
			}
		})
	}
}
