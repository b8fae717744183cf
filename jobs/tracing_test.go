package jobs_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/paymo"
	"github.com/paymosync/paymosync/paymo/paymotest"
	"github.com/paymosync/paymosync/sink"
)

// recorded makes a world whose spans are kept.
func recorded(t *testing.T, company paymotest.Config) (*world, *tracetest.SpanRecorder) {
	t.Helper()
	recorder := tracetest.NewSpanRecorder()
	provider := sdk.NewTracerProvider(sdk.WithSpanProcessor(recorder))
	return newWorld(t, company, func(_ *paymo.Config, c *jobs.SyncerConfig) { c.Traces = provider }), recorder
}

// spans are those of a name, in the order of their ends.
func spans(recorder *tracetest.SpanRecorder, name string) []sdk.ReadOnlySpan {
	return slices.DeleteFunc(recorder.Ended(), func(s sdk.ReadOnlySpan) bool { return s.Name() != name })
}

// tells gives a span's attribute as text, "" when it has none of that name.
func tells(span sdk.ReadOnlySpan, name string) string {
	for _, a := range span.Attributes() {
		if string(a.Key) == name {
			return a.Value.String()
		}
	}
	return ""
}

func mustTell(t *testing.T, span sdk.ReadOnlySpan, pairs ...string) {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if got := tells(span, pairs[i]); got != pairs[i+1] {
			t.Errorf("%s says %s %q, want %q", span.Name(), pairs[i], got, pairs[i+1])
		}
	}
}

func mustBeBelow(t *testing.T, child, parent sdk.ReadOnlySpan) {
	t.Helper()
	if child.Parent().SpanID() != parent.SpanContext().SpanID() || child.SpanContext().TraceID() != parent.SpanContext().TraceID() {
		t.Errorf("%s is not below %s", child.Name(), parent.Name())
	}
}

// A sync's spans hang on each other and count what its outcome counts.
func TestTracesOfSync(t *testing.T) {
	t.Parallel()
	w, recorder := recorded(t, small())
	outcome := w.mustSync("clients", jobs.Full)
	top, pages, merges := spans(recorder, "sync clients"), spans(recorder, "page"), spans(recorder, "merge")
	if len(top) != 1 || len(pages) == 0 || len(merges) != len(pages) {
		t.Fatalf("%d syncs, %d pages, %d merges", len(top), len(pages), len(merges))
	}
	n := fmt.Sprint(outcome.Inserted)
	mustTell(t, top[0], "account", "default", "table", "clients", "mode", "full", "state", "ok", "inserted", n, "updated", "0",
		"unchanged", "0", "tombstoned", "0", "quarantined", "0", "requests", fmt.Sprint(outcome.Requests), "bytes", fmt.Sprint(outcome.Bytes), "unfinished", "false")
	mustBeBelow(t, pages[0], top[0])
	mustTell(t, pages[0], "table", "clients", "slice", "everything", "rows", n)
	mustBeBelow(t, merges[0], pages[0])
	mustTell(t, merges[0], "rows", n, "inserted", n, "updated", "0", "unchanged", "0", "late", "0", "quarantined", "0")
	for _, span := range recorder.Ended() {
		if span.Status().Code == codes.Error {
			t.Errorf("%s ends with %s", span.Name(), span.Status().Description)
		}
	}
}

// The sweep of rows that are gone is a span of its own.
func TestTracesOfSweep(t *testing.T) {
	t.Parallel()
	w, recorder := recorded(t, small())
	w.mustSync("expenses", jobs.Full)
	if found := spans(recorder, "sweep"); len(found) > 0 {
		t.Errorf("there is a sweep where nothing is gone: %v", found[0].Attributes())
	}
	if _, err := w.fake.Delete("expenses", query[int64](w, "SELECT min(id) FROM paymo.expenses")); err != nil {
		t.Fatal(err)
	}
	w.mustSync("expenses", jobs.Full)
	sweeps, syncs := spans(recorder, "sweep"), spans(recorder, "sync expenses")
	if len(sweeps) != 1 || len(syncs) != 2 {
		t.Fatalf("%d sweeps, %d syncs", len(sweeps), len(syncs))
	}
	mustBeBelow(t, sweeps[0], syncs[1])
	mustTell(t, sweeps[0], "table", "expenses", "candidates", "1", "tombstoned", "1")
	mustTell(t, syncs[1], "tombstoned", "1")
}

// A table that is read in slices has a page for each, and the pages name them.
func TestTracesOfSlices(t *testing.T) {
	t.Parallel()
	w, recorder := recorded(t, paymotest.Config{Seed: 7, Entries: 6000})
	w.mustSync("time_entries", jobs.Full)
	named := map[string]bool{}
	for _, page := range spans(recorder, "page") {
		slice := tells(page, "slice")
		if named[slice] {
			t.Errorf("%s was read twice", slice)
		}
		named[slice] = true
	}
	ranges := 0
	for slice := range named {
		if strings.HasPrefix(slice, "ids ") || strings.HasPrefix(slice, "days ") {
			ranges++
		}
	}
	if !named["everything"] || ranges < 2 {
		t.Errorf("the pages are %v", named)
	}
}

// What fails is an error of the spans above it, in the words of the log; what only waits
// is none.
func TestTracesOfErrors(t *testing.T) {
	t.Parallel()
	w, recorder := recorded(t, small())
	fault := w.fake.AddFault(paymotest.Fault{Kind: paymotest.FaultStatus, N: http.StatusInternalServerError, Table: "clients"})
	_, err := w.sync("clients", jobs.Full)
	if err == nil {
		t.Fatal("the sync of a broken table did not fail")
	}
	for _, name := range []string{"sync clients", "page"} {
		found := spans(recorder, name)
		if len(found) != 1 || found[0].Status().Code != codes.Error || !strings.Contains(found[0].Status().Description, "500") {
			t.Errorf("%s: %v", name, found)
		}
	}
	w.fake.RemoveFault(fault)
	recorder.Reset()

	err = w.store.WithLease(t.Context(), "clients", "worker-2", func(context.Context, *sink.Lease) error {
		_, err := w.sync("clients", jobs.Full)
		return err
	})
	held := spans(recorder, "sync clients")
	if err == nil || len(held) != 1 || held[0].Status().Code == codes.Error {
		t.Fatalf("a sync that waits for the lease: %v, %v", err, held)
	}
	mustTell(t, held[0], "stopped", err.Error())

	outcome, err := w.syncer.Verify(t.Context(), jobs.VerifyRequest{Resource: resource(t, "clients")})
	if err != nil {
		t.Fatal(err)
	}
	found := spans(recorder, "verify clients")
	if len(found) != 1 {
		t.Fatalf("%d verifications", len(found))
	}
	mustTell(t, found[0], "table", "clients", "verdict", outcome.Verdict, "requests", fmt.Sprint(outcome.Requests))
}
