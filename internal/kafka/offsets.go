package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/listoffsets"

	"github.com/reckon-billing/reckon/schemas"
)

// Ends is the last stable offset of every partition of the topics as the brokers
// tell it now, sorted: all that is before it is committed for good, and is what
// a seal must wait for (contract 5.2). A partition that cannot be asked is an
// error, never an end of 0.
func (c *Client) Ends(ctx context.Context, topics ...string) ([]schemas.PartitionEnd, error) {
	return c.ask(ctx, topics, kafkago.LastOffset)
}

func (c *Client) ask(ctx context.Context, topics []string, which int64) ([]schemas.PartitionEnd, error) {
	var found []schemas.PartitionEnd
	err := again(ctx, func() error {
		// A new session each time: the old one's view may be why it failed.
		s, err := c.open(ctx, topics...)
		if err != nil {
			return err
		}
		defer s.close()
		partitions, err := s.partitions(ctx, topics)
		if err != nil {
			return err
		}
		found, err = s.offsets(ctx, partitions, which)
		return err
	})
	return found, err
}

// offsetsRequest asks all partitions, and says how many those are.
func offsetsRequest(partitions map[string][]int, which int64) (req *listoffsets.Request, asked int) {
	req = &listoffsets.Request{ReplicaID: -1, IsolationLevel: int8(kafkago.ReadCommitted)}
	for topic, ids := range partitions {
		t := listoffsets.RequestTopic{Topic: topic}
		for _, id := range ids {
			t.Partitions = append(t.Partitions, listoffsets.RequestPartition{
				Partition: int32(id), CurrentLeaderEpoch: -1, Timestamp: which, //nolint:gosec // a partition number is an int32
			})
		}
		asked += len(ids)
		req.Topics = append(req.Topics, t)
	}
	return req, asked
}

// offsets asks for the first (FirstOffset) or last stable (LastOffset) offsets.
func (s *session) offsets(ctx context.Context, partitions map[string][]int, which int64) ([]schemas.PartitionEnd, error) {
	req, asked := offsetsRequest(partitions, which)
	// kafka-go's Client.ListOffsets is not used: it answers 0 for a partition that
	// the broker left out.
	res, err := s.request(ctx, req, 0)
	if err != nil {
		return nil, fmt.Errorf("list offsets: %w", err)
	}
	var ends []schemas.PartitionEnd
	for _, t := range res.(*listoffsets.Response).Topics { //nolint:forcetypeassert // RoundTrip answers in kind
		for _, p := range t.Partitions {
			if p.ErrorCode != 0 {
				return nil, fmt.Errorf("list offsets of %s/%d: %w", t.Topic, p.Partition, kafkago.Error(p.ErrorCode))
			}
			ends = append(ends, schemas.PartitionEnd{Topic: t.Topic, Partition: p.Partition, End: p.Offset})
		}
	}
	if len(ends) != asked {
		return nil, fmt.Errorf("list offsets: the brokers told of %d partitions of %d", len(ends), asked)
	}
	return schemas.NewCutoff(ends), nil
}

// Committed is what the group has committed of every partition of the topics,
// sorted: everything before End is done. End is 0 where it never committed.
func (c *Client) Committed(ctx context.Context, group string, topics ...string) ([]schemas.PartitionEnd, error) {
	s, err := c.open(ctx, topics...)
	if err != nil {
		return nil, err
	}
	defer s.close()
	partitions, err := s.partitions(ctx, topics)
	if err != nil {
		return nil, err
	}
	committed, err := s.committed(ctx, group, partitions)
	if err != nil {
		return nil, err
	}
	for i := range committed {
		committed[i].End = max(0, committed[i].End)
	}
	return committed, nil
}

