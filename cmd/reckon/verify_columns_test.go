package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/reckon-billing/reckon/schemas"
)

// guardedTown has of everything that is stored several rows, no two of which look alike,
// and in which no column is empty: resources that live and such that died, under coupons
// and meters, resized, and late ones from r7 on; messages with headers, rejected ones
// among them; November is sealed and settled.
func guardedTown(t *testing.T) *town {
	t.Helper()
	w := startTown(t, newYear(), november())
	header := []schemas.Header{{Key: "trace", Value: []byte("abc")}}
	err := w.WithIngest(t.Context(), func(ctx context.Context) error {
		send := func(id, kind, subject, at, data string) error {
			m := w.Message([]byte(fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"test","type":%q,"subject":%q,"time":%q,"sequence":"1","data":{"account_id":"a"%s}}`,
				id, kind, subject, at, data)))
			m.Headers = header
			_, err := w.produce(ctx, []schemas.Message{m})
			return err
		}
		const items = `,"items":[{"item":"cpu","unit":"core","unit_price":"43200.5","quantity":"%d","discount_percent":"5","tax_percent":"10"},` +
			`{"item":"disk","unit":"GB","unit_price":"100","meter":"time_weighted","free_quantity":"0.5","tax_percent":"8"}]`
		if err := send("mode", "account.mode_changed", "a", "2026-10-01T00:00:00+07:00", `,"mode":"postpaid"`); err != nil {
			return err
		}
		for i := range 17 {
			r := fmt.Sprintf("r%d", i)
			for _, e := range [][4]string{
				{"created", "resource.created", fmt.Sprintf("2026-11-01T00:%02d:00+07:00", i), `,"resource_name":"server","product":"vServer","service":"Compute","coupon":{"code":"TET","value":"50000"}` + fmt.Sprintf(items, 1)},
				{"used", "usage.recorded", "2026-11-02T00:00:00+07:00", `,"item":"disk","value":"7.5"`},
				{"odd", "usage.recorded", "2026-11-02T00:00:00+07:00", `,"item":"gpu","value":"3"`},
				{"resized", "resource.resized", "2026-11-10T00:00:00+07:00", fmt.Sprintf(items, 2)},
				{"deleted", "resource.deleted", "2026-11-20T00:00:00+07:00", ""},
			} {
				if e[0] == "deleted" && i < 14 {
					continue
				}
				if err := send(e[0]+r, e[1], r, e[2], e[3]); err != nil {
					return err
				}
			}
			if err := send("wrong"+r, "usage.recorded", r, "2026-11-03T00:00:00+07:00", `,"item":"disk","value":"-1"`); err != nil {
				return err
			}
		}
		if _, err := w.Seal(ctx, november()); err != nil {
			return err
		}
		for i := 7; i < 14; i++ {
			r := fmt.Sprintf("r%d", i)
			if err := send("late"+r, "usage.recorded", r, "2026-11-05T00:00:00+07:00", `,"item":"disk","value":"9"`); err != nil {
				return err
			}
		}
		_, err := w.Seal(ctx, november())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// guarded is a table of which every column must be guarded.
type guarded struct {
	table string
	// columns is how many it has, but for those of which nothing else tells.
	columns int
	except  []string
	// row chooses the row of a resource, from 0 to 6, and named is an expression of what
	// verify must call it. Alone changes one column at a time.
	row   func(i int) string
	named string
	alone bool
}

func guardedTables() []guarded {
	id := func(kind string) func(int) string {
		return func(i int) string { return fmt.Sprintf("id = '%sr%d'", kind, i) }
	}
	resource := func(rest string) func(int) string {
		return func(i int) string { return fmt.Sprintf("resource_id = 'r%d'%s", i, rest) }
	}
	late := func(rest string) func(int) string {
		return func(i int) string { return fmt.Sprintf("resource_id = 'r%d'%s", 7+i, rest) }
	}
	const position, ofResource = "concat(topic, '/', toString(partition), '/', toString(offset))", "concat('account \"a\", resource \"', resource_id, '\"')"
	run := func(int) string { return "run = 1" }
	return []guarded{
		// Nothing but itself tells when a message was stored.
		{table: "events", columns: 21, except: []string{"ingested_at"}, row: id("created"), named: position},
		{table: "events", columns: 21, except: []string{"ingested_at"}, row: id("used"), named: position},
		{
			table: "dead_letters", columns: 11, except: []string{"ingested_at"},
			row: func(i int) string { return fmt.Sprintf(`value LIKE '%%wrongr%d"%%'`, i) }, named: position,
		},
		{table: "periods", columns: 44, row: resource(" AND is_closed"), named: ofResource},
		{table: "edges", columns: 7, row: resource(" AND run = 1"), named: ofResource},
		{table: "edges", columns: 7, row: late(" AND run = 2"), named: ofResource},
		{table: "item_minutes", columns: 7, row: resource(" AND run = 1"), named: ofResource},
		{table: "tombstones", columns: 7, row: func(int) string { return "resource_id = 'r15'" }, named: ofResource, alone: true},
		{table: "run_anomalies", columns: 15, row: resource(" AND run = 1"), named: ofResource},
		{table: "run_anomalies", columns: 15, row: late(" AND run = 2"), named: ofResource},
		{table: "invoices", columns: 23, row: late(" AND kind = 'adjustment'"), named: "code"},
		{table: "invoices", columns: 23, except: []string{"late_"}, row: resource(" AND run = 1 AND period_start < '2026-11-05'"), named: "code"},
		{table: "invoice_lines", columns: 28, row: late(" AND run = 2 AND line_number = 2"), named: "invoice_code"},
		{table: "invoice_lines", columns: 28, row: resource(" AND run = 1 AND item = 'cpu' AND period_start < '2026-11-05'"), named: "invoice_code"},
		{table: "runs", columns: 10, row: func(int) string { return "number = 1" }, named: "concat('run ', toString(number))", alone: true},
		{table: "seals", columns: 12, except: []string{"proof"}, row: run, named: "concat('run ', toString(run))", alone: true},
	}
}

// T2: every stored column of events, dead letters, snapshots, periods, item-minutes,
// headers, lines, anomalies, runs and seals, changed by as little as can be: verify names the row
// and the column.
func TestEveryStoredColumnIsGuarded(t *testing.T) {
	w := guardedTown(t)
	if got := w.command(t, "", "verify", "--month", "2026-11"); got.code != 0 {
		t.Fatalf("before anything is changed: ended with %d:\n%s%s", got.code, got.stdout, got.stderr)
	}
	for n, g := range guardedTables() {
		t.Run(fmt.Sprintf("%s %d", g.table, n), func(t *testing.T) { g.test(t, w) })
	}
	if got := w.command(t, "", "verify", "--month", "2026-11"); got.code != 0 {
		t.Errorf("put right again: ended with %d:\n%s%s", got.code, got.stdout, got.stderr)
	}
}

type storedColumn struct{ name, kind string }

func (g *guarded) storedColumns(t *testing.T, w *town) []storedColumn {
	t.Helper()
	rows, err := w.conn.Query(t.Context(), "SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = '"+g.table+
		"' AND default_kind NOT IN ('MATERIALIZED', 'ALIAS') ORDER BY position")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var columns []storedColumn
	left := 0
	for rows.Next() {
		var c storedColumn
		if err := rows.Scan(&c.name, &c.kind); err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(g.except, func(e string) bool { return strings.HasPrefix(c.name, e) }) {
			left++
			continue
		}
		columns = append(columns, c)
	}
	if len(columns) != g.columns && len(columns)+left != g.columns || rows.Err() != nil {
		t.Errorf("%d columns, and %d left out, want %d, %v: is every one guarded?", len(columns), left, g.columns, rows.Err())
	}
	return columns
}

// test changes as many columns at a time as there are rows, each in a row of its own.
func (g *guarded) test(t *testing.T, w *town) {
	at := 7
	if g.alone {
		at = 1
	}
	w.keep(t, g.table)
	columns := g.storedColumns(t, w)
	for ; len(columns) > 0; columns = columns[min(at, len(columns)):] {
		round := columns[:min(at, len(columns))]
		var replaced, names []string
		for i, c := range round {
			replaced = append(replaced, fmt.Sprintf("if(%s, %s, %s) AS %s", g.row(i), mutated(c.kind, c.name), c.name, c.name))
			names = append(names, w.text(t, "SELECT toString(min(%s)) FROM %s_kept WHERE %s", g.named, g.table, g.row(i)))
		}
		w.exec(t, "TRUNCATE TABLE %s", g.table)
		w.exec(t, "INSERT INTO %s SELECT * REPLACE (%s) FROM %s_kept SETTINGS prefer_column_name_to_alias = 1", g.table, strings.Join(replaced, ", "), g.table)
		p, err := w.Auditor().Verify(t.Context(), november(), false)
		if err != nil {
			t.Errorf("%v changed: %v", names, err)
			continue
		}
		for i, c := range round {
			says := func(line string) bool {
				if c.name == "number" || g.table == "seals" && c.name == "run" { // the row is another's now
					return strings.Contains(line, c.name)
				}
				return strings.Contains(line, names[i]) && (strings.Contains(line, " "+c.name+" is stored ") || strings.Contains(line, "."+c.name+" is stored ") || c.name == "state" && strings.Contains(line, "state is stored"))
			}
			if !slices.ContainsFunc(p.Found, says) {
				t.Errorf("%s of %s was changed; verify says\n%s", c.name, names[i], strings.Join(p.Found, "\n"))
			}
		}
	}
	w.restore(t, g.table)
}

// mutated is an expression that changes a column's value by as little as its type
// allows.
func mutated(kind, column string) string {
	switch {
	case strings.HasPrefix(kind, "Array(Tuple("):
		return "arrayMap(x -> (x.1, x.2, x.3 + 1), " + column + ")"
	case kind == "Array(String)":
		return "if(empty(" + column + "), ['~'], arrayMap(x -> " + mutated("String", "x") + ", " + column + "))"
	case strings.HasPrefix(kind, "Array("):
		inner := strings.TrimSuffix(strings.TrimPrefix(kind, "Array("), ")")
		return "arrayMap(x -> " + mutated(inner, "x") + ", " + column + ")"
	case strings.Contains(kind, "String"):
		return "concat(substring(" + column + ", 1, greatest(toInt64(length(" + column + ")) - 1, 0)), '~')"
	case strings.HasPrefix(kind, "DateTime64"):
		return "addMilliseconds(" + column + ", 1)"
	case kind == "Bool":
		return "NOT " + column
	case strings.HasPrefix(kind, "Decimal("):
		_, places, _ := strings.Cut(strings.TrimSuffix(kind, ")"), ", ")
		least := "1"
		if n, _ := strconv.Atoi(places); n > 0 {
			least = "0." + strings.Repeat("0", n-1) + "1"
		}
		return fmt.Sprintf("CAST(%s + CAST('%s', '%s'), '%s')", column, least, kind, kind)
	}
	return "CAST(" + column + " + 1 AS " + kind + ")"
}
