//go:build apache

package faults

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/reckon-billing/reckon/internal/kafka/kafkatest"
	"github.com/reckon-billing/reckon/internal/testkit"
)

// TestTheLeaderOfThreeBrokersKilledUnderLoadLosesNothing needs Apache Kafka, so
// only the targets that bring it ask for it.
func TestTheLeaderOfThreeBrokersKilledUnderLoadLosesNothing(t *testing.T) {
	times, events := size(2, 10), size(40_000, 400_000)
	brokers := kafkatest.StartApache(t, 3)
	w := newWorldOn(t, brokers...)
	client, err := kgo.NewClient(kgo.SeedBrokers(w.addrs...), kgo.MetadataMinAge(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	w.suffer(times, events, func(random *rand.Rand) {
		w.midInsert(int64(random.IntN(1 << 20)))
		leader, _ := leaderAndReplicas(t, client, int32(random.IntN(8)))
		b := brokers[leader-1]
		b.Kill(t)
		w.sendUsage(events / times / 2) // to the two that are left
		b.Start(t)
		b.WaitReady(t)
		testkit.Eventually(t, time.Minute, "all replicas are in sync", func() bool {
			_, inSync := leaderAndReplicas(t, client, -1)
			return inSync
		})
	})
	if !t.Failed() {
		figure(t, "%d events, the leader of three Apache Kafka brokers killed with -9 %d times under load: 0 lost, 0 counted twice", w.made, times)
	}
}

// leaderAndReplicas tells who leads the partition of usage, and whether every
// partition of every topic has all its replicas in sync.
func leaderAndReplicas(t *testing.T, client *kgo.Client, partition int32) (leader int32, inSync bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = nil // all
	res, err := req.RequestWith(ctx, client)
	if err != nil {
		return 0, false // a broker that is just away
	}
	inSync = true
	for _, topic := range res.Topics {
		for _, p := range topic.Partitions {
			if *topic.Topic == usageTopic && p.Partition == partition {
				leader = p.Leader
			}
			inSync = inSync && len(p.ISR) == len(p.Replicas)
		}
	}
	return leader, inSync
}
