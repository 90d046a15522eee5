package testkit

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long a process may take to end when it is asked to.
const patience = 30 * time.Second

// Command is a program and its arguments, for Start. No context ends it: the
// test does.
func Command(path string, args ...string) *exec.Cmd {
	return exec.Command(path, args...) //nolint:noctx // killed at the test's end
}

// Process is a program that was started.
type Process struct {
	// Out and Log are what it writes to standard output and standard error,
	// unless the command says where else that goes.
	Out, Log Output

	name  string
	cmd   *exec.Cmd
	ended chan struct{}
}

// Start starts the command. It is killed when the test ends, and what it said is
// shown when the test failed.
func Start(t testing.TB, cmd *exec.Cmd) *Process {
	t.Helper()
	p, err := Launch(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("%s said:\n%s\n%s", p.name, Tail(p.Out.String(), 300), Tail(p.Log.String(), 1000))
		}
	})
	return p
}

// Launch starts the command where there is no test, or none that it ends with.
// It dies with this process in any case.
func Launch(cmd *exec.Cmd) (*Process, error) {
	p := &Process{cmd: cmd, ended: make(chan struct{})}
	p.name = strings.Join(append([]string{filepath.Base(cmd.Path)}, cmd.Args[1:]...), " ")
	if cmd.Stdout == nil {
		cmd.Stdout = &p.Out
	}
	if cmd.Stderr == nil {
		cmd.Stderr = &p.Log
	}
	// A child of its own that it left behind may hold its output open for ever.
	cmd.WaitDelay = 2 * time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		// The parent of whose death the child hears is the thread.
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // its state says how it ended
		}
		close(p.ended)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	return p, nil
}

// String is the program with its arguments.
func (p *Process) String() string { return p.name }

// PID is its number.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Ended is closed when it has ended and what it said was read.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Running tells whether it has not ended.
func (p *Process) Running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// ExitCode is that of a process that has ended; -1 when a signal ended it.
func (p *Process) ExitCode() int { return p.cmd.ProcessState.ExitCode() }

// Signal sends it a signal, unless it has ended.
func (p *Process) Signal(s os.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("send %v to %s: %w", s, p.name, err)
	}
	return nil
}

// Kill ends it with -9 and waits until it is gone.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // it may be gone
	<-p.ended
}

// End sends it a signal of which it should end, and waits until it has, for half
// a minute.
func (p *Process) End(s os.Signal) error {
	if err := p.Signal(s); err != nil {
		return err
	}
	select {
	case <-p.ended:
		return nil
	case <-time.After(patience):
		return fmt.Errorf("%s did not end on %v within %v", p.name, s, patience)
	}
}

// Terminate asks it to end and gives how long that took. One that does not says
// first where its goroutines are.
func (p *Process) Terminate(t testing.TB) time.Duration {
	t.Helper()
	began := time.Now()
	if err := p.End(syscall.SIGTERM); err != nil {
		_ = p.Signal(syscall.SIGQUIT) // for its goroutines, on the way to failing
		time.Sleep(time.Second)
		t.Fatal(err)
	}
	return time.Since(began)
}

// Wait waits until it ends by itself, and returns its exit code.
func (p *Process) Wait(t testing.TB, patience time.Duration) int {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		t.Fatalf("%s has not ended after %v", p.name, patience)
	}
	return p.ExitCode()
}
