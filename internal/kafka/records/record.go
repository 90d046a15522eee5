package records

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

const (
	// MaxBytes is the largest message that is read whole, with its key and headers: as
	// much as the topic of dead letters takes.
	MaxBytes = 4 << 20
	// HeadBytes is how much is kept of the key, of the value, and of the headers of a
	// larger one.
	HeadBytes = 64 << 10
	// headerBytes is what a header takes beside its bytes. They count, too: they could
	// be most of it.
	headerBytes = 40
	// headHeaders is how many headers are kept of what is too large.
	headHeaders = HeadBytes / headerBytes
)

var errMalformed = errors.New("its parts are not as long as it is")

// record reads the next message of a batch.
func (r *Reader) record(m *schemas.Message) error {
	if r.left == 0 {
		return io.EOF
	}
	length, err := r.length()
	if err != nil {
		return err
	}
	if err := r.sized(m, length); err != nil {
		return err
	}
	if m.Offset < r.batch.First || m.Offset > r.batch.Last {
		return fmt.Errorf("a message says that it is at offset %d", m.Offset)
	}
	r.left--
	r.following = 0
	return nil
}

// sized reads a message of so many bytes.
func (r *Reader) sized(m *schemas.Message, length int64) error {
	if length > MaxBytes {
		return r.cut(m, length)
	}
	if err := r.window.have(int(length)); err != nil {
		return noEOF(err)
	}
	at := r.window.pos
	body := r.window.buf[at : at+int(length)]
	f := fields{b: body}
	r.place(m, &f)
	m.Key, m.Value = f.bytes(), f.bytes()
	headers := f.varint()
	if headers > (MaxBytes-length)/headerBytes {
		return r.cut(m, length)
	}
	m.Headers = f.headers(headers)
	if f.bad {
		return errMalformed
	}
	r.window.pos += int(length)
	r.window.held = true
	return nil
}

// length takes the length of the next message. Where there is no room for what
// follows it is read again.
func (r *Reader) length() (int64, error) {
	if r.following > 0 {
		return r.following, nil
	}
	b, err := r.window.peek(binary.MaxVarintLen64)
	if err != nil {
		return 0, err
	}
	length, n := binary.Varint(b)
	if n <= 0 && len(b) < binary.MaxVarintLen64 {
		return 0, io.ErrUnexpectedEOF
	}
	if n <= 0 || length <= 0 {
		return 0, errMalformed
	}
	r.window.pos += n
	r.following = length
	return length, nil
}

// place reads what a message begins with.
func (r *Reader) place(m *schemas.Message, f *fields) {
	f.skip(1) // attributes, of which there are none
	m.Time = instant(r.batch.timestamp + f.varint())
	m.Offset = r.batch.First + f.varint()
}

// instant is a timestamp. A message without one has -1.
func instant(ms int64) time.Time {
	if ms < 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// fields reads the parts of a message that lies in memory, without copying them. What
// is not there is bad and nothing.
type fields struct {
	b   []byte
	bad bool
}

func (f *fields) skip(n int) {
	if n > len(f.b) {
		n, f.bad = len(f.b), true
	}
	f.b = f.b[n:]
}

func (f *fields) varint() int64 {
	v, n := binary.Varint(f.b)
	if n <= 0 {
		f.b, f.bad = nil, true
		return 0
	}
	f.b = f.b[n:]
	return v
}

// bytes gives nil for null and a slice, if empty, for anything else.
func (f *fields) bytes() []byte {
	n := f.varint()
	if n < 0 || f.bad {
		return nil
	}
	if n > int64(len(f.b)) {
		f.b, f.bad = nil, true
		return nil
	}
	b := f.b[:n:n]
	f.b = f.b[n:]
	return b
}

func (f *fields) headers(n int64) []schemas.Header {
	if n <= 0 || n > int64(len(f.b)) {
		f.bad = f.bad || n != 0
		return nil
	}
	headers := make([]schemas.Header, n)
	for i := range headers {
		headers[i] = schemas.Header{Key: string(f.bytes()), Value: f.bytes()}
	}
	return headers
}

// cut reads a message that is too large to be held, and keeps the head of each of its
// parts. Its bytes are in a place of their own.
func (r *Reader) cut(m *schemas.Message, length int64) error {
	if r.window.held {
		return ErrFull
	}
	c := cutter{window: &r.window, left: length}
	head, err := c.window.peek(1 + 2*binary.MaxVarintLen64)
	if err != nil {
		return err
	}
	f := fields{b: head}
	r.place(m, &f)
	if f.bad {
		return errMalformed
	}
	if err := c.skip(int64(len(head) - len(f.b))); err != nil {
		return err
	}
	if m.Key, err = c.part(); err != nil {
		return fmt.Errorf("key: %w", err)
	}
	if m.Value, err = c.part(); err != nil {
		return fmt.Errorf("value: %w", err)
	}
	if m.Headers, err = c.headers(); err != nil {
		return fmt.Errorf("headers: %w", err)
	}
	m.Omitted = c.omitted + c.left
	return c.skip(c.left)
}

// cutter takes a message off a window part by part.
type cutter struct {
	window *window
	// left is how much of the message was not yet taken, omitted how much was left out.
	left, omitted int64
}

func (c *cutter) skip(n int64) error {
	if c.left -= n; c.left < 0 {
		return errMalformed
	}
	return c.window.skip(n)
}

func (c *cutter) varint() (int64, error) {
	b, err := c.window.peek(binary.MaxVarintLen64)
	if err != nil {
		return 0, err
	}
	v, n := binary.Varint(b)
	if n <= 0 {
		return 0, errMalformed
	}
	return v, c.skip(int64(n))
}

// part takes bytes behind their length and keeps their head: nil for null.
func (c *cutter) part() ([]byte, error) {
	n, err := c.varint()
	if err != nil || n < 0 {
		return nil, err
	}
	return c.head(n)
}

func (c *cutter) head(n int64) ([]byte, error) {
	if n > c.left {
		return nil, errMalformed
	}
	kept, err := c.window.read(int(min(n, HeadBytes)))
	if err != nil {
		return nil, err
	}
	c.left -= int64(len(kept))
	more := n - int64(len(kept))
	c.omitted += more
	return kept, c.skip(more)
}

// headers takes the first of them.
func (c *cutter) headers() (headers []schemas.Header, err error) {
	n, err := c.varint()
	if err != nil {
		return nil, err
	}
	for bytes := 0; int64(len(headers)) < min(n, headHeaders) && bytes < HeadBytes; {
		var key, value []byte
		if key, err = c.part(); err != nil {
			return nil, err
		}
		if value, err = c.part(); err != nil {
			return nil, err
		}
		headers = append(headers, schemas.Header{Key: string(key), Value: value})
		bytes += len(key) + len(value)
	}
	return headers, nil
}
