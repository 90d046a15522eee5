package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/reckon-billing/reckon/internal/embedded"
	"github.com/reckon-billing/reckon/internal/embedded/embeddedtest"
	"github.com/reckon-billing/reckon/internal/testkit"
)

// atOnce is how long a command may take to end that is told to, engines included.
const atOnce = 4 * time.Second

// TestEverySubcommandEndsAtOnceWhenToldTo: O3. What subcommands there are is taken from
// what --help lists; each is told to end in a state that it would not leave by itself.
func TestEverySubcommandEndsAtOnceWhenToldTo(t *testing.T) {
	dir := t.TempDir()
	held := filepath.Join(dir, "held")
	embeddedtest.StartWith(t, embedded.Options{DataDir: held, NoClickHouse: true, As: embedded.Holder{Command: "test"}})
	const month = "2026-10"
	states := map[string][]*busy{
		"up": waits(), "ingest": waits(), "invoicer": waits(), "migrate": waits(), "anomalies": waits(), "conflicts": waits(),
		"invoice": waits("--month", month), "verify": waits("--month", month), "report usage": waits("--month", month), "explain": waits("INV-1"),
		"deadletter list": waits(), "deadletter show": waits("billing.usage/0/0"),
		"deadletter replay": append(waits("--yes"), reads("billing.usage/0/0", "--fix", "-")...),
		"log list":          waits(), "log accept": waits("--reason", "a test"),
		"config": writes(), "generate": writes(),
		"completion bash": writes(), "completion fish": writes(), "completion powershell": writes(), "completion zsh": writes(),
		"help": {{ends: true}}, "log": {{ends: true}}, "report": {{ends: true}}, "deadletter": {{ends: true}}, "completion": {{ends: true}},
		"replay": {{args: []string{fifo(t, dir)}, atWork: func(t *testing.T, w *worker) {
			testkit.Eventually(t, 30*time.Second, "it has a folder for what comes", func() bool { return len(w.left(t)) > 0 })
		}}},
		"demo": {{args: []string{"--resources", "2000", "--usage", "2000000"}, atWork: func(t *testing.T, w *worker) {
			w.Out.Await(t, "sent [1-9][0-9]* events")
		}}},
	}
	listed := subcommands(t, nil)
	if !slices.Contains(listed, "deadletter replay") || !slices.Contains(listed, "generate") {
		t.Fatalf("--help lists %q", listed)
	}
	for _, name := range listed {
		if states[name] == nil {
			t.Errorf("reckon %s is not known here: say in which state it does not end by itself", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(states)) {
		if !slices.Contains(listed, name) {
			t.Errorf("--help does not list %s", name)
		}
		for i, state := range states[name] {
			for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
				t.Run(fmt.Sprintf("%s %d on %s", name, i, unix.SignalName(signal)), func(t *testing.T) {
					t.Parallel()
					tellToEnd(t, held, name, state, signal)
				})
			}
		}
	}
}

// busy is a state in which a subcommand does not end by itself.
type busy struct {
	args []string
	// atWork returns when it is in that state.
	atWork func(t *testing.T, w *worker)
	// pipe: it writes to a pipe, out of which atWork reads.
	pipe bool
	// ends: there is no such state.
	ends bool
}

// worker is a subcommand at work.
type worker struct {
	*testkit.Process
	// in and out are the other ends of its standard input and, for some, its output.
	in, out *os.File
	scratch string
}

// left are the folders that it has made for a while.
func (w *worker) left(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(w.scratch, "reckon-[rs]*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// waits is to wait for the data folder, which somebody holds.
func waits(args ...string) []*busy {
	return []*busy{{args: args, atWork: func(t *testing.T, w *worker) { w.Log.Await(t, "waiting for.*reckon test") }}}
}

// writes is to write to a pipe that is not read but for the first byte.
func writes() []*busy {
	return []*busy{{pipe: true, atWork: func(t *testing.T, w *worker) {
		if _, err := w.out.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}}}
}

// reads is to read from a pipe on which nobody writes any more: it has taken more than
// goes into it.
func reads(args ...string) []*busy {
	return []*busy{{args: args, atWork: func(t *testing.T, w *worker) {
		if _, err := w.in.Write(make([]byte, pipeBytes+1)); err != nil {
			t.Fatal(err)
		}
	}}}
}

func tellToEnd(t *testing.T, held, name string, state *busy, signal syscall.Signal) {
	t.Helper()
	w := &worker{scratch: t.TempDir()}
	cmd := program([]string{"RECKON_DATA_DIR=" + held, "RECKON_LISTEN=127.0.0.1:0", "TMPDIR=" + w.scratch}, append(strings.Fields(name), state.args...)...)
	cmd.Dir = w.scratch
	cmd.Stdin, w.in = smallPipe(t)
	if state.pipe {
		w.out, cmd.Stdout = smallPipe(t)
	}
	w.Process = testkit.Start(t, cmd)
	if state.ends {
		if code := w.Wait(t, 30*time.Second); code != 0 {
			t.Errorf("ended with %d", code)
		}
		return
	}
	state.atWork(t, w)
	if !w.Running() {
		t.Fatalf("it has ended by itself, with %d", w.ExitCode())
	}
	told := time.Now()
	if err := w.End(signal); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(told); took > atOnce || strings.Contains(w.Log.String(), "given up") {
		t.Errorf("ended %s after it was told to", took)
	}
	want, says := exitInterrupted, "reckon: interrupted\n"
	if slices.Contains([]string{"up", "ingest", "invoicer"}, name) {
		want, says = 0, "" // to be stopped is what they are for
	}
	if got := w.ExitCode(); got != want || !strings.HasSuffix(w.Log.String(), says) {
		t.Errorf("ended with %d, want %d and %q:\n%s", got, want, says, w.Log.String())
	}
	if left := w.left(t); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// pipeBytes is what goes into a small pipe.
const pipeBytes = 4096

// smallPipe is a pipe into which little goes.
func smallPipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = r.Close(), w.Close() })
	if _, err := unix.FcntlInt(w.Fd(), unix.F_SETPIPE_SZ, pipeBytes); err != nil {
		t.Fatal(err)
	}
	return r, w
}

// fifo is a pipe by a name, to which nobody writes.
func fifo(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "scenario.jsonl")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// subcommands are those that --help lists, and what the help of each lists.
func subcommands(t *testing.T, of []string) (all []string) {
	t.Helper()
	said := mustRun(t, nil, append(slices.Clone(of), "--help")...)
	_, list, found := strings.Cut(said, "Available Commands:\n")
	if !found {
		return nil
	}
	list, _, _ = strings.Cut(list, "\n\n")
	for _, m := range regexp.MustCompile(`(?m)^  (\S+)`).FindAllStringSubmatch(list, -1) {
		path := append(slices.Clone(of), m[1])
		all = append(append(all, strings.Join(path, " ")), subcommands(t, path)...)
	}
	return all
}
