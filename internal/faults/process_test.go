package faults

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is the program, running.
type process struct {
	name  string
	cmd   *exec.Cmd
	out   output
	log   output
	ended chan struct{}
	err   error
}

// start runs the program with the arguments. It is killed when the test ends,
// and what it said is shown when the test failed.
func start(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	p := &process{name: "reckon " + strings.Join(args, " "), ended: make(chan struct{})}
	p.cmd = exec.Command(os.Getenv(binaryVariable), args...) //nolint:noctx // killed at the test's end
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = env, &p.out, &p.log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		// The parent of whose death the child hears is the thread.
		runtime.LockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.err = p.cmd.Wait()
		}
		close(p.ended)
	}()
	if err := <-started; err != nil {
		t.Fatalf("start %s: %v", p.name, err)
	}
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("%s said:\n%s\n%s", p.name, tail(p.out.String(), 300), tail(p.log.String(), 1000))
		}
	})
	return p
}

// kill ends it with -9 and waits until it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may be gone
	<-p.ended
}

// terminate asks it to end and gives how long that took; it must end with code 0.
func (p *process) terminate(t *testing.T) time.Duration {
	t.Helper()
	began := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatalf("end %s: %v", p.name, err)
	}
	select {
	case <-p.ended:
	case <-time.After(30 * time.Second):
		p.cmd.Process.Signal(syscall.SIGQUIT) //nolint:errcheck // for its goroutines, on the way to failing
		time.Sleep(time.Second)
		t.Fatalf("%s does not end", p.name)
	}
	return time.Since(began)
}

// running tells whether it has not ended.
func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// wait waits until it ends by itself, and returns its exit code.
func (p *process) wait(t *testing.T, patience time.Duration) int {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		t.Fatalf("%s has not ended after %v", p.name, patience)
	}
	return p.cmd.ProcessState.ExitCode()
}

// mustRun runs it to its end, which must be a good one, and returns its output.
func mustRun(t *testing.T, env []string, args ...string) string {
	t.Helper()
	p := start(t, env, args...)
	if code := p.wait(t, 5*time.Minute); code != 0 {
		t.Fatalf("%s ended with %d: %s", p.name, code, &p.log)
	}
	return p.out.String()
}

// descendants are the processes that a process started, and those that they did.
func descendants(t *testing.T, pid int) []int {
	t.Helper()
	paths, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	children := map[int][]int{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // gone meanwhile
		}
		// The name, in parentheses, may hold anything.
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		child, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		parent, _ := strconv.Atoi(fields[1])
		children[parent] = append(children[parent], child)
	}
	var all []int
	for next := []int{pid}; len(next) > 0; {
		next = append(next[1:], children[next[0]]...)
		if len(next) > 0 {
			all = append(all, next[0])
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// engineOf is the ClickHouse engine that a process started on the native address,
// or on any if that is empty; there must be one.
func engineOf(t *testing.T, pid int, native string) int {
	t.Helper()
	_, port, _ := strings.Cut(native, ":")
	for _, child := range descendants(t, pid) {
		command, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(child), "cmdline"))
		if err == nil && bytes.Contains(command, []byte("libchdb.so")) && bytes.Contains(command, []byte("--tcp_port="+port)) {
			return child
		}
	}
	t.Fatalf("process %d has no ClickHouse engine at %q", pid, native)
	return 0
}

// alive tells whether there is such a process, a zombie not counted.
func alive(pid int) bool {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	return err == nil && !bytes.HasPrefix(text[bytes.LastIndexByte(text, ')')+1:], []byte(" Z"))
}

// output keeps what a process writes.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write never fails.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

// String is what was written so far.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// warnings is a log for what the tests start beside the program.
func warnings(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
}

func text(n int64) string { return strconv.FormatInt(n, 10) }

func portOf(t *testing.T, addr string) int {
	t.Helper()
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func tail(text string, bytes int) string {
	if len(text) > bytes {
		return "…" + text[len(text)-bytes:]
	}
	return text
}

// difference is the first line in which two texts differ, "" if none.
func difference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(a), len(b)) {
		if i >= len(a) || i >= len(b) || a[i] != b[i] {
			return fmt.Sprintf("line %d:\n%q\nwant\n%q", i+1, a[min(i, len(a)-1)], b[min(i, len(b)-1)])
		}
	}
	return ""
}

// await asks every few milliseconds until the answer is yes.
func await(t *testing.T, patience time.Duration, what string, yes func() bool) {
	t.Helper()
	for limit := time.Now().Add(patience); !yes(); {
		if time.Now().After(limit) {
			t.Fatalf("after %v still not: %s", patience, what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
