package records

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/reckon-billing/reckon/internal/kafka/kafkatest"
	"github.com/reckon-billing/reckon/schemas"
)

// TestASmallBatchThatHoldsMuchIsReadInLittleMemory (O4): whatever a producer packs
// into 2 MiB, its messages come one after the other, and what they come to is never
// taken from the heap at once: the bound is on all that reading takes, garbage
// included.
func TestASmallBatchThatHoldsMuchIsReadInLittleMemory(t *testing.T) {
	small := kafkatest.Message{Key: []byte("k"), Value: []byte("{}")}
	many := make([]kmsg.Header, 400_000)
	for name, tc := range map[string]struct {
		attributes int16
		message    kafkatest.Message
		times      int
		cut        bool
	}{
		"one message of 900 MiB in zstd":       {kafkatest.Zstd, kafkatest.Message{Value: []byte("{"), More: 900 << 20}, 1, true},
		"900 messages of 1 MiB in zstd":        {kafkatest.Zstd, kafkatest.Message{More: 1 << 20}, 900, false},
		"200 messages of all that is whole":    {kafkatest.Zstd, kafkatest.Message{More: MaxBytes - 20}, 200, false},
		"one message of 900 MiB in gzip":       {kafkatest.Gzip, kafkatest.Message{More: 900 << 20}, 1, true},
		"200 messages of 1 MiB in lz4":         {kafkatest.Lz4, kafkatest.Message{More: 1 << 20}, 200, false},
		"40 messages of 1 MiB in snappy":       {kafkatest.Snappy, kafkatest.Message{More: 1 << 20}, 40, false},
		"one message of 40 MiB in snappy":      {kafkatest.Snappy, kafkatest.Message{More: 40 << 20}, 1, true},
		"a key of 64 MiB":                      {kafkatest.Zstd, kafkatest.Message{Key: make([]byte, 64<<20)}, 1, true},
		"headers of 64 MiB":                    {kafkatest.Zstd, kafkatest.Message{Headers: []kmsg.Header{{Key: "a"}, {Key: "h", Value: make([]byte, 64<<20)}}}, 1, true},
		"400,000 headers, 20 times":            {kafkatest.Zstd, kafkatest.Message{Headers: many}, 20, true},
		"1,000,000 messages of nothing":        {kafkatest.Zstd, kafkatest.Message{}, 1_000_000, false},
		"one message of 5 MiB, as it is":       {kafkatest.Plain, kafkatest.Message{More: 5 << 20}, 1, true},
		"what all unpack is 900 MiB of spaces": {kafkatest.Zstd, kafkatest.Message{Value: []byte("x"), More: 300 << 20}, 3, true},
	} {
		t.Run(name, func(t *testing.T) {
			one := tc.message
			b := kafkatest.Batch{Last: int64(tc.times) + 1, Count: tc.times + 2, Attributes: tc.attributes, Time: stamp}
			b.Body = kafkatest.Pack(t, tc.attributes, func(w io.Writer) {
				kafkatest.Write(t, w, small)
				for one.Delta = 1; one.Delta <= int64(tc.times); one.Delta++ {
					kafkatest.Write(t, w, one)
				}
				last := small
				last.Delta = one.Delta
				kafkatest.Write(t, w, last)
			})
			set := b.Bytes()
			if len(set) > 6<<20 {
				t.Fatalf("the batch has %d bytes", len(set))
			}
			taken := allocated(func() { expect(t, set, &tc.message, tc.times, tc.cut) })
			if most := uint64(32 << 20); taken > most {
				t.Errorf("a batch of %d KiB took %d MiB, want at most %d", len(set)>>10, taken>>20, most>>20)
			}
		})
	}
}

