package records

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"

	"github.com/reckon-billing/reckon/internal/kafka/kafkatest"
	"github.com/reckon-billing/reckon/schemas"
)

const stamp = 1_790_000_000_123

// packings are all that there are, by their names.
func packings() map[string]int16 {
	return map[string]int16{
		"plain": kafkatest.Plain, "gzip": kafkatest.Gzip, "snappy": kafkatest.Snappy, "lz4": kafkatest.Lz4, "zstd": kafkatest.Zstd,
	}
}

// packed is a batch of messages at offsets that follow each other.
func packed(t testing.TB, attributes int16, first int64, messages ...kafkatest.Message) *kafkatest.Batch {
	t.Helper()
	for i := range messages {
		messages[i].Delta = int64(i)
	}
	return &kafkatest.Batch{
		First: first, Last: first + int64(len(messages)) - 1, Count: len(messages), Attributes: attributes, Time: stamp,
		Body: kafkatest.Pack(t, attributes, func(w io.Writer) { kafkatest.Write(t, w, messages...) }),
	}
}

// readAll gives copies of all messages of a set, each with what is told of its batch.
func readAll(t testing.TB, r *Reader, set []byte) (messages []schemas.Message, batches []Batch, err error) {
	t.Helper()
	r.Reset(set)
	for {
		b, err := r.Batch()
		if errors.Is(err, io.EOF) {
			return messages, batches, nil
		}
		if err != nil {
			return messages, batches, err
		}
		batches = append(batches, b)
		for {
			var m schemas.Message
			err := r.Message(&m)
			if errors.Is(err, ErrFull) {
				r.Free(false)
				continue
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return messages, batches, err
			}
			messages = append(messages, clone(m))
		}
	}
}

func clone(m schemas.Message) schemas.Message {
	m.Key, m.Value, m.Headers = bytes.Clone(m.Key), bytes.Clone(m.Value), slices.Clone(m.Headers)
	for i := range m.Headers {
		m.Headers[i].Value = bytes.Clone(m.Headers[i].Value)
	}
	return m
}

func TestMessagesComeThroughHoweverTheyArePacked(t *testing.T) {
	in := []kafkatest.Message{
		{Key: []byte("k"), Value: []byte("v")},
		{Time: 1, Value: []byte("no key")},
		{Time: -stamp - 1, Key: []byte{}, Value: []byte{}},
		{Time: 5, Key: []byte("null value")},
		{Value: bytes.Repeat([]byte("large "), 150_000)},
		{Key: []byte{0xff, 0}, Value: []byte("h"), Headers: []kmsg.Header{
			{Key: "b", Value: []byte("2")}, {Key: "a", Value: []byte("1")}, {Key: "b", Value: []byte{}}, {Key: "", Value: []byte{0xff}}, {Key: "null"},
		}},
	}
	for name, attributes := range packings() {
		t.Run(name, func(t *testing.T) {
			set := packed(t, attributes, 7, in...).Bytes()
			want := wanted(in, 7)
			if attributes == kafkatest.Snappy {
				b := packed(t, kafkatest.Plain, 13, in...)
				b.Attributes, b.Body = kafkatest.Snappy, kafkatest.SnappyBlock(b.Body)
				set, want = append(set, b.Bytes()...), append(want, wanted(in, 13)...)
			}
			got, batches, err := readAll(t, NewReader(NewPool()), append(set, set[:100]...))
			if err != nil || batches[0].First != 7 || batches[0].Last != 12 || batches[0].Transactional || batches[0].Control {
				t.Fatalf("got %+v, %v", batches, err)
			}
			same(t, got, want)
		})
	}
}

func wanted(in []kafkatest.Message, first int64) []schemas.Message {
	out := make([]schemas.Message, len(in))
	for i, m := range in {
		out[i] = schemas.Message{Position: schemas.Position{Offset: first + int64(i)}, Time: instant(stamp + m.Time), Key: m.Key, Value: m.Value}
		for _, h := range m.Headers {
			out[i].Headers = append(out[i].Headers, schemas.Header(h))
		}
	}
	return out
}

// same compares in everything, null and empty apart.
func same(t testing.TB, got, want []schemas.Message) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d messages, want %d", len(got), len(want))
	}
	for i := range got {
		if a, b := show(got[i]), show(want[i]); a != b {
			t.Errorf("message %d is %.500s, want %.500s", i, a, b)
		}
	}
}

