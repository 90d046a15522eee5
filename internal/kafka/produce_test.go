package kafka

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/reckon-billing/reckon/ingest"
	"github.com/reckon-billing/reckon/schemas"
)

func producer(t testing.TB, c *Client, topics ...string) *Producer {
	t.Helper()
	p, err := c.NewProducer(t.Context(), topics...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func TestProducedMessagesLieWhereTheirPositionsSay(t *testing.T) {
	c := testClient(t, testBrokers(t))
	one, two := topic(t, c, 3), topic(t, c, 1)
	p := producer(t, c, one, two)
	var sent []schemas.Message
	var positions []schemas.Position
	for _, n := range []int{1, 30_000, 7} { // more than one request takes
		messages := make([]schemas.Message, n)
		for i := range messages {
			messages[i] = schemas.Message{
				Position: schemas.Position{Topic: []string{one, one, two}[i%3]}, Time: noon.Add(time.Duration(i) * time.Millisecond),
				Key: fmt.Appendf(nil, "account-%d", i%11), Value: fmt.Appendf(nil, "%d/%d", n, i),
			}
		}
		at, err := p.Produce(t.Context(), messages)
		if err != nil {
			t.Fatal(err)
		}
		sent, positions = append(sent, messages...), append(positions, at...)
	}
	got := map[schemas.Position]schemas.Message{}
	ends, err := c.Ends(t.Context(), one, two)
	if err != nil {
		t.Fatal(err)
	}
	for _, end := range ends {
		messages := read(t, c, end.Topic, end.Partition, int(end.End))
		for _, m := range messages {
			got[m.Position] = m
		}
	}
	if len(got) != len(sent) {
		t.Fatalf("%d messages lie in the log, %d were sent", len(got), len(sent))
	}
	last := map[string]int64{} // by topic and partition: sending order is log order
	for i, m := range sent {
		lies := got[positions[i]]
		m.Position = positions[i]
		same(t, lies, m)
		key := fmt.Sprint(m.Topic, m.Partition)
		if before, ok := last[key]; ok && before >= m.Offset {
			t.Fatalf("message %d lies at %v, before an earlier one", i, m.Position)
		}
		last[key] = m.Offset
	}
}

// TestAKeyGoesToThePartitionThatJavasClientPicks: the hashes are those of
// Kafka's own UtilsTest.
func TestAKeyGoesToThePartitionThatJavasClientPicks(t *testing.T) {
	p := &Producer{partitions: map[string][]int{"t": {0, 1, 2, 3, 4, 5, 6, 7}}}
	for key, hash := range map[string]int32{
		"21": -973932308, "foobar": -790332482, "a-little-bit-long-string": -985981536,
		"a-little-bit-longer-string": -1486304829, "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
		"abc": 479470107,
	} {
		at, err := p.route(&schemas.Message{Position: schemas.Position{Topic: "t"}, Time: noon, Key: []byte(key)})
		if want := (hash & 0x7fffffff) % 8; err != nil || at.Partition != want {
			t.Errorf("key %q goes to %d, %v; want %d", key, at.Partition, err, want)
		}
	}
	if at, err := p.route(&schemas.Message{Position: schemas.Position{Topic: "t"}, Time: noon}); err != nil || at.Partition != 0 {
		t.Errorf("a message without a key goes to %d, %v; want 0", at.Partition, err)
	}
}

func TestAMessageThatWouldBeWrittenWronglyIsRefused(t *testing.T) {
	p := &Producer{partitions: map[string][]int{"t": {0}}}
	for name, m := range map[string]schemas.Message{
		"without a time":     {Position: schemas.Position{Topic: "t"}},
		"at the epoch":       {Position: schemas.Position{Topic: "t"}, Time: time.Unix(0, 0)},
		"before the epoch":   {Position: schemas.Position{Topic: "t"}, Time: time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC)},
		"too far ahead":      {Position: schemas.Position{Topic: "t"}, Time: time.Date(2263, 1, 1, 0, 0, 0, 0, time.UTC)},
		"to another's topic": {Position: schemas.Position{Topic: "u"}, Time: noon},
	} {
		if _, err := p.Produce(t.Context(), []schemas.Message{m}); err == nil || !strings.HasPrefix(err.Error(), "message 0:") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestADeadLetterIsTheMessageWithWhereItLayAndWhy(t *testing.T) {
	c := testClient(t, testBrokers(t))
	topic := topic(t, c, 2)
	d := &DeadLetters{Client: c, Topic: topic, Now: func() time.Time { return noon }}
	defer d.Close()
	large := make([]byte, 3<<20)
	err := d.Copy(t.Context(), []ingest.Rejected{
		{
			Message: schemas.Message{
				Position: schemas.Position{Topic: "billing.usage", Partition: 5, Offset: 42}, Time: time.UnixMilli(1_700_000_000_000),
				Value: []byte("{"), Headers: []schemas.Header{{Key: "h", Value: []byte("1")}},
			},
			Rejection: schemas.Rejection{Reason: "not_json", Detail: "unexpected end"},
		},
		{
			Message:   schemas.Message{Position: schemas.Position{Topic: "billing.usage", Partition: 5, Offset: 43}, Value: large},
			Rejection: schemas.Rejection{Reason: "too_large", Detail: "3 MiB"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := read(t, c, topic, 0, 2)
	same(t, got[0], schemas.Message{Position: schemas.Position{Topic: topic}, Time: noon, Value: []byte("{"), Headers: []schemas.Header{
		{Key: "reckon_topic", Value: []byte("billing.usage")},
		{Key: "reckon_partition", Value: []byte("5")},
		{Key: "reckon_offset", Value: []byte("42")},
		{Key: "reckon_reason", Value: []byte("not_json")},
		{Key: "reckon_detail", Value: []byte("unexpected end")},
		{Key: "reckon_timestamp_ms", Value: []byte("1700000000000")},
		{Key: "h", Value: []byte("1")},
	}})
	if h := got[1].Headers; len(got[1].Value) != 0 || h[len(h)-1].Key != HeaderOmitted || string(h[2].Value) != "43" {
		t.Errorf("a message too large to copy became %d bytes with headers %v", len(got[1].Value), h)
	}
}

func TestADeadLetterThatTheTopicRefusesDoesNotHoldUpIngest(t *testing.T) {
	c := testClient(t, testBrokers(t))
	small := name(t)
	if _, err := c.EnsureTopics(t.Context(), TopicSpec{Name: small, Partitions: 1, ReplicationFactor: 1, MaxMessageBytes: 2000}); err != nil {
		t.Fatal(err)
	}
	p := producer(t, c, small)
	noise := make([]byte, 10_000) // that does not compress
	for i := range noise {
		noise[i] = byte(i * i >> 3 * 7919 >> (i % 5))
	}
	_, err := p.Produce(t.Context(), []schemas.Message{{Position: schemas.Position{Topic: small}, Time: noon, Value: noise}})
	if !errors.Is(err, kafkago.MessageSizeTooLarge) {
		t.Fatalf("the topic said %v", err)
	}
	d := &DeadLetters{Client: c, Topic: small, Now: func() time.Time { return noon }}
	defer d.Close()
	rejected := []ingest.Rejected{
		{Message: schemas.Message{Value: []byte("a")}}, {Message: schemas.Message{Value: noise}}, {Message: schemas.Message{Value: []byte("c")}},
	}
	if err := d.Copy(t.Context(), rejected); err != nil {
		t.Fatal(err)
	}
	got := read(t, c, small, 0, 3)
	values := []string{string(got[0].Value), string(got[1].Value), string(got[2].Value)}
	if !slices.Equal(values, []string{"a", "", "c"}) {
		t.Errorf("the copies are %q", values)
	}
}
