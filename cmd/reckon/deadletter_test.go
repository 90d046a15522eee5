package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

func october2025() schemas.Month { return schemas.Month{Year: 2025, Month: time.October} }

func november2025() time.Time { return time.Date(2025, 11, 5, 5, 0, 0, 0, time.UTC) }

func usageLine(id, at, value string) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"/meter","type":"usage.recorded","subject":"srv-1","time":%q,"data":{"account_id":"acme","item":"out","value":%q}}`,
		id, at, value)
}

// serverLine creates a server that pays 1,000 for each GB sent, and 10% tax.
const serverLine = `{"specversion":"1.0","id":"c-1","source":"/servers","type":"resource.created","subject":"srv-1","time":"2025-10-01T00:00:00+07:00",` +
	`"data":{"account_id":"acme","mode":"postpaid","resource_name":"Web","product":"vServer","service":"Compute",` +
	`"items":[{"item":"out","unit":"GB","unit_price":"1000","meter":"sum","per":"use","tax_percent":"10"}]}}`

func TestDeadLettersOnTheEngines(t *testing.T) {
	w := startTown(t, november2025(), october2025())
	misspelt := strings.ReplaceAll(usageLine("u-2", "2025-10-20T10:00:00+07:00", "2"), `"value"`, `"valeu"`)
	const garbage = "\xff\x1b[31mred\x00\u202egnp{\"source\":\"/cut\",\"id\":"
	w.play(t, serverLine, usageLine("u-1", "2025-10-10T10:00:00+07:00", "3"), misspelt, garbage, `{"seal":"2025-10"}`)

	// The lines are keyed by account, or by nothing: so the letters' addresses are
	// asked for.
	at := func(reason string) string {
		return w.text(t, "SELECT concat(topic, '/', toString(partition), '/', toString(offset)) FROM dead_letters WHERE reason = '%s' ORDER BY offset LIMIT 1", reason)
	}
	fixable, hopeless := at("unknown_field"), at("not_json")
	for _, c := range []struct {
		name, stdin string
		args        []string
		code        int
		stdout      []string
		stderr      []string
	}{
		{
			name: "the list tells who sent what and why, and sums up", args: []string{"list"},
			stdout: []string{"/meter", "unknown_field", "valeu", "not_json", "       1  unknown_field (0 replayed, 0 rejected again)", "       2  in all"},
		},
		{name: "a choice by producer", args: []string{"list", "--producer", "/meter"}, stdout: []string{"       1  in all"}},
		{name: "a choice by a producer whose JSON is cut off", args: []string{"list", "--producer", "/cut"}, stdout: []string{"       1  in all"}},
		{name: "a choice by time", args: []string{"list", "--from", "2025-11-05T12:00:00+07:00", "--to", "2025-11-05T12:00:00.001+07:00"}, stdout: []string{"       2  in all"}},
		{name: "a choice of another time", args: []string{"list", "--to", "2025-11-05T12:00:00+07:00"}, stdout: []string{"       0  in all"}},
		{name: "a choice by topic", args: []string{"list", "--topic", "billing.lifecycle"}, stdout: []string{"       1  in all"}},
		{name: "a reason that there is not", args: []string{"list", "--reason", "bad_luck"}, code: 2, stderr: []string{`"bad_luck"`}},
		{name: "a time that cannot be read", args: []string{"list", "--from", "yesterday"}, code: 2, stderr: []string{"--from"}},
		{name: "an address that cannot be read", args: []string{"show", "billing.usage/1"}, code: 2, stderr: []string{"TOPIC/PARTITION/OFFSET"}},
		{name: "a letter that is not there", args: []string{"show", "billing.usage/1/99"}, code: 1, stderr: []string{"no dead letter at billing.usage/1/99"}},
		{name: "one letter", args: []string{"show", fixable}, stdout: []string{"key       acme", "reason    unknown_field: ", misspelt}},
		{name: "bytes that would move a cursor are escaped", args: []string{"show", hopeless}, stdout: []string{`\xff\x1b[31mred\x00\u202egnp{"source":"/cut","id":`}},
		{name: "a fix without a letter", args: []string{"replay", "--fix", "-"}, code: 2, stderr: []string{"--fix"}},
		{
			name: "without --yes it only says what it would do", args: []string{"replay"},
			stdout: []string{fixable + "  would be rejected again: unknown_field", "2 would be replayed: 0 stored, 2 rejected again", "nothing was done"},
		},
		{
			name: "so also with a fix", args: []string{"replay", fixable, "--fix", "-"}, stdin: strings.ReplaceAll(misspelt, "valeu", "value"),
			stdout: []string{fixable + "  would be stored", "1 would be replayed: 1 stored, 0 rejected again", "nothing was done"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := w.command(t, c.stdin, append([]string{"deadletter"}, c.args...)...)
			checkOutcome(t, got, c.code, c.stdout, c.stderr)
		})
	}
	// T7: an alias of the query stood for the column, so that all had 0.
	t.Run("the list tells the bytes of each letter", func(t *testing.T) {
		got := w.command(t, "", "deadletter", "list", "--format", "csv")
		for at, value := range map[string]string{fixable: misspelt, hopeless: garbage} {
			place := strings.ReplaceAll(at, "/", ",")
			line := regexp.MustCompile("(?m)^" + place + ",.*$").FindString(got.stdout)
			if !strings.Contains(line, fmt.Sprintf(",%d,", len(value))) {
				t.Errorf("of %d bytes the list says %q in\n%s", len(value), line, got.stdout)
			}
		}
	})
	t.Run("raw bytes are untouched", func(t *testing.T) {
		if got := w.command(t, "", "deadletter", "show", hopeless, "--raw"); got.stdout != garbage {
			t.Errorf("got %q, want %q", got.stdout, garbage)
		}
		var letter struct{ Value struct{ Base64, Text string } }
		got := w.command(t, "", "deadletter", "show", hopeless, "--format", "json")
		if err := json.Unmarshal([]byte(got.stdout), &letter); err != nil || letter.Value.Text != "" {
			t.Errorf("%v: %s", err, got.stdout)
		}
		if value, err := base64.StdEncoding.DecodeString(letter.Value.Base64); err != nil || string(value) != garbage {
			t.Errorf("got %q, %v", value, err)
		}
	})
	t.Run("a letter is replayed once, also one that is rejected again", func(t *testing.T) { testReplayOnce(t, w, hopeless) })
	t.Run("a replay after a fix leads to an adjustment", func(t *testing.T) { testReplayFix(t, w, fixable, misspelt) })
}

func checkOutcome(t *testing.T, got outcome, code int, stdout, stderr []string) {
	t.Helper()
	if got.code != code {
		t.Errorf("ended with %d, want %d", got.code, code)
	}
	for _, want := range stdout {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("stdout does not say %q", want)
		}
	}
	for _, want := range stderr {
		if !strings.Contains(got.stderr, want) {
			t.Errorf("stderr does not say %q", want)
		}
	}
	if t.Failed() {
		t.Logf("stdout:\n%s\nstderr:\n%s", got.stdout, got.stderr)
	}
}

func testReplayOnce(t *testing.T, w *town, letter string) {
	checkOutcome(t, w.command(t, "", "deadletter", "replay", "--reason", "not_json", "--yes"), 0,
		[]string{"1 replayed: 0 to be stored, 1 to be rejected again"}, nil)
	w.play(t) // ingest rejects it again
	checkOutcome(t, w.command(t, "", "deadletter", "list", "--reason", "not_json"), 0,
		[]string{"replayed 2025-11-05T12:00:00.000+07:00 as ", "replay of " + letter + ", rejected again", "2  not_json (1 replayed, 1 rejected again)"}, nil)
	for range 2 {
		checkOutcome(t, w.command(t, "", "deadletter", "replay", "--reason", "not_json", "--yes"), 0,
			[]string{"0 replayed", "2 left out, which were replayed before"}, nil)
	}
	checkOutcome(t, w.command(t, "", "deadletter", "replay", letter, "--again", "--yes"), 0, []string{"1 replayed"}, nil)
	w.play(t)
	checkOutcome(t, w.command(t, "", "deadletter", "list", "--reason", "not_json"), 0,
		[]string{"replayed (2 times)", "3  not_json (1 replayed, 2 rejected again)"}, nil)
}

// October was sealed with 3 GB: 3,000 and 300 tax. The letter says 2 more: 2,000
// and 200 tax.
func testReplayFix(t *testing.T, w *town, letter, misspelt string) {
	fix := filepath.Join(t.TempDir(), "fixed.json")
	if err := os.WriteFile(fix, []byte(strings.ReplaceAll(misspelt, "valeu", "value")), 0o600); err != nil {
		t.Fatal(err)
	}
	checkOutcome(t, w.command(t, "", "deadletter", "replay", letter, "--fix", fix, "--yes"), 0,
		[]string{"1 replayed: 1 to be stored, 0 to be rejected again"}, nil)
	w.play(t, `{"seal":"2025-10"}`)
	got := w.text(t, "SELECT arrayStringConcat(groupArray(concat(kind, ' ', toString(before_tax), ' ', toString(tax_amount), ' ', toString(total_amount))), ', ') "+
		"FROM (SELECT * FROM invoice_rows WHERE month = '2025-10' ORDER BY run, line_number)")
	if want := "invoice 3000 300 3300, adjustment -3000 -300 -3300, adjustment 5000 500 5500"; got != want {
		t.Errorf("invoiced: %s; want %s", got, want)
	}
	checkOutcome(t, w.command(t, "", "deadletter", "list", "--reason", "unknown_field"), 0,
		[]string{"replayed with a fix 2025-11-05T12:00:00.000+07:00 as billing.usage/"}, nil)
	checkOutcome(t, w.command(t, "", "verify", "--month", "2025-10"), 0,
		[]string{"1 and 1 adjustments with 3 lines, total 5500 VND", "3 copies + 4 dead letters"}, nil)
	// The copy with another value counts for nothing.
	w.play(t, usageLine("u-1", "2025-10-10T10:00:00+07:00", "4"), usageLine("u-9", "2025-09-10T10:00:00+07:00", "7"))
	checkOutcome(t, w.command(t, "", "conflicts", "--account", "acme"), 0, []string{"u-1", `"value":"4"`, `"value":"3"`, "1  conflicts"}, nil)
	checkOutcome(t, w.command(t, "", "anomalies", "--format", "csv"), 0,
		[]string{"acme,srv-1,unmatched_usage,usage.recorded,2025-09-10T10:00:00.000+07:00,/meter,u-9,billing.usage,", ",out,7\n"},
		[]string{"1  unmatched_usage", "1  in all"})
	checkOutcome(t, w.command(t, "", "anomalies", "--month", "2025-10"), 0, []string{"0  in all"}, nil)
	checkOutcome(t, w.command(t, "", "anomalies", "--reason", "bad_luck"), 2, nil, []string{"bad_luck"})
}