func show(m schemas.Message) string {
	return fmt.Sprintf("%d at %v: %#v, %#v, %#v without %d", m.Offset, m.Time, m.Key, m.Value, m.Headers, m.Omitted)
}

func TestABatchSaysWhatItIsOf(t *testing.T) {
	b := packed(t, kafkatest.Plain, 40, kafkatest.Message{Value: []byte("v")})
	b.Last, b.Producer, b.Attributes = 44, 12, kafkatest.Transactional|kafkatest.Control
	_, batches, err := readAll(t, NewReader(NewPool()), b.Bytes())
	if got := batches[0]; err != nil || got.First != 40 || got.Last != 44 || got.Producer != 12 || !got.Transactional || !got.Control {
		t.Errorf("got %+v, %v", got, err)
	}
}

// TestOldMessageSetsAreRead: of versions 0 and 1, as brokers older than 0.11 wrote
// them. In a packed one of version 1 offsets are counted from the first's, and the
// whole has the offset of the last: compaction left 20, 22 and 23.
func TestOldMessageSetsAreRead(t *testing.T) {
	for name, attributes := range packings() {
		for _, magic := range []int8{0, 1} {
			t.Run(fmt.Sprintf("%s %d", name, magic), func(t *testing.T) {
				offsets := []int64{20, 22, 23}
				inside := slices.Clone(offsets)
				if magic == 1 && attributes != kafkatest.Plain {
					inside = []int64{0, 2, 3}
				}
				values := [][]byte{[]byte("a"), {}, nil}
				body := kafkatest.Pack(t, attributes, func(w io.Writer) {
					for i, o := range inside {
						_, _ = w.Write(kafkatest.OldMessage(nil, magic, 0, o, stamp+int64(i), []byte("k"), values[i]))
					}
				})
				if attributes != kafkatest.Plain {
					body = kafkatest.OldMessage(nil, magic, int8(attributes), 23, stamp+9, nil, body)
				}
				got, batches, err := readAll(t, NewReader(NewPool()), append(body, body[:20]...))
				if err != nil || batches[len(batches)-1].Last != 23 {
					t.Fatalf("%+v, %v", batches, err)
				}
				want := make([]schemas.Message, len(offsets))
				for i, o := range offsets {
					want[i] = schemas.Message{Position: schemas.Position{Offset: o}, Key: []byte("k"), Value: values[i]}
					if magic == 1 {
						want[i].Time = instant(stamp + int64(i))
					}
				}
				same(t, got[:3], want)
			})
		}
	}
}

// TestWhatLiesInTheWindowChangesNothing: batches of messages of all sizes, freed at
// any time, come as they were written.
func TestWhatLiesInTheWindowChangesNothing(outer *testing.T) {
	bulk := make([]byte, 3*windowBytes)
	for i := range bulk {
		bulk[i] = byte(i * i >> 9)
	}
	pool := NewPool()
	rapid.Check(outer, func(t *rapid.T) {
		var set []byte
		var want []schemas.Message
		for range rapid.IntRange(1, 4).Draw(t, "batches") {
			var in []kafkatest.Message
			for range rapid.IntRange(1, 12).Draw(t, "messages") {
				near := rapid.SampledFrom([]int{0, 100, windowBytes / 3, windowBytes - 20, 2 * windowBytes}).Draw(t, "near")
				n := near + rapid.IntRange(0, 40).Draw(t, "more")
				in = append(in, kafkatest.Message{Value: bulk[n%7 : n%7+n]})
			}
			first := int64(len(want))
			set = append(set, packed(outer, rapid.SampledFrom([]int16{0, kafkatest.Lz4, kafkatest.Zstd}).Draw(t, "packing"), first, in...).Bytes()...)
			want = append(want, wanted(in, first)...)
		}
		r := NewReader(pool)
		r.Reset(set)
		defer r.Close()
		kept := rapid.Bool().Draw(t, "kept")
		var held, all []schemas.Message // as they were handed out
		check := func() {
			for i := range held {
				if w := want[len(all)-len(held)+i]; held[i].Offset != w.Offset || !bytes.Equal(held[i].Value, w.Value) {
					t.Fatalf("offset %d is %d bytes at offset %d, want %d", w.Offset, len(held[i].Value), held[i].Offset, len(w.Value))
				}
			}
			if !kept {
				held = held[:0]
			}
			r.Free(kept)
		}
		for within := false; ; {
			var m schemas.Message
			var err error
			if !within {
				_, err = r.Batch()
				within = err == nil
				if errors.Is(err, io.EOF) {
					break
				}
			} else if err = r.Message(&m); err == nil {
				held, all = append(held, m), append(all, m)
			}
			switch {
			case errors.Is(err, ErrFull) && len(held) == 0:
				t.Fatal("full of nothing")
			case errors.Is(err, ErrFull):
				check()
			case errors.Is(err, io.EOF):
				within = false
			case err != nil:
				t.Fatal(err)
			case rapid.IntRange(0, 9).Draw(t, "free") == 0:
				check()
			}
		}
		check()
		if len(all) != len(want) {
			t.Fatalf("%d messages of %d", len(all), len(want))
		}
	})
}