// committed is Committed with -1 where there is no commit.
func (s *session) committed(ctx context.Context, group string, partitions map[string][]int) ([]schemas.PartitionEnd, error) {
	var res *kafkago.OffsetFetchResponse
	err := again(ctx, func() error {
		var err error
		res, err = s.OffsetFetch(ctx, &kafkago.OffsetFetchRequest{GroupID: group, Topics: partitions})
		if err == nil {
			err = res.Error
		}
		return err
	})
	if errors.Is(err, kafkago.GroupIdNotFound) {
		return never(partitions), nil // kfake says so of a group without a member or commit
	}
	if err != nil {
		return nil, fmt.Errorf("fetch offsets of group %s: %w", group, err)
	}
	return commits(res, group, partitions)
}

// commits are what the broker told of the partitions, all of them.
func commits(res *kafkago.OffsetFetchResponse, group string, partitions map[string][]int) ([]schemas.PartitionEnd, error) {
	var ends []schemas.PartitionEnd
	asked := 0
	for topic, ids := range partitions {
		asked += len(ids)
		for _, p := range res.Topics[topic] {
			if p.Error != nil {
				return nil, fmt.Errorf("fetch offset of group %s on %s/%d: %w", group, topic, p.Partition, p.Error)
			}
			ends = append(ends, schemas.PartitionEnd{
				Topic: topic, Partition: int32(p.Partition), End: p.CommittedOffset, //nolint:gosec // a partition number is an int32
			})
		}
	}
	if len(ends) != asked {
		return nil, fmt.Errorf("fetch offsets of group %s: the broker told of %d partitions of %d", group, len(ends), asked)
	}
	return schemas.NewCutoff(ends), nil
}

// never is what a group has committed that never did.
func never(partitions map[string][]int) []schemas.PartitionEnd {
	var ends []schemas.PartitionEnd
	for topic, ids := range partitions {
		for _, id := range ids {
			ends = append(ends, schemas.PartitionEnd{Topic: topic, Partition: int32(id), End: -1}) //nolint:gosec // a partition number is an int32
		}
	}
	return schemas.NewCutoff(ends)
}

// PartitionLag is how far a group is behind on one partition.
type PartitionLag struct {
	schemas.PartitionEnd
	// Committed is what the group has committed; End - Committed is the lag.
	Committed int64
}

// Lag compares what the group has committed with the ends, as noted before.
func (c *Client) Lag(ctx context.Context, group string, topics ...string) ([]PartitionLag, error) {
	ends, err := c.Ends(ctx, topics...)
	if err != nil {
		return nil, err
	}
	committed, err := c.Committed(ctx, group, topics...)
	if err != nil {
		return nil, err
	}
	at := make(map[schemas.PartitionEnd]int64, len(committed))
	for _, p := range committed {
		at[schemas.PartitionEnd{Topic: p.Topic, Partition: p.Partition}] = p.End
	}
	lags := make([]PartitionLag, len(ends))
	for i, e := range ends {
		lags[i] = PartitionLag{PartitionEnd: e, Committed: at[schemas.PartitionEnd{Topic: e.Topic, Partition: e.Partition}]}
	}
	return lags, nil
}

const (
	againTries = 8
	againWait  = 100 * time.Millisecond // doubled each time: 12.7 s in all
)

// again repeats a question that fails in passing: the brokers hear of a new topic
// one after the other, a partition's leader changes, and a young cluster has no
// coordinator for the first seconds (Group Coordinator Not Available).
func again(ctx context.Context, ask func() error) error {
	return repeat(ctx, ask, func(err error) bool {
		var passing kafkago.Error
		return errors.As(err, &passing) && passing.Temporary()
	})
}

// repeat asks until the answer is no error that passes.
func repeat(ctx context.Context, ask func() error, passes func(error) bool) error {
	_, err := backoff.Retry(
		ctx, func() (struct{}, error) {
			err := ask()
			if err != nil && !passes(err) {
				err = backoff.Permanent(err)
			}
			return struct{}{}, err
		},
		backoff.WithBackOff(&backoff.ExponentialBackOff{InitialInterval: againWait, Multiplier: 2, MaxInterval: time.Minute}),
		backoff.WithMaxTries(againTries), backoff.WithMaxElapsedTime(0),
	)
	return err
}
