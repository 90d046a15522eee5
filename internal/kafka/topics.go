package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	kafkago "github.com/segmentio/kafka-go"
)

// TopicSpec is a topic that reckon needs.
type TopicSpec struct {
	Name string
	// Partitions and ReplicationFactor count when the topic is created; 0 is 8
	// partitions (contract 2) and the broker's own replication factor.
	Partitions, ReplicationFactor int
	// MaxMessageBytes is the largest batch of messages that the topic takes.
	MaxMessageBytes int
}

// The sizes of batches that the topics take: an event has at most 1 MiB, a dead
// letter up to what the topic it came from took, and its headers.
const (
	EventTopicBytes      = 2 << 20
	DeadLetterTopicBytes = 4 << 20
)

// DefaultPartitions of a topic that reckon creates (contract 2).
const DefaultPartitions = 8

// forever is the largest number of milliseconds that Kafka takes.
const forever = "9223372036854775807"

// config is what reckon sets on a topic that it creates. Events are kept for
// good: they are what invoices are explained from, and by default Kafka refuses
// timestamps that are an hour ahead and deletes what is a week old.
func (s *TopicSpec) config() []kafkago.ConfigEntry {
	return []kafkago.ConfigEntry{
		{ConfigName: "retention.ms", ConfigValue: "-1"},
		{ConfigName: "message.timestamp.after.max.ms", ConfigValue: forever},
		{ConfigName: "message.timestamp.before.max.ms", ConfigValue: forever},
		{ConfigName: "max.message.bytes", ConfigValue: strconv.Itoa(s.MaxMessageBytes)},
	}
}

// EnsureTopics creates the topics that are missing and looks at the settings of
// all. A setting of an existing topic under which events could get lost or
// changed is not touched: it is told in a warning, one sentence each.
func (c *Client) EnsureTopics(ctx context.Context, specs ...TopicSpec) (warnings []string, err error) {
	s, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	defer s.close()
	res, err := s.Metadata(ctx, &kafkago.MetadataRequest{})
	if err != nil {
		return nil, fmt.Errorf("list topics: %w", err)
	}
	names := make([]string, len(specs))
	for i := range specs {
		names[i] = specs[i].Name
		if slices.ContainsFunc(res.Topics, func(t kafkago.Topic) bool { return t.Name == specs[i].Name }) {
			continue
		}
		if err := s.create(ctx, &specs[i]); err != nil {
			return nil, err
		}
	}
	if err := c.known(ctx, names); err != nil {
		return nil, fmt.Errorf("wait for the topics: %w", err)
	}
	return s.inspect(ctx, specs)
}

// known waits until topics that were just created have leaders, and the brokers
// know of them, which they hear one after the other.
func (c *Client) known(ctx context.Context, topics []string) error {
	return repeat(ctx, func() error {
		_, err := c.Ends(ctx, topics...)
		return err
	}, func(err error) bool { return errors.Is(err, ErrNoTopic) })
}

// CheckTopics looks at topics as they are, and makes none. A topic that is missing
// (the error wraps ErrNoTopic) or under which events are sure to get lost is an
// error; what may be meant is told in a warning, one sentence each.
func (c *Client) CheckTopics(ctx context.Context, topics ...string) (warnings []string, err error) {
	if _, err := c.Ends(ctx, topics...); err != nil {
		return nil, err
	}
	s, err := c.open(ctx, topics...)
	if err != nil {
		return nil, err
	}
	defer s.close()
	specs := make([]TopicSpec, len(topics))
	for i, name := range topics {
		specs[i].Name = name
	}
	found, err := s.inspect(ctx, specs)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, w := range found {
		if strings.Contains(w, compaction) || strings.Contains(w, appendTime) {
			errs = append(errs, errors.New(w))
		} else {
			warnings = append(warnings, w)
		}
	}
	return warnings, errors.Join(errs...)
}

func (s *session) create(ctx context.Context, spec *TopicSpec) error {
	partitions, replicas := spec.Partitions, spec.ReplicationFactor
	if partitions == 0 {
		partitions = DefaultPartitions
	}
	if replicas == 0 {
		replicas = -1
	}
	res, err := s.CreateTopics(ctx, &kafkago.CreateTopicsRequest{Topics: []kafkago.TopicConfig{{
		Topic: spec.Name, NumPartitions: partitions, ReplicationFactor: replicas, ConfigEntries: spec.config(),
	}}})
	if err == nil {
		err = res.Errors[spec.Name]
	}
	switch {
	case err == nil, errors.Is(err, kafkago.TopicAlreadyExists):
		return nil // somebody else may have been quicker
	case errors.Is(err, kafkago.InvalidConfiguration):
		return fmt.Errorf("create topic %s: the broker does not know a setting that reckon needs (Kafka 3.6 and later do); "+
			"create the topic yourself so that it keeps events for ever and takes any timestamp: %w", spec.Name, err)
	}
	return fmt.Errorf("create topic %s: %w", spec.Name, err)
}

// inspect describes the topics and warns of what is dangerous.
func (s *session) inspect(ctx context.Context, specs []TopicSpec) ([]string, error) {
	req := &kafkago.DescribeConfigsRequest{}
	for i := range specs {
		req.Resources = append(req.Resources, kafkago.DescribeConfigRequestResource{
			ResourceType: kafkago.ResourceTypeTopic, ResourceName: specs[i].Name,
			ConfigNames: []string{"retention.ms", "retention.bytes", "cleanup.policy", "message.timestamp.type"},
		})
	}
	var res *kafkago.DescribeConfigsResponse
	err := again(ctx, func() (err error) {
		if res, err = s.DescribeConfigs(ctx, req); err != nil {
			return err
		}
		for _, r := range res.Resources {
			if r.Error != nil {
				err = errors.Join(err, fmt.Errorf("topic %s: %w", r.ResourceName, r.Error))
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("describe topics: %w", err)
	}
	var warnings []string
	for _, r := range res.Resources {
		for _, e := range r.ConfigEntries {
			if danger := danger(e.ConfigName, e.ConfigValue); danger != "" {
				warnings = append(warnings, fmt.Sprintf("topic %s has %s=%s: %s", r.ResourceName, e.ConfigName, e.ConfigValue, danger))
			}
		}
	}
	return warnings, nil
}

// compaction is never meant: all events of an account have one key.
const compaction = "all but the last message of a key are deleted; set it to delete"

// appendTime loses the producer's time, which says which of two copies counts and how
// old an event may be.
const appendTime = "the broker writes its own time in place of the producer's, which is lost; set it to CreateTime"

// danger says what a topic's setting does to events, "" if no harm.
func danger(name, value string) string {
	switch {
	case name == "retention.ms" && value != "-1" && value != "":
		return "messages older than this are deleted, read or not; set it to -1"
	case name == "retention.bytes" && value != "-1" && value != "":
		return "messages beyond this size are deleted, read or not; set it to -1"
	case name == "cleanup.policy" && value != "delete" && value != "":
		return compaction
	case name == "message.timestamp.type" && value != "CreateTime" && value != "":
		return appendTime
	}
	return ""
}
