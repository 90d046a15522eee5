package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/internal/testkit"
)

// TestWhatTheDemoSaysToTryNextRunsAsPrinted runs each of those commands in a shell, in
// the folder of the demo and in their order.
func TestWhatTheDemoSaysToTryNextRunsAsPrinted(t *testing.T) {
	w := newShell(t)
	for _, demo := range []string{"reckon demo --resources 10 --usage 200", "reckon demo --data-dir 'a folder' --months 2 --resources 10 --usage 200"} {
		t.Run(demo, func(t *testing.T) {
			said := w.run(t, demo)
			_, next, found := strings.Cut(said, "What to try next:\n")
			commands := regexp.MustCompile(`(?m)^  (\S.*)$`).FindAllStringSubmatch(next, -1)
			if !found || len(commands) < 6 {
				t.Fatalf("the demo says\n%s", said)
			}
			for _, m := range commands {
				if strings.HasSuffix(m[1], " up") {
					w.runUp(t, m[1])
					continue
				}
				out := w.run(t, m[1])
				if strings.Contains(m[1], "report") && !strings.Contains(m[1], "> usage.csv") && strings.Count(out, "\n") < 10 {
					t.Errorf("%s prints\n%s", m[1], out)
				}
			}
			csv, err := os.ReadFile(filepath.Join(w.dir, "usage.csv"))
			if err != nil || !strings.HasPrefix(string(csv), "account_id,") || strings.Count(string(csv), "\n") < 10 {
				t.Errorf("usage.csv has (%v)\n%s", err, csv)
			}
		})
	}
}

// shell is a folder in which commands are run as a person would type them.
type shell struct {
	dir     string
	environ []string
}

// newShell has reckon on its path; less as well, should the machine have none.
func newShell(t *testing.T) *shell {
	t.Helper()
	dir := t.TempDir()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := filepath.Join(dir, "bin"), filepath.Join(dir, "last")
	for _, folder := range []string{ours, theirs, filepath.Join(dir, "home")} {
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(program, filepath.Join(ours, "reckon")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(theirs, "less"), []byte("#!/bin/sh\nexec cat\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	environ := slices.DeleteFunc(outside(), func(v string) bool { return strings.HasPrefix(v, "PATH=") })
	return &shell{dir: filepath.Join(dir, "home"), environ: append(environ,
		"PATH="+ours+":"+os.Getenv("PATH")+":"+theirs, asProgram+"=1", "RECKON_LISTEN=127.0.0.1:0")}
}

// start starts a line.
func (s *shell) start(t *testing.T, line string) *testkit.Process {
	t.Helper()
	cmd := testkit.Command("/bin/sh", "-c", line)
	cmd.Dir, cmd.Env = s.dir, s.environ
	return testkit.Start(t, cmd)
}

// run runs a line, which must succeed, and returns what it prints.
func (s *shell) run(t *testing.T, line string) string {
	t.Helper()
	p := s.start(t, line)
	if code := p.Wait(t, commandTime); code != 0 || p.Log.String() != "" {
		t.Fatalf("%s ended with %d:\n%s", line, code, p.Log.String())
	}
	return p.Out.String()
}

// runUp runs a line that goes on until Ctrl-C, which everything in the terminal hears.
func (s *shell) runUp(t *testing.T, line string) {
	t.Helper()
	p := s.start(t, line)
	p.Out.Await(t, "^reckon is up$")
	for _, pid := range append(testkit.Descendants(t, p.PID()), p.PID()) {
		if err := syscall.Kill(pid, syscall.SIGINT); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
	p.Wait(t, 10*time.Second)
	if said := p.Log.String(); strings.Contains(said, "level=ERROR") || !strings.Contains(said, "msg=stopped") {
		t.Errorf("%s said\n%s", line, said)
	}
}

func TestWordsForAShell(t *testing.T) {
	for word, want := range map[string]string{
		"reckon-demo": "reckon-demo", "/tmp/a.b_c": "/tmp/a.b_c", "a folder": "'a folder'", "it's": `'it'\''s'`, "$HOME": "'$HOME'", "": "''", "~": "'~'",
	} {
		if got := quoteForShell(word); got != want {
			t.Errorf("%q is %s, want %s", word, got, want)
		}
	}
}
