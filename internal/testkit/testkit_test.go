package testkit_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/internal/testkit"
)

// shell starts lines of a shell.
func shell(t *testing.T, lines string) *testkit.Process {
	t.Helper()
	return testkit.Start(t, testkit.Command("/bin/sh", "-c", lines))
}

func TestAProcessTellsWhatItSaidAndHowItEnded(t *testing.T) {
	p := shell(t, "echo to whom it may concern; echo trouble >&2; exit 3")
	if code := p.Wait(t, time.Minute); code != 3 || p.Running() {
		t.Errorf("ended with %d, running %t", code, p.Running())
	}
	if out, log := p.Out.String(), p.Log.String(); out != "to whom it may concern\n" || log != "trouble\n" {
		t.Errorf("said %q and %q", out, log)
	}
	if err := p.Signal(syscall.SIGTERM); err != nil {
		t.Errorf("a signal to what has ended: %v", err)
	}
	p.Kill() // no harm
}

func TestAProcessEndsWhenItIsAsked(t *testing.T) {
	p := shell(t, `trap "exit 0" TERM; echo ready; while :; do sleep 0.01; done`)
	p.Out.Await(t, "^ready$")
	if took := p.Terminate(t); took > 10*time.Second || p.ExitCode() != 0 {
		t.Errorf("ended with %d after %v", p.ExitCode(), took)
	}
	deaf := shell(t, `trap "" TERM; echo ready; while :; do sleep 0.01; done`)
	deaf.Out.Await(t, "^ready$")
	if err := deaf.Signal(syscall.SIGTERM); err != nil || !deaf.Running() {
		t.Errorf("running %t, %v", deaf.Running(), err)
	}
	deaf.Kill()
	if deaf.Running() || deaf.ExitCode() != -1 {
		t.Errorf("killed, it runs: %t, code %d", deaf.Running(), deaf.ExitCode())
	}
}

func TestWhatCannotBeStartedIsSaid(t *testing.T) {
	_, err := testkit.Launch(testkit.Command(filepath.Join(t.TempDir(), "none"), "now"))
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(fmt.Sprint(err), "start none now") {
		t.Errorf("error %v", err)
	}
}

func TestNoProcessOutlivesItsTest(t *testing.T) {
	var pid int
	t.Run("a test", func(t *testing.T) { pid = shell(t, "exec sleep 1000").PID() })
	if pid == 0 || testkit.Alive(pid) {
		t.Errorf("process %d is alive", pid)
	}
}

func TestAChildThatIsLeftBehindHoldsNobodyUp(t *testing.T) {
	p := shell(t, "sleep 1000 & echo $!; wait")
	var child int
	if _, err := fmt.Sscan(p.Out.Await(t, `^\d+$`)[0], &child); err != nil {
		t.Fatal(err)
	}
	p.Kill()
	if err := syscall.Kill(child, syscall.SIGKILL); err != nil {
		t.Errorf("the child: %v", err)
	}
}

func TestDescendantsAreChildrenAndTheirs(t *testing.T) {
	p := shell(t, `/bin/sh -c 'sleep 1000 & echo "child $$ $!"; wait' & wait`)
	var child, grandchild int
	if _, err := fmt.Sscan(strings.Join(p.Out.Await(t, `^child (\d+) (\d+)$`)[1:], " "), &child, &grandchild); err != nil {
		t.Fatal(err)
	}
	want := []int{child, grandchild}
	slices.Sort(want)
	if got := testkit.Descendants(t, p.PID()); !slices.Equal(got, want) {
		t.Errorf("descendants %v, want %v", got, want)
	}
	for _, pid := range want {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	testkit.Eventually(t, time.Minute, "they are gone", func() bool { return !testkit.Alive(child) && !testkit.Alive(grandchild) })
}

func TestOutputKeepsTheLatest(t *testing.T) {
	var o testkit.Output
	line := []byte(strings.Repeat("x", 1<<20-1) + "\n")
	for range 30 {
		if n, err := o.Write(line); n != len(line) || err != nil {
			t.Fatal(n, err)
		}
	}
	_, _ = o.Write([]byte("port 4321\n"))
	if said := o.String(); len(said) > 16<<20 || !strings.HasSuffix(said, "x\nport 4321\n") {
		t.Errorf("%d bytes are kept, the last %q", len(said), testkit.Tail(said, 20))
	}
	if got := o.Await(t, `^port (\d+)$`); !slices.Equal(got, []string{"port 4321", "4321"}) {
		t.Errorf("found %q", got)
	}
}

func TestPortsAreFreeAndDiffer(t *testing.T) {
	ports := testkit.MustFreePorts(t, 5)
	slices.Sort(ports)
	if len(slices.Compact(ports)) != 5 {
		t.Errorf("ports %v", ports)
	}
	for _, addr := range []string{testkit.FreeAddress(t), testkit.Loopback(ports[0])} {
		l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if port := testkit.Port(t, addr); testkit.Loopback(port) != addr {
			t.Errorf("port %d of %s", port, addr)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestAFolderIsGoneAfterItsUse(t *testing.T) {
	failed := errors.New("no luck")
	var dir string
	err := testkit.InFolder("testkit", func(d string) error {
		dir = d
		return errors.Join(os.WriteFile(filepath.Join(dir, "file"), nil, 0o600), failed)
	})
	if _, gone := os.Stat(dir); !errors.Is(gone, os.ErrNotExist) || !errors.Is(err, failed) {
		t.Errorf("folder %q: %v; error %v", dir, gone, err)
	}
}

func TestTheFirstDifferenceIsTold(t *testing.T) {
	for _, c := range []struct{ got, want, differ string }{
		{"a\nb\n", "a\nb\n", ""},
		{"a\nb\n", "a\nc\n", "line 2 is\n\"b\\n\"\nmust be\n\"c\\n\""},
		{"a\n", "a\nb", "line 2 is\n\"\"\nmust be\n\"b\""},
	} {
		if d := testkit.Difference(c.got, c.want); d != c.differ {
			t.Errorf("%q and %q differ in %q", c.got, c.want, d)
		}
	}
	if got := testkit.Tail("abc", 2); got != "…bc" || testkit.Tail("abc", 3) != "abc" {
		t.Errorf("tail %q", got)
	}
}
