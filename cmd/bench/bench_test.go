package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/paymosync/paymosync/sink/sinktest"
)

// The benchmark starts itself as the source and as the plain program: so do its tests.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && slices.Contains([]string{"source", "upsert"}, os.Args[1]) {
		main()
		return
	}
	os.Exit(m.Run())
}

// A small benchmark runs to its end, and fills every row of its table. That the tables
// hold the same rows in the end it checks itself.
func TestBenchmark(t *testing.T) {
	t.Parallel()
	if _, err := sinktest.FindBinaries(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "paymosync")
	if out, err := exec.Command("go", "build", "-o", program, "../paymosync").CombinedOutput(); err != nil {
		t.Fatalf("build paymosync: %v: %s", err, out)
	}
	var out strings.Builder
	o := options{entries: 5000, runs: 1, rows: letters(), paymosync: program, write: filepath.Join(dir, "benchmarks.md")}
	if err := o.validate(); err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), o, &out, t.Output()); err != nil {
		t.Fatal(err)
	}
	for _, r := range rows() {
		i := strings.Index(out.String(), "| "+r.letter+" | "+r.what+" |")
		if i < 0 {
			t.Fatalf("row %s is missing:\n%s", r.letter, &out)
		}
	}
	written, err := os.ReadFile(o.write)
	if err != nil || string(written) != out.String() {
		t.Errorf("what was written is not what was printed: %v\n%s", err, written)
	}
}

func TestParts(t *testing.T) {
	t.Parallel()
	got := partsReport(parseParts([]byte(`goos: linux
BenchmarkDecode/time_entries-2 	 100	  111 ns/op	 300.0 MB/s	 700 ns/row	 5 B/op	 9 allocs/op
BenchmarkDecode/time_entries-2 	 100	  111 ns/op	 100.0 MB/s	 900 ns/row	 5 B/op	 9 allocs/op
BenchmarkDecode/time_entries-2 	 100	  111 ns/op	 200.0 MB/s	 800 ns/row	 5 B/op	 9 allocs/op
BenchmarkMerge/copy/100-2      	  79	  38 ns/op	 26123 rows/s
BenchmarkMerge/copy/5000-2     	  79	  38 ns/op	 90000 rows/s
BenchmarkMergeEqual/analysed=false/100-2  	 100	 3151684 ns/op	 31729 rows/s
PASS
`)))
	for _, want := range []string{
		"| time_entries | 200 | 800 | 9 |",
		"| | 100 | 5000 |",
		"| copy | 26123 | 90000 |",
		"| nothing new, analysed=false | 31729 |  |",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing:\n%s", want, got)
		}
	}
}
