package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/gofrs/flock"
)

// Bounds of the engine where Options leave them open. ClickHouse's own
// defaults take the whole machine.
const (
	DefaultMemoryBytes    = 4 << 30
	DefaultMarkCacheBytes = 256 << 20
)

// Options say where a stack keeps its data and where it listens. Only DataDir
// and Log are needed.
type Options struct {
	DataDir   string // made if absent, mode 0700
	EngineDir string // what `make engine` filled; empty: [DefaultEngineDir]

	Ports Ports // wanted; 0 is any free one
	// PortsFixed makes a wanted port that is taken an error. Otherwise another
	// is used, and said in the log.
	PortsFixed bool

	MemoryBytes    int64 // all of ClickHouse; 0: DefaultMemoryBytes
	MarkCacheBytes int64 // 0: DefaultMarkCacheBytes

	// Command starts a process that calls [ChildMain] with the arguments added
	// to it. Empty: this very program with [ChildCommand].
	Command []string

	// As says to others who uses the folder; its PID is filled in.
	As Holder
	// NoKafka and NoClickHouse leave one of the two out, where a server stands for it:
	// nothing of it is started or stored.
	NoKafka, NoClickHouse bool

	Log *slog.Logger
}

// Stack is a running broker and ClickHouse on one data folder, or one of them.
type Stack struct {
	dataDir       string
	endpoints     Endpoints
	lock          *folderLock
	endpointsFile *flock.Flock
	broker        *broker     // nil where it was left out
	clickhouse    *clickHouse // likewise

	close    sync.Once
	closeErr error
}

// Start takes the data folder and returns when both servers answer, mostly
// well within a second. The error is a [*LockedError] when another process has
// the folder and wraps [ErrNoLibrary] when `make engine` has not been run. Ctx bounds
// the start only; the stack runs until Close.
func Start(ctx context.Context, o Options) (*Stack, error) {
	o = o.withDefaults()
	var library string
	var err error
	if !o.NoClickHouse {
		if library, err = FindLibrary(o.EngineDir); err != nil {
			return nil, err
		}
	}
	if o.DataDir, err = filepath.Abs(o.DataDir); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if err := os.MkdirAll(o.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("make data folder: %w", err)
	}
	s := &Stack{dataDir: o.DataDir}
	if s.lock, err = lockFolder(o.DataDir, o.As); err != nil {
		return nil, err
	}
	if err := s.start(ctx, library, o); err != nil {
		return nil, errors.Join(err, s.Close(ctx))
	}
	return s, nil
}

// start fills s in the order in which Close goes back; on an error the caller closes it.
func (s *Stack) start(ctx context.Context, library string, o Options) (err error) {
	s.endpoints.PID = os.Getpid()
	if !o.NoKafka {
		s.broker, err = startBroker(filepath.Join(o.DataDir, "kafka"), o.Ports.Kafka, o.PortsFixed, o.Log)
		if err != nil {
			return err
		}
		s.endpoints.Kafka = s.broker.Addr()
	}
	if !o.NoClickHouse {
		if err := s.startClickHouse(ctx, library, o); err != nil {
			return err
		}
	}
	s.endpointsFile, err = writeEndpoints(o.DataDir, s.endpoints)
	return err
}

func (s *Stack) startClickHouse(ctx context.Context, library string, o Options) error {
	password, err := loadPassword(o.DataDir)
	if err != nil {
		return err
	}
	folder, err := writeEngineFolder(clickHouseFolder(o.DataDir), library, password, o.MemoryBytes, o.MarkCacheBytes)
	if err != nil {
		return err
	}
	clickhouse := &clickHouse{folder: folder, command: o.Command, password: password, log: o.Log}
	if err := clickhouse.start(ctx, o.Ports.Native, o.Ports.HTTP, o.PortsFixed); err != nil {
		return err
	}
	s.clickhouse = clickhouse
	s.endpoints.Native, s.endpoints.HTTP = clickhouse.NativeAddr(), clickhouse.HTTPAddr()
	s.endpoints.User, s.endpoints.Password = User, password
	return nil
}

func (o Options) withDefaults() Options {
	if o.EngineDir == "" {
		o.EngineDir = DefaultEngineDir(os.Getenv)
	}
	if o.MemoryBytes == 0 {
		o.MemoryBytes = DefaultMemoryBytes
	}
	if o.MarkCacheBytes == 0 {
		o.MarkCacheBytes = DefaultMarkCacheBytes
	}
	if len(o.Command) == 0 {
		// Not os.Executable: after an upgrade in place that is another program.
		o.Command = []string{"/proc/self/exe", ChildCommand}
	}
	return o
}

// Endpoints tells where it listens; the same for the stack's whole life.
func (s *Stack) Endpoints() Endpoints { return s.endpoints }

// Health is nil while what was started runs and the broker can write, else why not.
func (s *Stack) Health() error {
	var errs []error
	if s.broker != nil {
		errs = append(errs, s.broker.Health())
	}
	if s.clickhouse != nil {
		errs = append(errs, s.clickhouse.Health())
	}
	return errors.Join(errs...)
}

// Close stops both servers and lets the folder go, once; callers have closed
// their connections. It takes about 2 s at most beside the broker's last
// writes, less when ctx ends earlier. What was acknowledged is kept in any case.
func (s *Stack) Close(ctx context.Context) error {
	s.close.Do(func() {
		var errs []error
		if s.endpointsFile != nil {
			errs = append(errs, removeEndpoints(s.dataDir, s.endpointsFile))
		}
		if s.clickhouse != nil {
			errs = append(errs, s.clickhouse.Close(ctx))
		}
		if s.broker != nil {
			errs = append(errs, s.broker.Close())
		}
		s.closeErr = errors.Join(append(errs, s.lock.release())...)
	})
	return s.closeErr
}
