package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/creack/pty"
)

const (
	// stopGrace is how long the engine may take to end by itself. Open
	// connections and running queries would hold it 5 s and more.
	stopGrace = 2 * time.Second
	// readyTimeout bounds one start; a folder with many parts loads slowly.
	readyTimeout = 60 * time.Second
)

// process is one life of the engine.
type process struct {
	cmd    *exec.Cmd
	pipe   *os.File // a terminal's end; the engine ends when nobody holds it
	stderr *tail
	ended  chan struct{} // closed when the process is gone
	err    error         // why; to be read after ended
}

// startProcess runs command with the engine's arguments added.
func startProcess(command, arguments []string) (*process, error) {
	// Only where its standard input is a terminal does the engine survive a client
	// that goes away amid an answer. Otherwise it takes whatever a connection's
	// thread throws for its own end and aborts (ClickHouse issue 115666, mended
	// after 26.7). To both sides the terminal is the pipe that it replaces: the
	// engine waits on its end until nobody holds the other.
	pipe, stdin, err := pty.Open()
	if err != nil {
		return nil, fmt.Errorf("start clickhouse: open a terminal: %w", err)
	}
	p := &process{pipe: pipe, stderr: &tail{}, ended: make(chan struct{})}
	argv := append(append([]string{}, command[1:]...), arguments...)
	p.cmd = exec.Command(command[0], argv...) //nolint:noctx // stop ends it, in its own way
	p.cmd.Env = engineEnvironment(os.Environ())
	p.cmd.Stdin = stdin
	p.cmd.Stderr = p.stderr
	err = p.cmd.Start()
	closed := stdin.Close()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start clickhouse: %w", err), closed, pipe.Close())
	}
	go func() {
		defer close(p.ended)
		err := p.cmd.Wait()
		p.err = &endedError{state: fmt.Sprint(err), stderr: p.stderr.String()}
	}()
	return p, nil
}

// engineEnvironment is ours without what the engine would read as options; the
// zone has to come this way, since <timezone> in its settings is ignored. On a
// terminal the engine would keep a history of what is typed.
func engineEnvironment(ours []string) []string {
	var env []string
	for _, variable := range ours {
		if !strings.HasPrefix(variable, "CLICKHOUSE_") && !strings.HasPrefix(variable, "TZ=") {
			env = append(env, variable)
		}
	}
	return append(env, "TZ=UTC", "CLICKHOUSE_HISTORY_FILE=/dev/null")
}

// waitReady returns when the engine answers as ours on both ports, or ended,
// or was given long enough.
func (p *process) waitReady(ctx context.Context, native, http, password string) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	// An engine that ended answers no ping, but a stranger on its port may
	// keep one waiting.
	pinging, stopPinging := context.WithCancel(ctx)
	defer stopPinging()
	go func() {
		select {
		case <-p.ended:
			stopPinging()
		case <-pinging.Done():
		}
	}()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := pingBoth(pinging, native, http, password)
		if err == nil {
			return nil
		}
		// On a terminal it says that it cannot listen, and goes on without.
		if said := (&endedError{state: "could not listen", stderr: p.stderr.String()}); portTaken(said) {
			return said
		}
		select {
		case <-p.ended:
			return p.err
		case <-ctx.Done():
			return fmt.Errorf("clickhouse did not get ready: %w: %w", ctx.Err(), err)
		case <-tick.C:
		}
	}
}

// stop ends the process: closes the pipe, waits (hurry cuts that short), kills.
func (p *process) stop(hurry <-chan struct{}) error {
	closed := p.pipe.Close()
	grace := time.NewTimer(stopGrace)
	defer grace.Stop()
	select {
	case <-p.ended:
		return closed
	case <-grace.C:
	case <-hurry:
	}
	killed := p.cmd.Process.Kill()
	if errors.Is(killed, os.ErrProcessDone) {
		killed = nil
	}
	<-p.ended
	return errors.Join(closed, killed)
}

// endedError tells how the engine ended, and its last words.
type endedError struct {
	state  string // of the process
	stderr string
}

// Error is one sentence: what was wrong, and not where in the engine.
func (e *endedError) Error() string {
	text := "clickhouse ended: " + e.state
	if why := sentence(e.stderr); why != "" {
		text += ": " + why
	}
	return text
}

// saidBytes is how much of the engine's last words an error repeats.
const saidBytes = 1 << 10

// sentence is what the engine says is wrong, on one line: the last error that it names,
// else the first line that it said. What follows of its stack, and of lines about the
// error, goes to the log.
func sentence(said string) string {
	if at := strings.LastIndex(said, "Code: "); at >= 0 {
		said = said[at:]
		for _, end := range []string{"Stack trace", "engine ended by itself", "(version "} {
			said, _, _ = strings.Cut(said, end)
		}
	} else {
		said, _, _ = strings.Cut(strings.TrimSpace(said), "\n")
	}
	said = strings.Trim(strings.Join(strings.Fields(said), " "), " ,")
	if len(said) > saidBytes {
		said = strings.ToValidUTF8(said[:saidBytes], "") + "…"
	}
	return said
}

// The engine says its error codes only in text.
func (e *endedError) code(number string) bool {
	return strings.Contains(e.stderr, "Code: "+number+".")
}

// portTaken and folderTaken tell the two failures that pass.
func portTaken(err error) bool {
	var e *endedError
	return errors.As(err, &e) && e.code("210") // NETWORK_ERROR
}

func folderTaken(err error) bool {
	var e *endedError
	return errors.As(err, &e) && e.code("76") // CANNOT_OPEN_FILE: Cannot lock file
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

// The engine may log much between naming what is wrong and its end: all of that
// has to fit, or a failure that passes would not be known as one.
const tailBytes = 256 << 10

// Write never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if excess := len(t.text) - tailBytes; excess > 0 {
		t.text = append(t.text[:0], t.text[excess:]...)
	}
	return len(p), nil
}

// String is the end of the text without surrounding space.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.text))
}
