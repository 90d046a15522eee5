package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/internal/embedded/embeddedtest"
	"github.com/reckon-billing/reckon/internal/testkit"
	"github.com/reckon-billing/reckon/schemas"
)

// asProgram is the variable that makes the test binary the program itself, for
// tests that need a process: to kill it, or to give it another time zone.
const asProgram = "TEST_BINARY_IS_RECKON"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main() // exits
	}
	os.Exit(embeddedtest.Run(m))
}

var vnd = schemas.Currency{Code: "VND"} //nolint:gochecknoglobals // a constant of a type that has none

// zone is the billing zone.
func zone(t testing.TB) *time.Location {
	t.Helper()
	z, err := time.LoadLocation("Asia/Ho_Chi_Minh")
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// outcome is what a command left behind.
type outcome struct {
	code           int
	stdout, stderr string
}

// lastLine is the last line of stderr.
func (o outcome) lastLine() string {
	lines := strings.Split(strings.TrimSuffix(o.stderr, "\n"), "\n")
	return lines[len(lines)-1]
}

// outside are the variables of this process that the program may see: where
// the engine is, and where to put files. Settings come from the tests alone.
func outside() []string {
	var environ []string
	for _, name := range []string{"HOME", "XDG_CACHE_HOME", "RECKON_ENGINE_DIR", "TMPDIR", "PATH"} {
		if value, ok := os.LookupEnv(name); ok {
			environ = append(environ, name+"="+value)
		}
	}
	return environ
}

// commandTime bounds each command of the tests.
const commandTime = 2 * time.Minute

// runReckon runs a command in this process, with the given settings.
func runReckon(t testing.TB, settings []string, args ...string) outcome {
	t.Helper()
	return runReckonAt(t, time.Now, settings, args...)
}

func runReckonAt(t testing.TB, now func() time.Time, settings []string, args ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), commandTime)
	defer cancel()
	var stdout, stderr bytes.Buffer
	a := &cli{environ: slices.Concat(outside(), settings), stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr, now: now}
	code := a.run(ctx, args)
	if ctx.Err() != nil {
		t.Fatalf("reckon %s did not end within %s; stderr:\n%s", strings.Join(args, " "), commandTime, stderr.String())
	}
	return outcome{code, stdout.String(), stderr.String()}
}

// mustRun is runReckon for a command that must succeed; it returns stdout.
func mustRun(t testing.TB, settings []string, args ...string) string {
	t.Helper()
	got := runReckon(t, settings, args...)
	if got.code != 0 {
		t.Fatalf("reckon %s ended with %d:\n%s", strings.Join(args, " "), got.code, got.stderr)
	}
	return got.stdout
}

// program is a command to be run as a process of its own.
func program(settings []string, args ...string) *exec.Cmd {
	c := testkit.Command("/proc/self/exe", args...)
	c.Env = append(slices.Concat(outside(), settings), asProgram+"=1")
	return c
}

// runProgram runs a command as a process of its own.
func runProgram(t testing.TB, settings []string, args ...string) outcome {
	t.Helper()
	p := testkit.Start(t, program(settings, args...))
	code := p.Wait(t, commandTime)
	return outcome{code, p.Out.String(), p.Log.String()}
}

// eventually waits until something holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	testkit.Eventually(t, 30*time.Second, what, holds)
}
