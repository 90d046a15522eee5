package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/reckon-billing/reckon/ingest"
	"github.com/reckon-billing/reckon/internal/kafka/kafkatest"
	"github.com/reckon-billing/reckon/internal/kafka/records"
)

// TestAPartitionIsReadWithoutAGapFromAnyOffset compares with a model that knows
// which offsets are messages.
func TestAPartitionIsReadWithoutAGapFromAnyOffset(outer *testing.T) {
	rapid.Check(outer, func(t *rapid.T) {
		l, messages := drawLog(t)
		l.pack(outer)
		for from := int64(0); from <= l.stable; from += 1 + l.stable/40 {
			readFrom(t, l, messages, from)
		}
	})
}

func readFrom(t *rapid.T, l *fakeLog, messages []int64, from int64) {
	now := noon
	p := standing(l, from)
	p.now = func() time.Time {
		now = now.Add(time.Millisecond)
		return now
	}
	i, _ := slices.BinarySearch(messages, from)
	for wanted := messages[i:]; len(wanted) > 0; {
		got, err := p.Fetch(context.Background(), now.Add(time.Minute))
		if err != nil || len(got) == 0 || len(got) > len(wanted) {
			t.Fatalf("from %d: got %d messages, %v; %d are left", from, len(got), err, len(wanted))
		}
		for k := range got {
			if got[k].Offset != wanted[k] {
				t.Fatalf("from %d: got offset %d, want %d", from, got[k].Offset, wanted[k])
			}
		}
		last := wanted[len(got)-1]
		if next, end := p.Progress(); next <= last || next > end {
			t.Fatalf("from %d: after offset %d progress is %d of %d", from, last, next, end)
		}
		wanted = wanted[len(got):]
	}
	if got, err := p.Fetch(context.Background(), now.Add(time.Second)); !errors.Is(err, ingest.ErrIdle) {
		t.Fatalf("from %d: at the end came %v, %v", from, got, err)
	}
	if next, end := p.Progress(); next != l.stable || end != l.stable {
		t.Fatalf("from %d: at the end progress is %d of %d, want %d", from, next, end, l.stable)
	}
}

// TestALargeGapIsLeftInFewSteps: a batch of which compaction left the first
// record only.
func TestALargeGapIsLeftInFewSteps(t *testing.T) {
	l := &fakeLog{stable: 100_001, many: func() int { return 1 }, piece: func(int) int { return 0 }, batches: []fakeBatch{
		{first: 0, last: 99_999, offsets: []int64{0}, aborted: -1},
		{first: 100_000, last: 100_000, offsets: []int64{100_000}, aborted: -1},
	}}
	l.pack(t)
	fetches := 0
	p := standing(counting{l, &fetches}, 0)
	for _, want := range []int64{0, 100_000} {
		got, err := p.Fetch(t.Context(), noon.Add(time.Minute))
		if err != nil || len(got) != 1 || got[0].Offset != want {
			t.Fatalf("got %v, %v; want offset %d alone", got, err, want)
		}
	}
	if fetches > 2 {
		t.Errorf("%d fetches for a gap of 100,000", fetches)
	}
}

type counting struct {
	*fakeLog
	n *int
}

func (c counting) fetch(
	ctx context.Context, topic string, partition int32, offset int64, wait time.Duration, into []byte,
) (*answer, error) {
	*c.n++
	return c.fakeLog.fetch(ctx, topic, partition, offset, wait, into)
}

// standing is a partition at an offset of a log, with a clock that stands.
func standing(f fetcher, at int64) *Partition {
	return &Partition{
		Topic: "t", fetcher: f, next: at, now: func() time.Time { return noon }, fetched: records.NewReader(records.NewPool()),
	}
}

// fakeLog is a partition's batches. It answers fetches as a broker does: whole
// batches from the one that holds the offset, with the aborted transactions that
// reach into them.
type fakeLog struct {
	batches []fakeBatch
	stable  int64
	// many says how many batches an answer has, piece how many bytes come of the one
	// that follows.
	many  func() int
	piece func(bytes int) int
}

// fakeBatch spans [first, last]; what compaction left of it are the offsets.
type fakeBatch struct {
	first, last int64
	offsets     []int64
	packing     int16
	producer    int64 // of a transaction; 0 for none
	marker      string
	aborted     int64 // first offset of the aborted transaction that it is of, -1 for none
	bytes       []byte
}

