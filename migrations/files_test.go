package migrations

import (
	"io/fs"
	"strings"
	"testing"
)

func TestFilesAreFilledIn(t *testing.T) {
	t.Parallel()
	dir, err := files(Warehouse, `it's "here"`)
	if err != nil {
		t.Fatal(err)
	}
	names, err := fs.Glob(dir, "*.sql")
	if err != nil || len(names) < 2 {
		t.Fatalf("files %v, %v", names, err)
	}
	var all strings.Builder
	for _, name := range names {
		text, err := fs.ReadFile(dir, name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	for _, want := range []string{`CREATE TABLE "it's ""here""".clients (`, `'"it''s ""here"""'::regnamespace`} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(all.String(), "{{") {
		t.Error("a placeholder is left")
	}
}

func TestNewEnough(t *testing.T) {
	t.Parallel()
	if err := newEnough(140000, "14.0"); err != nil {
		t.Error(err)
	}
	err := newEnough(130020, "13.20")
	if err == nil || err.Error() != "the server is PostgreSQL 13.20: paymosync needs version 14 or newer" {
		t.Error(err)
	}
}
