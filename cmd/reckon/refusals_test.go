package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// nothingStarts are settings under which nothing can start: what must be found
// before is found before, or the message is another.
func nothingStarts(t *testing.T) []string {
	return []string{"RECKON_ENGINE_DIR=" + filepath.Join(t.TempDir(), "none"), "RECKON_DATA_DIR=" + filepath.Join(t.TempDir(), "none")}
}

// write makes a file and returns its path.
func write(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAScenarioThatCannotBeReadIsNamedByFileAndLine(t *testing.T) {
	const event = `{"specversion":"1.0","id":"1"}` + "\n"
	for _, c := range []struct{ name, content, where, says string }{
		{"a month that is none", event + "\n" + `{"seal":"2026-13"}`, ":3", "2026-13"},
		{"a month that is a number", `{"seal":5}`, ":1", `{"seal":"2026-10"}`},
		{"a month that is null", event + `{"seal":null}`, ":2", "month"},
		{"a month without its year", `{"seal":"10"}`, ":1", "month"},
		{"another key beside", `{"seal":"2026-10","x":1}`, ":1", `{"seal":"2026-10"}`},
		{"the key twice", `{"seal":"2026-10","seal":"2026-10"}`, ":1", `{"seal":"2026-10"}`},
		{"the key twice, once escaped", `{"seal":"2026-10","\u0073eal":"2026-11"}`, ":1", `{"seal":"2026-10"}`},
		{"bytes that are no text", "{\"seal\":\"2026-10\xff\"}", ":1", `{"seal":"2026-10"}`},
		{"a line over 1 MiB", event + strings.Repeat("x", 1<<20+1) + "\n" + event, ":2", "1048576 bytes"},
		{"a last line over 1 MiB", event + event + strings.Repeat("x", 1<<20+1), ":3", "1048576 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := write(t, "broken.jsonl", c.content)
			got := runReckon(t, nothingStarts(t), "replay", write(t, "whole.jsonl", event), path)
			refused(t, got, path+c.where, c.says)
		})
	}
}

// refused checks exit 2 with one sentence that says all of it, and nothing else
// done.
func refused(t *testing.T, got outcome, says ...string) {
	t.Helper()
	if got.code != exitUsage || got.stdout != "" {
		t.Errorf("ended with %d, wrote %q; want %d and nothing", got.code, got.stdout, exitUsage)
	}
	if !strings.HasPrefix(got.stderr, "reckon: ") || strings.Count(got.stderr, "\n") != 1 {
		t.Errorf("%q is not one sentence", got.stderr)
	}
	for _, s := range says {
		if !strings.Contains(got.stderr, s) {
			t.Errorf("%q does not say %q", got.stderr, s)
		}
	}
}

func TestWhatIsAskedWronglyIsRefusedBeforeAnythingStarts(t *testing.T) {
	scenario := write(t, "empty.jsonl", "")
	missing := filepath.Join(t.TempDir(), "missing.jsonl")
	for _, c := range []struct {
		name string
		args []string
		says string
	}{
		{"an unknown command", []string{"bill"}, `"bill"`},
		{"an unknown command of report", []string{"report", "costs"}, `"costs"`},
		{"an unknown flag", []string{"replay", "--fast", scenario}, "--fast"},
		{"a flag of another command", []string{"up", "--batch", "3"}, "--batch"},
		{"an argument too many", []string{"up", "now"}, `"now"`},
		{"no file", []string{"replay"}, "at least 1"},
		{"a missing file", []string{"replay", scenario, missing}, missing},
		{"a folder for a file", []string{"replay", filepath.Dir(missing)}, filepath.Dir(missing)},
		{"a batch of nothing", []string{"replay", "--batch", "0", scenario}, "--batch 0"},
		{"a batch below nothing", []string{"replay", "--batch", "-1", scenario}, "--batch -1"},
		{"a batch that is no number", []string{"replay", "--batch", "many", scenario}, "--batch"},
		{"a clock without an offset", []string{"replay", "--now", "2026-11-01T00:00:00", scenario}, "--now"},
		{"a clock at a leap second", []string{"replay", "--now", "2026-11-01T00:00:60Z", scenario}, "--now"},
		{"a clock before 2000", []string{"replay", "--now", "1999-12-31T23:59:59Z", scenario}, "--now"},
		{"a clock after 2199", []string{"replay", "--now", "2200-01-01T00:00:00Z", scenario}, "--now"},
		{"a seal of no month", []string{"invoice"}, "--month"},
		{"a seal of a thirteenth month", []string{"invoice", "--month", "2026-13"}, "2026-13"},
		{"a seal of one month and of all", []string{"invoice", "--settle-all", "--month", "2026-10"}, "--settle-all"},
		{"a preview in an unknown format", []string{"invoice", "--month", "2026-10", "--dry-run", "--format", "xml"}, "xml"},
		{"a report of no month", []string{"report", "usage"}, "--month"},
		{"a report of no such month", []string{"report", "usage", "--month", "october"}, "october"},
		{"a report in an unknown format", []string{"report", "usage", "--month", "2026-10", "--format", "pdf"}, "pdf"},
		{"a table for spreadsheets", []string{"report", "usage", "--month", "2026-10", "--for-spreadsheets"}, "--format csv"},
		{"settings in an unknown format", []string{"config", "--format", "csv"}, "csv"},
		{"no months to generate", []string{"generate", "--months", "0"}, "months"},
		{"no month to generate", []string{"generate", "--month", "2026-00"}, "2026-00"},
		{"no resources for the demo", []string{"demo", "--resources", "0"}, "resources"},
	} {
		t.Run(c.name, func(t *testing.T) {
			refused(t, runReckon(t, nothingStarts(t), c.args...), c.says)
		})
	}
}

