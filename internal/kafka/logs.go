package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/reckon-billing/reckon/ingest"
	"github.com/reckon-billing/reckon/schemas"
)

// Logs is what the brokers tell of the topics now, in the order of the topics: which
// log each is, and from where to where its partitions go.
func (c *Client) Logs(ctx context.Context, topics ...string) ([]ingest.FoundLog, error) {
	begins, err := c.ask(ctx, topics, kafkago.FirstOffset)
	if err != nil {
		return nil, err
	}
	ends, err := c.Ends(ctx, topics...)
	if err != nil {
		return nil, err
	}
	// Asked last: what was told before is of these, or of ones that are gone.
	found, err := c.identities(ctx, topics)
	if err != nil {
		return nil, err
	}
	for i := range found {
		found[i].Begins, found[i].Ends = offsetsOf(begins, found[i].Topic), offsetsOf(ends, found[i].Topic)
		if len(found[i].Begins) != len(found[i].Ends) {
			return nil, fmt.Errorf("topic %s had %d partitions and then %d", found[i].Topic, len(found[i].Begins), len(found[i].Ends))
		}
	}
	return found, nil
}

// offsetsOf are those of a topic, by partition: they are sorted and without gaps.
func offsetsOf(all []schemas.PartitionEnd, topic string) (of []int64) {
	for _, p := range all {
		if p.Topic == topic {
			of = append(of, p.End)
		}
	}
	return of
}

// identities are the logs that the topics are, without their offsets.
func (c *Client) identities(ctx context.Context, topics []string) ([]ingest.FoundLog, error) {
	var found []ingest.FoundLog
	err := again(ctx, func() error {
		s, err := c.open(ctx, topics...)
		if err != nil {
			return err
		}
		defer s.close()
		found, err = s.identities(ctx, topics)
		return err
	})
	return found, err
}

func (s *session) identities(ctx context.Context, topics []string) ([]ingest.FoundLog, error) {
	version, err := s.metadataVersion(ctx)
	if err != nil {
		return nil, err
	}
	found := make([]ingest.FoundLog, len(topics))
	for i, topic := range topics {
		found[i].Topic = topic
	}
	if version < firstWithIDs {
		return found, nil
	}
	res, err := s.request(ctx, &metadataRequest{topics: topics, version: min(version, newestMetadata)}, 0)
	if err != nil {
		return nil, fmt.Errorf("ask which logs topics are: %w", err)
	}
	told := &res.(*metadataResponse).MetadataResponse //nolint:forcetypeassert // RoundTrip answers in kind
	for i := range found {
		if err := identify(&found[i], told); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// identify fills in what a topic's log is known by.
func identify(found *ingest.FoundLog, told *kmsg.MetadataResponse) error {
	for _, t := range told.Topics {
		if t.Topic == nil || *t.Topic != found.Topic {
			continue
		}
		code := kafkago.Error(t.ErrorCode)
		switch {
		case errors.Is(code, kafkago.UnknownTopicOrPartition):
			return fmt.Errorf("topic %s: %w", found.Topic, ErrNoTopic)
		case t.ErrorCode != 0:
			return fmt.Errorf("ask which log topic %s is: %w", found.Topic, code)
		}
		if t.TopicID != [16]byte{} {
			found.TopicID = fmt.Sprintf("%x", t.TopicID)
		}
		if told.ClusterID != nil {
			found.ClusterID = *told.ClusterID
		}
		return nil
	}
	return fmt.Errorf("ask which log topic %s is: the broker tells nothing of it", found.Topic)
}

// confirmer makes sure that topics are still the logs they were, for all the workers
// of a generation.
type confirmer struct {
	session *session
	logs    []ingest.FoundLog
	now     func() time.Time

	mu   sync.Mutex
	last time.Time // when the last question that was answered was asked
}

// confirm asks the brokers, unless one has asked since it was called: what was fetched
// before a question to which the answer is the same log was of that log.
func (c *confirmer) confirm(ctx context.Context) error {
	called := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if c.last.After(called) {
		return nil
	}
	began := c.now()
	topics := make([]string, len(c.logs))
	for i := range c.logs {
		topics[i] = c.logs[i].Topic
	}
	found, err := c.session.identities(ctx, topics)
	if err != nil {
		return err
	}
	for i := range found {
		if was := &c.logs[i]; found[i].TopicID != was.TopicID || found[i].ClusterID != was.ClusterID {
			return fmt.Errorf("topic %s has id %q on cluster %q, and had %q on %q: %w",
				was.Topic, found[i].TopicID, found[i].ClusterID, was.TopicID, was.ClusterID, ErrOtherLog)
		}
	}
	c.last = began
	return nil
}

// ErrOtherLog says that a topic became another log while it was read.
var ErrOtherLog = errors.New("it is another log")

// The versions of Metadata: the first that tells topics' ids, and the newest that is
// known here. A cluster's id is told from version 2 on, but is of no use alone: that of
// kfake is always the same.
const (
	firstWithIDs   = 10
	newestMetadata = 12
)

// metadataVersion is the newest version of Metadata that the broker knows.
func (s *session) metadataVersion(ctx context.Context) (int16, error) {
	res, err := s.ApiVersions(ctx, &kafkago.ApiVersionsRequest{})
	if err == nil {
		err = res.Error
	}
	if err != nil {
		return 0, fmt.Errorf("ask what the broker knows: %w", err)
	}
	for _, k := range res.ApiKeys {
		if k.ApiKey == int(protocol.Metadata) {
			return int16(k.MaxVersion), nil //nolint:gosec // a version is an int16
		}
	}
	return 0, nil
}

// metadataRequest asks for topics in a version that tells their ids. kafka-go knows
// Metadata up to 8, and registering another would take away the one that its transport
// lives by; but a message may write and read itself on a connection of the transport's,
// logged in and encrypted as that is. It goes to any broker.
type metadataRequest struct {
	topics  []string
	version int16
}

// ApiKey is not Metadata's: such a request the transport answers from its own view.
func (*metadataRequest) ApiKey() protocol.ApiKey { return protocol.ApiVersions } //nolint:revive // the library's interface

// Required is for the library: always in our own way.
func (*metadataRequest) Required(map[protocol.ApiKey]int16) bool { return true }

type metadataResponse struct{ kmsg.MetadataResponse }

// ApiKey is the request's.
func (*metadataResponse) ApiKey() protocol.ApiKey { return protocol.ApiVersions } //nolint:revive // the library's interface

var _ protocol.RawExchanger = (*metadataRequest)(nil)

// RawExchange writes the request and reads the answer.
func (r *metadataRequest) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	req := kmsg.NewPtrMetadataRequest()
	req.SetVersion(r.version)
	for _, topic := range r.topics {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = kmsg.StringPtr(topic)
		req.Topics = append(req.Topics, t)
	}
	body, err := exchange(rw, req, nil)
	if err != nil {
		return nil, err
	}
	res := &metadataResponse{}
	res.SetVersion(r.version)
	if body[0] != 0 {
		return nil, errors.New("the head of the broker's answer has tags, of which there are none")
	}
	return res, res.ReadFrom(body[1:]) // the byte before is the number of tags in the head
}
