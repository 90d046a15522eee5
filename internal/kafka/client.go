package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"

	"github.com/reckon-billing/reckon/internal/kafka/records"
)

// The login mechanisms that Config knows.
const (
	Plain       = "plain"
	ScramSHA256 = "scram-sha-256"
	ScramSHA512 = "scram-sha-512"
)

// Config says where the brokers are and how to talk to them.
type Config struct {
	// Brokers are host:port; one that answers is enough.
	Brokers []string
	// TLS is nil for connections in the clear.
	TLS *tls.Config
	// SASL is nil for no login.
	SASL *SASL
	// Now is the clock that waits are measured with.
	Now func() time.Time
}

// SASL is a login.
type SASL struct {
	// Mechanism is one of Plain, ScramSHA256 and ScramSHA512.
	Mechanism, Username, Password string
}

// Client talks to one cluster. It holds no connection between calls and is safe
// for use by several goroutines.
type Client struct {
	config    Config
	mechanism sasl.Mechanism
	unpacking *records.Pool
}

// New checks the configuration; it does not connect.
func New(config Config) (*Client, error) {
	if len(config.Brokers) == 0 || slices.Contains(config.Brokers, "") {
		return nil, errors.New("kafka: no broker address given")
	}
	if config.Now == nil {
		return nil, errors.New("kafka: no clock given")
	}
	mechanism, err := config.SASL.mechanism()
	if err != nil {
		return nil, fmt.Errorf("kafka: login: %w", err)
	}
	return &Client{config: config, mechanism: mechanism, unpacking: records.NewPool()}, nil
}

func (s *SASL) mechanism() (sasl.Mechanism, error) {
	if s == nil {
		return nil, nil // no login is no mechanism
	}
	if s.Username == "" {
		return nil, errors.New("the username is empty")
	}
	switch s.Mechanism {
	case Plain:
		return plain.Mechanism{Username: s.Username, Password: s.Password}, nil
	case ScramSHA256:
		return scram.Mechanism(scram.SHA256, s.Username, s.Password)
	case ScramSHA512:
		return scram.Mechanism(scram.SHA512, s.Username, s.Password)
	}
	return nil, fmt.Errorf("mechanism %q is none of %s, %s, %s", s.Mechanism, Plain, ScramSHA256, ScramSHA512)
}

const (
	dialTimeout = 5 * time.Second
	// requestTimeout is how long a broker may take over a request, beyond what the
	// request asks it to wait.
	requestTimeout = 15 * time.Second
)

// session is a set of connections that share one view of the cluster. The view
// of a new session is fresh; kafka-go keeps it for up to 6 s after that, too long
// for a question such as which partitions there are now.
type session struct {
	kafkago.RoundTripper
	*kafkago.Client
	transport *kafkago.Transport
	brokers   string
}

// open connects. Topics limits the view to these; none means all.
func (c *Client) open(ctx context.Context, topics ...string) (*session, error) {
	t := &kafkago.Transport{
		DialTimeout: dialTimeout, TLS: c.config.TLS, SASL: c.mechanism, ClientID: "reckon", MetadataTopics: topics,
	}
	s := &session{
		RoundTripper: t, transport: t, brokers: strings.Join(c.config.Brokers, ","),
		Client: &kafkago.Client{Addr: kafkago.TCP(c.config.Brokers...), Transport: t, Timeout: requestTimeout},
	}
	// Without an answer to this one kafka-go says of any other request that its
	// topic does not exist.
	if _, err := s.Metadata(ctx, &kafkago.MetadataRequest{}); err != nil {
		s.close()
		return nil, fmt.Errorf("connect to kafka at %s: %w%s", s.brokers, err, hint(err))
	}
	return s, nil
}

// hint explains what brokers do not.
func hint(err error) string {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return " (a broker hangs up without a word on a wrong login, a missing one, and TLS on one side only)"
	}
	return ""
}

func (s *session) close() { s.transport.CloseIdleConnections() }

// request sends one of the protocol's own requests, for what kafka-go's Client
// leaves out of its answers.
func (s *session) request(ctx context.Context, req kafkago.Request, wait time.Duration) (kafkago.Response, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, wait+requestTimeout,
		fmt.Errorf("no answer from kafka at %s within %v", s.brokers, wait+requestTimeout))
	defer cancel()
	res, err := s.RoundTrip(ctx, s.Addr, req)
	if err != nil && errors.Is(err, ctx.Err()) {
		return nil, context.Cause(ctx)
	}
	return res, err
}

// partitions lists the partitions of the topics, ascending, by topic. A topic
// that does not exist is an error that names it.
func (s *session) partitions(ctx context.Context, topics []string) (map[string][]int, error) {
	res, err := s.Metadata(ctx, &kafkago.MetadataRequest{Topics: topics})
	if err != nil {
		return nil, fmt.Errorf("list partitions: %w", err)
	}
	found := make(map[string][]int, len(topics))
	for _, t := range res.Topics {
		if errors.Is(t.Error, kafkago.UnknownTopicOrPartition) {
			return nil, fmt.Errorf("topic %s: %w", t.Name, ErrNoTopic)
		}
		if t.Error != nil {
			return nil, fmt.Errorf("list partitions of topic %s: %w", t.Name, t.Error)
		}
		for _, p := range t.Partitions {
			found[t.Name] = append(found[t.Name], p.ID)
		}
		slices.Sort(found[t.Name])
	}
	for _, topic := range topics {
		if len(found[topic]) == 0 {
			return nil, fmt.Errorf("topic %s: %w", topic, ErrNoTopic)
		}
	}
	return found, nil
}

// ErrNoTopic says that a topic does not exist.
var ErrNoTopic = errors.New("there is no such topic")
