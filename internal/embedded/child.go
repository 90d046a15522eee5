package embedded

import (
	"errors"
	"fmt"
	"io"
	"os/signal"
	"syscall"
	"time"
	"unsafe"

	"github.com/ebitengine/purego"
	"golang.org/x/sys/unix"
)

// ChildCommand is the hidden subcommand by which a binary of ours becomes the
// ClickHouse engine: when it is argv[1], main hands the rest to [ChildMain].
const ChildCommand = "clickhouse-engine"

// orphanGrace is how long the engine may go on after its parent closed the
// pipe or died. It is longer than stopGrace, so that a living parent decides.
const orphanGrace = 3 * time.Second

// ChildMain runs the ClickHouse engine in this process until standard input
// ends, and returns the exit code. args are the path of libchdb.so and the
// engine's own arguments. It exits 0 when the parent closed the pipe (or is
// gone), and 1 with the reason on stderr in every other case.
func ChildMain(args []string, stderr io.Writer) int {
	// First of all: the default handlers of Go and of ClickHouse would end the
	// engine on a Ctrl-C meant for the parent, before the parent has drained.
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	if err := runEngine(args); err != nil {
		_, _ = fmt.Fprintln(stderr, err) // nobody to tell if that fails
		return 1
	}
	return 0
}

// runEngine returns nil when the engine ended because the parent let go.
func runEngine(args []string) error {
	if len(args) == 0 {
		return errors.New(ChildCommand + " is started by reckon itself, not by hand")
	}
	go dieWithParent()
	reason, err := queryCommandLine(args[0], append([]string{"clickhouse"}, args[1:]...))
	if err != nil {
		return err
	}
	if !parentGone(0) {
		return fmt.Errorf("engine ended by itself: %s", reason)
	}
	return nil
}

// dieWithParent ends this process soon after the pipe's other end is closed.
// The engine ends by itself then, but not while a query runs or a connection
// is open. Acknowledged rows survive the kill.
func dieWithParent() {
	for gone := false; !gone; {
		gone = parentGone(-1)
	}
	time.Sleep(orphanGrace)
	_ = syscall.Kill(syscall.Getpid(), syscall.SIGKILL) // there is no other way out
}

// parentGone reports whether no process holds the other end of standard input
// any more. It waits for that timeoutMillis, for ever if negative.
func parentGone(timeoutMillis int) bool {
	fds := []unix.PollFd{{Fd: 0}}
	n, err := unix.Poll(fds, timeoutMillis)
	return err == nil && n == 1 && fds[0].Revents&(unix.POLLHUP|unix.POLLERR|unix.POLLNVAL) != 0
}

// queryCommandLine calls the engine's main function with argv (a program name
// first: without one the first option is swallowed) and returns why it ended.
func queryCommandLine(library string, argv []string) (reason string, err error) {
	handle, err := purego.Dlopen(library, purego.RTLD_NOW|purego.RTLD_GLOBAL)
	if err != nil {
		return "", fmt.Errorf("load %s: %w", library, err)
	}
	var run func(argc int32, argv unsafe.Pointer) uintptr
	var failure func(result uintptr) string
	for name, fn := range map[string]any{"chdb_query_cmdline": &run, "chdb_result_error": &failure} {
		symbol, err := purego.Dlsym(handle, name)
		if err != nil {
			return "", fmt.Errorf("library %s: %w", library, err)
		}
		purego.RegisterFunc(fn, symbol)
	}
	pointers := make([]*byte, 0, len(argv)+1)
	for _, arg := range argv {
		p, err := syscall.BytePtrFromString(arg)
		if err != nil {
			return "", fmt.Errorf("engine argument %q: %w", arg, err)
		}
		pointers = append(pointers, p)
	}
	pointers = append(pointers, nil)
	result := run(int32(len(argv)), unsafe.Pointer(&pointers[0])) //nolint:gosec // a few
	if result == 0 {
		return "no result", nil
	}
	return failure(result), nil
}
