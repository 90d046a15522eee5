package kafkatest

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// Admin does to topics what operators do, by another library than reckon's.
type Admin struct{ client *kgo.Client }

// NewAdmin connects to a broker; it is closed when the test ends.
func NewAdmin(t testing.TB, broker string) *Admin {
	t.Helper()
	// Later versions of Produce name topics by id.
	client, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.MaxVersions(kversion.V3_0_0()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return &Admin{client}
}

// Produce writes a batch as it is; the broker gives it its offsets.
func (a *Admin) Produce(t testing.TB, topic string, partition int32, batch *Batch) {
	t.Helper()
	req := kmsg.NewPtrProduceRequest()
	rt, rp := kmsg.NewProduceRequestTopic(), kmsg.NewProduceRequestTopicPartition()
	rp.Partition, rp.Records = partition, batch.Bytes()
	rt.Topic, rt.Partitions = topic, append(rt.Partitions, rp)
	req.Acks, req.TimeoutMillis, req.Topics = -1, 10_000, append(req.Topics, rt)
	res, err := req.RequestWith(t.Context(), a.client)
	if err == nil {
		err = kerr.ErrorForCode(res.Topics[0].Partitions[0].ErrorCode)
	}
	if err != nil {
		t.Fatalf("produce to %s/%d: %v", topic, partition, err)
	}
}

// DeleteTopic deletes a topic with all that is in it.
func (a *Admin) DeleteTopic(t testing.TB, topic string) {
	t.Helper()
	req := kmsg.NewPtrDeleteTopicsRequest()
	one := kmsg.NewDeleteTopicsRequestTopic()
	one.Topic = &topic
	req.TopicNames, req.Topics, req.TimeoutMillis = []string{topic}, append(req.Topics, one), 10_000
	res, err := req.RequestWith(t.Context(), a.client)
	if err == nil {
		err = kerr.ErrorForCode(res.Topics[0].ErrorCode)
	}
	if err != nil {
		t.Fatalf("delete topic %s: %v", topic, err)
	}
}

// DeleteBefore deletes the messages of a partition before an offset.
func (a *Admin) DeleteBefore(t testing.TB, topic string, partition int32, offset int64) {
	t.Helper()
	req := kmsg.NewPtrDeleteRecordsRequest()
	rt := kmsg.NewDeleteRecordsRequestTopic()
	rp := kmsg.NewDeleteRecordsRequestTopicPartition()
	rp.Partition, rp.Offset = partition, offset
	rt.Topic, rt.Partitions = topic, append(rt.Partitions, rp)
	req.Topics, req.TimeoutMillis = append(req.Topics, rt), 10_000
	res, err := req.RequestWith(t.Context(), a.client)
	if err == nil {
		err = kerr.ErrorForCode(res.Topics[0].Partitions[0].ErrorCode)
	}
	if err != nil {
		t.Fatalf("delete %s/%d before offset %d: %v", topic, partition, offset, err)
	}
}
