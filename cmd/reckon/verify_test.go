package main

import (
	"strings"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/internal/kafka/kafkatest"
	"github.com/reckon-billing/reckon/schemas"
)

func november() schemas.Month { return schemas.Month{Year: 2026, Month: time.November} }

func newYear() time.Time { return time.Date(2026, 12, 31, 17, 0, 0, 0, time.UTC) }

func TestVerifyOnTheEngines(t *testing.T) {
	w := startTown(t, newYear(), november())
	kafkatest.Gap(t, w.Endpoints().Kafka, w.Config.Kafka.Topics.Usage)
	w.play(t, scenarioLines(t, "late")...)
	for _, month := range []string{"2026-11", "2026-12"} {
		got := w.command(t, "", "verify", "--month", month)
		if got.code != 0 {
			t.Fatalf("%s: ended with %d:\n%s%s", month, got.code, got.stdout, got.stderr)
		}
		t.Log(got.stdout)
	}
	got := w.command(t, "", "verify", "--month", "2027-01")
	if got.code != 1 || !strings.Contains(got.stderr, "2027-01 is not sealed") {
		t.Errorf("a month that is not sealed: %d, %s", got.code, got.stderr)
	}
	for _, test := range tampers() {
		t.Run(test.name, func(t *testing.T) {
			w.changed(t, test.table, func(table, kept string) { test.change(t, w, table, kept) }, func() {
				found := w.differences(t, test.log)
				for _, want := range test.want {
					if !strings.Contains(found, want) {
						t.Errorf("verify does not say %q:\n%s", want, found)
					}
				}
			})
		})
	}
	for _, month := range []string{"2026-11", "2026-12"} {
		if got := w.command(t, "", "verify", "--month", month); got.code != 0 {
			t.Errorf("%s, put right again: ended with %d:\n%s%s", month, got.code, got.stdout, got.stderr)
		}
	}
}

// tamper is a change behind the store's back and what verify must say of it.
type tamper struct {
	name, table string
	// change is told the table's name and that of a copy of it.
	change func(t *testing.T, w *town, table, kept string)
	// log: the log has to be read to see it.
	log bool
	// want must all stand in what verify prints.
	want []string
}

func tampers() []tamper {
	// The invoice of resource "untouched": one line, created on 1 November.
	const untouched = "resource_id = 'untouched' AND month = '2026-11'"
	code := schemas.InvoiceCode("l", "untouched", november(), november().Start(time.FixedZone("", 7*60*60)))
	remove := func(condition string) func(*testing.T, *town, string, string) {
		return func(t *testing.T, w *town, table, _ string) {
			t.Helper()
			w.exec(t, "DELETE FROM %s WHERE %s", table, condition)
		}
	}
	again := func(replace, condition string) func(*testing.T, *town, string, string) {
		return func(t *testing.T, w *town, table, kept string) {
			t.Helper()
			w.exec(t, "INSERT INTO %s SELECT * REPLACE (%s) FROM (SELECT * FROM %s WHERE %s)", table, replace, kept, condition)
		}
	}
	const line = `line 2026-11-01T00:00:00+07:00 "`
	return []tamper{
		{name: "a lost line", table: "invoice_lines", change: remove(untouched), want: []string{code + ": " + line, `" is gone`}},
		{name: "a lost header", table: "invoices", change: remove(untouched), want: []string{code + ": the header is gone"}},
		{
			name: "a doubled line", table: "invoice_lines", change: again("toInt32(position + 7) AS position", untouched),
			want: []string{code + ": " + line, "at position 7 was not issued"},
		},
		{
			name: "a line doubled under another code", table: "invoice_lines",
			change: again("'INV-2026-11-00000000000000000000' AS invoice_code", untouched),
			want:   []string{"INV-2026-11-00000000000000000000: " + line, "of run 1 was not issued"},
		},
		{
			name: "a doubled header", table: "invoices", change: again("'INV-2026-11-00000000000000000000' AS code", untouched),
			want: []string{"INV-2026-11-00000000000000000000: no hash of this invoice of run 1 is stored"},
		},
		{
			name: "a lost hash", table: "invoice_hashes", change: remove(untouched),
			want: []string{code + ": no hash of this invoice of run 1 is stored", "run 1 sealed 7 invoices of 2026-11", "and 6 are stored"},
		},
		{
			name: "a changed hash", table: "invoice_hashes", change: again("toFixedString(repeat('x', 32), 32) AS hash", untouched),
			want: []string{code + ": it was sealed with hash 7878", "run 1 sealed 7 invoices of 2026-11"},
		},
		{
			name: "a lost hash of a month", table: "month_hashes", change: remove("month = '2026-11' AND run = 2"),
			want: []string{"run 2 has no hash of 2026-11 stored with its seal, and issued 6 invoices of it"},
		},
		{
			name: "a changed hash of a month", table: "month_hashes",
			change: again("toFixedString(repeat('x', 32), 32) AS hash", "month = '2026-11' AND run = 3"),
			want:   []string{"run 3 sealed 1 invoices of 2026-11 with hash 7878"},
		},
		{
			name: "changed item-minutes", table: "item_minutes", change: again("lived + 1 AS lived", untouched),
			want: []string{`account "l": item-minutes lived are stored as 295201, derived 295200`},
		},
		{
			name: "a lost event", table: "events", change: remove("id = '9'"), log: true,
			want: []string{"ADJ-2026-11-", `"out": before_tax is stored as `, " lies in Kafka before the cutoff, but is not stored"},
		},
		{
			name: "a message stored as two events", table: "events", log: true,
			change: again("'x9' AS id, unhex(repeat('0', 32)) AS identity, time + INTERVAL 1 DAY AS time", "id = '9'"),
			want:   []string{"is stored twice as an event"},
		},
		{
			name: "an event that Kafka never had", table: "events", log: true,
			change: again("'x9' AS id, toInt32(0) AS partition, toInt64(0) AS offset", "id = '9'"), // a gap
			want:   []string{"billing.usage/0/0 is stored, but Kafka has no such message"},
		},
		{
			name: "a lost identity", table: "identities", change: remove("identity = (SELECT reinterpretAsUInt64(any(identity)) FROM events WHERE id = '9')"),
			want: []string{"is stored as an event, but its identity is not"},
		},
	}
}

// differences is what verify finds in November.
func (w *town) differences(t *testing.T, log bool) string {
	t.Helper()
	args := []string{"verify", "--month", "2026-11"}
	if !log {
		args = append(args, "--skip-log")
	}
	got := w.command(t, "", args...)
	if got.code != 1 || got.stdout == "" || !strings.Contains(got.stderr, "2026-11 differs") {
		t.Errorf("ended with %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	return got.stdout
}
