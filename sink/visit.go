package sink

// Visit is a lease for what cannot wait for a table's sync to end: the changes that Paymo
// tells of. Another process may hold the table's lease meanwhile. Each transaction of a
// visit waits for the page that is being written, and the next page for it; which version
// of a row wins is decided row by row either way. A visit saves no checkpoint and counts
// in no run. To a table that was never synced it is ErrLeaseLost.
func (s *Store) Visit(table string) *Lease { return &Lease{store: s, table: table, visit: true} }
