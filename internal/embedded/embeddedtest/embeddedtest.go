package embeddedtest

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
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

// Two returns two stacks without a broker that are two servers of one installation.
func Two(t testing.TB) (one, other *embedded.Stack) {
	t.Helper()
	one = StartWith(t, embedded.Options{NoKafka: true})
	return one, Another(t, one)
}

// Another returns a stack without a broker whose ClickHouse has the password of one that
// runs, as servers of one installation have.
func Another(t testing.TB, one *embedded.Stack) *embedded.Stack {
	t.Helper()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "clickhouse.password"), []byte(one.Endpoints().Password), 0o600); err != nil {
		t.Fatal(err)
	}
	return StartWith(t, embedded.Options{DataDir: folder, NoKafka: true})
}
