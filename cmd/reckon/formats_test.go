package main

import (
	"encoding/csv"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// Each command that prints tables prints the same rows as CSV and as JSON, and refuses
// any other format by the names of those that there are.
func TestWhatPrintsTablesPrintsThemInEveryFormat(t *testing.T) {
	w := startTown(t, november2025(), october2025())
	w.play(t, serverLine, usageLine("u-1", "2025-10-10T10:00:00+07:00", "3"), "not JSON", `{"seal":"2025-10"}`)
	// Another value for what is sealed, and usage before there was a server.
	w.play(t, usageLine("u-1", "2025-10-10T10:00:00+07:00", "4"), usageLine("u-9", "2025-09-10T10:00:00+07:00", "7"))
	for name, says := range map[string]string{
		"report usage --month 2025-10": "INV-2025-10-", "anomalies": "unmatched_usage", "conflicts": "u-1", "deadletter list": "not_json",
	} {
		t.Run(name, func(t *testing.T) {
			printed := func(format string) string {
				got := w.command(t, "", append(strings.Fields(name), "--format", format)...)
				if got.code != 0 || !strings.Contains(got.stdout, says) {
					t.Fatalf("as %s it ended with %d, and does not say %s:\n%s%s", format, got.code, says, got.stdout, got.stderr)
				}
				return got.stdout
			}
			if heading, _, _ := strings.Cut(printed("table"), "\n"); strings.Contains(heading, says) {
				t.Errorf("the table begins without a heading:\n%s", heading)
			}
			rows, err := csv.NewReader(strings.NewReader(printed("csv"))).ReadAll()
			if err != nil || len(rows) != 2 {
				t.Fatalf("as CSV: %v, in %d rows", err, len(rows))
			}
			var objects []map[string]any
			if err := json.Unmarshal([]byte(printed("json")), &objects); err != nil || len(objects) != 1 {
				t.Fatalf("as JSON: %v, in %d objects", err, len(objects))
			}
			for _, column := range rows[0] {
				if _, there := objects[0][column]; !there {
					t.Errorf("the objects have no %s: %v", column, objects[0])
				}
			}
			if len(objects[0]) != len(rows[0]) || !slices.ContainsFunc(rows[1], func(field string) bool { return strings.Contains(field, says) }) {
				t.Errorf("as CSV %q, as JSON %v", rows, objects)
			}
			for _, other := range []string{"xml", ""} {
				got := w.command(t, "", append(strings.Fields(name), "--format", other)...)
				if got.code != exitUsage || got.stdout != "" || !strings.Contains(got.stderr, "write table, csv or json") {
					t.Errorf("as %q it ended with %d: %s%s", other, got.code, got.stdout, got.stderr)
				}
			}
		})
	}
}
