package records

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// packing is how a batch is packed.
type packing int8

const (
	unpacked packing = iota
	gzipped
	snappied
	lz4ed
	zstded
)

const (
	// smallBytes is how much of a batch unpacking may need at once: what the formats
	// themselves recommend that everybody can.
	smallBytes = 8 << 20
	// largeBytes is how much Kafka's own client takes at once of what zstd has packed.
	largeBytes = 128 << 20
)

// Pool lends what unpacks to readers. It is safe for use by several goroutines.
type Pool struct {
	gzip, snappy, lz4, zstd sync.Pool
	// large holds the turn to unpack with much memory.
	large chan struct{}
}

// NewPool makes an empty pool.
func NewPool() *Pool { return &Pool{large: make(chan struct{}, 1)} }

// turn waits for the turn to unpack with much memory: one that is free is had even
// when ctx is over.
func (p *Pool) turn(ctx context.Context) bool {
	select {
	case p.large <- struct{}{}:
		return true
	default:
	}
	select {
	case p.large <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// unpacker is a batch as it was before it was packed. Its errors are ErrLarge where
// more memory helps.
type unpacker interface {
	io.Reader
	// release lets go of the batch and goes back to the pool.
	release(*Pool)
}

// get begins to unpack.
func (p *Pool) get(packing packing, body []byte, large bool) (unpacker, error) {
	switch packing {
	case unpacked:
		return plain{bytes.NewReader(body)}, nil
	case gzipped:
		return p.gunzip(body)
	case snappied:
		s, _ := p.snappy.Get().(*snappyReader)
		if s == nil {
			s = new(snappyReader)
		}
		s.reset(body, large)
		return s, nil
	case lz4ed:
		z, _ := p.lz4.Get().(*lz4.Reader)
		if z == nil {
			z = lz4.NewReader(nil)
		}
		z.Reset(bytes.NewReader(body))
		return lz4Reader{z}, nil
	case zstded:
		return p.unzstd(body, large)
	}
	return nil, fmt.Errorf("it is packed in a way that is not known: %d", packing)
}

// plain is a batch that is not packed.
type plain struct{ *bytes.Reader }

func (plain) release(*Pool) {}

type gzipReader struct{ *gzip.Reader }

func (p *Pool) gunzip(body []byte) (unpacker, error) {
	z, _ := p.gzip.Get().(*gzip.Reader)
	if z == nil {
		z = new(gzip.Reader)
	}
	if err := z.Reset(bytes.NewReader(body)); err != nil {
		return nil, fmt.Errorf("unpack gzip: %w", err)
	}
	return gzipReader{z}, nil
}

func (z gzipReader) release(p *Pool) { p.gzip.Put(z.Reader) }

type lz4Reader struct{ *lz4.Reader }

func (z lz4Reader) release(p *Pool) {
	z.Reset(nil)
	p.lz4.Put(z.Reader)
}

// zstdReader unpacks zstd, whose frames say how far they look back.
type zstdReader struct {
	*zstd.Decoder
	large bool
}

func (p *Pool) unzstd(body []byte, large bool) (unpacker, error) {
	z, _ := p.zstd.Get().(*zstd.Decoder)
	if z == nil || large {
		most := uint64(smallBytes)
		if large {
			most = largeBytes
		}
		var err error
		if z, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(most)); err != nil {
			return nil, fmt.Errorf("unpack zstd: %w", err)
		}
	}
	if err := z.Reset(bytes.NewReader(body)); err != nil {
		return nil, fmt.Errorf("unpack zstd: %w", err)
	}
	return zstdReader{z, large}, nil
}

func (z zstdReader) Read(b []byte) (int, error) {
	n, err := z.Decoder.Read(b)
	if !z.large && (errors.Is(err, zstd.ErrWindowSizeExceeded) || errors.Is(err, zstd.ErrDecoderSizeExceeded)) {
		err = ErrLarge
	}
	return n, err
}

func (z zstdReader) release(p *Pool) {
	if z.large {
		z.Close()
		return
	}
	if z.Reset(nil) == nil {
		p.zstd.Put(z.Decoder)
	}
}
