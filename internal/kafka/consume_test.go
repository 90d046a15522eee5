package kafka

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestMembersComeAndGoWhileMessagesFlow guards J1 and J2.
func TestMembersComeAndGoWhileMessagesFlow(t *testing.T) {
	c := testClient(t, testBrokers(t))
	topic, group, s := topic(t, c, 4), name(t), newStore()
	const chunk = 500
	sent := 0
	more := func() {
		produce(t, c, topic, sent, chunk)
		sent += chunk
	}
	more()
	one := member(t, c, group, topic, s)
	s.wait(t, sent)
	two := member(t, c, group, topic, s)
	for range 8 { // while the group is shared out between the two
		more()
		if err := pause(t.Context(), 150*time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	s.wait(t, sent)
	three := member(t, c, group, topic, s)
	more()
	if took, err := one(); !errors.Is(err, context.Canceled) || took > 2*time.Second {
		t.Errorf("the first member left with %v after %v", err, took)
	}
	more()
	s.wait(t, sent)
	waitCommitted(t, c, group, topic)
	for _, stop := range []func() (time.Duration, error){two, three} {
		if took, err := stop(); !errors.Is(err, context.Canceled) || took > 2*time.Second {
			t.Errorf("a member left with %v after %v", err, took)
		}
	}
	if len(s.wrong) > 0 {
		t.Errorf("commits went back: %v", s.wrong)
	}
	if got := len(s.values()); got != sent {
		t.Errorf("%d messages stored of %d", got, sent)
	}
	t.Logf("%d messages, %d stored with repeats", sent, s.stored)
}

func TestAGroupGoesOnWhereItWas(t *testing.T) {
	c := testClient(t, testBrokers(t))
	topic, group := topic(t, c, 2), name(t)
	produce(t, c, topic, 0, 50)
	before := newStore()
	stop := member(t, c, group, topic, before)
	before.wait(t, 50)
	waitCommitted(t, c, group, topic)
	_, _ = stop()
	produce(t, c, topic, 50, 7)
	after := newStore()
	member(t, c, group, topic, after)
	after.wait(t, 7)
	waitCommitted(t, c, group, topic)
	if got := after.values(); !slices.Equal(got, []string{"50", "51", "52", "53", "54", "55", "56"}) {
		t.Errorf("after the restart came %v", got)
	}
}

func TestAWorkersErrorEndsConsumeAndLeavesTheGroup(t *testing.T) {
	c := testClient(t, testBrokers(t))
	topic, group, s := topic(t, c, 2), name(t), newStore()
	produce(t, c, topic, 0, 10)
	boom := errors.New("boom")
	err := c.Consume(t.Context(), group, []string{topic}, fromCommitted(c, group), func(ctx context.Context, p *Partition) error {
		if p.ID == 1 {
			return boom
		}
		<-ctx.Done()
		return context.Cause(ctx)
	})
	if !errors.Is(err, boom) {
		t.Fatalf("ended by %v, want the worker's error", err)
	}
	began := time.Now()
	member(t, c, group, topic, s)
	s.wait(t, 10)
	if took := time.Since(began); took > sessionTimeout/2 {
		t.Errorf("the next member waited %v: the one before had not left", took)
	}
}

func TestAWorkerThatIsDoneEndsConsume(t *testing.T) {
	c := testClient(t, testBrokers(t))
	topic := topic(t, c, 1)
	err := c.Consume(t.Context(), name(t), []string{topic}, fromCommitted(c, name(t)), func(context.Context, *Partition) error { return nil })
	if err != nil {
		t.Errorf("ended by %v, want nil as the worker did", err)
	}
}

func TestAMissingTopicIsNamedBeforeJoining(t *testing.T) {
	c := testClient(t, testBrokers(t))
	there, missing := topic(t, c, 1), name(t)+"-missing"
	err := c.Consume(t.Context(), name(t), []string{there, missing}, fromCommitted(c, name(t)), newStore().work)
	if !errors.Is(err, ErrNoTopic) || !strings.Contains(err.Error(), missing) {
		t.Errorf("ended by %v, want the missing topic's name", err)
	}
}

func TestAPartitionThatIsAddedIsReadToo(t *testing.T) {
	brokers := testBrokers(t)
	c := testClient(t, brokers)
	topic, group, s := topic(t, c, 1), name(t), newStore()
	produce(t, c, topic, 0, 10)
	member(t, c, group, topic, s)
	s.wait(t, 10)
	req := kmsg.NewPtrCreatePartitionsRequest()
	rt := kmsg.NewCreatePartitionsRequestTopic()
	rt.Topic, rt.Count = topic, 3
	req.Topics, req.TimeoutMillis = append(req.Topics, rt), 5000
	res, err := req.RequestWith(t.Context(), foreign(t, brokers))
	if err != nil {
		t.Fatal(err)
	}
	if err := kerr.ErrorForCode(res.Topics[0].ErrorCode); err != nil {
		t.Fatal(err)
	}
	if ends, err := c.Ends(t.Context(), topic); err != nil || len(ends) != 3 {
		t.Fatalf("ends are %v, %v; want 3 partitions", ends, err)
	}
	produce(t, c, topic, 10, 50)
	s.wait(t, 60)
	waitCommitted(t, c, group, topic)
}

func TestDeletedMessagesAreAnErrorThatNamesTheOffsets(t *testing.T) {
	brokers := testBrokers(t)
	c := testClient(t, brokers)
	topic, group, s := topic(t, c, 1), name(t), newStore()
	produce(t, c, topic, 0, 10)
	stop := member(t, c, group, topic, s)
	waitCommitted(t, c, group, topic)
	_, _ = stop()
	produce(t, c, topic, 10, 10)
	deleteBefore(t, foreign(t, brokers), topic, 15)
	err := c.Consume(t.Context(), group, []string{topic}, fromCommitted(c, group), s.work)
	if !errors.Is(err, kafkago.OffsetOutOfRange) {
		t.Fatalf("ended by %v, want an offset out of range", err)
	}
	for _, part := range []string{topic + "/0", "15 to 20", "stands at 10"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
	// A new group has no claim on what was deleted, and must not look behind.
	other := name(t) + "-other"
	member(t, c, other, topic, newStore())
	waitCommitted(t, c, other, topic)
}

func TestANewGroupOnAnEmptiedPartitionIsNotBehind(t *testing.T) {
	brokers := testBrokers(t)
	c := testClient(t, brokers)
	topic, group := topic(t, c, 1), name(t)
	produce(t, c, topic, 0, 5)
	deleteBefore(t, foreign(t, brokers), topic, 5)
	member(t, c, group, topic, newStore())
	waitCommitted(t, c, group, topic)
}

func deleteBefore(t *testing.T, cl *kgo.Client, topic string, offset int64) {
	t.Helper()
	req := kmsg.NewPtrDeleteRecordsRequest()
	rt := kmsg.NewDeleteRecordsRequestTopic()
	rp := kmsg.NewDeleteRecordsRequestTopicPartition()
	rp.Offset = offset
	rt.Topic, rt.Partitions = topic, append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	res, err := req.RequestWith(t.Context(), cl)
	if err != nil {
		t.Fatal(err)
	}
	if err := kerr.ErrorForCode(res.Topics[0].Partitions[0].ErrorCode); err != nil {
		t.Fatal(err)
	}
}

func TestJoiningWaitsForACoordinator(t *testing.T) {
	cluster := fakeCluster(t)
	c := testClient(t, cluster.ListenAddrs())
	topic, s := topic(t, c, 1), newStore()
	produce(t, c, topic, 0, 3)
	refused := make(chan struct{}, 2)
	cluster.ControlKey(int16(kmsg.FindCoordinator), func(req kmsg.Request) (kmsg.Response, error, bool) {
		select {
		case refused <- struct{}{}:
		default:
			return nil, nil, false
		}
		cluster.KeepControl()
		res := req.ResponseKind().(*kmsg.FindCoordinatorResponse)
		res.ErrorCode = kerr.CoordinatorNotAvailable.Code
		return res, nil, true
	})
	member(t, c, name(t), topic, s)
	s.wait(t, 3)
	if len(refused) != 2 {
		t.Errorf("the coordinator was missing %d times, want 2", len(refused))
	}
}

func TestLeavingDoesNotWaitForARebalance(t *testing.T) {
	cluster := fakeCluster(t)
	c := testClient(t, cluster.ListenAddrs())
	topic := topic(t, c, 1)
	joining, release := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(release) })
	cluster.ControlKey(int16(kmsg.JoinGroup), func(kmsg.Request) (kmsg.Response, error, bool) {
		close(joining)
		cluster.SleepControl(func() { <-release })
		return nil, nil, false
	})
	stop := member(t, c, name(t), topic, newStore())
	<-joining
	if took, err := stop(); !errors.Is(err, context.Canceled) || took > 2*time.Second {
		t.Errorf("left with %v after %v", err, took)
	}
}
