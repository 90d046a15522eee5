package records

import (
	"errors"
	"io"
	"slices"
)

// window is the part of an unpacked batch that lies in memory. What was handed out
// of it stays where it is until it is freed.
type window struct {
	from io.Reader
	buf  []byte
	// pos is where what is not yet taken begins.
	pos int
	// held tells that something of buf was handed out.
	held bool
	// ended is the error that from has ended with.
	ended error
}

// begin reads another stream, what is left of the one before aside.
func (w *window) begin(from io.Reader) {
	w.buf, w.from, w.ended = w.buf[:w.pos], from, nil
}

// have makes at least n bytes lie at pos. ErrFull says that they have no room until
// something is freed, io.EOF that the stream ended before the first of them, and
// io.ErrUnexpectedEOF that it ended before the last.
func (w *window) have(n int) error {
	for len(w.buf)-w.pos < n {
		if w.ended != nil {
			if errors.Is(w.ended, io.EOF) && len(w.buf) > w.pos {
				return io.ErrUnexpectedEOF
			}
			return w.ended
		}
		if err := w.room(n); err != nil {
			return err
		}
		read, err := w.from.Read(w.buf[len(w.buf):cap(w.buf)])
		w.buf, w.ended = w.buf[:len(w.buf)+read], err
	}
	return nil
}

// peek is have for as many of n bytes as there are.
func (w *window) peek(n int) ([]byte, error) {
	if err := w.have(n); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	return w.buf[w.pos:], nil
}

// room makes place for n bytes from pos on.
func (w *window) room(n int) error {
	switch {
	case w.pos+n <= cap(w.buf):
		return nil
	case w.held:
		return ErrFull
	}
	w.move(max(n, windowBytes))
	return nil
}

// move puts what is not yet taken to the begin of a buffer of at least so many bytes.
func (w *window) move(size int) {
	rest := w.buf[w.pos:]
	if size > cap(w.buf) {
		w.buf = make([]byte, 0, size)
	}
	w.buf, w.pos = append(w.buf[:0], rest...), 0
}

// free gives back what was handed out. Where it is kept, it is the caller's for good.
func (w *window) free(kept bool) {
	small := w.pos <= windowBytes && len(w.buf)-w.pos <= windowBytes // as most are
	if kept && w.held || small && cap(w.buf) > windowBytes {
		w.buf, w.pos = append(make([]byte, 0, windowBytes), w.buf[w.pos:]...), 0
	}
	w.held = false
	w.move(0)
}

// skip leaves n bytes out. Nothing of buf is held.
func (w *window) skip(n int64) error {
	for {
		here := min(n, int64(len(w.buf)-w.pos))
		w.pos += int(here)
		if n -= here; n == 0 {
			return nil
		}
		w.move(windowBytes)
		if err := w.have(1); err != nil {
			return noEOF(err)
		}
	}
}

// read gives n bytes in a place of their own. Nothing of buf is held.
func (w *window) read(n int) ([]byte, error) {
	if err := w.have(n); err != nil {
		return nil, noEOF(err)
	}
	b := slices.Clone(w.buf[w.pos : w.pos+n])
	w.pos += n
	return b, nil
}

// noEOF is for where a stream may not end.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
