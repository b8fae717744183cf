package sink

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// UPDATE_GOLDEN=1 writes the golden files anew.
func TestMergeSQL(t *testing.T) {
	t.Parallel()
	// A table with a name that wants quotes and a volatile column, and one with neither.
	for _, table := range []string{"webhooks", "workflows"} {
		t.Run(table, func(t *testing.T) {
			t.Parallel()
			r, ok := catalog.Lookup(table)
			if !ok {
				t.Fatal("not in the catalogue")
			}
			got := newMergeSQL("paymo", r).text + "\n"
			path := filepath.Join("testdata", "merge_"+table+".sql")
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

func TestAbsentColumns(t *testing.T) {
	t.Parallel()
	set, null, absent := catalog.Value{State: catalog.Set}, catalog.Value{State: catalog.Null}, catalog.Value{}
	for _, tt := range []struct {
		values []catalog.Value
		want   string
	}{
		{nil, ""},
		{[]catalog.Value{set, null}, ""},
		{[]catalog.Value{set, absent}, "{1}"},
		{[]catalog.Value{absent, null, absent, set, absent}, "{0,2,4}"},
	} {
		if got := absentColumns(tt.values); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.values, got, tt.want)
		}
	}
}
