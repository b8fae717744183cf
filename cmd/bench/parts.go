package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// part is a Go benchmark of a part of paymosync.
type part struct {
	name    string               // without the number of processors
	metrics map[string][]float64 // by unit
}

// measureParts runs the Go benchmarks of decoding and merging.
func measureParts(ctx context.Context, runs int) ([]part, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^Benchmark(Decode|Merge|MergeEqual)$", "-benchtime", "0.5s",
		"-count", strconv.Itoa(runs), "github.com/paymosync/paymosync/paymo", "github.com/paymosync/paymosync/sink")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("measure the parts: %w: %s", err, out)
	}
	return parseParts(out), nil
}

// parseParts reads what `go test -bench` prints, in its order.
func parseParts(out []byte) []part {
	var parts []part
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		name := strings.TrimPrefix(fields[0], "Benchmark")
		if i := strings.LastIndexByte(name, '-'); i >= 0 {
			name = name[:i]
		}
		i := slices.IndexFunc(parts, func(p part) bool { return p.name == name })
		if i < 0 {
			i = len(parts)
			parts = append(parts, part{name: name, metrics: map[string][]float64{}})
		}
		for ; len(fields) >= 4; fields = append(fields[:2:2], fields[4:]...) {
			if v, err := strconv.ParseFloat(fields[2], 64); err == nil {
				parts[i].metrics[fields[3]] = append(parts[i].metrics[fields[3]], v)
			}
		}
	}
	return parts
}

// partsReport is the parts as Markdown: decoding by table, merging by way and page size.
func partsReport(parts []part) string {
	var out strings.Builder
	value := func(p part, unit string) string {
		if len(p.metrics[unit]) == 0 {
			return ""
		}
		return fmt.Sprintf("%.0f", median(p.metrics[unit], func(f float64) float64 { return f }))
	}
	out.WriteString("\n## Decoding a page\n\n| | MB/s | ns/row | allocations a page |\n| --- | --: | --: | --: |\n")
	for _, p := range parts {
		if table, ok := strings.CutPrefix(p.name, "Decode/"); ok {
			fmt.Fprintf(&out, "| %s | %s | %s | %s |\n", table, value(p, "MB/s"), value(p, "ns/row"), value(p, "allocs/op"))
		}
	}
	out.WriteString("\n## Merging a page, by way and number of its rows\n\n" +
		"Rows a second, into a PostgreSQL that does not write to disk. The first two ways are those\n" +
		"of paymosync: COPY for pages of 200 rows or more that are all new, else the merge. The next\n" +
		"two are what they were chosen over. The last two are pages in which nothing is new.\n\n")
	var ways, sizes []string
	cells := map[string]string{}
	for _, p := range parts {
		name, ok := strings.CutPrefix(p.name, "Merge")
		at := strings.LastIndexByte(name, '/')
		if !ok || at < 0 {
			continue
		}
		way, size := strings.Trim(strings.Replace(name[:at], "Equal/", "nothing new, ", 1), "/"), name[at+1:]
		if !slices.Contains(ways, way) {
			ways = append(ways, way)
		}
		if !slices.Contains(sizes, size) {
			sizes = append(sizes, size)
		}
		cells[way+"/"+size] = value(p, "rows/s")
	}
	fmt.Fprintf(&out, "| | %s |\n| --- |%s\n", strings.Join(sizes, " | "), strings.Repeat(" --: |", len(sizes)))
	for _, way := range ways {
		fmt.Fprintf(&out, "| %s |", way)
		for _, size := range sizes {
			fmt.Fprintf(&out, " %s |", cells[way+"/"+size])
		}
		out.WriteByte('\n')
	}
	return out.String()
}
