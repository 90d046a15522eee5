package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gofrs/flock"
)

// ErrLocked says that another process uses the data folder; a [*LockedError] says
// which.
var ErrLocked = errors.New("the data folder is in use")

// Holder is a process that uses a data folder.
type Holder struct {
	// Command is what it was started as, "up"; empty where that is not known.
	Command string `json:"command"`
	// Serves tells of one that goes on until it is stopped, so that others may use
	// its engines. All others take them along when they end.
	Serves bool `json:"serves"`
	// PID is its process id; 0 where that is not known.
	PID int `json:"pid"`
}

// String is as in "reckon up (pid 123)".
func (h Holder) String() string {
	name := "another reckon"
	if h.Command != "" {
		name = "reckon " + h.Command
	}
	if h.PID != 0 {
		name += fmt.Sprintf(" (pid %d)", h.PID)
	}
	return name
}

// LockedError says who uses a data folder. It is an [ErrLocked].
type LockedError struct {
	Dir    string
	Holder Holder
}

func (e *LockedError) Error() string {
	return fmt.Sprintf("data folder %s: %s uses it", e.Dir, e.Holder)
}

// Unwrap makes it an ErrLocked.
func (e *LockedError) Unwrap() error { return ErrLocked }

// lockName is the file of the data folder that is locked, and says by whom.
const lockName = "lock"

// IsUsed tells whether a folder is a data folder: whether any stack was ever started on
// it.
func IsUsed(dir string) (bool, error) {
	_, err := os.Stat(filepath.Join(dir, lockName))
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for the data folder: %w", err)
	}
	return true, nil
}

// folderLock is a data folder that is ours.
type folderLock struct{ *flock.Flock }

// lockFolder takes the folder for this process, until it unlocks or dies. The child
// does not inherit it.
func lockFolder(dir string, as Holder) (*folderLock, error) {
	lock := flock.New(filepath.Join(dir, lockName))
	err := take(lock)
	if errors.Is(err, ErrLocked) {
		return nil, &LockedError{dir, readHolder(lock.Path())}
	}
	if err != nil {
		return nil, fmt.Errorf("data folder %s: %w", dir, err)
	}
	as.PID = os.Getpid()
	text, err := json.Marshal(as)
	if err == nil {
		err = os.WriteFile(lock.Path(), text, 0o600)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("data folder %s: say who uses it: %w", dir, err), lock.Unlock())
	}
	return &folderLock{lock}, nil
}

// readHolder is who has the lock. It waits a little for one that has it and is about
// to say so; an older reckon never does.
func readHolder(path string) (h Holder) {
	for range 20 {
		if text, err := os.ReadFile(path); err == nil && json.Unmarshal(text, &h) == nil {
			return h
		}
		time.Sleep(10 * time.Millisecond)
	}
	return Holder{Serves: true}
}

// release lets the folder go, once nothing says any more that it is ours.
func (l *folderLock) release() error {
	if err := errors.Join(os.Truncate(l.Path(), 0), l.Unlock()); err != nil {
		return fmt.Errorf("unlock data folder: %w", err)
	}
	return nil
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

// Clear removes what earlier stacks left in a data folder, and whatever else is in
// it but the files that are to be kept. The error is a [*LockedError] when a process
// uses the folder, or its engine still does: then nothing is removed. A folder that
// is not there is clear.
func Clear(ctx context.Context, dir string, as Holder, keep ...string) (err error) {
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	lock, err := lockFolder(dir, as)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.release()) }()
	if err := engineGone(ctx, dir); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("clear data folder: %w", err)
	}
	for _, e := range entries {
		if e.Name() == lockName || slices.Contains(keep, e.Name()) {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return fmt.Errorf("clear data folder: %w", err)
		}
	}
	return nil
}

// engineGone waits until no engine has the tables: one whose parent was killed lives
// on for some seconds. By this file engines keep each other out.
func engineGone(ctx context.Context, dir string) error {
	lock := flock.New(filepath.Join(tablesFolder(clickHouseFolder(dir)), "status"), flock.SetFlag(os.O_RDWR))
	for giveUp := time.Now().Add(folderPatience); ; {
		err := take(lock)
		switch {
		case err == nil:
			return lock.Unlock()
		case errors.Is(err, os.ErrNotExist):
			return nil
		case !errors.Is(err, ErrLocked):
			return fmt.Errorf("data folder %s: %w", dir, err)
		case time.Now().After(giveUp):
			return &LockedError{dir, Holder{Command: ChildCommand}}
		}
		if !sleep(ctx, folderRetry) {
			return ctx.Err()
		}
	}
}
