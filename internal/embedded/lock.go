package embedded

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/gofrs/flock"
)

// ErrLocked says that another process uses the data folder.
var ErrLocked = errors.New("another reckon uses it")

// lockFolder takes the folder for this process until it unlocks or dies. The
// child does not inherit it.
func lockFolder(dir string) (*flock.Flock, error) {
	lock := flock.New(filepath.Join(dir, "lock"))
	if err := take(lock); err != nil {
		return nil, fmt.Errorf("data folder %s: %w", dir, err)
	}
	return lock, nil
}

// take takes the lock without waiting.
func take(lock *flock.Flock) error {
	switch taken, err := lock.TryLock(); {
	case err != nil:
		return fmt.Errorf("lock %s: %w", lock, err)
	case !taken:
		return ErrLocked
	}
	return nil
}
