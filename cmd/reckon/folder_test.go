package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/internal/embedded"
	"github.com/reckon-billing/reckon/internal/testkit"
)

// TestAFolderInUseIsLeftAlone: O1 and O2 by processes, whose numbers are told.
func TestAFolderInUseIsLeftAlone(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "reckon-demo")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, demoMark), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	settings := []string{"RECKON_DATA_DIR=" + folder, "RECKON_LISTEN=127.0.0.1:0"}
	up := testkit.Start(t, program(settings, "up"))
	up.Out.Await(t, "^reckon is up$")
	running, err := embedded.ReadEndpoints(folder)
	if err != nil {
		t.Fatal(err)
	}
	holder := fmt.Sprintf("reckon up (pid %d) uses it", up.PID())
	for _, command := range [][]string{{"up"}, {"demo", "--data-dir", folder}} {
		got := runProgram(t, settings, command...)
		if got.code != exitFailed || !strings.Contains(got.lastLine(), holder) {
			t.Errorf("%v ended with %d and said %q; want %q", command, got.code, got.stderr, holder)
		}
	}
	if now, err := embedded.ReadEndpoints(folder); err != nil || now != running {
		t.Errorf("it listens at %+v (%v), and did at %+v", now, err, running)
	}
	if took := up.Terminate(t); up.ExitCode() != 0 || took > 10*time.Second {
		t.Errorf("up ended with %d after %s:\n%s", up.ExitCode(), took, up.Log.String())
	}
	if got := runProgram(t, nil, "demo", "--data-dir", folder, "--resources", "5", "--usage", "50"); got.code != 0 {
		t.Errorf("of a folder that is free again demo ended with %d: %s", got.code, got.stderr)
	}
}
