package embedded

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"

	"github.com/twmb/franz-go/pkg/kfake"
)

// broker is a Kafka broker in this process, with its log on disk. It has no
// lock of its own; the data folder's guards it.
type broker struct {
	cluster *kfake.Cluster
	log     *brokerLog
	dir     string
}

// startBroker opens the log in dir and listens on the loopback port (0: a free
// one). When somebody else has the port and fixed is false, it takes a free one.
func startBroker(dir string, port int, fixed bool, log *slog.Logger) (*broker, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil { // the broker's own would be 0755
		return nil, fmt.Errorf("make kafka folder: %w", err)
	}
	open := func(port int) (*broker, error) {
		// A fresh log each time, so a failed try leaves no error behind.
		b := &broker{log: &brokerLog{log: log}, dir: dir}
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

// trialBytes is what a trial writes: a message may be as large as this.
const trialBytes = 2 << 20

// trialName is the file that it is written to.
const trialName = "trial"

// Health is nil while the broker can write; else it is why not. A failure stands until
// a write as large as a message's succeeds in the broker's folder.
func (b *broker) Health() error {
	number, failure := b.log.failing()
	if failure == nil {
		return nil
	}
	if err := b.tryToWrite(); err != nil {
		return fmt.Errorf("kafka broker: %w", failure)
	}
	b.log.recovered(number)
	return nil
}

func (b *broker) tryToWrite() error {
	f, err := os.OpenFile(filepath.Join(b.dir, trialName), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err = f.Write(make([]byte, trialBytes)); err == nil {
		err = f.Sync()
	}
	// Whatever could be written is not to fill the disk any more.
	return errors.Join(err, f.Truncate(0), f.Close())
}

// Close stops listening and writes what is still in memory. Records and
// commits that were acknowledged are on disk before it.
func (b *broker) Close() error {
	b.cluster.Close()
	if err := b.log.failures(); err != nil {
		return fmt.Errorf("close kafka broker: %w", err)
	}
	return nil
}

// brokerLog passes on the broker's errors, and keeps them: its Close returns none. Of
// files that it cannot write it only warns, at each request.
type brokerLog struct {
	log  *slog.Logger
	mu   sync.Mutex
	errs []error
	// failure is why it cannot write, and number how many such it has warned of.
	failure error
	number  int
}

// Logf is called by the broker.
func (l *brokerLog) Logf(level kfake.LogLevel, format string, args ...any) {
	switch {
	case level == kfake.LogLevelError:
		err := fmt.Errorf(format, args...)
		l.log.Error("kafka broker reports an error", "err", err)
		l.mu.Lock()
		defer l.mu.Unlock()
		if len(l.errs) < 10 {
			l.errs = append(l.errs, err)
		}
	case level == kfake.LogLevelWarn && slices.ContainsFunc(args, isError):
		// Its other warnings are of clients, and carry no error.
		l.cannotWrite(fmt.Errorf(format, args...))
	}
}

func isError(a any) bool {
	_, is := a.(error)
	return is
}

// cannotWrite notes a failure, and logs the first of a time of failing.
func (l *brokerLog) cannotWrite(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.number++
	if l.failure == nil {
		l.failure = err
		l.log.Error("kafka broker cannot write", "err", err)
	}
}

// failing is how often the broker could not write, and why it cannot now.
func (l *brokerLog) failing() (number int, failure error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.number, l.failure
}

// recovered ends a time of failing, unless there was another failure since.
func (l *brokerLog) recovered(number int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.number == number {
		l.failure = nil
		l.log.Info("kafka broker can write again")
	}
}

func (l *brokerLog) failures() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(l.errs...)
}
