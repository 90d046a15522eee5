package embedded

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// Endpoints tells clients where a running stack listens. Addresses are host:port on
// loopback, and empty for a server that is left out of it.
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
	path := endpointsPath(dataDir)
	// Its writer holds it locked for life, so a free lock means a dead writer.
	// The folder's own lock is not touched: that could refuse a starting stack.
	lock := flock.New(path, flock.SetFlag(os.O_RDONLY))
	switch free, err := lock.TryRLock(); {
	case err != nil:
		return e, fmt.Errorf("lock %s: %w", path, err)
	case free:
		return e, errors.Join(ErrNotRunning, lock.Unlock())
	}
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &e)
	}
	if err != nil {
		return e, fmt.Errorf("read %s: %w", path, err)
	}
	return e, nil
}

// writeEndpoints puts the file in place whole and locked; the lock is the file's,
// under whatever name.
func writeEndpoints(dataDir string, e Endpoints) (*flock.Flock, error) {
	text, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write endpoints: %w", err)
	}
	f, err := os.CreateTemp(dataDir, "endpoints-*") // mode 0600
	if err != nil {
		return nil, fmt.Errorf("write endpoints: %w", err)
	}
	lock := flock.New(f.Name())
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Close()); err == nil {
		err = take(lock)
	}
	if err == nil {
		err = os.Rename(f.Name(), endpointsPath(dataDir))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("write endpoints: %w", err), lock.Unlock(), os.Remove(f.Name()))
	}
	return lock, nil
}

// removeEndpoints takes away what writeEndpoints put there.
func removeEndpoints(dataDir string, lock *flock.Flock) error {
	if err := errors.Join(os.Remove(endpointsPath(dataDir)), lock.Unlock()); err != nil {
		return fmt.Errorf("remove endpoints: %w", err)
	}
	return nil
}

func endpointsPath(dataDir string) string { return filepath.Join(dataDir, "endpoints.json") }