func TestABrokenBatchIsAnErrorAndNeverAnEarlyEnd(t *testing.T) {
	two := func(attributes int16) *kafkatest.Batch {
		return packed(t, attributes, 5, kafkatest.Message{Key: []byte("k"), Value: []byte("one")}, kafkatest.Message{Value: []byte("two")})
	}
	body := func(b ...byte) []byte {
		one := two(kafkatest.Plain)
		one.Body, one.Count = b, 1
		return one.Bytes()
	}
	changed := func(b []byte, at int, to byte) []byte {
		b[at] = to
		return b
	}
	more := two(kafkatest.Lz4)
	more.Count = 3
	far := packed(t, kafkatest.Plain, 5, kafkatest.Message{Value: []byte("v")}, kafkatest.Message{Value: []byte("v")})
	far.Last = 5
	cut := two(kafkatest.Zstd)
	cut.Body = cut.Body[:len(cut.Body)-6]
	claims := two(kafkatest.Snappy)
	claims.Body = append(binary.AppendUvarint(nil, 4<<30-1), 0)
	block := two(kafkatest.Snappy)
	block.Body = block.Body[:len(block.Body)-1]
	unknown := two(kafkatest.Plain)
	unknown.Attributes = 7
	nothing := two(kafkatest.Plain)
	nothing.Count = -1
	inner := kafkatest.OldMessage(nil, 1, 0, 0, stamp, nil, []byte("v"))
	old := func(b []byte) []byte {
		return kafkatest.OldMessage(nil, 1, int8(kafkatest.Lz4), 9, stamp, nil, kafkatest.Pack(t, kafkatest.Lz4, func(w io.Writer) { _, _ = w.Write(b) }))
	}
	for name, tc := range map[string]struct {
		set  []byte
		says string
	}{
		"its last byte is another":                     {changed(two(0).Bytes(), len(two(0).Bytes())-1, 'x'), "checksum"},
		"its packed bytes end early":                   {cut.Bytes(), "unexpected EOF"},
		"it has fewer messages than it says":           {more.Bytes(), "unexpected EOF"},
		"it has fewer than none":                       {nothing.Bytes(), "-1 messages"},
		"a message lies after its last":                {far.Bytes(), "offset 6"},
		"it is packed in a way that nobody knows":      {unknown.Bytes(), "not known: 7"},
		"it is of a version that nobody knows":         {changed(two(0).Bytes(), atMagic, 3), "version 3"},
		"its length is less than its head's":           {changed(two(0).Bytes(), atLength+3, 30), "shorter than its own head"},
		"its length is below nothing":                  {changed(two(0).Bytes(), atLength, 0xff), "bytes"},
		"snappy says that it holds more than it can":   {claims.Bytes(), "says that it holds 4294967295"},
		"a block of snappy is cut off":                 {block.Bytes(), "cut off"},
		"a message has no length":                      {body(0), "parts"},
		"a message's length is below nothing":          {body(1), "parts"},
		"a message ends before its parts":              {body(4, 0, 0), "parts"},
		"a message ends before it is as long as it is": {body(40, 0, 0, 0, 1, 1, 0), "unexpected EOF"},
		"a key is longer than its message":             {body(12, 0, 0, 0, 100, 'k', 1), "parts"},
		"a value is longer than its message":           {body(12, 0, 0, 0, 1, 100, 'v'), "parts"},
		"there are more headers than bytes":            {body(12, 0, 0, 0, 1, 1, 100), "parts"},
		"a header is longer than its message":          {body(14, 0, 0, 0, 1, 1, 2, 100), "parts"},
		"a length goes on and on":                      {body(bytes.Repeat([]byte{0xff}, 20)...), "parts"},
		"an old message's last byte is another":        {changed(kafkatest.OldMessage(nil, 1, 0, 3, stamp, nil, []byte("v")), 34, 'x'), "checksum"},
		"an old message has a packed one in it":        {old(kafkatest.OldMessage(nil, 1, 1, 0, stamp, nil, []byte("v"))), "packed messages"},
		"a packed old message's last byte is another":  {old(changed(slices.Clone(inner), len(inner)-1, 'x')), "checksum"},
		"the last of packed old messages is cut off":   {old(append(slices.Clone(inner), inner[:20]...)), "unexpected EOF"},
		"an old message's key is longer than it is":    {oldKey(), "parts"},
		"a packed old message has a length below zero": {old(changed(slices.Clone(inner), atLength, 0xff)), "parts"},
	} {
		t.Run(name, func(t *testing.T) {
			got, _, err := readAll(t, NewReader(NewPool()), tc.set)
			if err == nil || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("got %d messages, %v; want an error of %q", len(got), err, tc.says)
			}
		})
	}
}

