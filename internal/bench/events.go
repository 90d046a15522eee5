package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/reckon-billing/reckon/internal/kafka"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/codec"
)

const (
	lifecycleTopic  = codec.LifecycleTopic
	usageTopic      = codec.UsageTopic
	deadLetterTopic = "billing.deadletter"
	partitions      = 8
)

// month is the one that most benchmarks are about.
func month() schemas.Month { return schemas.Month{Year: 2026, Month: time.October} }

// zone is the billing zone as shipped.
func zone() (*time.Location, error) { return time.LoadLocation("Asia/Ho_Chi_Minh") }

// mixed is the n-th of a fixed sequence of numbers that look random (SplitMix64).
func mixed(n uint64) uint64 {
	n = (n + 1) * 0x9e3779b97f4a7c15
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}

// usageMessages writes the usage events of the ingest benchmark: about 370
// bytes each, of 5,000 accounts with 10 resources each, in the order of time.
type usageMessages struct {
	from time.Time
	step time.Duration
}

// message is the n-th event. Its Kafka timestamp is a second after its time.
func (u *usageMessages) message(n int) schemas.Message {
	resource := mixed(uint64(n)) % 50_000                                        //nolint:gosec // not negative
	draw := func(k int) uint64 { return mixed(1<<48 + 4*uint64(n) + uint64(k)) } //nolint:gosec // not negative
	a, b, c, d := draw(0), draw(1), draw(2), draw(3)
	var id [16]byte
	binary.BigEndian.PutUint64(id[:], a)
	binary.BigEndian.PutUint64(id[8:], b)
	at := u.from.Add(time.Duration(n) * u.step).UTC()
	account := fmt.Sprintf("acc-%06d", resource/10)
	value := make([]byte, 0, 400)
	value = fmt.Appendf(value, `{"specversion":"1.0","id":"%x-%x-%x-%x-%x","source":"/metering/collector-%02d","type":"usage.recorded",`+
		`"subject":"srv-%08d","time":"%s","datacontenttype":"application/json","traceparent":"00-%016x%016x-%016x-01",`+
		`"data":{"account_id":"%s","item":"egress_traffic","value":"%d.%06d"}}`,
		id[:4], id[4:6], id[6:8], id[8:10], id[10:], c%40, resource, at.Format("2006-01-02T15:04:05.000Z"), c, d, c^d,
		account, d%997, c%1_000_000)
	return schemas.Message{
		Position: schemas.Position{Topic: usageTopic}, Time: at.Add(time.Second), Key: []byte(account), Value: value,
	}
}

// makeTopics makes the three topics as reckon makes them.
func makeTopics(ctx context.Context, k *kafka.Client) error {
	spec := func(name string, maxBytes int) kafka.TopicSpec {
		return kafka.TopicSpec{Name: name, Partitions: partitions, ReplicationFactor: 1, MaxMessageBytes: maxBytes}
	}
	_, err := k.EnsureTopics(ctx, spec(lifecycleTopic, kafka.EventTopicBytes), spec(usageTopic, kafka.EventTopicBytes),
		spec(deadLetterTopic, kafka.DeadLetterTopicBytes))
	if err != nil {
		return fmt.Errorf("make the topics: %w", err)
	}
	return nil
}

// produceAtOnce is how many events are handed to the producer together.
const produceAtOnce = 50_000

// produce puts n usage events on the topic.
func produce(ctx context.Context, k *kafka.Client, u *usageMessages, n int) error {
	g, ctx := errgroup.WithContext(ctx)
	chunks := make(chan []schemas.Message, 1)
	g.Go(func() error {
		defer close(chunks)
		for first := 0; first < n; first += produceAtOnce {
			chunk := make([]schemas.Message, 0, produceAtOnce)
			for i := first; i < min(n, first+produceAtOnce); i++ {
				chunk = append(chunk, u.message(i))
			}
			select {
			case chunks <- chunk:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	g.Go(func() error {
		p, err := k.NewProducer(ctx, usageTopic)
		if err != nil {
			return fmt.Errorf("produce: %w", err)
		}
		defer p.Close()
		for chunk := range chunks {
			if _, err := p.Produce(ctx, chunk); err != nil {
				return fmt.Errorf("produce: %w", err)
			}
		}
		return nil
	})
	return g.Wait()
}
