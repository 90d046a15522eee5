package main

import (
	"strings"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

var (
	november = schemas.Month{Year: 2026, Month: time.November}
	newYear  = time.Date(2026, 12, 31, 17, 0, 0, 0, time.UTC)
)

func TestVerifyOnTheEngines(t *testing.T) {
	w := startTown(t, newYear, november)
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
}

// tamper is a change behind the store's back and what verify must say of it.
type tamper struct {
	name, table string
	// change is told the table's name and that of a copy of it.
	change func(t *testing.T, w *town, table, kept string)
	// want must all stand in what verify prints.
	want []string
}

// mutated is an expression that changes a column's value by as little as its
// type allows.
func mutated(kind, column string) string {
	switch {
	case strings.HasPrefix(kind, "Array("):
		inner := strings.TrimSuffix(strings.TrimPrefix(kind, "Array("), ")")
		return "arrayMap(x -> " + mutated(inner, "x") + ", " + column + ")"
	case strings.Contains(kind, "String"):
		return "concat(substring(" + column + ", 1, greatest(toInt64(length(" + column + ")) - 1, 0)), '~')"
	case strings.HasPrefix(kind, "DateTime64"):
		return "addMilliseconds(" + column + ", 1)"
	}
	return "CAST(" + column + " + 1 AS " + kind + ")"
}

// Every stored column of a header and of a line, of an invoice and of an
// adjustment, changed by as little as can be: verify names the invoice and the
// column.
func testEveryColumnIsGuarded(t *testing.T, w *town) {
	type column struct{ table, code, name, kind string }
	var columns []column
	for table, code := range map[string]string{"invoices": "code", "invoice_lines": "invoice_code"} {
		rows, err := w.conn.Query(t.Context(), "SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = '"+table+
			"' AND default_kind != 'MATERIALIZED' ORDER BY position")
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			c := column{table: table, code: code}
			if err := rows.Scan(&c.name, &c.kind); err != nil {
				t.Fatal(err)
			}
			columns = append(columns, c)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	if len(columns) != 21+27 {
		t.Errorf("%d columns, want 48: is every one in the hash?", len(columns))
	}
	for i, c := range columns {
		kind := []string{"invoice", "adjustment"}[i%2]
		if strings.HasPrefix(c.name, "late_") {
			kind = "adjustment"
		}
		code := w.text(t, "SELECT min(code) FROM invoices WHERE month = '2026-11' AND kind = '%s'", kind)
		w.changed(t, c.table, func(table, kept string) {
			w.exec(t, "TRUNCATE TABLE %s", table)
			w.exec(t, "INSERT INTO %s SELECT * REPLACE (if(%s = '%s', %s, %s) AS %s) FROM %s",
				table, c.code, code, mutated(c.kind, c.name), c.name, c.name, kept)
		}, func() {
			found := w.differences(t)
			if !strings.Contains(found, code) || !strings.Contains(found, ": "+c.name+" is stored as ") {
				t.Errorf("%s.%s of %s was changed; verify says\n%s", c.table, c.name, code, found)
			}
		})
	}
}

// differences is what verify finds in November, without reading Kafka.
func (w *town) differences(t *testing.T) string {
	t.Helper()
	got := w.command(t, "", "verify", "--month", "2026-11", "--skip-log")
	if got.code != 1 || got.stdout == "" || !strings.Contains(got.stderr, "2026-11 differs") {
		t.Errorf("ended with %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	return got.stdout
}
