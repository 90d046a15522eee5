package kafkatest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/reckon-billing/reckon/internal/testkit"
)

// Broker is a broker in a process of its own. It keeps its address and its log
// over stops, kills and starts. Its methods are for one goroutine at a time.
type Broker struct {
	// ID is what other brokers of a cluster call it.
	ID      int32
	addr    string
	command []string

	process *testkit.Process // nil while it is stopped
	said    testkit.Output   // in all its lives
}

// Start starts one broker on an empty folder and waits until it answers; it is
// killed when the test ends.
func Start(t testing.TB) *Broker {
	t.Helper()
	if IsApache() {
		return StartApache(t, 1)[0]
	}
	port := testkit.MustFreePorts(t, 1)[0]
	b := &Broker{
		addr:    testkit.Loopback(port),
		command: []string{"/proc/self/exe", childCommand, t.TempDir(), strconv.Itoa(port)},
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
		b.Kill(t)
		if t.Failed() && b.said.String() != "" {
			t.Logf("broker %s said:\n%s", b.addr, &b.said)
		}
	})
}

// Addr is where it listens, host:port.
func (b *Broker) Addr() string { return b.addr }

// PID is its process.
func (b *Broker) PID() int { return b.process.PID() }

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
	if err := b.process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

func (b *Broker) mustEnd(t testing.TB, s syscall.Signal) {
	t.Helper()
	if b.process == nil {
		return
	}
	if err := b.process.End(s); err != nil {
		t.Fatal(err)
	}
	b.process = nil
}

func (b *Broker) start() error {
	cmd := testkit.Command(b.command[0], b.command[1:]...)
	cmd.Stdout, cmd.Stderr = &b.said, &b.said
	process, err := testkit.Launch(cmd)
	if err != nil {
		return fmt.Errorf("broker %s: %w", b.addr, err)
	}
	b.process = process
	return nil
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
		case <-b.process.Ended():
			return fmt.Errorf("broker %s ended: %s", b.addr, &b.said)
		case <-ctx.Done():
			return fmt.Errorf("broker %s does not answer: %w: %s", b.addr, err, &b.said)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// writeFile is for the few lines of a broker's settings.
func writeFile(dir, name, text string) (string, error) {
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return "", fmt.Errorf("write a broker's settings: %w", err)
	}
	return path, nil
}
