package kafka

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/reckon-billing/reckon/schemas"
)

// events makes n usage events of 370 bytes, keyed by account.
func events(topic string, n int) []schemas.Message {
	messages := make([]schemas.Message, n)
	for i := range messages {
		account := fmt.Sprintf("acc-%06d", i%1000)
		value := fmt.Appendf(nil, `{"specversion":"1.0","id":"%016x","source":"/bench/meter","type":"usage.recorded","subject":"srv-%08d",`+
			`"time":"2026-10-01T12:%02d:%02d.%03dZ","data":{"account_id":"%s","item":"bandwidth","value":"%d.%09d"}`,
			rand.Uint64(), i%5000, i/60%60, i%60, i%1000, account, i%997, rand.IntN(1e9))
		for len(value) < 369 {
			value = append(value, ' ')
		}
		messages[i] = schemas.Message{
			Position: schemas.Position{Topic: topic}, Time: noon, Key: []byte(account), Value: append(value, '}'),
		}
	}
	return messages
}

// BenchmarkRead reads 370-byte events in lz4 batches from one partition of the
// broker in this process: the broker's own work is in the figure.
func BenchmarkRead(b *testing.B) {
	c := testClient(b, testBrokers(b))
	topic := topic(b, c, 1)
	const n = 200_000
	if _, err := producer(b, c, topic).Produce(b.Context(), events(topic, n)); err != nil {
		b.Fatal(err)
	}
	s, err := c.open(b.Context(), topic)
	if err != nil {
		b.Fatal(err)
	}
	defer s.close()
	b.ReportAllocs()
	messages := 0
	for b.Loop() {
		p := c.partition(s, schemas.PartitionEnd{Topic: topic})
		for read := 0; read < n; {
			got, err := p.Fetch(b.Context(), noon)
			if err != nil {
				b.Fatal(err)
			}
			read += len(got)
			messages += len(got)
		}
	}
	b.ReportMetric(float64(messages)/b.Elapsed().Seconds(), "messages/s")
}

// BenchmarkProduce writes the same events, 10,000 a call.
func BenchmarkProduce(b *testing.B) {
	c := testClient(b, testBrokers(b))
	topic := topic(b, c, 8)
	p, messages := producer(b, c, topic), events(topic, 10_000)
	b.ReportAllocs()
	sent := 0
	for b.Loop() {
		if _, err := p.Produce(b.Context(), messages); err != nil {
			b.Fatal(err)
		}
		sent += len(messages)
	}
	b.ReportMetric(float64(sent)/b.Elapsed().Seconds(), "messages/s")
}
