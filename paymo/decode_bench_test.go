package paymo

import (
	"bytes"
	"fmt"
	"testing"
)

// BenchmarkDecode reads pages of the two shapes that matter: many small rows, and
// fewer wide ones with text. The metrics that count are MB/s and allocations a row.
func BenchmarkDecode(b *testing.B) {
	for _, test := range []struct {
		table string
		row   func(id int) string
	}{
		{"time_entries", entryRow},
		{"invoices", invoiceRow},
	} {
		b.Run(test.table, func(b *testing.B) {
			const rows = 2000
			d := decoderFor(b, test.table)
			var body bytes.Buffer
			fmt.Fprintf(&body, "{%q:[", d.key)
			for id := 1; id <= rows; id++ {
				if id > 1 {
					body.WriteByte(',')
				}
				body.WriteString(test.row(id))
			}
			body.WriteString("]}")
			b.SetBytes(int64(body.Len()))
			b.ReportAllocs()
			for b.Loop() {
				got, err := d.decode(bytes.NewReader(body.Bytes()), 0)
				if err != nil || len(got.records) != rows || len(got.rejects) != 0 {
					b.Fatalf("%d records, %d rejects: %v", len(got.records), len(got.rejects), err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
		})
	}
}

func entryRow(id int) string {
	return fmt.Sprintf(`{"id":%d,"project_id":%d,"task_id":%d,"user_id":%d,"is_bulk":false,`+
		`"start_time":"2024-03-%02dT08:15:00Z","end_time":"2024-03-%02dT09:45:30Z","duration":5430,`+
		`"description":"Reviewed the draft with Zoë &amp; fixed what was left","added_manually":true,"billed":false,`+
		`"invoice_item_id":null,"created_on":"2024-03-29T09:45:31Z","updated_on":"2024-03-29T10:02:11Z"}`,
		10_000_000+id, 1000+id%90, 500_000+id, 17+id%12, id%28+1, id%28+1)
}

func invoiceRow(id int) string {
	return fmt.Sprintf(`{"id":%d,"number":"#INV-%05d","client_id":%d,"template_id":12,"status":"sent","currency":"EUR",`+
		`"date":"2024-03-29","due_date":"2024-04-28","subtotal":1911.6,"total":2274.80,"tax":19,"tax_amount":363.2,`+
		`"tax2":0,"tax2_amount":0,"discount":0,"discount_amount":0,"tax_on_tax":false,"language":"en",`+
		`"bill_to":"Müller GmbH\r\nHauptstraße 1\r\n10115 Berlin","company_info":"Studio\r\nBucharest","footer":"",`+
		`"notes":null,"outstanding":2274.80,"tax_text":"VAT","tax2_text":"","discount_text":"","title":"INVOICE",`+
		`"delivery_date":null,"pay_online":true,"reminder_1_sent":false,"reminder_2_sent":false,"reminder_3_sent":false,`+
		`"permalink":"https://app.paymoapp.com/r/0123456789abcdef","pdf_link":"https://app.paymoapp.com/pdf/0123456789abcdef",`+
		`"created_on":"2024-03-29T09:45:31Z","updated_on":"2024-03-29T10:02:11Z","download_token":"0123456789abcdef",`+
		`"token":"0123456789abcdef","active":true,"options":{"linked_projects":[1,2],"notification":true},"project_id":null,`+
		`"retainer":{"id":7,"name":"monthly"}}`, 400_000+id, id, 3000+id%40)
}
