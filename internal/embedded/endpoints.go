package embedded

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Endpoints tells clients where a running stack listens. Addresses are
// host:port on loopback.
type Endpoints struct {
	Kafka    string `json:"kafka"`
	Native   string `json:"native"` // ClickHouse's native protocol
	HTTP     string `json:"http"`   // ClickHouse over HTTP
	User     string `json:"user"`
	Password string `json:"password"`
	PID      int    `json:"pid"` // of the process that holds the stack
}

// ErrNotRunning says that no process runs a stack on the data folder.
var ErrNotRunning = errors.New("no reckon is running on it")

// ReadEndpoints returns where the stack that runs on a data folder listens,
// for a second command that found it locked. What a killed process left behind
// counts as nothing: [ErrNotRunning].
func ReadEndpoints(dataDir string) (Endpoints, error) {
	e, err := readEndpoints(dataDir)
	if errors.Is(err, fs.ErrNotExist) {
		err = ErrNotRunning
	}
	if err != nil {
		return Endpoints{}, fmt.Errorf("data folder %s: %w", dataDir, err)
	}
	return e, nil
}

func readEndpoints(dataDir string) (e Endpoints, err error) {
	f, err := os.Open(endpointsPath(dataDir))
	if err != nil {
		return e, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	// Its writer holds it locked for life, so a free lock means a dead writer.
	// The folder's own lock is not touched: that could refuse a starting stack.
	switch err := flock(f, unix.LOCK_SH); {
	case err == nil:
		return e, ErrNotRunning
	case !errors.Is(err, unix.EWOULDBLOCK):
		return e, fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	if err := json.NewDecoder(f).Decode(&e); err != nil {
		return e, fmt.Errorf("read %s: %w", f.Name(), err)
	}
	return e, nil
}

// writeEndpoints puts the file in place whole and locked; closing the returned
// file ends the lock.
func writeEndpoints(dataDir string, e Endpoints) (*os.File, error) {
	text, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write endpoints: %w", err)
	}
	f, err := os.CreateTemp(dataDir, "endpoints-*") // mode 0600
	if err != nil {
		return nil, fmt.Errorf("write endpoints: %w", err)
	}
	_, err = f.Write(append(text, '\n'))
	if err == nil {
		err = flock(f, unix.LOCK_EX)
	}
	if err == nil {
		err = os.Rename(f.Name(), endpointsPath(dataDir))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("write endpoints: %w", err), f.Close(), os.Remove(f.Name()))
	}
	return f, nil
}

// removeEndpoints takes away what writeEndpoints put there.
func removeEndpoints(dataDir string, f *os.File) error {
	if err := errors.Join(os.Remove(endpointsPath(dataDir)), unlock(f)); err != nil {
		return fmt.Errorf("remove endpoints: %w", err)
	}
	return nil
}

func endpointsPath(dataDir string) string { return filepath.Join(dataDir, "endpoints.json") }
