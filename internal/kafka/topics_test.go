package kafka

import (
	"errors"
	"slices"
	"strings"
	"testing"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/reckon-billing/reckon/internal/kafka/kafkatest"
	"github.com/reckon-billing/reckon/schemas"
)

func TestTopicsAreMadeToKeepEventsForEver(t *testing.T) {
	brokers := testBrokers(t)
	c := testClient(t, brokers)
	spec := TopicSpec{Name: name(t), ReplicationFactor: 1, MaxMessageBytes: DeadLetterTopicBytes}
	for range 2 { // the second time it is there
		if warnings, err := c.EnsureTopics(t.Context(), spec); err != nil || len(warnings) > 0 {
			t.Fatalf("got %q, %v", warnings, err)
		}
	}
	ends, err := c.Ends(t.Context(), spec.Name)
	if err != nil || len(ends) != 8 {
		t.Errorf("it has partitions %v, %v; want 8", ends, err)
	}
	req := kmsg.NewPtrDescribeConfigsRequest()
	resource := kmsg.NewDescribeConfigsRequestResource()
	resource.ResourceType, resource.ResourceName = kmsg.ConfigResourceTypeTopic, spec.Name
	req.Resources = append(req.Resources, resource)
	res, err := req.RequestWith(t.Context(), foreign(t, brokers))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, e := range res.Resources[0].Configs {
		if e.Value != nil {
			got[e.Name] = *e.Value
		}
	}
	for name, want := range map[string]string{
		"retention.ms": "-1", "max.message.bytes": "4194304",
		"message.timestamp.after.max.ms": "9223372036854775807", "message.timestamp.before.max.ms": "9223372036854775807",
	} {
		if got[name] != want {
			t.Errorf("%s = %q, want %q", name, got[name], want)
		}
	}
}

// L5: and one whose broker writes its own time is refused.
func TestADangerousTopicIsWarnedOf(t *testing.T) {
	brokers := testBrokers(t)
	c := testClient(t, brokers)
	topic := name(t)
	create := kmsg.NewPtrCreateTopicsRequest()
	rt := kmsg.NewCreateTopicsRequestTopic()
	rt.Topic, rt.NumPartitions, rt.ReplicationFactor = topic, 1, 1
	for name, value := range map[string]string{"retention.ms": "604800000", "cleanup.policy": "compact", "message.timestamp.type": "LogAppendTime"} {
		entry := kmsg.NewCreateTopicsRequestTopicConfig()
		entry.Name, entry.Value = name, &value
		rt.Configs = append(rt.Configs, entry)
	}
	create.Topics = append(create.Topics, rt)
	if _, err := create.RequestWith(t.Context(), foreign(t, brokers)); err != nil {
		t.Fatal(err)
	}
	warnings, err := c.EnsureTopics(t.Context(), TopicSpec{Name: topic, MaxMessageBytes: EventTopicBytes})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"retention.ms=604800000", "cleanup.policy=compact", "message.timestamp.type=LogAppendTime"} {
		if !slices.ContainsFunc(warnings, func(w string) bool { return strings.Contains(w, topic) && strings.Contains(w, want) }) {
			t.Errorf("no warning of %s in %q", want, warnings)
		}
	}
	if len(warnings) != 3 {
		t.Errorf("got %d warnings: %q", len(warnings), warnings)
	}
	warnings, err = c.CheckTopics(t.Context(), topic)
	if err == nil || !strings.Contains(err.Error(), "cleanup.policy=compact") || !strings.Contains(err.Error(), "message.timestamp.type=LogAppendTime") || strings.Contains(err.Error(), "retention.ms") {
		t.Errorf("a topic that loses events is refused with %v", err)
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], "retention.ms=604800000") {
		t.Errorf("got warnings %q", warnings)
	}
	if _, err := c.CheckTopics(t.Context(), topic, name(t)); !errors.Is(err, ErrNoTopic) {
		t.Errorf("a missing topic is refused with %v", err)
	}
}

