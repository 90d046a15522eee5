package embedded

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"syscall"

	"github.com/twmb/franz-go/pkg/kfake"
)

// broker is a Kafka broker in this process, with its log on disk. It has no
// lock of its own; the data folder's guards it.
type broker struct {
	cluster *kfake.Cluster
	log     *brokerLog
}

// startBroker opens the log in dir and listens on the loopback port (0: a free
// one). When somebody else has the port and fixed is false, it takes a free one.
func startBroker(dir string, port int, fixed bool, log *slog.Logger) (*broker, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil { // the broker's own would be 0755
		return nil, fmt.Errorf("make kafka folder: %w", err)
	}
	open := func(port int) (*broker, error) {
		// A fresh log each time, so a failed try leaves no error behind.
		b := &broker{log: &brokerLog{log: log}}
		var err error
		b.cluster, err = kfake.NewCluster(
			kfake.NumBrokers(1),
			kfake.Ports(port),
			kfake.DataDir(dir),
			kfake.SyncWrites(), // an acknowledged record survives a power cut
			kfake.WithLogger(b.log),
		)
		return b, err
	}
	b, err := open(port)
	if errors.Is(err, syscall.EADDRINUSE) && port != 0 && !fixed {
		log.Warn("wanted port is taken, using another", "server", "kafka", "port", port)
		b, err = open(0)
	}
	if err != nil {
		return nil, fmt.Errorf("start kafka broker on %s: %w", loopback(port), err)
	}
	return b, nil
}

// Addr is where it listens, host:port.
func (b *broker) Addr() string { return b.cluster.ListenAddrs()[0] }

// Close stops listening and writes what is still in memory. Records and
// commits that were acknowledged are on disk before it.
func (b *broker) Close() error {
	b.cluster.Close()
	if err := b.log.failures(); err != nil {
		return fmt.Errorf("close kafka broker: %w", err)
	}
	return nil
}

// brokerLog passes on the broker's errors, and keeps them: its Close returns none.
type brokerLog struct {
	log  *slog.Logger
	mu   sync.Mutex
	errs []error
}

// Logf is called by the broker.
func (l *brokerLog) Logf(level kfake.LogLevel, format string, args ...any) {
	if level != kfake.LogLevelError {
		return // a line per request
	}
	err := fmt.Errorf(format, args...)
	l.log.Error("kafka broker reports an error", "err", err)
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.errs) < 10 {
		l.errs = append(l.errs, err)
	}
}

func (l *brokerLog) failures() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(l.errs...)
}
