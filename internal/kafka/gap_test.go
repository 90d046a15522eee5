package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/fetch"
	"pgregory.net/rapid"

	"github.com/reckon-billing/reckon/ingest"
)

// TestAPartitionIsReadWithoutAGapFromAnyOffset compares with a model that knows
// which offsets are messages.
func TestAPartitionIsReadWithoutAGapFromAnyOffset(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l, messages := drawLog(t)
		for from := int64(0); from <= l.stable; from += 1 + l.stable/40 {
			readFrom(t, l, messages, from)
		}
	})
}

func readFrom(t *rapid.T, l *fakeLog, messages []int64, from int64) {
	now := noon
	p := &Partition{Topic: "t", fetcher: l, next: from, now: func() time.Time {
		now = now.Add(time.Millisecond)
		return now
	}}
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
	l := &fakeLog{stable: 100_001, many: func() int { return 1 }, batches: []fakeBatch{
		{first: 0, last: 99_999, offsets: []int64{0}, aborted: -1},
		{first: 100_000, last: 100_000, offsets: []int64{100_000}, aborted: -1},
	}}
	fetches := 0
	p := &Partition{Topic: "t", fetcher: counting{l, &fetches}, now: func() time.Time { return noon }}
	for _, want := range []int64{0, 100_000} {
		got, err := p.Fetch(t.Context(), noon.Add(time.Minute))
		if err != nil || len(got) != 1 || got[0].Offset != want {
			t.Fatalf("got %v, %v; want offset %d alone", got, err, want)
		}
	}
	if fetches > 300 {
		t.Errorf("%d fetches for a gap of 100,000", fetches)
	}
	t.Logf("%d fetches", fetches)
}

type counting struct {
	*fakeLog
	n *int
}

func (c counting) fetch(
	ctx context.Context, topic string, partition int32, offset int64, wait time.Duration,
) (*fetch.ResponsePartition, error) {
	*c.n++
	return c.fakeLog.fetch(ctx, topic, partition, offset, wait)
}

// fakeLog is a partition's batches. It answers fetches as a broker does: whole
// batches from the one that holds the offset, with the aborted transactions that
// reach into them.
type fakeLog struct {
	batches []fakeBatch
	stable  int64
	// many says how many batches an answer has.
	many func() int
}

// fakeBatch spans [first, last]; what compaction left of it are the offsets.
type fakeBatch struct {
	first, last int64
	offsets     []int64
	producer    int64 // of a transaction; 0 for none
	marker      string
	aborted     int64 // first offset of the aborted transaction that it is of, -1 for none
}

func (l *fakeLog) fetch(_ context.Context, _ string, _ int32, offset int64, _ time.Duration) (*fetch.ResponsePartition, error) {
	res := &fetch.ResponsePartition{LastStableOffset: l.stable}
	if offset > l.stable {
		return nil, errors.New("asked beyond the end")
	}
	stream := &protocol.RecordStream{}
	until, many := offset, l.many()
	for _, b := range l.batches {
		if b.last < offset {
			continue
		}
		if len(stream.Records) == many {
			break
		}
		stream.Records = append(stream.Records, b.reader())
		until = b.last
	}
	seen := map[[2]int64]bool{}
	for _, b := range l.batches {
		key := [2]int64{b.producer, b.aborted}
		if b.aborted >= 0 && b.last >= offset && b.aborted <= until && !seen[key] {
			seen[key] = true
			res.AbortedTransactions = append(res.AbortedTransactions, fetch.ResponseTransaction{ProducerID: b.producer, FirstOffset: b.aborted})
		}
	}
	if len(stream.Records) > 0 {
		res.RecordSet.Records = stream
	}
	return res, nil
}

func (b *fakeBatch) reader() protocol.RecordReader {
	var records []protocol.Record
	for _, o := range b.offsets {
		r := protocol.Record{Offset: o, Time: noon, Value: protocol.NewBytes(fmt.Appendf(nil, "%d", o))}
		if b.marker != "" {
			kind := map[string]byte{"abort": 0, "commit": 1}[b.marker]
			r.Key, r.Value = protocol.NewBytes([]byte{0, 0, 0, kind}), nil
		}
		records = append(records, r)
	}
	inner := protocol.NewRecordReader(records...)
	if b.marker != "" {
		return &protocol.ControlBatch{
			Attributes: protocol.Control | protocol.Transactional, BaseOffset: b.first, ProducerID: b.producer, Records: inner,
		}
	}
	var attributes protocol.Attributes
	if b.producer > 0 {
		attributes = protocol.Transactional
	}
	return &protocol.RecordBatch{Attributes: attributes, BaseOffset: b.first, ProducerID: b.producer, Records: inner}
}

// drawLog makes a log of plain and transactional batches with gaps, and says
// which offsets are messages.
func drawLog(t *rapid.T) (l *fakeLog, messages []int64) {
	l = &fakeLog{many: func() int { return rapid.IntRange(1, 4).Draw(t, "many") }}
	offset := rapid.Int64Range(0, 3).Draw(t, "start")
	open := map[int64][]int{} // by producer: the batches of its transaction
	add := func(b fakeBatch, n int64) {
		b.first, b.last, b.aborted = offset, offset+n-1, -1
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