// oldKey is a message whose key is said to have 100 bytes.
func oldKey() []byte {
	b := kafkatest.OldMessage(nil, 0, 0, 3, 0, []byte("k"), nil)
	b[21] = 100
	return kafkatest.WithOldCRC(b)
}

// FuzzBatches reads anything as the body of a batch: never a panic, and never more
// memory than bytes that were handed out account for.
func FuzzBatches(f *testing.F) {
	for _, attributes := range packings() {
		b := packed(f, attributes, 0, kafkatest.Message{Key: []byte("k"), Value: []byte("v"), Headers: []kmsg.Header{{Key: "h", Value: []byte("v")}}})
		f.Add(b.Attributes, int8(2), b.Body)
		f.Add(b.Attributes, int8(1), b.Body)
	}
	pool := NewPool()
	f.Fuzz(func(t *testing.T, attributes int16, magic int8, body []byte) {
		set := kafkatest.OldMessage(nil, 1, int8(attributes&7), 3, stamp, nil, body)
		if magic == 2 {
			b := kafkatest.Batch{Last: 1000, Count: 1000, Attributes: attributes, Body: body}
			set = b.Bytes()
		}
		r := NewReader(pool)
		defer r.Close()
		_, _, _ = readAll(t, r, set)
	})
}

// TestBatchesThatTakeMuchMemoryAreUnpackedOneAtATime: what zstd looks back at, and a
// block of snappy, can be large. Whose turn it is not is told so in time.
func TestBatchesThatTakeMuchMemoryAreUnpackedOneAtATime(t *testing.T) {
	text := make([]byte, 10<<20)
	for i := range text {
		text[i] = byte(rand.IntN(4))
	}
	plain := packed(t, kafkatest.Plain, 0, kafkatest.Message{Value: []byte("small")}, kafkatest.Message{Value: text[:1<<20]}, kafkatest.Message{Value: text})
	snappy, zstd := *plain, *plain
	snappy.Attributes, snappy.Body = kafkatest.Snappy, kafkatest.SnappyBlock(plain.Body)
	zstd.Attributes, zstd.Body = kafkatest.Zstd, kafkatest.ZstdFar(t, plain.Body, 128<<20)
	for name, b := range map[string]*kafkatest.Batch{"snappy": &snappy, "zstd": &zstd} {
		t.Run(name, func(t *testing.T) {
			pool := NewPool()
			begin := func() (*Reader, error) {
				r := NewReader(pool)
				r.Reset(b.Bytes())
				if _, err := r.Batch(); err != nil {
					t.Fatal(err)
				}
				return r, r.Message(new(schemas.Message))
			}
			one, err := begin()
			if !errors.Is(err, ErrLarge) {
				t.Fatalf("%v, want that it takes much memory", err)
			}
			if turn, err := one.Enlarge(t.Context(), 0); !turn || err != nil {
				t.Fatalf("the first has no turn, %v", err)
			}
			two, _ := begin()
			if turn, err := two.Enlarge(t.Context(), time.Millisecond); turn || err != nil {
				t.Fatalf("the second has its turn: %v, %v", turn, err)
			}
			for want := range int64(3) {
				var m schemas.Message
				err := one.Message(&m)
				if errors.Is(err, ErrFull) {
					one.Free(false)
					err = one.Message(&m)
				}
				if err != nil || m.Offset != want {
					t.Fatalf("got offset %d, %v; want %d", m.Offset, err, want)
				}
			}
			if _, err := one.Batch(); !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
			if turn, err := two.Enlarge(t.Context(), 0); !turn || err != nil {
				t.Fatalf("the second has no turn, %v", err)
			}
			two.Close()
		})
	}
}