func TestABrokerThatDoesNotKnowASettingIsSaidToBeTooOld(t *testing.T) {
	cluster := fakeCluster(t)
	cluster.ControlKey(int16(kmsg.CreateTopics), func(req kmsg.Request) (kmsg.Response, error, bool) {
		res := req.ResponseKind().(*kmsg.CreateTopicsResponse)
		topic := kmsg.NewCreateTopicsResponseTopic()
		topic.Topic, topic.ErrorCode = req.(*kmsg.CreateTopicsRequest).Topics[0].Topic, kerr.InvalidConfig.Code
		topic.ErrorMessage = kmsg.StringPtr("Unknown topic config name: message.timestamp.after.max.ms")
		res.Topics = append(res.Topics, topic)
		return res, nil, true
	})
	_, err := testClient(t, cluster.ListenAddrs()).EnsureTopics(t.Context(), TopicSpec{Name: "t", MaxMessageBytes: 1})
	if !errors.Is(err, kafkago.InvalidConfiguration) {
		t.Fatalf("got %v", err)
	}
	for _, part := range []string{"topic t", "Kafka 3.6", "message.timestamp.after.max.ms"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
}

func TestOffsetsOfAPartitionThatCannotBeAsked(t *testing.T) {
	for name, c := range map[string]struct {
		code *kerr.Error
		want error
	}{
		"are an error":                          {kerr.TopicAuthorizationFailed, kafkago.TopicAuthorizationFailed},
		"are asked for again, if that may help": {kerr.NotLeaderForPartition, nil},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := fakeCluster(t)
			client := testClient(t, cluster.ListenAddrs())
			topic := topic(t, client, 4)
			cluster.ControlKey(int16(kmsg.ListOffsets), func(req kmsg.Request) (kmsg.Response, error, bool) {
				r := req.(*kmsg.ListOffsetsRequest).Topics[0]
				res := req.ResponseKind().(*kmsg.ListOffsetsResponse)
				rt, rp := kmsg.NewListOffsetsResponseTopic(), kmsg.NewListOffsetsResponseTopicPartition()
				rp.Partition, rp.ErrorCode = r.Partitions[0].Partition, c.code.Code
				rt.Topic, rt.Partitions = r.Topic, append(rt.Partitions, rp)
				res.Topics = append(res.Topics, rt)
				return res, nil, true
			})
			ends, err := client.Ends(t.Context(), topic)
			if !errors.Is(err, c.want) || err == nil && len(ends) != 4 {
				t.Errorf("got %v, %v; want %v", ends, err, c.want)
			}
		})
	}
}

func TestAGroupThatNeverCommittedStandsAtZero(t *testing.T) {
	c := testClient(t, testBrokers(t))
	topic := topic(t, c, 2)
	produce(t, c, topic, 0, 3)
	got, err := c.Committed(t.Context(), name(t), topic)
	want := []schemas.PartitionEnd{{Topic: topic}, {Topic: topic, Partition: 1}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}

// L1: a topic that was deleted and made again is told from what it was by its id, as
// brokers tell it to those who ask for it.
func TestATopicThatIsMadeAgainHasAnotherID(t *testing.T) {
	brokers := testBrokers(t)
	c := testClient(t, brokers)
	topic := topic(t, c, 2)
	produce(t, c, topic, 0, 3)
	id := func() (string, string, []int64) {
		found, err := c.Logs(t.Context(), topic)
		if err != nil || len(found) != 1 {
			t.Fatalf("told %+v, %v", found, err)
		}
		return found[0].TopicID, found[0].ClusterID, found[0].Ends
	}
	first, cluster, ends := id()
	if again, _, _ := id(); len(first) != 32 || again != first || cluster == "" || len(ends) != 2 || ends[0]+ends[1] != 3 {
		t.Fatalf("id %q, then %q, on cluster %q, ends %v", first, again, cluster, ends)
	}
	kafkatest.NewAdmin(t, brokers[0]).DeleteTopic(t, topic)
	for missing := false; !missing; {
		_, err := c.Ends(t.Context(), topic)
		missing = errors.Is(err, ErrNoTopic)
	}
	if _, err := c.Logs(t.Context(), topic); !errors.Is(err, ErrNoTopic) {
		t.Errorf("of a topic that is gone: %v", err)
	}
	if _, err := c.EnsureTopics(t.Context(), TopicSpec{Name: topic, Partitions: 2, MaxMessageBytes: EventTopicBytes}); err != nil {
		t.Fatal(err)
	}
	if second, _, ends := id(); second == first || len(second) != 32 || ends[0]+ends[1] != 0 {
		t.Errorf("made again it has id %q, before %q; ends %v", second, first, ends)
	}
}
