package embedded_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/reckon-billing/reckon/internal/embedded"
	"github.com/reckon-billing/reckon/internal/embedded/embeddedtest"
	"github.com/reckon-billing/reckon/internal/testkit"
)

const (
	topic = "billing.usage"
	group = "reckon"
)

// The settings that reckon gives its topics, see architecture.md.
func topicSettings() map[string]string {
	return map[string]string{
		"retention.ms":                    "-1",
		"message.timestamp.after.max.ms":  "9223372036854775807",
		"message.timestamp.before.max.ms": "9223372036854775807",
		"max.message.bytes":               "2097152",
	}
}

func TestTheBrokersLogAndOffsetsSurvive(t *testing.T) {
	kill := func(t *testing.T, dir string, use func(embedded.Endpoints)) {
		parent, e := startParent(t, dir)
		use(e)
		parent.Kill()
	}
	restart := func(t *testing.T, dir string, use func(embedded.Endpoints)) {
		stack := embeddedtest.StartWith(t, embedded.Options{DataDir: dir})
		use(stack.Endpoints())
		if err := stack.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for name, live := range map[string]func(*testing.T, string, func(embedded.Endpoints)){
		"a restart": restart, "a kill -9": kill,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			old := time.UnixMilli(1_000_000_000_123).UTC() // 2001: older than any retention
			big := bytes.Repeat([]byte("x"), 3<<19)        // over the broker's own bound of 1 MiB
			live(t, dir, func(e embedded.Endpoints) {
				createTopic(t, e.Kafka)
				produce(t, e.Kafka, kafka.Message{Value: []byte("first"), Time: old}, kafka.Message{Value: big, Time: old})
				commitOne(t, e.Kafka, "first")
			})
			live(t, dir, func(e embedded.Endpoints) {
				for name, want := range topicSettings() {
					if got := topicSetting(t, e.Kafka, name); got != want {
						t.Errorf("topic has %s = %q, want %s", name, got, want)
					}
				}
				produce(t, e.Kafka, kafka.Message{Value: []byte("third"), Time: old})
				m := commitOne(t, e.Kafka, string(big))
				if m.Offset != 1 || !m.Time.Equal(old) {
					t.Errorf("the record is at offset %d of %s, want 1 of %s", m.Offset, m.Time, old)
				}
				commitOne(t, e.Kafka, "third")
			})
		})
	}
}

func TestTheBrokerMakesNoTopicByItself(t *testing.T) {
	e := embeddedtest.Start(t).Endpoints()
	w := &kafka.Writer{Addr: kafka.TCP(e.Kafka), Topic: "mistyped", AllowAutoTopicCreation: true, MaxAttempts: 1}
	err := w.WriteMessages(t.Context(), kafka.Message{Value: []byte("x")})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(err, kafka.UnknownTopicOrPartition) {
		t.Errorf("write to a topic that nobody made: %v", err)
	}
}

func createTopic(t *testing.T, addr string) {
	t.Helper()
	var settings []kafka.ConfigEntry
	for name, value := range topicSettings() {
		settings = append(settings, kafka.ConfigEntry{ConfigName: name, ConfigValue: value})
	}
	client := kafka.Client{Addr: kafka.TCP(addr)}
	resp, err := client.CreateTopics(t.Context(), &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{
		Topic: topic, NumPartitions: 1, ReplicationFactor: 1, ConfigEntries: settings,
	}}})
	if err == nil {
		err = resp.Errors[topic]
	}
	if err != nil {
		t.Fatalf("create topic: %v", err)
	}
}

func topicSetting(t *testing.T, addr, name string) string {
	t.Helper()
	client := kafka.Client{Addr: kafka.TCP(addr)}
	resp, err := client.DescribeConfigs(t.Context(), &kafka.DescribeConfigsRequest{
		Resources: []kafka.DescribeConfigRequestResource{{
			ResourceType: kafka.ResourceTypeTopic, ResourceName: topic, ConfigNames: []string{name},
		}},
	})
	if err != nil {
		t.Fatalf("describe topic: %v", err)
	}
	for _, resource := range resp.Resources {
		for _, entry := range resource.ConfigEntries {
			if entry.ConfigName == name {
				return entry.ConfigValue
			}
		}
	}
	return ""
}

