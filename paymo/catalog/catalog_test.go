package catalog_test

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// reference is testdata/resources.json: what is known of the API.
type reference struct {
	Resources []struct {
		Table       string   `json:"table"`
		Endpoint    string   `json:"endpoint"`
		ResponseKey string   `json:"response_key"`
		AlsoKey     string   `json:"response_key_also"`
		Includes    []string `json:"includes"`
		Filters     []string `json:"documented_filters"`
		Strict      string   `json:"strict"`
		Singleton   bool     `json:"singleton"`
		Scope       struct {
			Filter string `json:"filter"`
			Parent string `json:"parent"`
		} `json:"scope"`
		Embedded struct {
			Parent  string `json:"parent"`
			Include string `json:"include"`
		} `json:"embedded"`
		Fields fields `json:"fields"`
	} `json:"resources"`
}

// fields are a resource's fields in the order of the file.
type fields []field

type field struct {
	Name       string `json:"-"`
	Type       string `json:"type"`
	Documented bool   `json:"documented"`
	PII        bool   `json:"pii"`
	Secret     bool   `json:"secret"`
	Volatile   bool   `json:"volatile"`
}

func (f *fields) UnmarshalJSON(data []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	if _, err := decoder.Token(); err != nil {
		return err
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return err
		}
		var one field
		if err := decoder.Decode(&one); err != nil {
			return err
		}
		one.Name = name.(string)
		*f = append(*f, one)
	}
	return nil
}

func readReference(t *testing.T) reference {
	t.Helper()
	file, err := os.Open("testdata/resources.json")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	decoder := json.NewDecoder(file)
	var ref struct {
		BaseURL string `json:"base_url"`
		reference
	}
	decoder.DisallowUnknownFields() // a new property of the reference must be compared, too
	if err := decoder.Decode(&ref); err != nil {
		t.Fatal(err)
	}
	return ref.reference
}

// Hours, days and money are numeric whatever the reference says.
func overrides() map[string]catalog.Kind {
	return map[string]catalog.Kind{
		"bookings.hours_per_day":         catalog.Decimal,
		"users.annual_leave_days_number": catalog.Decimal,
		"company.default_price_per_hour": catalog.Decimal,
	}
}

func TestCatalogueEqualsReference(t *testing.T) {
	t.Parallel()
	ref := readReference(t)
	if got, want := len(catalog.All()), len(ref.Resources); got != want || want != 35 {
		t.Errorf("the catalogue has %d resources, the reference %d, of 35", got, want)
	}
	used := 0
	for _, want := range ref.Resources {
		got, found := catalog.Lookup(want.Table)
		if !found {
			t.Errorf("%s: not in the catalogue", want.Table)
			continue
		}
		equal(t, want.Table, "path", got.Path, want.Endpoint)
		equal(t, want.Table, "key", got.Key, want.ResponseKey)
		equal(t, want.Table, "other key", got.AlsoKey, want.AlsoKey)
		equal(t, want.Table, "strictness", got.Strict, want.Strict)
		equal(t, want.Table, "singleton", got.Singleton, want.Singleton)
		equal(t, want.Table, "scope", got.Scope, catalog.Scope{Filter: want.Scope.Filter, Parent: want.Scope.Parent, Optional: got.Scope.Optional})
		equal(t, want.Table, "embedded", got.Embedded, catalog.Embedded{Parent: want.Embedded.Parent, Include: want.Embedded.Include})
		if !slices.Equal(got.Includes, want.Includes) {
			t.Errorf("%s: includes are %q, want %q", want.Table, got.Includes, want.Includes)
		}
		if !slices.Equal(got.Filters, want.Filters) {
			t.Errorf("%s: filters are %q, want %q", want.Table, got.Filters, want.Filters)
		}
		if len(got.Columns) != len(want.Fields) {
			t.Errorf("%s: %d columns, want %d", want.Table, len(got.Columns), len(want.Fields))
		}
		for i := range min(len(got.Columns), len(want.Fields)) {
			column, field := got.Columns[i], want.Fields[i]
			name := want.Table + "." + field.Name
			equal(t, name, "name", column.Name, field.Name)
			kind := field.Type
			if override, ok := overrides()[name]; ok {
				used++
				kind = override.String()
				if kind == field.Type {
					t.Errorf("%s: needs no override any more", name)
				}
			}
			equal(t, name, "kind", column.Kind.String(), kind)
			equal(t, name, "undocumented", column.Has(catalog.Undocumented), !field.Documented)
			equal(t, name, "pii", column.Has(catalog.PII), field.PII)
			equal(t, name, "secret", column.Has(catalog.Secret), field.Secret)
			equal(t, name, "volatile", column.Has(catalog.Volatile), field.Volatile)
		}
	}
	if used != len(overrides()) {
		t.Errorf("%d of %d overrides are about fields of the reference", used, len(overrides()))
	}
}

func equal[T comparable](t *testing.T, name, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %s is %v, want %v", name, what, got, want)
	}
}