func TestABadSettingIsNamedBeforeAnythingStarts(t *testing.T) {
	scenario := write(t, "empty.jsonl", "")
	for _, args := range [][]string{
		{"up"},
		{"ingest"},
		{"invoicer"},
		{"migrate"},
		{"invoice", "--month", "2026-10"},
		{"report", "usage", "--month", "2026-10"},
		{"replay", scenario},
		{"generate"},
		{"demo"},
		{"config"},
	} {
		t.Run(args[0], func(t *testing.T) {
			settings := append(nothingStarts(t), "RECKON_BILLING_ZONE=Mars/Olympus")
			refused(t, runReckon(t, settings, args...), "billing.zone", "RECKON_BILLING_ZONE", "Mars/Olympus")
		})
	}
	for _, c := range []struct{ name, settings, file, says string }{
		{"a misspelt variable", "RECKON_BILING_ZONE=UTC", "", "RECKON_BILING_ZONE"},
		{"a misspelt name in the file", "", "billing:\n  zonne: UTC\n", "line 2: billing.zonne"},
		{"a bad value in the file", "", "ingest:\n  batch_rows: many\n", "ingest.batch_rows"},
		{"a file that is no YAML", "", "\t{", "settings.yaml"},
	} {
		t.Run(c.name, func(t *testing.T) {
			settings, args := nothingStarts(t), []string{"up"}
			if c.settings != "" {
				settings = append(settings, c.settings)
			}
			if c.file != "" {
				args = append(args, "--config", write(t, "settings.yaml", c.file))
			}
			refused(t, runReckon(t, settings, args...), c.says)
		})
	}
	t.Run("a missing file of settings", func(t *testing.T) {
		missing := filepath.Join(t.TempDir(), "missing.yaml")
		refused(t, runReckon(t, nothingStarts(t), "up", "--config", missing), missing)
	})
}

func TestWhatIsProbablyNotMeantOfAScenarioIsSaidBeforeItIsPlayed(t *testing.T) {
	path := write(t, "batch.jsonl", "\xef\xbb\xbf[{}]\n")
	got := runReckon(t, nothingStarts(t), "replay", path)
	for _, says := range []string{path + ":1: the file begins with a byte order mark", path + ":1: a JSON array is no event", "no line seals a month"} {
		if !strings.Contains(got.stderr, says) {
			t.Errorf("it does not say %q:\n%s", says, got.stderr)
		}
	}
}

func TestAMissingEngineIsOneSentenceThatSaysWhatToRun(t *testing.T) {
	for _, args := range [][]string{{"up"}, {"replay", write(t, "sealed.jsonl", `{"seal":"2026-10"}`)}} {
		got := runReckon(t, nothingStarts(t), args...)
		if got.code != exitFailed || !strings.Contains(got.stderr, "make engine") || strings.Count(got.stderr, "\n") != 1 {
			t.Errorf("reckon %s ended with %d and said %q", args[0], got.code, got.stderr)
		}
	}
}
