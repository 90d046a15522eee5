package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestASeedGivesTheSameBytes(t *testing.T) {
	args := []string{"generate", "--month", "2026-10", "--months", "2", "--accounts", "5", "--resources", "40", "--usage", "2000", "--late", "50"}
	one := mustRun(t, nil, append(args, "--seed", "7")...)
	if again := mustRun(t, nil, append(args, "--seed", "7")...); again != one {
		t.Error("the same seed gives other bytes")
	}
	if other := mustRun(t, nil, append(args, "--seed", "8")...); other == one {
		t.Error("another seed gives the same bytes")
	}
	for _, seal := range []string{`{"seal":"2026-10"}`, `{"seal":"2026-11"}`} {
		if strings.Count(one, seal+"\n") != 1 {
			t.Errorf("%s is not there once", seal)
		}
	}
	elsewhere := runProgram(t, []string{"TZ=America/New_York"}, append(args, "--seed", "7")...)
	if elsewhere.stdout != one {
		t.Error("a machine in New York gives other bytes")
	}
}

func TestTheDemoProvesItself(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "demo")
	args := []string{"demo", "--data-dir", folder, "--months", "2", "--late", "100", "--accounts", "6", "--resources", "40", "--usage", "3000"}
	var said string
	for range 2 { // the second replaces the first
		said = mustRun(t, nil, args...)
		for _, want := range []string{"proven: ", "recomputed to the last minor unit", "What to try next:"} {
			if !strings.Contains(said, want) {
				t.Errorf("the demo does not say %q:\n%s", want, said)
			}
		}
	}
	// What it proposes to try works on what it left.
	month := regexp.MustCompile(`report usage --month (\S+) --format csv`)
	if got := mustRun(t, []string{"RECKON_DATA_DIR=" + folder}, "report", "usage", "--month", month.FindStringSubmatch(said)[1], "--format", "csv"); strings.Count(got, "\n") < 2 {
		t.Errorf("the month that it names is\n%s", got)
	}
	stranger := t.TempDir()
	if err := os.WriteFile(filepath.Join(stranger, "mine"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, runReckon(t, nil, "demo", "--data-dir", stranger), stranger)
	if _, err := os.Stat(filepath.Join(stranger, "mine")); err != nil {
		t.Error(err)
	}
}