func TestCatalogueIsSound(t *testing.T) {
	t.Parallel()
	tables := make(map[string]bool)
	paths := make(map[string]bool)
	for _, r := range catalog.All() {
		if tables[r.Table] || paths[r.Path] {
			t.Errorf("%s: declared twice", r.Table)
		}
		tables[r.Table], paths[r.Path] = true, true
	}
	for _, r := range catalog.All() {
		if r.About == "" || r.Key == "" || r.Path == "" {
			t.Errorf("%s: lacks words, a key or a path", r.Table)
		}
		for _, parent := range []string{r.Scope.Parent, r.Embedded.Parent} {
			if parent != "" && !tables[parent] {
				t.Errorf("%s: hangs on %s, which is no table", r.Table, parent)
			}
		}
		if r.Singleton != slices.Contains(r.Listings, catalog.Single) {
			t.Errorf("%s: singleton is %v and it is listed by %v", r.Table, r.Singleton, r.Listings)
		}
		if slices.Contains(r.Listings, catalog.ByWindow) && r.Window == "" {
			t.Errorf("%s: is listed by windows and has none", r.Table)
		}
		if slices.Contains(r.Listings, catalog.ByParent) && r.Scope == (catalog.Scope{}) {
			t.Errorf("%s: is listed by parent and has no scope", r.Table)
		}
		testColumns(t, r, tables)
	}
}

// The models that Paymo has events of (its reference, "Webhooks").
func TestModels(t *testing.T) {
	t.Parallel()
	want := []string{"Booking", "Client", "ClientContact", "Comment", "Entry", "Estimate", "Expense", "Invoice", "InvoicePayment",
		"Milestone", "Project", "Report", "Task", "Tasklist", "User"}
	var models []string
	for _, r := range catalog.All() {
		if r.Model != "" {
			models = append(models, r.Model)
		}
	}
	slices.Sort(models)
	if !slices.Equal(models, want) {
		t.Errorf("%v, want %v", models, want)
	}
}

func testColumns(t *testing.T, r *catalog.Resource, tables map[string]bool) {
	t.Helper()
	id := r.Columns[0]
	if id.Name != "id" || id.Kind != catalog.Integer || id.Has(catalog.Secret) || r.Stored()[0] != id {
		t.Errorf("%s: begins with %+v instead of an id", r.Table, id)
	}
	names := make(map[string]bool)
	for _, c := range r.Columns {
		if names[c.Name] {
			t.Errorf("%s.%s: declared twice", r.Table, c.Name)
		}
		names[c.Name] = true
		if c.Ref != "" && (!tables[c.Ref] || c.Kind != catalog.Integer) {
			t.Errorf("%s.%s: refers to %s as %s", r.Table, c.Name, c.Ref, c.Kind)
		}
		if found, ok := r.Column(c.Name); !ok || found != c {
			t.Errorf("%s.%s: not found by its name", r.Table, c.Name)
		}
		if c.Name == "updated_on" && c.Kind != catalog.Datetime {
			t.Errorf("%s.%s: is %s", r.Table, c.Name, c.Kind)
		}
	}
	for _, c := range r.Stored() {
		if c.Has(catalog.Secret) {
			t.Errorf("%s.%s: a secret field is stored", r.Table, c.Name)
		}
	}
	if len(r.Together) == 1 {
		t.Errorf("%s: a group of one column", r.Table)
	}
	for _, name := range r.Together {
		if c, ok := r.Column(name); !ok || c.Has(catalog.Secret) {
			t.Errorf("%s: %s goes together with others and is no column of the table", r.Table, name)
		}
	}
	if _, ok := r.Column("nothing of that name"); ok {
		t.Errorf("%s: found a column that is not there", r.Table)
	}
}

func TestAllPutsParentsAndSmallTablesFirst(t *testing.T) {
	t.Parallel()
	all := catalog.All()
	if last := all[len(all)-1]; last.Table != "time_entries" {
		t.Errorf("the last table is %s, want time_entries", last.Table)
	}
	at := make(map[string]int)
	for i, r := range all {
		at[r.Table] = i
	}
	for _, parent := range []string{"company", "users", "clients", "projects"} {
		if at[parent] > 3 {
			t.Errorf("%s comes %dth, want one of the first four", parent, at[parent]+1)
		}
	}
}

func TestLookupOfNothing(t *testing.T) {
	t.Parallel()
	if r, ok := catalog.Lookup("no_such_table"); ok || r != nil {
		t.Errorf("found %v", r)
	}
}

func TestHashFollowsStoredColumns(t *testing.T) {
	t.Parallel()
	invoices, _ := catalog.Lookup("invoices")
	changed := *invoices
	changed.Columns = slices.Clone(invoices.Columns)
	changed.Columns = append(changed.Columns, catalog.Column{Name: "hidden", Flags: catalog.Secret})
	if changed.Hash() != invoices.Hash() {
		t.Error("a secret field changes the hash")
	}
	changed.Columns = append(changed.Columns, catalog.Column{Name: "shown"})
	if changed.Hash() == invoices.Hash() {
		t.Error("a new column does not change the hash")
	}
}

func TestSmellsSecret(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		want bool
	}{
		{"download_token", true},
		{"clientSecret", true},
		{"PASSWORD", true},
		{"api_key", true},
		{"user_hash", true},
		{"last_login", true},
		{"pdf_link", true},
		{"retainer_id", false},
		{"", false},
	} {
		if got := catalog.SmellsSecret(test.name); got != test.want {
			t.Errorf("SmellsSecret(%q) is %v, want %v", test.name, got, test.want)
		}
	}
}
