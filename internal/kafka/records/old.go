package records

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// An old message set (versions 0 and 1) is one message after the other. Packed ones
// are the value of another one, whose offset is the last one's of theirs.

// oldHead is how much of a message comes before its key, without its timestamp.
const oldHead = atOldTimestamp

//nolint:gosec // the bits are signed numbers
func oldBatch(b []byte, magic int8) (Batch, error) {
	if len(b) < oldHead {
		return Batch{}, errShortBatch
	}
	if err := checkCRC(b[atMagic:], b[atOldCRC:], crc32.IEEE); err != nil {
		return Batch{}, err
	}
	offset := int64(binary.BigEndian.Uint64(b))
	set := Batch{First: offset, Last: offset, packing: packing(b[atOldAttributes] & packingMask), magic: magic, body: b}
	if set.packing != unpacked {
		var m schemas.Message
		if err := readOld(&m, b); err != nil {
			return Batch{}, err
		}
		set.body = m.Value
	}
	return set, nil
}

// readOld reads a message that lies in memory, without copying its bytes.
func readOld(m *schemas.Message, b []byte) error {
	if len(b) < oldHead {
		return errMalformed
	}
	f := fields{b: b[oldHead:]}
	if b[atMagic] > 0 {
		m.Time = f.instant()
	}
	m.Key, m.Value = f.oldBytes(), f.oldBytes()
	if f.bad {
		return errMalformed
	}
	return nil
}

func (f *fields) int32() int64 {
	b := f.b
	if f.skip(4); f.bad {
		return 0
	}
	return int64(int32(binary.BigEndian.Uint32(b))) //nolint:gosec // the bits are a signed number
}

// oldBytes is bytes behind a length of four bytes.
func (f *fields) oldBytes() []byte {
	n := f.int32()
	if n < 0 || f.bad {
		return nil
	}
	b := f.b
	if f.skip(int(n)); f.bad {
		return nil
	}
	return b[:n:n]
}

// oldSet is what is known of the packed set that is being read.
type oldSet struct {
	// shift is what is added to the messages' own offsets, once it is known.
	shift int64
	known bool
}

// oldMessage reads the next message of an old set.
func (r *Reader) oldMessage(m *schemas.Message) error {
	if err := r.findShift(); err != nil {
		return err
	}
	w := &r.window
	if err := w.have(atBody); err != nil {
		return err
	}
	head := w.buf[w.pos:]
	offset := int64(binary.BigEndian.Uint64(head))                 //nolint:gosec // the bits are a signed number
	size := int64(int32(binary.BigEndian.Uint32(head[atLength:]))) //nolint:gosec // the bits are a signed number
	if size < oldHead-atBody {
		return errMalformed
	}
	m.Time, m.Headers, m.Offset = instant(-1), nil, offset+r.old.shift
	if size > MaxBytes {
		return r.cutOld(m, atBody+size)
	}
	if err := w.have(int(atBody + size)); err != nil {
		return noEOF(err)
	}
	whole := w.buf[w.pos : w.pos+int(atBody+size)]
	if err := checkCRC(whole[atMagic:], whole[atOldCRC:], crc32.IEEE); err != nil {
		return fmt.Errorf("message at offset %d: %w", m.Offset, err)
	}
	if r.batch.packing != unpacked && whole[atOldAttributes]&packingMask != 0 {
		return errors.New("a packed message holds packed messages")
	}
	if err := readOld(m, whole); err != nil {
		return err
	}
	w.pos += len(whole)
	w.held = true
	return nil
}

// findShift finds what the offsets of a packed set are counted from: its last one is
// that of the whole, and is known only once all were looked at.
func (r *Reader) findShift() error {
	if r.old.known || r.batch.packing == unpacked || r.batch.magic == 0 {
		return nil
	}
	packed, err := r.pool.get(r.batch.packing, r.batch.body, r.large)
	if err != nil {
		return err
	}
	defer packed.release(r.pool)
	in, last := bufio.NewReader(packed), r.batch.Last
	for {
		var head [atBody]byte
		if _, err := io.ReadFull(in, head[:]); errors.Is(err, io.EOF) {
			r.old = oldSet{known: true, shift: r.batch.Last - last}
			return nil
		} else if err != nil {
			return err
		}
		last = int64(binary.BigEndian.Uint64(head[:]))                 //nolint:gosec // the bits are a signed number
		size := int64(int32(binary.BigEndian.Uint32(head[atLength:]))) //nolint:gosec // the bits are a signed number
		if size < 0 {
			return errMalformed
		}
		if _, err := in.Discard(int(size)); err != nil {
			return noEOF(err)
		}
	}
}

// cutOld is cut for a message of an old set.
func (r *Reader) cutOld(m *schemas.Message, length int64) error {
	if r.window.held {
		return ErrFull
	}
	c := cutter{window: &r.window, left: length}
	if err := r.window.have(oldHead + 8); err != nil {
		return noEOF(err)
	}
	head := r.window.buf[r.window.pos:]
	n := int64(oldHead)
	if head[atMagic] > 0 {
		f := fields{b: head[oldHead:]}
		m.Time = f.instant()
		n += 8
	}
	if err := c.skip(n); err != nil {
		return err
	}
	var err error
	if m.Key, err = c.oldPart(); err != nil {
		return fmt.Errorf("key: %w", err)
	}
	if m.Value, err = c.oldPart(); err != nil {
		return fmt.Errorf("value: %w", err)
	}
	m.Omitted = c.omitted + c.left
	return c.skip(c.left)
}

func (f *fields) instant() time.Time {
	b := f.b
	if f.skip(8); f.bad {
		return time.Time{}
	}
	return instant(int64(binary.BigEndian.Uint64(b))) //nolint:gosec // the bits are a signed number
}

// oldPart is part behind a length of four bytes.
func (c *cutter) oldPart() ([]byte, error) {
	b, err := c.window.peek(4)
	if err != nil {
		return nil, err
	}
	f := fields{b: b}
	n := f.int32()
	if f.bad {
		return nil, errMalformed
	}
	if err := c.skip(4); err != nil || n < 0 {
		return nil, err
	}
	return c.head(n)
}