func produce(t *testing.T, addr string, messages ...kafka.Message) {
	t.Helper()
	w := &kafka.Writer{
		Addr: kafka.TCP(addr), Topic: topic, RequiredAcks: kafka.RequireAll,
		BatchTimeout: time.Millisecond, BatchBytes: 2 << 20,
	}
	err := w.WriteMessages(t.Context(), messages...)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatalf("produce: %v", err)
	}
}

// commitOne joins the group, wants the next message to be this one, and commits it.
func commitOne(t *testing.T, addr, want string) kafka.Message {
	t.Helper()
	r := kafka.NewReader(kafka.ReaderConfig{
		Brokers: []string{addr}, GroupID: group, Topic: topic, StartOffset: kafka.FirstOffset,
		MaxBytes: 4 << 20, MaxWait: 100 * time.Millisecond,
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	m, err := r.FetchMessage(ctx)
	if err == nil && string(m.Value) != want {
		t.Errorf("the next message is %.20q, want %.20q", m.Value, want)
	}
	if err == nil {
		err = r.CommitMessages(ctx, m)
	}
	if err := errors.Join(err, r.Close()); err != nil {
		t.Fatalf("consume: %v", err)
	}
	return m
}

// T4: a broker that cannot write says so, once, and is not well until a write has
// succeeded. /dev/full stands for files on a disk that is full.
func TestABrokerOnAFullDiskSaysSoUntilItCanWriteAgain(t *testing.T) {
	dir := t.TempDir()
	var log testkit.Output
	stack := embeddedtest.StartWith(t, embedded.Options{DataDir: dir, NoClickHouse: true, Log: slog.New(slog.NewTextHandler(&log, nil))})
	e := stack.Endpoints()
	createTopic(t, e.Kafka)
	if err := stack.Health(); err != nil {
		t.Errorf("before: %v", err)
	}
	segment, trial := filepath.Join(dir, "kafka", "partitions", topic+"-0", "0.dat"), filepath.Join(dir, "kafka", "trial")
	if err := os.MkdirAll(filepath.Dir(segment), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{segment, trial} {
		if err := os.Symlink("/dev/full", name); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		if err := tryToProduce(t, e.Kafka); err == nil {
			t.Fatal("a message was taken that cannot have been stored")
		}
		if err := stack.Health(); err == nil || !errors.Is(err, syscall.ENOSPC) && !strings.Contains(err.Error(), "no space left on device") {
			t.Errorf("while the disk is full: %v", err)
		}
	}
	if n := strings.Count(log.String(), "level=ERROR"); n != 1 || !strings.Contains(log.String(), "no space left") {
		t.Errorf("logged %d times:\n%s", n, log.String())
	}
	if err := os.Remove(segment); err != nil {
		t.Fatal(err)
	}
	if err := stack.Health(); err == nil {
		t.Error("it is well, and nothing has succeeded yet")
	}
	if err := os.Remove(trial); err != nil {
		t.Fatal(err)
	}
	if err := stack.Health(); err != nil || !strings.Contains(log.String(), "can write again") {
		t.Errorf("with room again: %v\n%s", err, log.String())
	}
	if err := tryToProduce(t, e.Kafka); err != nil {
		t.Error(err)
	}
	if err := stack.Health(); err != nil {
		t.Error(err)
	}
}

func tryToProduce(t *testing.T, addr string) error {
	t.Helper()
	w := &kafka.Writer{Addr: kafka.TCP(addr), Topic: topic, RequiredAcks: kafka.RequireAll, MaxAttempts: 1, BatchTimeout: time.Millisecond}
	err := w.WriteMessages(t.Context(), kafka.Message{Value: []byte("x")})
	return errors.Join(err, w.Close())
}
