package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/paymosync/paymosync/paymo/paymotest"
)

// upsertBatch is how many statements are sent at once.
const upsertBatch = 1000

// upsertCommand loads the time entries as a plain program would: lists are decoded into
// structs, and each record is an upsert of its own, many of which are sent at once.
func upsertCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "upsert SOURCE DATABASE",
		Hidden: true,
		Args:   cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return upsert(cmd.Context(), args[0], args[1])
		},
	}
}

// plainEntry is a time entry as a plain program has it.
type plainEntry struct {
	ID          int64      `json:"id"`
	Project     *int64     `json:"project_id"`
	Task        *int64     `json:"task_id"`
	User        *int64     `json:"user_id"`
	IsBulk      *bool      `json:"is_bulk"`
	Start       *time.Time `json:"start_time"`
	End         *time.Time `json:"end_time"`
	Date        *string    `json:"date"`
	Duration    *int64     `json:"duration"`
	Description *string    `json:"description"`
	Manual      *bool      `json:"added_manually"`
	Billed      *bool      `json:"billed"`
	InvoiceItem *int64     `json:"invoice_item_id"`
	Created     *time.Time `json:"created_on"`
	Updated     *time.Time `json:"updated_on"`
}

const upsertSQL = `
	INSERT INTO paymo.time_entries (id, project_id, task_id, user_id, is_bulk, start_time, end_time, date,
		duration, description, added_manually, billed, invoice_item_id, created_on, updated_on, _synced_at)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8::text::date, $9, $10, $11, $12, $13, $14, $15, now())
	ON CONFLICT (id) DO UPDATE SET project_id = EXCLUDED.project_id, task_id = EXCLUDED.task_id,
		user_id = EXCLUDED.user_id, is_bulk = EXCLUDED.is_bulk, start_time = EXCLUDED.start_time,
		end_time = EXCLUDED.end_time, date = EXCLUDED.date, duration = EXCLUDED.duration,
		description = EXCLUDED.description, added_manually = EXCLUDED.added_manually, billed = EXCLUDED.billed,
		invoice_item_id = EXCLUDED.invoice_item_id, created_on = EXCLUDED.created_on,
		updated_on = EXCLUDED.updated_on, _synced_at = EXCLUDED._synced_at`

func upsert(ctx context.Context, source, database string) error {
	conn, err := pgx.Connect(ctx, database)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	for from := int64(0); ; {
		entries, err := plainList(ctx, source, from)
		if err != nil || len(entries) == 0 {
			return err
		}
		from = entries[len(entries)-1].ID + 1
		for len(entries) > 0 {
			part := entries[:min(upsertBatch, len(entries))]
			entries = entries[len(part):]
			var batch pgx.Batch
			for _, e := range part {
				batch.Queue(upsertSQL, e.ID, e.Project, e.Task, e.User, e.IsBulk, e.Start, e.End, e.Date,
					e.Duration, e.Description, e.Manual, e.Billed, e.InvoiceItem, e.Created, e.Updated)
			}
			if err := conn.SendBatch(ctx, &batch).Close(); err != nil {
				return fmt.Errorf("upsert: %w", err)
			}
		}
	}
}

// plainList lists as many time entries as a reply holds, from an id on.
func plainList(ctx context.Context, source string, from int64) ([]plainEntry, error) {
	where := fmt.Sprintf("%s and id>=%d", always, from)
	query := strings.ReplaceAll(url.Values{"where": {where}}.Encode(), "+", "%20")
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, source+"/api/entries?"+query, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", paymotest.DefaultKey)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var reply struct {
		Entries []plainEntry `json:"entries"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&reply); err != nil {
		return nil, fmt.Errorf("decode the list: %w", err)
	}
	return reply.Entries, nil
}
