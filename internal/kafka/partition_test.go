package kafka

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"testing"
	"time"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/fetch"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
	"pgregory.net/rapid"

	"github.com/reckon-billing/reckon/ingest"
	"github.com/reckon-billing/reckon/schemas"
)

// read gives the next n messages of a partition of a real broker from its start,
// and where it stands after it found no more.
func read(t *testing.T, c *Client, topic string, partition int32, n int) (messages []schemas.Message, next, end int64) {
	t.Helper()
	s, err := c.open(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	p := &Partition{Topic: topic, ID: partition, fetcher: s, now: time.Now}
	for len(messages) < n {
		m, err := p.Fetch(t.Context(), time.Now().Add(10*time.Second))
		if err != nil {
			t.Fatalf("after %d messages of %d: %v", len(messages), n, err)
		}
		messages = append(messages, m)
	}
	if m, err := p.Fetch(t.Context(), time.Now()); !errors.Is(err, ingest.ErrIdle) {
		t.Fatalf("after the last message came %v, %v", m, err)
	}
	next, end = p.Progress()
	return messages, next, end
}

func TestAMessageComesThroughUnchanged(t *testing.T) {
	brokers := testBrokers(t)
	c := testClient(t, brokers)
	ms := func(n int64) time.Time { return time.UnixMilli(n).UTC() }
	want := []schemas.Message{
		{Time: ms(1_790_000_000_123), Key: []byte("k"), Value: []byte("v")},
		{Time: ms(1), Value: []byte("no key")},
		{Time: ms(4_102_444_800_000), Key: []byte{}, Value: []byte{}},
		{Time: ms(1_790_000_000_000), Key: []byte("null value")},
		{Time: ms(1_790_000_000_001), Key: []byte{0xff, 0}, Value: bytes.Repeat([]byte("large "), 150_000)},
		{Time: ms(1_790_000_000_002), Value: []byte("h"), Headers: []schemas.Header{
			{Key: "b", Value: []byte("2")}, {Key: "a", Value: []byte("1")}, {Key: "b", Value: []byte{}}, {Key: "", Value: []byte{0xff}},
		}},
	}
	for codec, compression := range map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	} {
		t.Run(codec, func(t *testing.T) {
			topic := topic(t, c, 1)
			cl := foreign(t, brokers, kgo.ProducerBatchCompression(compression))
			for i := range want {
				r := &kgo.Record{Topic: topic, Timestamp: want[i].Time, Key: want[i].Key, Value: want[i].Value}
				for _, h := range want[i].Headers {
					r.Headers = append(r.Headers, kgo.RecordHeader(h))
				}
				if err := cl.ProduceSync(t.Context(), r).FirstErr(); err != nil {
					t.Fatal(err)
				}
			}
			got, _, _ := read(t, c, topic, 0, len(want))
			for i := range want {
				want[i].Position = schemas.Position{Topic: topic, Offset: int64(i)}
				same(t, got[i], want[i])
			}
		})
	}
}

// same compares two messages in everything, null and empty apart.
func same(t *testing.T, got, want schemas.Message) {
	t.Helper()
	nullness := func(m schemas.Message) [2]bool { return [2]bool{m.Key == nil, m.Value == nil} }
	headers := slices.EqualFunc(got.Headers, want.Headers, func(a, b schemas.Header) bool {
		return a.Key == b.Key && bytes.Equal(a.Value, b.Value)
	})
	if got.Position != want.Position || !got.Time.Equal(want.Time) || got.Time.Location() != time.UTC ||
		!bytes.Equal(got.Key, want.Key) || !bytes.Equal(got.Value, want.Value) || nullness(got) != nullness(want) || !headers {
		t.Errorf("got %+v, want %+v", short(got), short(want))
	}
}

func short(m schemas.Message) schemas.Message {
	m.Value = m.Value[:min(len(m.Value), 20)]
	return m
}