func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// expect reads a batch of a small message, many like one, and a small message.
func expect(t *testing.T, set []byte, like *kafkatest.Message, times int, cut bool) {
	t.Helper()
	r := NewReader(NewPool())
	defer r.Close()
	r.Reset(set)
	if _, err := r.Batch(); err != nil {
		t.Fatal(err)
	}
	next := int64(0)
	for m := new(schemas.Message); ; {
		err := r.Message(m)
		if errors.Is(err, ErrFull) {
			r.Free(false)
			continue
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || m.Offset != next {
			t.Fatalf("got offset %d, %v; want %d", m.Offset, err, next)
		}
		switch small := next == 0 || next == int64(times)+1; {
		case small && (string(m.Key) != "k" || string(m.Value) != "{}" || m.Omitted != 0):
			t.Fatalf("the neighbour at %d is %q %q without %d", next, m.Key, m.Value, m.Omitted)
		case small:
		case cut:
			isHead(t, m, like)
		case int64(len(m.Value)) != int64(len(like.Value))+like.More || m.Omitted != 0:
			t.Fatalf("the message at %d has %d bytes without %d", next, len(m.Value), m.Omitted)
		}
		next++
	}
	if next != int64(times)+2 {
		t.Errorf("%d messages, want %d", next, times+2)
	}
}

// isHead looks at a message that was too large to be held.
func isHead(t *testing.T, m *schemas.Message, of *kafkatest.Message) {
	t.Helper()
	value := append(bytes.Clone(of.Value), bytes.Repeat([]byte(" "), int(min(of.More, HeadBytes)))...)
	all := int64(len(of.Key)+len(of.Value)) + of.More
	kept := int64(len(m.Key) + len(m.Value))
	for i, h := range of.Headers {
		all += int64(len(h.Key) + len(h.Value))
		if i < len(m.Headers) {
			kept += int64(len(m.Headers[i].Key) + len(m.Headers[i].Value))
		}
	}
	if !bytes.HasPrefix(of.Key, m.Key) || !bytes.HasPrefix(value, m.Value) || kept > 3*HeadBytes+1 ||
		(len(of.Key) > 0 && len(m.Key) == 0) || (len(value) > 0 && len(m.Value) == 0) || (len(of.Headers) > 0 && len(m.Headers) == 0) ||
		m.Omitted < all-kept || m.Omitted == 0 || !m.Time.Equal(instant(stamp)) {
		t.Fatalf("kept are %d bytes of %d, with %d headers, without %d, of %v", kept, all, len(m.Headers), m.Omitted, m.Time)
	}
}

// TestAMessageIsWholeUpToTheBound: at it, and one byte beyond; of old ones, too.
func TestAMessageIsWholeUpToTheBound(t *testing.T) {
	for name, set := range map[string]func(length int) []byte{
		"now": func(length int) []byte {
			const beside = 1 + 1 + 1 + 1 + 4 + 1 // attributes, time, offset, key, value's length, headers
			return packed(t, kafkatest.Lz4, 0, kafkatest.Message{Value: []byte("v"), More: int64(length - beside - 1)}).Bytes()
		},
		"old": func(length int) []byte {
			const beside = 4 + 1 + 1 + 8 + 4 + 4 // checksum, version, attributes, time, key, value's length
			inside := kafkatest.OldMessage(nil, 1, 0, 0, stamp, nil, bytes.Repeat([]byte("v"), length-beside))
			return kafkatest.OldMessage(nil, 1, int8(kafkatest.Zstd), 0, stamp, nil, kafkatest.Pack(t, kafkatest.Zstd, func(w io.Writer) { _, _ = w.Write(inside) }))
		},
	} {
		t.Run(name, func(t *testing.T) {
			for length, whole := range map[int]bool{MaxBytes: true, MaxBytes + 1: false} {
				got, _, err := readAll(t, NewReader(NewPool()), set(length))
				if err != nil || len(got) != 1 {
					t.Fatalf("%d messages, %v", len(got), err)
				}
				m := got[0]
				if whole != (m.Omitted == 0) || whole && len(m.Value) < MaxBytes-50 ||
					!whole && (len(m.Value) != HeadBytes || m.Omitted < MaxBytes-50-HeadBytes || m.Omitted > MaxBytes-HeadBytes) {
					t.Errorf("of %d bytes the value has %d and %d are left out", length, len(m.Value), m.Omitted)
				}
			}
		})
	}
}
