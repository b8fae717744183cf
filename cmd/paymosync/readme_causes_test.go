package main

import (
	"testing"

	"github.com/paymosync/paymosync/jobs"
	"github.com/paymosync/paymosync/sink"
)

// causeLine is what the README says of a cause, beside the advice.
type causeLine struct{ state, short string }

// causeLines say in short what the causes mean.
func causeLines() map[jobs.Cause]causeLine {
	return map[jobs.Cause]causeLine{
		jobs.CauseCutShort:      {sink.StateDegraded, "Paymo ends the list, and has more"},
		jobs.CauseEmptied:       {sink.StateDegraded, "Paymo lists nothing where there were rows"},
		jobs.CauseIncomplete:    {sink.StateDegraded, "the list lacks rows that are there"},
		jobs.CauseUnstable:      {sink.StateDegraded, "the list was another one when it was read again"},
		jobs.CauseStale:         {sink.StateDegraded, "rows came in older versions than are known"},
		jobs.CauseGuard:         {sink.StateDegraded, "more rows are gone than is believed without an explanation"},
		jobs.CauseUndecided:     {sink.StateDegraded, "rows are not listed, and Paymo does not say that they are gone"},
		jobs.CauseHidden:        {sink.StateDegraded, "the key is not an Admin's, and cannot tell what is gone"},
		jobs.CauseLate:          {sink.StateDegraded, "the full found rows that incrementals should have brought"},
		jobs.CauseStuck:         {sink.StateDegraded, "Paymo's clock stands still"},
		jobs.CauseBlank:         {sink.StateDegraded, "prices are blank where they were not"},
		jobs.CauseParentDenied:  {sink.StateDegraded, "Paymo does not show the rows of some parents"},
		jobs.CauseParentDoubted: {sink.StateDegraded, "the table that it is read by may lack rows"},
		jobs.CauseNested:        {sink.StateDegraded, "the lists in its parents may be left empty"},
		jobs.CauseQuarantine:    {sink.StateDegraded, "records cannot become rows"},
		jobs.CauseWithdrawn:     {sink.StateDegraded, "Paymo does not serve it any more; the rows are kept"},

		jobs.CauseRole:         {sink.StateFailing, "the key's user lost rights"},
		jobs.CauseIdentity:     {sink.StateFailing, "the key or the address is of another company"},
		jobs.CauseKeyRefused:   {sink.StateFailing, "Paymo refuses the key (401)"},
		jobs.CauseDenied:       {sink.StateFailing, "Paymo denies this key what it used to answer (403)"},
		jobs.CauseKeyMissing:   {sink.StateFailing, "Vault has no key, or not for us"},
		jobs.CauseVault:        {sink.StateFailing, "Vault does not answer"},
		jobs.CauseDatabase:     {sink.StateFailing, "PostgreSQL broke off, or cannot for now"},
		jobs.CauseWriteRefused: {sink.StateFailing, "PostgreSQL refuses to read or write the table"},
		jobs.CauseUnreachable:  {sink.StateFailing, "no reply of Paymo came"},
		jobs.CauseRedirect:     {sink.StateFailing, "the address is not where Paymo is"},
		jobs.CauseRateLimit:    {sink.StateFailing, "the rate budget is spent; shown at a run that waits"},
		jobs.CauseServer:       {sink.StateFailing, "Paymo answers with an error of its own (5xx)"},
		jobs.CauseRejected:     {sink.StateFailing, "Paymo does not take the request (another 4xx)"},
		jobs.CauseReply:        {sink.StateFailing, "the reply is not what Paymo is known to send"},
		jobs.CauseParents:      {sink.StateFailing, "the table that it comes with was not read yet"},
		jobs.CauseOther:        {sink.StateFailing, "anything else: the reason tells"},
		jobs.CauseLayout:       {sink.StateFailing, "the database is not laid out as this version wants it"},
		jobs.CauseTable:        {sink.StateFailing, "a table of the warehouse is gone"},

		jobs.CauseUnsynced:     {sink.StateUnavailable, "not synced yet"},
		jobs.CauseNotServed:    {sink.StateUnavailable, "not in the plan, or not permitted to this key"},
		jobs.CauseElsewhere:    {sink.StateUnavailable, "another schema was synced last"},
		jobs.CausePaused:       {sink.StatePaused, "an operator paused it"},
		jobs.CauseParentPaused: {sink.StatePaused, "an operator paused the table that it comes with"},
	}
}

func causesTable() string {
	lines := causeLines()
	table := markdownRow("cause", "state", "what it means", "what to do") + markdownRow("---", "---", "---", "---")
	for _, cause := range jobs.Causes() {
		line := lines[cause]
		table += markdownRow(codeOf(string(cause)), codeOf(line.state), prose(line.short), prose(jobs.Advice("TABLE", cause)))
	}
	return table
}

// Every cause of the code has its line in the README, and no other has.
func TestReadmeCauses(t *testing.T) {
	t.Parallel()
	lines := causeLines()
	for _, cause := range jobs.Causes() {
		if lines[cause].short == "" {
			t.Errorf("the README says nothing of %s", cause)
		}
		delete(lines, cause)
	}
	for cause := range lines {
		t.Errorf("there is no cause %s", cause)
	}
}
