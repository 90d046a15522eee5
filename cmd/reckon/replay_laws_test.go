package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/reckon-billing/reckon/internal/simulate"
)

// A10, A12, C6, J4: a made-up two months with disorder, copies, conflicts, poison
// and late events print the same bytes however the batches are cut, again, and
// in another time zone of the machine.
func TestAReplayPrintsTheSameBytes(t *testing.T) {
	made := mustRun(t, nil, "generate", "--seed", "3", "--month", "2026-10", "--months", "2", "--accounts", "4",
		"--resources", "20", "--usage", "200", "--late", "500")
	path := write(t, "made.jsonl", made)
	first := runReckon(t, nil, "replay", path)
	if first.code != 0 {
		t.Fatalf("ended with %d:\n%s", first.code, first.stderr)
	}
	if !strings.Contains(first.stdout, "adjustment") {
		t.Error("there is no adjustment: the scenario shows too little")
	}
	for _, c := range []struct {
		name string
		run  func(t *testing.T) outcome
	}{
		{"again", func(t *testing.T) outcome { return runReckon(t, nil, "replay", path) }},
		{"batches of 1", func(t *testing.T) outcome { return runReckon(t, nil, "replay", "--batch", "1", path) }},
		{"batches of 3", func(t *testing.T) outcome { return runReckon(t, nil, "replay", "--batch", "3", path) }},
		{"batches of 1000", func(t *testing.T) outcome { return runReckon(t, nil, "replay", path, "--batch", "1000") }},
		{"a machine in New York", func(t *testing.T) outcome {
			return runProgram(t, []string{"TZ=America/New_York"}, "replay", path)
		}},
		{"a machine in Kathmandu, in pieces", func(t *testing.T) outcome {
			half := strings.LastIndexByte(made[:len(made)/2], '\n') + 1
			return runProgram(t, []string{"TZ=Asia/Kathmandu"}, "replay",
				write(t, "one.jsonl", made[:half]), write(t, "two.jsonl", made[half:]))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := c.run(t)
			if got.code != 0 {
				t.Fatalf("ended with %d:\n%s", got.code, got.stderr)
			}
			sameText(t, got.stdout, first.stdout)
			if got.lastLine() != first.lastLine() {
				t.Errorf("counted %s, before %s", got.lastLine(), first.lastLine())
			}
		})
	}
}

// The replay's clock is created_at of all that it issues, in the billing zone,
// and what is later than it by more than 10 minutes is rejected.
func TestTheClockOfAReplay(t *testing.T) {
	t.Parallel()
	lines := createdLine("r1", "2026-10-30T00:00:00Z") + "\n" + createdLine("r2", "2026-10-31T12:10:00.000Z") + "\n" +
		createdLine("r3", "2026-10-31T12:10:00.001Z") + "\n" + `{"seal":"2026-10"}`
	path := write(t, "clock.jsonl", lines)
	got := runReckon(t, nil, "replay", "--now", "2026-10-31T12:00:00Z", path)
	rows := strings.Split(strings.TrimSpace(got.stdout), "\n")
	if got.code != 0 || len(rows) != 3 {
		t.Fatalf("ended with %d and %d rows, want 0 and 3:\n%s%s", got.code, len(rows), got.stdout, got.stderr)
	}
	for _, row := range rows[1:] {
		if !strings.Contains(row, ",2026-10-31T19:00:00+07:00,Unpaid,") {
			t.Errorf("is not created at the clock: %s", row)
		}
	}
	if want := path + ":3: rejected: time_in_future"; !strings.HasPrefix(got.stderr, want) {
		t.Errorf("stderr is %q, want %q first", got.stderr, want)
	}
}

// createdLine is the creation of a postpaid resource of account a.
func createdLine(resource, at string) string {
	return `{"specversion":"1.0","id":"created ` + resource + `","source":"test","type":"resource.created","subject":"` + resource +
		`","time":"` + at + `","data":{"account_id":"a","mode":"postpaid","resource_name":"r","product":"p","service":"s",` +
		`"items":[{"item":"cpu","unit":"core","unit_price":"43200","quantity":"1"}]}}`
}

