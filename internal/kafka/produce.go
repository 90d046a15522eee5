package kafka

import (
	"context"
	"fmt"
	"math"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"golang.org/x/sync/errgroup"

	"github.com/reckon-billing/reckon/schemas"
)

const (
	// maxProduceBytes and maxProduceMessages cut what is sent at once. It is below
	// what a topic takes, also uncompressed, unless one message alone is larger.
	maxProduceBytes    = 900 << 10
	maxProduceMessages = 10_000
	// produceAtOnce is how many partitions are sent to side by side.
	produceAtOnce = 8
)

// Producer writes messages and says where they went.
type Producer struct {
	session    *session
	partitions map[string][]int
}

// NewProducer connects for the topics, which must exist. Close it after use.
func (c *Client) NewProducer(ctx context.Context, topics ...string) (*Producer, error) {
	s, err := c.open(ctx, topics...)
	if err != nil {
		return nil, err
	}
	partitions, err := s.partitions(ctx, topics)
	if err != nil {
		s.close()
		return nil, err
	}
	return &Producer{session: s, partitions: partitions}, nil
}

// Close lets go of the connections.
func (p *Producer) Close() { p.session.close() }

// Produce writes the messages and waits until all replicas have them. Of each
// message Topic, Time, Key, Value and Headers are used; the position says where
// it went. Messages of one partition stay in order. The partition is that of
// Java's client for the key (contract 2), and 0 without a key. Time must be
// between 1970 and 2262: kafka-go would write the wall clock for the zero time.
//
// After an error some of the messages may have been written, each at most once.
func (p *Producer) Produce(ctx context.Context, messages []schemas.Message) ([]schemas.Position, error) {
	positions := make([]schemas.Position, len(messages))
	// The indices of the messages for each partition, in order of first use.
	queues := map[schemas.Position][]int{}
	var order []schemas.Position
	for i := range messages {
		at, err := p.route(&messages[i])
		if err != nil {
			return nil, fmt.Errorf("message %d: %w", i, err)
		}
		if _, known := queues[at]; !known {
			order = append(order, at)
		}
		queues[at] = append(queues[at], i)
	}
	// Each waits for the broker's disk.
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(produceAtOnce)
	for _, at := range order {
		all.Go(func() error { return p.deliver(ctx, at, messages, queues[at], positions) })
	}
	if err := all.Wait(); err != nil {
		return nil, err
	}
	return positions, nil
}

// deliver sends the messages of one partition, in order, and notes where they went.
func (p *Producer) deliver(
	ctx context.Context, at schemas.Position, messages []schemas.Message, queue []int, positions []schemas.Position,
) error {
	for len(queue) > 0 {
		n := portion(messages, queue)
		first, err := p.send(ctx, at, messages, queue[:n])
		if err != nil {
			return fmt.Errorf("produce %d messages to %s/%d: %w", n, at.Topic, at.Partition, err)
		}
		for k, i := range queue[:n] {
			positions[i] = schemas.Position{Topic: at.Topic, Partition: at.Partition, Offset: first + int64(k)}
		}
		queue = queue[n:]
	}
	return nil
}

// route checks a message and picks its partition.
func (p *Producer) route(m *schemas.Message) (schemas.Position, error) {
	ids := p.partitions[m.Topic]
	if len(ids) == 0 {
		return schemas.Position{}, fmt.Errorf("topic %q is not one that this producer was made for", m.Topic)
	}
	if ms := m.Time.UnixMilli(); ms < 1 || ms > math.MaxInt64/int64(time.Millisecond) {
		return schemas.Position{}, fmt.Errorf("its time %v is not between 1970 and 2262", m.Time)
	}
	id := ids[0]
	if m.Key != nil {
		id = kafkago.Murmur2Balancer{Consistent: true}.Balance(kafkago.Message{Key: m.Key}, ids...)
	}
	return schemas.Position{Topic: m.Topic, Partition: int32(id)}, nil //nolint:gosec // a partition number is an int32
}

// portion is how many of the queue's messages are sent at once.
func portion(messages []schemas.Message, queue []int) int {
	bytes := 0
	for n, i := range queue {
		bytes += size(&messages[i])
		if n > 0 && (bytes > maxProduceBytes || n >= maxProduceMessages) {
			return n
		}
	}
	return len(queue)
}

// size is about what a message takes in a batch.
func size(m *schemas.Message) int {
	n := 32 + len(m.Key) + len(m.Value)
	for i := range m.Headers {
		n += 8 + len(m.Headers[i].Key) + len(m.Headers[i].Value)
	}
	return n
}

// send writes the indexed messages as one batch and gives the first offset.
func (p *Producer) send(ctx context.Context, at schemas.Position, messages []schemas.Message, indices []int) (int64, error) {
	records := make([]kafkago.Record, len(indices))
	for k, i := range indices {
		m := &messages[i]
		records[k] = kafkago.Record{Time: m.Time}
		// A nil []byte must stay a nil Bytes: null and empty differ.
		if m.Key != nil {
			records[k].Key = kafkago.NewBytes(m.Key)
		}
		if m.Value != nil {
			records[k].Value = kafkago.NewBytes(m.Value)
		}
		if len(m.Headers) > 0 {
			records[k].Headers = make([]kafkago.Header, len(m.Headers))
		}
		for n, h := range m.Headers {
			records[k].Headers[n] = kafkago.Header(h)
		}
	}
	res, err := p.session.Produce(ctx, &kafkago.ProduceRequest{
		Topic: at.Topic, Partition: int(at.Partition), RequiredAcks: kafkago.RequireAll,
		Records: kafkago.NewRecordReader(records...), Compression: kafkago.Lz4,
	})
	if err == nil {
		err = res.Error
	}
	if err != nil {
		return 0, err
	}
	return res.BaseOffset, nil
}
