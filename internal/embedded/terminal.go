package embedded

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// openTerminal returns the two ends of a pseudo-terminal, for the engine's
// standard input: only where that is a terminal does it survive a client that
// goes away amid an answer. Otherwise it takes whatever a connection's thread
// throws for its own end and aborts (ClickHouse issue 115666, mended after 26.7).
//
// To both sides it is the pipe that it replaces: the engine waits on its end
// until nobody holds the other.
func openTerminal() (engine, parent *os.File, err error) {
	parent, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	raw, err := parent.SyscallConn()
	if err != nil {
		return nil, nil, errors.Join(err, parent.Close())
	}
	var number uint32
	var failed error
	err = raw.Control(func(fd uintptr) {
		if failed = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); failed == nil {
			number, failed = unix.IoctlGetUint32(int(fd), unix.TIOCGPTN)
		}
	})
	if err := errors.Join(err, failed); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open a terminal: %w", err), parent.Close())
	}
	engine, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, nil, errors.Join(err, parent.Close())
	}
	return engine, parent, nil
}
