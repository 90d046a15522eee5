package kafka

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"

	"github.com/reckon-billing/reckon/ingest"
	"github.com/reckon-billing/reckon/internal/kafka/kafkatest"
	"github.com/reckon-billing/reckon/internal/kafka/records"
	"github.com/reckon-billing/reckon/schemas"
)

// TestASmallBatchOfMuchIsReadAMessageAtATime (O4): 2 MiB of zstd that hold a message of
// 900 MiB, and 900 of 1 MiB, through a broker. Its neighbours come whole, of the large
// one its head, and all that is taken from the heap meanwhile, the broker's part in
// this process included, is a few fetches.
func TestASmallBatchOfMuchIsReadAMessageAtATime(t *testing.T) {
	brokers := testBrokers(t)
	c := testClient(t, brokers)
	topic := topic(t, c, 1)
	admin := kafkatest.NewAdmin(t, brokers[0])
	for _, like := range []kafkatest.Message{{Value: []byte("{"), More: 900 << 20}, {More: 1 << 20}} {
		n := (900 << 20) / int(like.More)
		batch := kafkatest.Batch{Last: int64(n) + 1, Count: n + 2, Attributes: kafkatest.Zstd, Producer: -1, Time: noon.UnixMilli()}
		batch.Body = kafkatest.Pack(t, kafkatest.Zstd, func(w io.Writer) {
			kafkatest.Write(t, w, kafkatest.Message{Value: []byte("before")})
			for like.Delta = 1; like.Delta <= int64(n); like.Delta++ {
				kafkatest.Write(t, w, like)
			}
			kafkatest.Write(t, w, kafkatest.Message{Delta: like.Delta, Value: []byte("after")})
		})
		admin.Produce(t, topic, 0, &batch)
	}
	s, err := c.open(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	p := c.partition(s, schemas.PartitionEnd{Topic: topic})
	defer p.close()
	var first, last runtime.MemStats
	runtime.ReadMemStats(&first)
	lengths, most := map[string]int{}, 0
	for next := int64(0); next < 3+902; next, _ = p.Progress() {
		got, err := p.Fetch(t.Context(), time.Now().Add(10*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		bytes := 0
		for _, m := range got {
			bytes += len(m.Value)
			lengths[fmt.Sprintf("%.6s of %d without %d", m.Value, len(m.Value), m.Omitted)]++
		}
		most = max(most, bytes)
	}
	runtime.ReadMemStats(&last)
	for what, n := range map[string]int{
		"before of 6 without 0": 2, "after of 5 without 0": 2,
		fmt.Sprintf("%-6s of %d without %d", "{", records.HeadBytes, 900<<20+1-records.HeadBytes): 1,
		fmt.Sprintf("%6s of %d without 0", "", 1<<20):                                             900,
	} {
		if lengths[what] != n {
			t.Errorf("%d messages are %q, want %d of %v", lengths[what], what, n, lengths)
		}
	}
	taken := (last.TotalAlloc - first.TotalAlloc) >> 20
	if taken > 64 || most > 3<<20 {
		t.Errorf("reading took %d MiB, and gave up to %d bytes at once", taken, most)
	}
	t.Logf("reading took %d MiB", taken)
}

// TestBatchesReadAsKafkaGoReadsThem: it unpacks them whole, by code of its own.
func TestBatchesReadAsKafkaGoReadsThem(outer *testing.T) {
	rapid.Check(outer, func(t *rapid.T) {
		text := rapid.OneOf(rapid.Just([]byte(nil)), rapid.SliceOfN(rapid.Byte(), 0, 20), rapid.SliceOfN(rapid.Byte(), 5_000, 5_000))
		var set []byte
		offset := rapid.Int64Range(0, 1<<40).Draw(t, "offset")
		for range rapid.IntRange(1, 3).Draw(t, "batches") {
			b := kafkatest.Batch{
				First: offset, Attributes: rapid.Int16Range(0, 4).Draw(t, "packing"), Time: rapid.Int64Range(-1, 4e12).Draw(t, "time"),
				Producer: rapid.Int64Range(-1, 9).Draw(t, "producer"), Count: rapid.IntRange(1, 5).Draw(t, "count"),
			}
			b.Body = kafkatest.Pack(outer, b.Attributes, func(w io.Writer) {
				for range b.Count {
					m := kafkatest.Message{
						Delta: offset - b.First, Time: rapid.Int64Range(-100, 1e6).Draw(t, "later"), Key: text.Draw(t, "key"), Value: text.Draw(t, "value"),
					}
					for range rapid.IntRange(0, 3).Draw(t, "headers") {
						m.Headers = append(m.Headers, kmsg.Header{Key: rapid.StringN(0, 5, 10).Draw(t, "name"), Value: text.Draw(t, "header")})
					}
					kafkatest.Write(outer, w, m)
					offset += rapid.Int64Range(1, 3).Draw(t, "gap")
				}
			})
			b.Last = offset - 1
			set = append(set, b.Bytes()...)
		}
		want := throughKafkaGo(t, set)
		r := records.NewReader(records.NewPool())
		r.Reset(set)
		for {
			if _, err := r.Batch(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			for {
				var m schemas.Message
				if err := r.Message(&m); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatal(err)
				}
				if len(want) == 0 || fmt.Sprintf("%#v", m) != fmt.Sprintf("%#v", want[0]) {
					t.Fatalf("got %#v, want the first of %#v", m, want)
				}
				want = want[1:]
			}
		}
		if len(want) > 0 {
			t.Fatalf("%#v are missing", want)
		}
	})
}

func throughKafkaGo(t *rapid.T, set []byte) (messages []schemas.Message) {
	var decoded protocol.RecordSet
	if _, err := decoded.ReadFrom(bytes.NewReader(append(binary.BigEndian.AppendUint32(nil, uint32(len(set))), set...))); err != nil {
		t.Fatal(err)
	}
	for _, batch := range decoded.Records.(*protocol.RecordStream).Records {
		for {
			r, err := batch.ReadRecord()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			m := schemas.Message{Position: schemas.Position{Offset: r.Offset}}
			if ms := r.Time.UnixMilli(); ms >= 0 {
				m.Time = time.UnixMilli(ms).UTC()
			}
			m.Key, _ = protocol.ReadAll(r.Key)
			m.Value, _ = protocol.ReadAll(r.Value)
			for _, h := range r.Headers {
				m.Headers = append(m.Headers, schemas.Header(h))
			}
			messages = append(messages, m)
		}
	}
	return messages
}

// TestWhatComesBeforeABrokenBatchIsGiven: once, and then the error, which names the
// place, each time.
func TestWhatComesBeforeABrokenBatchIsGiven(t *testing.T) {
	l := &fakeLog{stable: 6, many: func() int { return 9 }, batches: []fakeBatch{
		{first: 0, last: 1, offsets: []int64{0, 1}, aborted: -1, packing: kafkatest.Lz4},
		{first: 2, last: 3, offsets: []int64{2, 3}, aborted: -1},
		{first: 4, last: 5, offsets: []int64{4, 5}, aborted: -1},
	}}
	l.pack(t)
	broken := l.batches[1].bytes
	broken[len(broken)-1]++
	p := standing(l, 0)
	got, err := p.Fetch(t.Context(), noon.Add(time.Minute))
	if err != nil || len(got) != 2 || got[1].Offset != 1 || string(got[1].Value) != "1" {
		t.Fatalf("got %v, %v; want offsets 0 and 1", got, err)
	}
	for range 2 {
		if got, err := p.Fetch(t.Context(), noon.Add(time.Minute)); err == nil || !strings.Contains(err.Error(), "read t/0 from offset 2: batch at offset 2: its checksum") {
			t.Fatalf("got %v, %v", got, err)
		}
	}
}

// TestAPieceOfABatchIsNoEnd: a broker gives the first batch whole. One that does not
// would be asked for ever.
func TestAPieceOfABatchIsNoEnd(t *testing.T) {
	l := &fakeLog{stable: 1, many: func() int { return 0 }, piece: func(n int) int { return n - 1 }, batches: []fakeBatch{{offsets: []int64{0}, aborted: -1}}}
	l.pack(t)
	if got, err := standing(l, 0).Fetch(t.Context(), noon.Add(time.Minute)); err == nil || errors.Is(err, ingest.ErrIdle) {
		t.Errorf("got %v, %v", got, err)
	}
}

// TestWhoseTurnItIsNotIsIdle: two partitions have batches that are unpacked one at a
// time (O4). The second gives what comes before, and waits no longer than it is told.
func TestWhoseTurnItIsNotIsIdle(t *testing.T) {
	large := make([]byte, 9<<20)
	for i := range large {
		large[i] = byte(rand.IntN(4))
	}
	body := kafkatest.Pack(t, kafkatest.Plain, func(w io.Writer) {
		kafkatest.Write(t, w, kafkatest.Message{Value: large}, kafkatest.Message{Delta: 1, More: 1 << 20}, kafkatest.Message{Delta: 2, More: 1 << 20})
	})
	batch := kafkatest.Batch{First: 1, Last: 3, Count: 3, Attributes: kafkatest.Snappy, Body: kafkatest.SnappyBlock(body)}
	l := &fakeLog{stable: 4, many: func() int { return 9 }, batches: []fakeBatch{{offsets: []int64{0}, aborted: -1}, {first: 1, last: 3, aborted: -1}}}
	l.pack(t)
	l.batches[1].bytes = batch.Bytes()
	one, two := standing(l, 0), standing(l, 0)
	pool := records.NewPool()
	one.fetched, two.fetched = records.NewReader(pool), records.NewReader(pool)
	fetch := func(p *Partition) string {
		t.Helper()
		got, err := p.Fetch(t.Context(), noon)
		if err != nil && !errors.Is(err, ingest.ErrIdle) {
			t.Fatal(err)
		}
		var offsets []int64
		for _, m := range got {
			offsets = append(offsets, m.Offset)
		}
		return fmt.Sprint(offsets)
	}
	for _, step := range []struct {
		of   *Partition
		want string
	}{{one, "[0]"}, {two, "[0]"}, {one, "[1 2]"}, {two, "[]"}, {two, "[]"}, {one, "[3]"}, {two, "[1 2]"}, {two, "[3]"}} {
		if got := fetch(step.of); got != step.want {
			t.Errorf("got %s, want %s", got, step.want)
		}
	}
}
