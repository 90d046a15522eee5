package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/reckon-billing/reckon/internal/embedded"
)

// serversMode is the hidden first argument by which this program becomes the
// broker's process: the embedded stack on a folder, ClickHouse in a child of it.
const serversMode = "servers"

// serve runs the embedded stack on the folder until standard input ends.
func serve(args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	if len(args) != 2 {
		return errors.New("servers is started by the benchmarks, not by hand")
	}
	memory, err := strconv.ParseInt(args[1], 10, 64)
	if err != nil {
		return fmt.Errorf("memory of the servers: %w", err)
	}
	ctx := context.Background()
	stack, err := embedded.Start(ctx, embedded.Options{
		DataDir: args[0], MemoryBytes: memory,
		Log: slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(stdout, "ready")
	if err == nil {
		_, err = io.Copy(io.Discard, stdin)
	}
	return errors.Join(err, stack.Close(ctx))
}

// servers are the broker and ClickHouse, each in a process of its own.
type servers struct {
	embedded.Endpoints
	// broker and engine are their process ids.
	broker, engine int
	folder         string

	cmd  *exec.Cmd
	pipe io.Closer
}

// startServers starts them on a folder, which it makes.
func startServers(ctx context.Context, folder string, memory int64) (*servers, error) {
	s := &servers{folder: folder}
	s.cmd = exec.CommandContext(ctx, "/proc/self/exe", serversMode, folder, strconv.FormatInt(memory, 10))
	s.cmd.Stderr = os.Stderr
	pipe, err := s.cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start the servers: %w", err)
	}
	s.pipe = pipe
	// On an interrupt they end as they do in peace: the pipe closes.
	s.cmd.Cancel, s.cmd.WaitDelay = pipe.Close, 10*time.Second
	out, err := s.cmd.StdoutPipe()
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("start the servers: %w", err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		return nil, errors.Join(fmt.Errorf("start the servers: they ended: %w", err), s.cmd.Wait())
	}
	if s.Endpoints, err = embedded.ReadEndpoints(folder); err == nil {
		s.broker = s.PID
		s.engine, err = childOf(s.PID)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the servers: %w", err), s.stop())
	}
	return s, nil
}

// stop ends them; what they stored stays.
func (s *servers) stop() error {
	err := s.pipe.Close()
	if errors.Is(err, os.ErrClosed) {
		err = nil
	}
	if waited := s.cmd.Wait(); waited != nil {
		err = errors.Join(err, fmt.Errorf("stop the servers: %w", waited))
	}
	return err
}

// childOf is the one child of a process.
func childOf(parent int) (int, error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, err
	}
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it ended meanwhile
		}
		if fields := afterName(string(text)); len(fields) > 1 && fields[1] == strconv.Itoa(parent) {
			return strconv.Atoi(filepath.Base(filepath.Dir(path)))
		}
	}
	return 0, fmt.Errorf("process %d has no child", parent)
}

// afterName are the fields of /proc/PID/stat from the state on; the name before
// them may hold spaces.
func afterName(stat string) []string {
	return strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
}
