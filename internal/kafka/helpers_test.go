package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/reckon-billing/reckon/ingest"
	"github.com/reckon-billing/reckon/internal/kafka/kafkatest"
	"github.com/reckon-billing/reckon/schemas"
)

// testBrokers gives a broker to test against: Apache Kafka where that is what is
// tested, else one in this process.
func testBrokers(t testing.TB) []string {
	t.Helper()
	if given := os.Getenv(kafkatest.BrokersVariable); given != "" {
		return strings.Split(given, ",")
	}
	return fakeCluster(t).ListenAddrs()
}

// fakeCluster starts a broker in this process, for tests that need its inside.
func fakeCluster(t testing.TB, opts ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func testClient(t testing.TB, brokers []string) *Client {
	t.Helper()
	c, err := New(Config{Brokers: brokers, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// name makes a topic's or group's name that no test before has used.
func name(t testing.TB) string {
	plain := regexp.MustCompile(`[^a-zA-Z0-9]+`).ReplaceAllString(t.Name(), "-")
	return fmt.Sprintf("%s-%d", plain[:min(len(plain), 60)], time.Now().UnixNano())
}

// topic makes a topic with so many partitions.
func topic(t testing.TB, c *Client, partitions int) string {
	t.Helper()
	n := name(t)
	if _, err := c.EnsureTopics(t.Context(), TopicSpec{
		Name: n, Partitions: partitions, ReplicationFactor: 1, MaxMessageBytes: EventTopicBytes,
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

// noon is a timestamp for messages.
var noon = time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // a constant

// produce writes n messages with keys and values "from", "from+1", ….
func produce(t testing.TB, c *Client, topic string, from, n int) {
	t.Helper()
	p, err := c.NewProducer(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	messages := make([]schemas.Message, n)
	for i := range messages {
		text := fmt.Appendf(nil, "%d", from+i)
		messages[i] = schemas.Message{Position: schemas.Position{Topic: topic}, Time: noon, Key: text, Value: text}
	}
	if _, err := p.Produce(t.Context(), messages); err != nil {
		t.Fatal(err)
	}
}

// store is a sink in memory, shared by the members of a group. It also watches
// the commits.
type store struct {
	mu       sync.Mutex
	messages map[schemas.Position]schemas.Message
	stored   int // with repeats
	commits  map[schemas.Position]int64
	wrong    []string
	changed  chan struct{} // closed and renewed with each change
}

func newStore() *store {
	return &store{
		messages: map[schemas.Position]schemas.Message{}, commits: map[schemas.Position]int64{},
		changed: make(chan struct{}),
	}
}

func (s *store) Open() ingest.Rows { return &rows{of: s} }

// rows is a batch for the store.
type rows struct {
	of       *store
	messages []schemas.Message
}

func (r *rows) Accept(_ *schemas.Event, m *schemas.Message) error {
	r.messages = append(r.messages, clone(m))
	return nil
}

func (r *rows) Reject(*schemas.Message, *schemas.Rejection) error { return nil }

func (r *rows) Store(context.Context) error {
	s := r.of
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range r.messages {
		s.messages[m.Position] = m
		s.stored++
	}
	r.messages = nil
	close(s.changed)
	s.changed = make(chan struct{})
	return nil
}

func (s *store) Copy(context.Context, []ingest.Rejected) error { return nil }

// watched is a partition whose commits the store watches.
type watched struct {
	*Partition
	s *store
}

func (w watched) Commit(ctx context.Context, next int64) error {
	err := w.Partition.Commit(ctx, next)
	if err == nil {
		w.s.mu.Lock()
		defer w.s.mu.Unlock()
		at := schemas.Position{Topic: w.Topic, Partition: w.ID}
		if next < w.s.commits[at] {
			w.s.wrong = append(w.s.wrong, fmt.Sprintf("%s/%d was committed at %d after %d", at.Topic, at.Partition, next, w.s.commits[at]))
		}
		w.s.commits[at] = next
	}
	return err
}

// work is a worker that runs the stage itself into the store.
func (s *store) work(ctx context.Context, p *Partition) error {
	pipeline := &ingest.Pipeline{
		Topic: p.Topic, Partition: p.ID, Source: watched{p, s}, Sink: s, Notes: s, DeadLetters: s,
		Parse:  func(*schemas.Message) (schemas.Event, error) { return schemas.Event{}, nil },
		Limits: ingest.Limits{Rows: 100, Age: 20 * time.Millisecond}, Now: time.Now,
		Metrics: ingest.NewMetrics(prometheus.NewRegistry()), Log: slog.New(slog.DiscardHandler),
	}
	return pipeline.Run(ctx)
}

// Note is nothing here: these workers begin where the group has committed.
func (s *store) Note(context.Context, int64, int64) error { return nil }

// values are the stored values, sorted.
func (s *store) values() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var values []string
	for _, m := range s.messages {
		values = append(values, string(m.Value))
	}
	slices.Sort(values)
	return values
}

// wait waits until the store holds n different messages.
func (s *store) wait(t testing.TB, n int) {
	t.Helper()
	for limit := time.After(30 * time.Second); ; {
		s.mu.Lock()
		have, changed := len(s.messages), s.changed
		s.mu.Unlock()
		if have >= n {
			return
		}
		select {
		case <-changed:
		case <-limit:
			t.Fatalf("the store has %d messages of %d", have, n)
		}
	}
}

// member runs Consume into the store until stop, which gives how long it
// took to end and its error.
func member(t testing.TB, c *Client, group, topic string, s *store) (stop func() (time.Duration, error)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Consume(ctx, group, []string{topic}, fromCommitted(c, group), s.work) }()
	stop = sync.OnceValues(func() (time.Duration, error) {
		began := time.Now()
		cancel()
		err := <-ended
		return time.Since(began), err
	})
	t.Cleanup(func() { _, _ = stop() })
	return stop
}

// waitCommitted waits until the group has committed up to the ends.
func waitCommitted(t testing.TB, c *Client, group, topic string) {
	t.Helper()
	waitCommittedTo(t, c, group, topic, 0)
}

// waitCommittedTo waits until every partition ends there, too.
func waitCommittedTo(t testing.TB, c *Client, group, topic string, end int64) {
	t.Helper()
	var lags []PartitionLag
	for began := time.Now(); time.Since(began) < 30*time.Second; {
		var err error
		if lags, err = c.Lag(t.Context(), group, topic); err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(lags, func(l PartitionLag) bool { return l.Committed < max(end, l.End) }) {
			return
		}
		if err := pause(t.Context(), 20*time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatalf("the group does not reach the ends: %+v", lags)
}

// foreign is a client of another make, as product services have.
func foreign(t testing.TB, brokers []string, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner())}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return cl
}

// pause waits, or ends with ctx.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// fromCommitted begins where the group has committed, or where the log does.
func fromCommitted(c *Client, group string) Begins {
	return func(ctx context.Context, partitions []schemas.PartitionEnd) ([]schemas.PartitionEnd, []ingest.FoundLog, error) {
		var topics []string
		for _, p := range partitions {
			if !slices.Contains(topics, p.Topic) {
				topics = append(topics, p.Topic)
			}
		}
		if len(topics) == 0 {
			return nil, nil, nil
		}
		committed, err := c.Committed(ctx, group, topics...)
		if err != nil {
			return nil, nil, err
		}
		logs, err := c.Logs(ctx, topics...)
		if err != nil {
			return nil, nil, err
		}
		var from []schemas.PartitionEnd
		for _, at := range committed {
			if !slices.ContainsFunc(partitions, func(p schemas.PartitionEnd) bool { return p.WithoutEnd() == at.WithoutEnd() }) {
				continue
			}
			i := slices.Index(topics, at.Topic)
			if at.End == 0 { // never
				at.End = logs[i].Begins[at.Partition]
			}
			from = append(from, at)
		}
		return from, logs, nil
	}
}
