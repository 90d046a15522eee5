package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
)

const (
	portTries      = 5                // starts on other ports, before giving up
	folderPatience = 10 * time.Second // for an engine that outlives its parent
	folderRetry    = 250 * time.Millisecond
	firstBackOff   = time.Second
	longestBackOff = 30 * time.Second
	steadyAfter    = 30 * time.Second // a life this long resets the back-off
)

// clickHouse is the engine's child process, started again when it dies.
type clickHouse struct {
	folder   engineFolder
	command  []string
	password string
	log      *slog.Logger

	native, http int // fixed once the first start succeeded

	cancel context.CancelFunc
	hurry  chan struct{} // closed: do not wait when stopping
	done   chan struct{} // closed: stopped
	once   sync.Once

	mu      sync.Mutex
	failure error // why it is down; nil while it is up
	stopErr error
}

// start runs the engine until it is ready, and from then on keeps it running
// until Close. Wanted ports that are taken are replaced unless fixed.
func (c *clickHouse) start(ctx context.Context, native, http int, fixed bool) error {
	if err := c.choosePorts(ctx, native, http); err != nil {
		return err
	}
	var p *process
	for try := 1; ; try++ {
		var err error
		p, err = c.launch(ctx)
		if err == nil {
			break
		}
		if !portTaken(err) || try == portTries || (fixed && (native != 0 || http != 0)) {
			return fmt.Errorf("start clickhouse on %s and %s: %w", c.NativeAddr(), c.HTTPAddr(), err)
		}
		c.log.Warn("a port is taken, using others", "server", "clickhouse", "native_port", c.native, "http_port", c.http)
		if err := c.choosePorts(ctx, 0, 0); err != nil {
			return err
		}
	}
	ctx, c.cancel = context.WithCancel(context.WithoutCancel(ctx))
	c.hurry, c.done = make(chan struct{}), make(chan struct{})
	go c.supervise(ctx, p)
	return nil
}

func (c *clickHouse) choosePorts(ctx context.Context, native, http int) error {
	free, err := freePorts(ctx, 2)
	if err != nil {
		return err
	}
	c.native, c.http = native, http
	if c.native == 0 {
		c.native = free[0]
	}
	if c.http == 0 {
		c.http = free[1]
	}
	return nil
}

// launch starts one process and returns when it is ready. It waits for an
// engine that still holds the folder: after a kill of its parent with a query
// running it lives on for some seconds.
func (c *clickHouse) launch(ctx context.Context) (*process, error) {
	giveUp := time.Now().Add(folderPatience)
	for said := false; ; {
		p, err := startProcess(c.command, c.folder.arguments(c.native, c.http))
		if err != nil {
			return nil, err
		}
		err = p.waitReady(ctx, c.NativeAddr(), c.HTTPAddr(), c.password)
		if err == nil {
			return p, nil
		}
		c.log.Debug("clickhouse did not start", "said", p.stderr.String())
		noWait := make(chan struct{})
		close(noWait)
		if stopped := p.stop(noWait); stopped != nil {
			return nil, fmt.Errorf("%w; and stop it: %w", err, stopped)
		}
		if !folderTaken(err) || time.Now().After(giveUp) {
			return nil, err
		}
		if !said {
			c.log.Warn("an earlier engine still holds the tables, trying again", "for", folderPatience)
			said = true
		}
		if !sleep(ctx, folderRetry) {
			return nil, ctx.Err()
		}
	}
}

// supervise owns the process: it ends with the process stopped.
func (c *clickHouse) supervise(ctx context.Context, p *process) {
	defer close(c.done)
	rests := &backoff.ExponentialBackOff{InitialInterval: firstBackOff, Multiplier: 2, MaxInterval: longestBackOff}
	for {
		up := time.Now()
		select {
		case <-ctx.Done():
			err := p.stop(c.hurry)
			c.mu.Lock()
			defer c.mu.Unlock()
			c.stopErr = err
			return
		case <-p.ended:
		}
		if time.Since(up) > steadyAfter {
			rests.Reset()
		}
		err := p.err
		if closed := p.pipe.Close(); closed != nil {
			err = fmt.Errorf("%w; and close its pipe: %w", err, closed)
		}
		// Why it does not start again is told once, and by Health all the while.
		for tries := 0; err != nil; tries++ {
			c.setFailure(err)
			rest := rests.NextBackOff()
			if tries < 2 {
				c.log.Error("clickhouse is down, starting it again", "err", err, "after", rest)
			}
			if !sleep(ctx, rest) {
				return
			}
			p, err = c.launch(ctx)
			if ctx.Err() != nil && err != nil {
				return
			}
		}
		c.setFailure(nil)
		c.log.Info("clickhouse is up again", "native", c.NativeAddr(), "http", c.HTTPAddr())
	}
}

// NativeAddr is where it speaks its native protocol, host:port.
func (c *clickHouse) NativeAddr() string { return loopback(c.native) }

// HTTPAddr is where it speaks HTTP, host:port.
func (c *clickHouse) HTTPAddr() string { return loopback(c.http) }

// Health is nil while the process runs, else why it does not.
func (c *clickHouse) Health() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failure
}

func (c *clickHouse) setFailure(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failure = err
}

// Close stops the engine; callers have ended their queries and closed their
// connections. It takes about 2 s at most, less when ctx ends earlier; rows
// that were acknowledged are kept in any case.
func (c *clickHouse) Close(ctx context.Context) error {
	c.cancel()
	select {
	case <-c.done:
	case <-ctx.Done():
		c.once.Do(func() { close(c.hurry) })
		<-c.done
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failure = errors.New("clickhouse is stopped")
	if c.stopErr != nil {
		return fmt.Errorf("stop clickhouse: %w", c.stopErr)
	}
	return nil
}

// sleep waits, and reports whether ctx let it.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
