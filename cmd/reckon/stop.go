package main

import (
	"context"
	"os"
	"time"
)

// stopPatience is how long a command may take to end once it was told to: the promise
// is 5 s (README), and a process takes a moment to go.
const stopPatience = 4500 * time.Millisecond

// runUntil runs a command until it ends or, told to end by the context, does not in
// time: nothing that it holds is worth more than a kill would cost.
func (a *cli) runUntil(ctx context.Context, args []string) int {
	ended := make(chan int, 1)
	go func() { ended <- a.run(ctx, args) }()
	select {
	case code := <-ended:
		return code
	case <-ctx.Done():
	}
	select {
	case code := <-ended:
		return code
	case <-time.After(stopPatience):
		a.tell("reckon: interrupted, and given up: it did not end within %s of being told to\n", stopPatience)
		return exitInterrupted
	}
}

// stoppable is a file on which nobody waits longer than a context lasts, as one would
// on a pipe that is not read.
type stoppable struct {
	file *os.File
	ctx  context.Context //nolint:containedctx // ends the writes of a process
	// text is what is being written: the caller's own may change once Write returns.
	text []byte
}

// Write writes all of p, unless the context ends.
func (s *stoppable) Write(p []byte) (int, error) {
	text := append(s.text[:0], p...)
	s.text = nil // it is being written for as long as the process lasts
	n, err := until(s.ctx, func() (int, error) { return s.file.Write(text) })
	if s.ctx.Err() == nil {
		s.text = text
	}
	return n, err
}

// Fd tells whoever wants to know what kind of file it is.
func (s *stoppable) Fd() uintptr { return s.file.Fd() }

// until does what hears of no context, as reading from a pipe and writing to one, and
// leaves it to itself when the context ends first.
func until[T any](ctx context.Context, do func() (T, error)) (got T, err error) {
	if ctx.Err() != nil {
		return got, ctx.Err()
	}
	type outcome struct {
		got T
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		got, err := do()
		done <- outcome{got, err}
	}()
	select {
	case o := <-done:
		return o.got, o.err
	case <-ctx.Done():
		return got, ctx.Err()
	}
}
