package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// report is what came of the measurements, as Markdown.
func (b *bench) report(ctx context.Context) (string, error) {
	server, err := b.databases.about(ctx)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	fmt.Fprintf(&out, "# Benchmarks\n\nWritten by `make bench` on %s, %s, of %s.\n\n", time.Now().UTC().Format(time.DateOnly), machine(), release)
	fmt.Fprintf(&out, "%d time entries (%s of JSON), served from prepared bytes on the loopback. %s.\nMedians of %d runs, which alternate; the ratio is the median of those to row a of the same run.\n\n",
		b.options.entries, mebibytes(b.source.bytes), server, b.options.runs)
	out.WriteString("| | | s | rows/s | ratio to a | peak memory | requests | WAL | CPU: program | PostgreSQL | source |\n")
	out.WriteString("| --- | --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |\n")
	for _, r := range rows() {
		samples := b.samples[r.letter]
		if len(samples) == 0 {
			continue
		}
		took := median(samples, func(s sample) time.Duration { return s.took })
		fmt.Fprintf(&out, "| %s | %s | %.2f | %.0f | %s | %s | %d | %s | %.1f s | %.1f s | %.1f s |\n",
			r.letter, r.what, took.Seconds(), float64(b.options.entries)/took.Seconds(), b.ratio(r.letter),
			mebibytes(median(samples, func(s sample) int64 { return s.peak })),
			median(samples, func(s sample) int64 { return s.Requests }),
			mebibytes(median(samples, func(s sample) int64 { return s.wal })),
			median(samples, func(s sample) time.Duration { return s.spent.cpu }).Seconds(),
			median(samples, func(s sample) time.Duration { return s.usage.cpu }).Seconds(),
			median(samples, func(s sample) time.Duration { return s.source }).Seconds())
	}
	fmt.Fprintf(&out, "\nThe rest of the company, loaded before once: %.2f s, %d requests, %s at most.\n",
		b.company.took.Seconds(), b.company.Requests, mebibytes(b.company.peak))
	return out.String(), nil
}

// ratio is the median of the ratios to row a of the same run.
func (b *bench) ratio(letter string) string {
	copied, samples := b.samples["a"], b.samples[letter]
	var ratios []float64
	for i := range min(len(copied), len(samples)) {
		ratios = append(ratios, samples[i].took.Seconds()/copied[i].took.Seconds())
	}
	if len(ratios) == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", median(ratios, func(f float64) float64 { return f }))
}

// median is the middle one of what is read from samples, of which there is one at least.
func median[S any, N cmp.Ordered](samples []S, read func(S) N) N {
	values := make([]N, len(samples))
	for i := range samples {
		values[i] = read(samples[i])
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func mebibytes(n int64) string {
	if n == 0 {
		return "0"
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}

// machine is what the benchmark ran on.
func machine() string {
	name := runtime.GOARCH
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if rest, ok := strings.CutPrefix(line, "model name"); ok {
			name = strings.TrimLeft(strings.TrimSpace(rest), ": ")
			break
		}
	}
	return fmt.Sprintf("%d × %s, %s, %s", runtime.NumCPU(), name, runtime.GOOS, runtime.Version())
}

// release is set by the build, with -ldflags "-X main.release=v1.2.3".
var release = "an unknown version" //nolint:gochecknoglobals // the linker can set nothing else
