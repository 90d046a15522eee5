package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// T5, T6: what there is not is said, and is a failure; a month that is sealed is said to
// be.
func TestCommandsSayWhatThereIsNot(t *testing.T) {
	w := startTown(t, newYear(), november())
	w.play(t, append(metered(), `{"seal":"2026-11"}`)...)
	for _, c := range []struct {
		name   string
		args   []string
		code   int
		stdout int // lines
		says   string
	}{
		{"a month that is not sealed", []string{"report", "usage", "--month", "2026-10"}, 1, 0, "reckon: 2026-10 is not sealed\n"},
		{"a month to come", []string{"report", "usage", "--month", "2026-12", "--format", "csv"}, 1, 0, "reckon: 2026-12 is not sealed\n"},
		{"an account that there is not", []string{"report", "usage", "--month", "2026-11", "--account", "nosuch"}, 1, 0, "reckon: no account nosuch\n"},
		{"anomalies of an account that there is not", []string{"anomalies", "--account", "nosuch"}, 1, 0, "reckon: no account nosuch\n"},
		{"conflicts of an account that there is not", []string{"conflicts", "--account", "nosuch"}, 1, 0, "reckon: no account nosuch\n"},
		{"an account that there is", []string{"report", "usage", "--month", "2026-11", "--account", "acme", "--format", "csv"}, 0, 2, ""},
		{"an account without anomalies", []string{"anomalies", "--account", "acme", "--format", "csv"}, 0, 1, "       0  in all\n"},
		{
			"a preview of a month that is sealed",
			[]string{"invoice", "--month", "2026-11", "--dry-run", "--format", "csv"},
			0, 1,
			"2026-11 is sealed already, by run 1: nothing came late since\n",
		},
		{"a preview of a month that is not", []string{"invoice", "--month", "2026-12", "--dry-run", "--format", "csv"}, 0, 2, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := w.command(t, "", c.args...)
			if got.code != c.code || strings.Count(got.stdout, "\n") != c.stdout || got.stderr != c.says {
				t.Errorf("ended with %d, %d lines and %q; want %d, %d and %q\n%s", got.code, strings.Count(got.stdout, "\n"), got.stderr, c.code, c.stdout, c.says, got.stdout)
			}
		})
	}
	w.play(t, used("late", "srv", "2026-11-03T00:00:00+07:00", "out", "2"))
	got := w.command(t, "", "invoice", "--month", "2026-11", "--dry-run", "--format", "csv")
	if want := "2026-11 is sealed already, by run 1: this would settle what came late since\n"; got.code != 0 || got.stderr != want || strings.Count(got.stdout, "\n") < 2 {
		t.Errorf("a preview of what came late ended with %d, said %q, want %q, and printed\n%s", got.code, got.stderr, want, got.stdout)
	}
}

// T5: a command that reads makes no data folder.
func TestACommandThatReadsMakesNoDataFolder(t *testing.T) {
	reads := map[string][]string{
		"report usage": {"--month", "2026-10"}, "explain": {"INV-2026-10-X"}, "verify": {"--month", "2026-10"}, "anomalies": nil, "conflicts": nil,
		"deadletter list": nil, "deadletter show": {"billing.usage/0/0"}, "deadletter replay": nil, "log list": nil, "log accept": {"--reason", "r"},
		"invoice": {"--month", "2026-10", "--dry-run"},
	}
	others := []string{
		"up", "ingest", "invoicer", "migrate", "replay", "demo", // make one
		"config", "generate", "help", "log", "report", "deadletter",
	}
	for _, name := range subcommands(t, nil) {
		if _, listed := reads[name]; listed || strings.HasPrefix(name, "completion") {
			continue
		}
		found := false
		for _, other := range others {
			found = found || other == name
		}
		if !found {
			t.Errorf("reckon %s is not known here: does it read a data folder?", name)
		}
	}
	empty := t.TempDir()
	for name, args := range reads {
		for _, folder := range []string{filepath.Join(t.TempDir(), "nosuch"), empty} {
			got := runReckon(t, []string{"RECKON_DATA_DIR=" + folder}, append(strings.Fields(name), args...)...)
			if got.code != exitFailed || got.stdout != "" || !strings.Contains(got.stderr, "there is nothing in the data folder "+folder) || strings.Count(got.stderr, "\n") != 1 {
				t.Errorf("reckon %s ended with %d: %s%s", name, got.code, got.stdout, got.stderr)
			}
			if entries, err := os.ReadDir(folder); len(entries) > 0 || folder != empty && !os.IsNotExist(err) {
				t.Errorf("reckon %s left %v in %s, %v", name, entries, folder, err)
			}
		}
	}
}

func TestTheVersionIsTold(t *testing.T) {
	got := runReckon(t, nil, "--version")
	if got.code != 0 || !regexp.MustCompile(`^reckon \S+ \(.*go1\.\d+.*\)\n$`).MatchString(got.stdout) {
		t.Errorf("ended with %d and says %q%s", got.code, got.stdout, got.stderr)
	}
}
