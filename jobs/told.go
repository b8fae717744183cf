package jobs

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/paymosync/paymosync/paymo/catalog"
	"github.com/paymosync/paymosync/sink"
)

// ClocksDiffer is how far a time that Paymo tells may be ahead of the clock here.
const ClocksDiffer = time.Minute

// Told is a change and, unless the object is gone or the body may be of another table, what
// Paymo told of it.
type Told struct {
	sink.Change
	Body []byte // nil: Paymo is asked
}

// mergeTold merges what Paymo told of objects of one table, so that they are there at once
// and cost no request. What it told is signed and may still be old, or told again: it is
// merged only where it is newer than what the table has. Whatever is not merged, Paymo is
// asked for, unless it reports that there is no need to; and later for what is, in batches.
// The changes that were merged have a lag.
func (s *Syncer) mergeTold(ctx context.Context, resource *catalog.Resource, changes []sink.Change, bodies map[int64][][]byte) (brought Brought, ask bool, err error) {
	brought = Brought{Table: resource.Table}
	if resource.Window != "" && !s.StartDate.IsZero() {
		return brought, true, nil // some may lie before it
	}
	if s.guard.refuses() {
		return brought, true, nil
	}
	checkpoint, err := s.Store.Checkpoint(ctx, resource.Table)
	if err != nil {
		return brought, true, err
	}
	if ready, err := s.readyForChanges(ctx, resource, checkpoint); err != nil || !ready {
		return brought, true, err
	}
	departed, err := s.Store.Departed(ctx, resource.Table, idsOf(changes))
	if err != nil {
		return brought, true, err
	}
	page := sink.Page{Resource: resource, RequestedAt: time.Unix(0, 0), Unknown: map[string]string{}}
	for _, change := range changes {
		told := s.readTold(resource, change, bodies[change.ID])
		if change.Kind != sink.Changed || len(told) == 0 || slices.Contains(departed, change.ID) {
			continue
		}
		page.Tells = append(page.Tells, change)
		page.Records = append(page.Records, told...)
	}
	if len(page.Records) == 0 {
		return brought, true, nil
	}
	result, err := s.Store.Visit(resource.Table).Apply(ctx, page)
	if err != nil {
		return brought, true, err
	}
	brought.Inserted, brought.Updated = result.Inserted, result.Updated
	for _, change := range page.Tells {
		if !slices.Contains(result.Stale, change.ID) {
			brought.Changes++
			brought.Lags = append(brought.Lags, change.Lag)
		}
	}
	again, err := s.Store.LookAgain(ctx, resource.Table, idsOf(page.Tells))
	return brought, err != nil || again > 0 || brought.Changes < len(changes), err
}

// readTold are the records of what was told of one object, none where one of them cannot be
// read, has a field that is none of the table's or does not say when it was changed, or where
// two are of one second: then Paymo is asked.
func (s *Syncer) readTold(resource *catalog.Resource, change sink.Change, bodies [][]byte) []catalog.Record {
	var records []catalog.Record
	for _, body := range bodies {
		page, err := s.Client.Told(resource, body)
		if err != nil || len(page.Rejects) > 0 || len(page.Records) != 1 || page.Dropped+page.Stripped+len(page.Unknown) > 0 ||
			page.Records[0].ID != change.ID || page.Records[0].Updated.IsZero() || page.Records[0].Updated.After(time.Now().Add(ClocksDiffer)) {
			return nil
		}
		for i, other := range records { // nobody knows which of two was the last of a second
			if other.Updated.Equal(page.Records[0].Updated) && !bytes.Equal(bodies[i], body) {
				return nil
			}
		}
		records = append(records, page.Records[0])
	}
	return records
}
