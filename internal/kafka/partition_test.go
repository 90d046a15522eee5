package kafka

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/reckon-billing/reckon/ingest"
	"github.com/reckon-billing/reckon/internal/kafka/kafkatest"
	"github.com/reckon-billing/reckon/schemas"
)

// read gives the n messages of a partition of a real broker, which must have no
// more.
func read(t *testing.T, c *Client, topic string, partition int32, n int) (messages []schemas.Message) {
	t.Helper()
	s, err := c.open(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	p := c.partition(s, schemas.PartitionEnd{Topic: topic, Partition: partition})
	for len(messages) < n {
		got, err := p.Fetch(t.Context(), time.Now().Add(10*time.Second))
		if err != nil {
			t.Fatalf("after %d messages of %d: %v", len(messages), n, err)
		}
		for i := range got {
			messages = append(messages, clone(&got[i]))
		}
	}
	if m, err := p.Fetch(t.Context(), time.Now()); !errors.Is(err, ingest.ErrIdle) {
		t.Fatalf("after the last message came %v, %v", m, err)
	}
	return messages
}

// clone is a message that outlives its fetch; nil stays nil.
func clone(m *schemas.Message) schemas.Message {
	c := *m
	c.Key, c.Value = bytes.Clone(m.Key), bytes.Clone(m.Value)
	return c
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
			got := read(t, c, topic, 0, len(want))
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
	stamps := []int64{-1, 1_790_000_000_999}
	for _, stamp := range stamps {
		batch := kafkatest.Batch{Count: 1, Producer: -1, Time: stamp, Body: kafkatest.Pack(t, kafkatest.Plain, func(w io.Writer) {
			kafkatest.Write(t, w, kafkatest.Message{Value: []byte("v")})
		})}
		kafkatest.NewAdmin(t, brokers[0]).Produce(t, topic, 0, &batch)
	}
	got := read(t, c, topic, 0, 2)
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
	// The broker answers before it has written the marker: the topic may still end at 8.
	waitCommittedTo(t, c, group, topic, 12)
	if got := s.values(); !slices.Equal(got, []string{"a", "b", "c", "d"}) {
		t.Errorf("after all transactions came %v", got)
	}
	if lags, err := c.Lag(t.Context(), group, topic); err != nil || lags[0].End != 12 || lags[0].Committed != 12 {
		t.Errorf("lag is %v, %v; want 12 of 12", lags, err)
	}
}

func TestAMessageComesAtOnceToAnIdleReader(t *testing.T) {
	c := testClient(t, testBrokers(t))
	topic := topic(t, c, 1)
	s, err := c.open(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	p := c.partition(s, schemas.PartitionEnd{Topic: topic})
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
