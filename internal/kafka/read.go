package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/reckon-billing/reckon/ingest"
	"github.com/reckon-billing/reckon/schemas"
)

// readPatience is how long reading may go without any progress.
const readPatience = 30 * time.Second

// Starts is the first offset of every partition of the topics that the brokers
// still have, sorted: what lay before it they have deleted.
func (c *Client) Starts(ctx context.Context, topics ...string) ([]schemas.PartitionEnd, error) {
	return c.ask(ctx, topics, kafkago.FirstOffset)
}

// Read hands out every message of a partition from one offset on that lies
// before another, in order and as committed, outside of any group. Offsets that
// are left out are no messages: markers of transactions, what was aborted, what
// was compacted away.
func (c *Client) Read(ctx context.Context, topic string, partition int32, from, before int64, each func(*schemas.Message) error) error {
	s, err := c.open(ctx, topic)
	if err != nil {
		return err
	}
	defer s.close()
	p := c.partition(s, schemas.PartitionEnd{Topic: topic, Partition: partition, End: from})
	p.kept = true // what was handed out is no longer ours
	defer p.close()
	moved, patience := from, c.config.Now().Add(readPatience)
	for {
		next, _ := p.Progress()
		if next >= before {
			return nil
		}
		if next > moved {
			moved, patience = next, c.config.Now().Add(readPatience)
		}
		messages, err := p.Fetch(ctx, c.config.Now().Add(maxFetchWait))
		switch {
		case errors.Is(err, ingest.ErrIdle) && c.config.Now().After(patience):
			return fmt.Errorf("read %s/%d: nothing more came from offset %d on, and it must go to %d", topic, partition, next, before)
		case errors.Is(err, ingest.ErrIdle):
			continue
		case err != nil:
			return err
		}
		for i := range messages {
			if messages[i].Offset >= before {
				return nil
			}
			if err := each(&messages[i]); err != nil {
				return err
			}
		}
	}
}
