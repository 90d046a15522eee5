package embeddedtest

import (
	"context"
	"log/slog"
	"os"
	"testing"

	"github.com/reckon-billing/reckon/internal/embedded"
)

// Run runs the package's tests and returns the exit code. In the child process
// that a stack starts from the test binary, it is the ClickHouse engine instead.
func Run(m *testing.M) int {
	if len(os.Args) > 1 && os.Args[1] == embedded.ChildCommand {
		return embedded.ChildMain(os.Args[2:], os.Stderr)
	}
	return m.Run()
}

// Start returns a stack on an empty folder, on free ports; it is closed when
// the test ends.
func Start(t testing.TB) *embedded.Stack {
	t.Helper()
	return StartWith(t, embedded.Options{})
}

// StartWith is [Start] with options: an empty DataDir is a fresh folder, a nil
// Log the test's output. The test may close the stack earlier.
func StartWith(t testing.TB, o embedded.Options) *embedded.Stack {
	t.Helper()
	if o.DataDir == "" {
		o.DataDir = t.TempDir()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	stack, err := embedded.Start(t.Context(), o)
	if err != nil {
		t.Fatalf("start embedded stack: %v", err)
	}
	t.Cleanup(func() {
		// The test's own context has ended by now.
		if err := stack.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("close embedded stack: %v", err)
		}
	})
	return stack
}
