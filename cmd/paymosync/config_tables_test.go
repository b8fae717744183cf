package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paymosync/paymosync/paymo/catalog"
)

func TestConfigTables(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		env     map[string]string
		tables  []string
		notices []string
	}{
		"chosen":   {map[string]string{"SYNC_TABLES": "tasks projects,clients"}, []string{"clients", "projects", "tasks"}, nil},
		"left out": {map[string]string{"SYNC_TABLES": "tasks,projects", "SYNC_EXCLUDE_TABLES": "tasks"}, []string{"projects"}, nil},
		"parent":   {map[string]string{"SYNC_TABLES": "time_entries"}, []string{"users", "time_entries"}, []string{"users is synced too, because time_entries is listed by it"}},
		"parents":  {map[string]string{"SYNC_TABLES": "comments"}, []string{"projects", "comment_threads", "comments"}, []string{"comment_threads is synced too, because comments is listed by it", "projects is synced too, because comment_threads is listed by it"}},
		"family":   {map[string]string{"SYNC_TABLES": "invoice_items invoices"}, []string{"invoices", "invoice_items"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := LoadConfig(environment(test.env), someDay())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.tables, c.Tables); diff != "" {
				t.Errorf("tables (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.notices, c.Notices()); diff != "" {
				t.Errorf("notices (-want +got):\n%s", diff)
			}
		})
	}

	c, err := LoadConfig(environment(map[string]string{"SYNC_EXCLUDE_TABLES": "users,tasks,estimates"}), someDay())
	if err != nil || !slices.Contains(c.Tables, "users") || !slices.Contains(c.Tables, "estimates") || slices.Contains(c.Tables, "tasks") || len(c.Notices()) != 2 {
		t.Errorf("parents left out: %v, notices %q, tables %v", err, c.Notices(), c.Tables)
	}

	_, err = LoadConfig(environment(map[string]string{"SYNC_TABLES": "invoice_items,estimate_items,estimates"}), someDay())
	want := []Problem{{"SYNC_TABLES", "invoice_items come with invoices: add invoices"}}
	if diff := cmp.Diff(want, problemsOf(t, err)); diff != "" {
		t.Errorf("without what they come with (-want +got):\n%s", diff)
	}
}

func FuzzTableSchedules(f *testing.F) {
	for _, seed := range []string{"time_entries=*/5 * * * *;reports=0 6 * * *", "users=TZ=0", "users=CRON_TZ=UTC TZ=UTC\t1\t2\t3\t4", "users=@every -1s", ";;=", "users=@every 9999999h"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := LoadConfig(environment(map[string]string{"SYNC_SCHEDULES": text}), someDay())
		if err != nil {
			if strings.Count(err.Error(), "\n")+1 != len(problemsOf(t, err)) {
				t.Errorf("not one line a problem: %q", err)
			}
			return
		}
		for table, schedule := range c.TableSchedules {
			if !schedule.Next(someDay()).After(someDay()) {
				t.Errorf("%s=%s does not move on", table, schedule)
			}
		}
	})
}

func allTables() []string {
	var tables []string
	for _, r := range catalog.All() {
		tables = append(tables, r.Table)
	}
	return tables
}