func (l *fakeLog) fetch(_ context.Context, _ string, _ int32, offset int64, _ time.Duration, into []byte) (*answer, error) {
	if offset > l.stable {
		return nil, errors.New("asked beyond the end")
	}
	got := &answer{buffer: into[:0], stable: l.stable}
	until, many := offset, l.many()
	for _, b := range l.batches {
		if b.last < offset {
			continue
		}
		if many == 0 {
			got.buffer = append(got.buffer, b.bytes[:l.piece(len(b.bytes))]...)
			break
		}
		many--
		got.buffer = append(got.buffer, b.bytes...)
		until = b.last
	}
	seen := map[transaction]bool{}
	for _, b := range l.batches {
		of := transaction{b.producer, b.aborted}
		if b.aborted >= 0 && b.last >= offset && b.aborted <= until && !seen[of] {
			seen[of] = true
			got.aborted = append(got.aborted, of)
		}
	}
	got.set = got.buffer
	return got, nil
}

// pack makes the bytes of the batches.
func (l *fakeLog) pack(t testing.TB) {
	for i := range l.batches {
		b := &l.batches[i]
		packed := kafkatest.Batch{
			First: b.first, Last: b.last, Count: len(b.offsets), Attributes: b.packing, Producer: b.producer, Time: noon.UnixMilli(),
		}
		if b.producer > 0 {
			packed.Attributes |= kafkatest.Transactional
		}
		if b.marker != "" {
			packed.Attributes |= kafkatest.Control
		}
		packed.Body = kafkatest.Pack(t, b.packing, func(w io.Writer) {
			for _, o := range b.offsets {
				m := kafkatest.Message{Delta: o - b.first, Value: fmt.Appendf(nil, "%d", o)}
				if b.marker != "" {
					m.Key, m.Value = []byte{0, 0, 0, map[string]byte{"abort": 0, "commit": 1}[b.marker]}, nil
				}
				kafkatest.Write(t, w, m)
			}
		})
		b.bytes = packed.Bytes()
	}
}

// drawLog makes a log of plain and transactional batches with gaps, and says
// which offsets are messages.
func drawLog(t *rapid.T) (l *fakeLog, messages []int64) {
	l = &fakeLog{
		many:  func() int { return rapid.IntRange(1, 4).Draw(t, "many") },
		piece: func(bytes int) int { return rapid.IntRange(0, bytes-1).Draw(t, "piece") },
	}
	offset := rapid.Int64Range(0, 3).Draw(t, "start")
	open := map[int64][]int{} // by producer: the batches of its transaction
	add := func(b fakeBatch, n int64) {
		b.first, b.last, b.aborted = offset, offset+n-1, -1
		b.packing = rapid.Int16Range(kafkatest.Plain, kafkatest.Zstd).Draw(t, "packing")
		left := b.last // what lies after it was compacted away
		if b.marker == "" {
			left = b.first + rapid.Int64Range(-1, n-1).Draw(t, "left")
		}
		for o := b.first; o <= left; o++ {
			b.offsets = append(b.offsets, o)
		}
		l.batches = append(l.batches, b)
		offset += n + rapid.SampledFrom([]int64{0, 0, 0, 1, 5}).Draw(t, "gap") // batches may be gone wholly
	}
	end := func(producer int64) {
		marker := rapid.SampledFrom([]string{"abort", "commit"}).Draw(t, "marker")
		first := l.batches[open[producer][0]].first
		add(fakeBatch{producer: producer, marker: marker}, 1)
		open[producer] = append(open[producer], len(l.batches)-1)
		for _, i := range open[producer] {
			if marker == "abort" {
				l.batches[i].aborted = first
			}
		}
		delete(open, producer)
	}
	for range rapid.IntRange(0, 16).Draw(t, "batches") {
		producer := rapid.Int64Range(0, 2).Draw(t, "producer")
		if len(open[producer]) > 0 && rapid.Bool().Draw(t, "end") {
			end(producer)
			continue
		}
		add(fakeBatch{producer: producer}, rapid.SampledFrom([]int64{1, 2, 3, 40}).Draw(t, "size"))
		if producer > 0 {
			open[producer] = append(open[producer], len(l.batches)-1)
		}
	}
	for producer := int64(1); producer <= 2; producer++ {
		if len(open[producer]) > 0 {
			end(producer)
		}
	}
	if n := len(l.batches); n > 0 {
		l.stable = l.batches[n-1].last + 1
	}
	for i := range l.batches {
		if b := &l.batches[i]; b.marker == "" && b.aborted < 0 {
			messages = append(messages, b.offsets...)
		}
	}
	return l, messages
}
