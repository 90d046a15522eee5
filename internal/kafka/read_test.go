package kafka

import (
	"errors"
	"strings"
	"testing"

	"github.com/reckon-billing/reckon/schemas"
)

func TestAPartitionIsReadAgainOutsideOfAnyGroup(t *testing.T) {
	c := testClient(t, testBrokers(t))
	topic := topic(t, c, 2)
	produce(t, c, topic, 0, 1_000)
	starts, err := c.Starts(t.Context(), topic)
	if err != nil || len(starts) != 2 || starts[0].End != 0 || starts[1].End != 0 {
		t.Fatalf("the log begins at %v, %v", starts, err)
	}
	ends, err := c.Ends(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, end := range ends {
		for _, part := range []struct{ from, before int64 }{{0, end.End}, {end.End / 3, end.End / 2}, {end.End, end.End}} {
			next := part.from
			err := c.Read(t.Context(), topic, end.Partition, part.from, part.before, func(m *schemas.Message) error {
				if m.Topic != topic || m.Partition != end.Partition || m.Offset != next || len(m.Value) == 0 {
					t.Fatalf("got %v, want offset %d", m.Position, next)
				}
				next++
				return nil
			})
			if err != nil || next != part.before {
				t.Errorf("partition %d from %d: read up to %d of %d, %v", end.Partition, part.from, next, part.before, err)
			}
		}
		read += int(end.End)
	}
	if read != 1_000 {
		t.Errorf("%d messages read, want 1000", read)
	}
	stop := errors.New("stop")
	if err := c.Read(t.Context(), topic, ends[0].Partition, 0, ends[0].End, func(*schemas.Message) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v, want the error of the callback", err)
	}
	if _, err := c.Starts(t.Context(), topic+"-none"); !errors.Is(err, ErrNoTopic) {
		t.Errorf("a topic that is not there: %v", err)
	}
	if err := c.Read(t.Context(), topic, 7, 0, 1, func(*schemas.Message) error { return nil }); err == nil || !strings.Contains(err.Error(), "/7") {
		t.Errorf("a partition that is not there: %v", err)
	}
}
