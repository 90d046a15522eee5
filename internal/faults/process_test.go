package faults

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/internal/testkit"
)

// start runs the program with the arguments.
func start(t *testing.T, env []string, args ...string) *testkit.Process {
	t.Helper()
	cmd := testkit.Command(os.Getenv(binaryVariable), args...)
	cmd.Env = env
	return testkit.Start(t, cmd)
}

// mustRun runs it to its end, which must be a good one, and returns its output.
func mustRun(t *testing.T, env []string, args ...string) string {
	t.Helper()
	p := start(t, env, args...)
	if code := p.Wait(t, 5*time.Minute); code != 0 {
		t.Fatalf("%s ended with %d: %s", p, code, &p.Log)
	}
	return p.Out.String()
}

// engineOf is the ClickHouse engine that a process started on the native address,
// or on any if that is empty; there must be one.
func engineOf(t *testing.T, pid int, native string) int {
	t.Helper()
	_, port, _ := strings.Cut(native, ":")
	for _, child := range testkit.Descendants(t, pid) {
		command, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(child), "cmdline"))
		if err == nil && bytes.Contains(command, []byte("libchdb.so")) && bytes.Contains(command, []byte("--tcp_port="+port)) {
			return child
		}
	}
	t.Fatalf("process %d has no ClickHouse engine at %q", pid, native)
	return 0
}

func text(n int64) string { return strconv.FormatInt(n, 10) }