// Every line that is not blank is produced as it stands, and is exactly one of
// stored, duplicate, conflicting and rejected; the rejects are named.
func TestWhateverALineHoldsItIsCounted(t *testing.T) {
	t.Parallel()
	whole := createdLine("r1", "2026-10-01T00:00:00+07:00")
	first := strings.Join([]string{
		"",
		whole + "\r",
		" \t\r",
		"this is not JSON",
		`["not", "an", "object"]`,
		"null",
		"7",
		strings.Replace(whole, `"core"`, "\"co\xffre\"", 1),
		strings.Replace(strings.Replace(whole, `"43200"`, `43200.00`, 1), `,"data"`, ` , "data"`, 1),
		strings.Replace(whole, "43200", "43201", 1),
		strings.Replace(whole, "resource.created", "resource.exploded", 1),
		`{"seal":"2026-10","specversion":"1.0"}`,
		strings.Replace(createdLine("r2", "2026-10-02T00:00:00Z"), `"quantity"`, `"quantty"`, 1),
		strings.Replace(createdLine("r3", "2026-10-02T00:00:00Z"), `"mode":"postpaid"`, `"mode":"postpaid","mode":"prepaid"`, 1),
		"\x00",
		"{" + strings.Repeat(" ", 1<<20-2) + "}",
		`{"seal":"2026-10"}`,
		`{"specversion":"1.0","id":"deleted","source":"test","type":"resource.deleted","subject":"r1",` +
			`"time":"2026-10-01T01:00:00+07:00","data":{"account_id":"a"}}`, // without a newline
	}, "\n")
	one, two := write(t, "one.jsonl", first), pipe(t, "{}\r\n"+`{"seal":"2026-10"}`)
	got := runReckon(t, nil, "replay", one, two)
	if got.code != 0 {
		t.Fatalf("ended with %d:\n%s", got.code, got.stderr)
	}
	var want []string
	for _, rejected := range []string{
		":4: rejected: not_json", ":5: rejected: wrong_type", ":6: rejected: wrong_type", ":7: rejected: wrong_type",
		":8: rejected: invalid_utf8", ":11: rejected: unknown_type", ":12: rejected: missing_field", ":13: rejected: unknown_field",
		":14: rejected: duplicate_name", ":15: rejected: not_json", ":16: rejected: missing_field",
	} {
		want = append(want, one+rejected)
	}
	// A created, once more in other words, once more with another price, and a
	// deleted are the four that can be read.
	want = append(want, two+":1: rejected: missing_field",
		`{"stored":2,"duplicate":1,"conflicting":1,"rejected":12,"anomalous":0}`)
	said := strings.Split(strings.TrimSuffix(got.stderr, "\n"), "\n")
	if len(said) != len(want) {
		t.Fatalf("stderr has %d lines, want %d:\n%s", len(said), len(want), got.stderr)
	}
	for i := range want {
		if !strings.HasPrefix(said[i], want[i]) {
			t.Errorf("line %d of stderr is %q, must begin with %q", i+1, said[i], want[i])
		}
	}
	// A whole October of 31 days is sealed; the deletion after an hour comes late.
	if n := strings.Count(got.stdout, "\n"); n != 4 || !strings.Contains(got.stdout, ",44640,0,,0,44640,2026-10,invoice\n") ||
		!strings.Contains(got.stdout, ",-44640,0,,0,-44640,2026-10,adjustment\n") || !strings.Contains(got.stdout, ",60,0,,0,60,2026-10,adjustment\n") {
		t.Errorf("printed\n%s", got.stdout)
	}
}

// pipe is a file that can be read once.
func pipe(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	written := make(chan error, 1)
	go func() { written <- os.WriteFile(path, []byte(content), 0o600) }()
	t.Cleanup(func() {
		if err := <-written; err != nil {
			t.Error(err)
		}
	})
	return path
}

func TestAnEmptyScenarioIsAHeaderAlone(t *testing.T) {
	t.Parallel()
	got := runReckon(t, nil, "replay", write(t, "empty.jsonl", "\n\r\n"))
	if got.code != 0 || strings.Count(got.stdout, "\n") != 1 || !strings.HasPrefix(got.stdout, "account_id,") {
		t.Errorf("ended with %d and printed %q", got.code, got.stdout)
	}
	if want := countsLine(simulate.Counts{}) + "\n"; got.stderr != want {
		t.Errorf("stderr is %q, want %q", got.stderr, want)
	}
}
