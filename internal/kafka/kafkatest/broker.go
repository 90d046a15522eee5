package kafkatest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Broker is a broker in a process of its own. It keeps its address and its log
// over stops, kills and starts. Its methods are for one goroutine at a time.
type Broker struct {
	// ID is what other brokers of a cluster call it.
	ID      int32
	addr    string
	command []string

	cmd   *exec.Cmd
	said  *output
	ended chan struct{}
}

// Start starts one broker on an empty folder and waits until it answers; it is
// killed when the test ends.
func Start(t testing.TB) *Broker {
	t.Helper()
	if IsApache() {
		return StartApache(t, 1)[0]
	}
	ports, err := freePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	b := &Broker{
		addr:    loopback(ports[0]),
		command: []string{"/proc/self/exe", childCommand, t.TempDir(), strconv.Itoa(ports[0])},
	}
	b.keep(t)
	b.Start(t)
	b.WaitReady(t)
	return b
}

// StartApache starts a cluster of so many Apache Kafka brokers, whatever
// [IsApache] says; LibsVariable must be set.
func StartApache(t testing.TB, nodes int) []*Broker {
	t.Helper()
	brokers, err := newApache(t.TempDir(), nodes)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range brokers {
		b.keep(t)
		b.Start(t)
	}
	for _, b := range brokers {
		b.WaitReady(t)
	}
	return brokers
}

// keep kills the broker when the test ends.
func (b *Broker) keep(t testing.TB) {
	t.Cleanup(func() {
		if b.cmd != nil {
			b.Kill(t)
		}
		if t.Failed() && b.said.String() != "" {
			t.Logf("broker %s said:\n%s", b.addr, b.said)
		}
	})
}

// Addr is where it listens, host:port.
func (b *Broker) Addr() string { return b.addr }

// PID is its process.
func (b *Broker) PID() int { return b.cmd.Process.Pid }

// Start starts it again after Stop or Kill; it does not wait.
func (b *Broker) Start(t testing.TB) {
	t.Helper()
	if err := b.start(); err != nil {
		t.Fatal(err)
	}
}

// WaitReady waits until it answers.
func (b *Broker) WaitReady(t testing.TB) {
	t.Helper()
	if err := b.waitReady(); err != nil {
		t.Fatal(err)
	}
}

// Stop asks it to end, and waits until it has.
func (b *Broker) Stop(t testing.TB) { b.mustEnd(t, syscall.SIGTERM) }

// Kill ends it with -9.
func (b *Broker) Kill(t testing.TB) { b.mustEnd(t, syscall.SIGKILL) }

// Freeze makes it neither answer nor hang up, until Thaw.
func (b *Broker) Freeze(t testing.TB) { b.signal(t, syscall.SIGSTOP) }

// Thaw undoes Freeze.
func (b *Broker) Thaw(t testing.TB) { b.signal(t, syscall.SIGCONT) }

func (b *Broker) signal(t testing.TB, s syscall.Signal) {
	t.Helper()
	if err := b.cmd.Process.Signal(s); err != nil {
		t.Fatalf("send %v to broker %s: %v", s, b.addr, err)
	}
}

func (b *Broker) mustEnd(t testing.TB, s syscall.Signal) {
	t.Helper()
	if err := b.end(s); err != nil {
		t.Fatal(err)
	}
}

func (b *Broker) start() error {
	if b.said == nil {
		b.said = &output{}
	}
	b.cmd = exec.Command(b.command[0], b.command[1:]...) //nolint:noctx // end ends it
	b.cmd.Stdout, b.cmd.Stderr = b.said, b.said
	// Nothing outlives a test that was killed.
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	b.ended = make(chan struct{})
	started := make(chan error)
	go func(cmd *exec.Cmd, ended chan struct{}) {
		// The parent of whose death the child hears is the thread.
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // that it ended is what counts
		}
		close(ended)
	}(b.cmd, b.ended)
	if err := <-started; err != nil {
		b.cmd = nil
		return fmt.Errorf("start broker %s: %w", b.addr, err)
	}
	return nil
}

// stopPatience is how long a broker may take to end when asked.
const stopPatience = 30 * time.Second

func (b *Broker) end(s syscall.Signal) error {
	if b.cmd == nil {
		return nil
	}
	if err := b.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("send %v to broker %s: %w", s, b.addr, err)
	}
	select {
	case <-b.ended:
		b.cmd = nil
		return nil
	case <-time.After(stopPatience):
		return fmt.Errorf("broker %s did not end on %v within %v", b.addr, s, stopPatience)
	}
}

// readyPatience is how long a broker may take to answer.
const readyPatience = 60 * time.Second

func (b *Broker) waitReady() error {
	client, err := kgo.NewClient(kgo.SeedBrokers(b.addr))
	if err != nil {
		return fmt.Errorf("broker %s: %w", b.addr, err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), readyPatience)
	defer cancel()
	for {
		try, stop := context.WithTimeout(ctx, 2*time.Second)
		err := client.Ping(try)
		stop()
		if err == nil {
			return nil
		}
		select {
		case <-b.ended:
			return fmt.Errorf("broker %s ended: %s", b.addr, b.said)
		case <-ctx.Done():
			return fmt.Errorf("broker %s does not answer: %w: %s", b.addr, err, b.said)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// output keeps what a process says.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write never fails.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.text.Len() > 1<<20 {
		o.text.Reset()
	}
	return o.text.Write(p)
}

// String is what was said so far.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func loopback(port int) string { return "127.0.0.1:" + strconv.Itoa(port) }

// writeFile is for the few lines of a broker's settings.
func writeFile(dir, name, text string) (string, error) {
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return "", fmt.Errorf("write a broker's settings: %w", err)
	}
	return path, nil
}
