package records

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/snappy"
)

// snappyReader unpacks snappy: one block, or many framed as Java's clients do. A block
// is unpacked whole: the format has nothing smaller.
type snappyReader struct {
	in     []byte
	framed bool
	large  bool
	// block is memory for one, rest what is left of it.
	block, rest []byte
}

// framing begins a framed batch: a magic number and two versions, before blocks each
// behind their length.
const (
	framing      = "\x82SNAPPY\x00"
	framingBytes = len(framing) + 8
)

func (s *snappyReader) reset(in []byte, large bool) {
	*s = snappyReader{in: in, large: large, block: s.block}
	if len(in) >= framingBytes && bytes.HasPrefix(in, []byte(framing)) {
		s.in, s.framed = in[framingBytes:], true
	}
}

func (s *snappyReader) release(p *Pool) {
	s.in, s.rest = nil, nil
	if cap(s.block) <= smallBytes {
		p.snappy.Put(s)
	}
}

func (s *snappyReader) Read(b []byte) (int, error) {
	for len(s.rest) == 0 {
		if len(s.in) == 0 {
			return 0, io.EOF
		}
		block, rest, err := s.next()
		if err != nil {
			return 0, fmt.Errorf("unpack snappy: %w", err)
		}
		n, err := unpackedLength(block)
		if err != nil {
			return 0, fmt.Errorf("unpack snappy: %w", err)
		}
		if n > smallBytes && !s.large {
			return 0, ErrLarge
		}
		into := s.block[:cap(s.block)]
		if n <= len(b) {
			into = b
		}
		out, err := snappy.Decode(into, block)
		if err != nil {
			return 0, fmt.Errorf("unpack snappy: %w", err)
		}
		s.in = rest
		if n > 0 && n <= len(b) {
			return n, nil
		}
		s.block, s.rest = out, out
	}
	n := copy(b, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

var errCutOff = errors.New("a block is cut off")

// next is the next block, and what follows it.
func (s *snappyReader) next() (block, rest []byte, err error) {
	if !s.framed {
		return s.in, nil, nil
	}
	if len(s.in) < 4 {
		return nil, nil, errCutOff
	}
	n := int64(binary.BigEndian.Uint32(s.in))
	if n > int64(len(s.in)-4) {
		return nil, nil, errCutOff
	}
	return s.in[4 : 4+n], s.in[4+n:], nil
}

// unpackedLength is what a block says that it holds. It can't hold more than 64 bytes
// for each three of its own; the library would also unpack a dialect that can.
func unpackedLength(block []byte) (int, error) {
	n, err := snappy.DecodedLen(block)
	if err == nil && n > 64*(len(block)/3+1) {
		err = fmt.Errorf("a block of %d bytes says that it holds %d", len(block), n)
	}
	return n, err
}
