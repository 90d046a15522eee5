package kafkatest

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"slices"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// The attributes of a batch: how it is packed, and what it is of.
const (
	Plain int16 = iota
	Gzip
	Snappy
	Lz4
	Zstd

	Transactional int16 = 1 << 4
	Control       int16 = 1 << 5
)

// Batch is a batch as it lies in a log, right or wrong.
type Batch struct {
	// First and Last are the offsets that it covers, Count is how many messages it
	// says that it has.
	First, Last int64
	Count       int
	Attributes  int16
	Producer    int64
	// Time is what its messages' timestamps are counted from, in Unix milliseconds.
	Time int64
	// Body are the messages, packed as Attributes say.
	Body []byte
}

// Bytes is the batch with its length and checksum.
func (b *Batch) Bytes() []byte {
	const beforeLength, beforeCRC = 12, 21
	batch := kmsg.RecordBatch{
		FirstOffset: b.First, PartitionLeaderEpoch: -1, Magic: 2, Attributes: b.Attributes,
		LastOffsetDelta: int32(b.Last - b.First), FirstTimestamp: b.Time, MaxTimestamp: b.Time, //nolint:gosec // few messages
		ProducerID: b.Producer, ProducerEpoch: -1, FirstSequence: -1, NumRecords: int32(b.Count), Records: b.Body, //nolint:gosec // few messages
	}
	batch.Length = int32(len(batch.AppendTo(nil)) - beforeLength)                                         //nolint:gosec // a few MiB
	batch.CRC = int32(crc32.Checksum(batch.AppendTo(nil)[beforeCRC:], crc32.MakeTable(crc32.Castagnoli))) //nolint:gosec // its bits
	return batch.AppendTo(nil)
}

// Message is a message of a batch.
type Message struct {
	// Delta and Time are counted from the batch's.
	Delta, Time int64
	Key, Value  []byte
	// More is how many spaces follow the value.
	More    int64
	Headers []kmsg.Header
}

// Write writes the messages one after the other.
func Write(t testing.TB, w io.Writer, messages ...Message) {
	t.Helper()
	for i := range messages {
		m := &messages[i]
		before := binary.AppendVarint(binary.AppendVarint([]byte{0}, m.Time), m.Delta)
		before = append(appendLength(before, m.Key, 0), m.Key...)
		before = append(appendLength(before, m.Value, m.More), m.Value...)
		after := binary.AppendVarint(nil, int64(len(m.Headers)))
		for _, h := range m.Headers {
			after = append(appendLength(after, []byte(h.Key), 0), h.Key...)
			after = append(appendLength(after, h.Value, 0), h.Value...)
		}
		put(t, w, binary.AppendVarint(nil, int64(len(before)+len(after))+m.More))
		put(t, w, before)
		const atOnce = 1 << 20
		for more := m.More; more > 0; more -= atOnce {
			put(t, w, bytes.Repeat([]byte(" "), int(min(more, atOnce))))
		}
		put(t, w, after)
	}
}

func put(t testing.TB, w io.Writer, b []byte) {
	t.Helper()
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
}

// appendLength appends the length of bytes, -1 for null.
func appendLength(b, of []byte, more int64) []byte {
	if of == nil && more == 0 {
		return binary.AppendVarint(b, -1)
	}
	return binary.AppendVarint(b, int64(len(of))+more)
}

// Pack packs what write writes. Snappy is framed as Java's clients do it, in blocks of
// 32 KiB.
func Pack(t testing.TB, attributes int16, write func(io.Writer)) []byte {
	t.Helper()
	var packed bytes.Buffer
	var w io.WriteCloser
	var err error
	switch attributes & 7 {
	case Gzip:
		w = gzip.NewWriter(&packed)
	case Snappy:
		w = &xerial{to: &packed}
	case Lz4:
		w = lz4.NewWriter(&packed)
	case Zstd:
		w, err = zstd.NewWriter(&packed, zstd.WithEncoderConcurrency(1))
	default:
		write(&packed)
		return packed.Bytes()
	}
	if err != nil {
		t.Fatal(err)
	}
	write(w)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

// SnappyBlock packs bytes as one block without a frame, as Go's and C's clients do.
func SnappyBlock(b []byte) []byte { return snappy.Encode(nil, b) }

// ZstdFar packs bytes so that who unpacks them must be able to look back so far.
func ZstdFar(t testing.TB, b []byte, window int) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(window), zstd.WithSingleSegment(false))
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	w.Reset(&packed)
	put(t, w, b)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

// xerial frames snappy blocks.
type xerial struct {
	to      *bytes.Buffer
	waiting []byte
}

func (x *xerial) Write(b []byte) (int, error) {
	const block = 32 << 10
	x.waiting = append(x.waiting, b...)
	for len(x.waiting) >= block {
		x.flush(block)
	}
	return len(b), nil
}

func (x *xerial) flush(n int) {
	if x.to.Len() == 0 {
		x.to.WriteString("\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01")
	}
	packed := snappy.Encode(nil, x.waiting[:n])
	x.to.Write(binary.BigEndian.AppendUint32(nil, uint32(len(packed)))) //nolint:gosec // a block
	x.to.Write(packed)
	x.waiting = slices.Delete(x.waiting, 0, n)
}

// Close writes what is left.
func (x *xerial) Close() error {
	x.flush(len(x.waiting))
	return nil
}

// OldMessage appends a message of version 0 or 1, which may be a packed set of others.
func OldMessage(b []byte, magic int8, attributes int8, offset, ms int64, key, value []byte) []byte {
	var m []byte
	if magic == 0 {
		v := kmsg.MessageV0{Attributes: attributes, Key: key, Value: value}
		m = v.AppendTo(nil)
	} else {
		v := kmsg.MessageV1{Magic: magic, Attributes: attributes, Timestamp: ms, Key: key, Value: value}
		m = v.AppendTo(nil)
	}
	binary.BigEndian.PutUint64(m, uint64(offset))         //nolint:gosec // its bits
	binary.BigEndian.PutUint32(m[8:], uint32(len(m)-8-4)) //nolint:gosec // a few MiB
	return append(b, WithOldCRC(m)...)
}

// WithOldCRC corrects the checksum of a message of version 0 or 1.
func WithOldCRC(m []byte) []byte {
	const at, magic = 12, 16
	binary.BigEndian.PutUint32(m[at:], crc32.ChecksumIEEE(m[magic:]))
	return m
}