// TestAMessageWithoutATimestampHasTheZeroTime: no client sends such records, so
// the batch is made by hand.
func TestAMessageWithoutATimestampHasTheZeroTime(t *testing.T) {
	brokers := testBrokers(t)
	c := testClient(t, brokers)
	topic := topic(t, c, 1)
	// Later versions of the request name topics by id.
	cl := foreign(t, brokers, kgo.MaxVersions(kversion.V3_0_0()))
	stamps := []int64{-1, 1_790_000_000_999}
	for _, stamp := range stamps {
		record := kmsg.Record{Value: []byte("v")}
		record.Length = int32(len(record.AppendTo(nil)) - 1) // without the length itself
		batch := kmsg.RecordBatch{
			PartitionLeaderEpoch: -1, Magic: 2, FirstTimestamp: stamp, MaxTimestamp: stamp,
			ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1, NumRecords: 1, Records: record.AppendTo(nil),
		}
		const beforeLength, beforeCRC = 12, 21
		batch.Length = int32(len(batch.AppendTo(nil)) - beforeLength)
		batch.CRC = int32(crc32.Checksum(batch.AppendTo(nil)[beforeCRC:], crc32.MakeTable(crc32.Castagnoli)))
		req := kmsg.NewPtrProduceRequest()
		req.Acks, req.TimeoutMillis = -1, 5000
		rt, rp := kmsg.NewProduceRequestTopic(), kmsg.NewProduceRequestTopicPartition()
		rp.Records = batch.AppendTo(nil)
		rt.Topic, rt.Partitions = topic, append(rt.Partitions, rp)
		req.Topics = append(req.Topics, rt)
		answer, err := req.RequestWith(t.Context(), cl)
		if err != nil {
			t.Fatal(err)
		}
		if err := kerr.ErrorForCode(answer.Topics[0].Partitions[0].ErrorCode); err != nil {
			t.Fatal(err)
		}
	}
	got, _, _ := read(t, c, topic, 0, 2)
	if !got[0].Time.IsZero() || !got[1].Time.Equal(time.UnixMilli(stamps[1])) {
		t.Errorf("timestamps %v became %v and %v", stamps, got[0].Time, got[1].Time)
	}
}

func TestAbortedTransactionsAndMarkersAreNoMessages(t *testing.T) {
	brokers := testBrokers(t)
	c := testClient(t, brokers)
	topic, group := topic(t, c, 1), name(t)
	transact := func(cl *kgo.Client, how kgo.TransactionEndTry, values ...string) {
		t.Helper()
		if err := cl.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		for _, v := range values {
			if err := cl.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte(v), Timestamp: noon}).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
		if err := cl.EndTransaction(t.Context(), how); err != nil {
			t.Fatal(err)
		}
	}
	one, two := foreign(t, brokers, kgo.TransactionalID(name(t)+"-1")), foreign(t, brokers, kgo.TransactionalID(name(t)+"-2"))
	transact(one, kgo.TryCommit, "a", "b")
	transact(one, kgo.TryAbort, "x", "y")
	transact(one, kgo.TryCommit, "c")
	// Two's transaction stays open while one's begin and end.
	if err := two.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := two.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte("z"), Timestamp: noon}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	transact(one, kgo.TryCommit, "d")
	// a b + x y - c + z d +: offsets 0 to 10, and the last stable one is z's. Its
	// end takes another, 11.
	ends, err := c.Ends(t.Context(), topic)
	if err != nil || ends[0].End != 8 {
		t.Fatalf("ends are %v, %v; want 8, where the open transaction begins", ends, err)
	}
	s := newStore()
	member(t, c, group, topic, s)
	waitCommitted(t, c, group, topic) // past the marker at 7, which no message follows
	if got := s.values(); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("with a transaction open came %v", got)
	}
	if err := two.EndTransaction(t.Context(), kgo.TryAbort); err != nil {
		t.Fatal(err)
	}
	waitCommitted(t, c, group, topic)
	if got := s.values(); !slices.Equal(got, []string{"a", "b", "c", "d"}) {
		t.Errorf("after all transactions came %v", got)
	}
	if lags, err := c.Lag(t.Context(), group, topic); err != nil || lags[0].End != 12 || lags[0].Committed != 12 {
		t.Errorf("lag is %v, %v; want 12 of 12", lags, err)
	}
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
	for _, want := range messages[i:] {
		m, err := p.Fetch(context.Background(), now.Add(time.Minute))
		if err != nil || m.Offset != want {
			t.Fatalf("from %d: got offset %d, %v; want %d", from, m.Offset, err, want)
		}
		if next, end := p.Progress(); next <= want || next > end {
			t.Fatalf("from %d: after offset %d progress is %d of %d", from, want, next, end)
		}
	}
	if m, err := p.Fetch(context.Background(), now.Add(time.Second)); !errors.Is(err, ingest.ErrIdle) {
		t.Fatalf("from %d: at the end came offset %d, %v", from, m.Offset, err)
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
		if m, err := p.Fetch(t.Context(), noon.Add(time.Minute)); err != nil || m.Offset != want {
			t.Fatalf("got offset %d, %v; want %d", m.Offset, err, want)
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

func TestAMessageComesAtOnceToAnIdleReader(t *testing.T) {
	c := testClient(t, testBrokers(t))
	topic := topic(t, c, 1)
	s, err := c.open(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	p := &Partition{Topic: topic, fetcher: s, now: time.Now}
	got := make(chan time.Time)
	go func() {
		defer close(got)
		if _, err := p.Fetch(t.Context(), time.Now().Add(10*time.Second)); err != nil {
			t.Error(err)
			return
		}
		got <- time.Now()
	}()
	if err := pause(t.Context(), 700*time.Millisecond); err != nil { // longer than one fetch waits
		t.Fatal(err)
	}
	produce(t, c, topic, 0, 1)
	sent := time.Now()
	if came, ok := <-got; ok && came.Sub(sent) > 100*time.Millisecond {
		t.Errorf("the message took %v", came.Sub(sent))
	}
}
