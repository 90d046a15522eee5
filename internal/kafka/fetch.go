package kafka

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/fetch"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	// maxFetchBytes is how much a fetch asks for: some 15,000 compressed events. A
	// larger batch comes whole all the same.
	maxFetchBytes = 1 << 20
	// maxFetchWait is how long a broker may wait for something to give. It answers
	// at once when something comes, so a longer wait would not be slower; but a
	// request under way cannot be taken back.
	maxFetchWait = 500 * time.Millisecond
)

// answer is what a broker gave of a partition.
type answer struct {
	// buffer is the whole answer, set its batches as they lie in the log.
	buffer, set []byte
	stable      int64
	aborted     []transaction
}

// fetch asks the partition's leader once, as committed.
func (s *session) fetch(
	ctx context.Context, topic string, partition int32, offset int64, wait time.Duration, into []byte,
) (*answer, error) {
	res, err := s.request(ctx, &fetchRequest{topic: topic, partition: partition, offset: offset, wait: wait, into: into}, wait)
	if err != nil {
		return nil, fmt.Errorf("fetch %s/%d at offset %d: %w", topic, partition, offset, err)
	}
	told := res.(*fetchResponse) //nolint:forcetypeassert // RoundTrip answers in kind
	code := told.ErrorCode
	if code == 0 && (len(told.Topics) != 1 || len(told.Topics[0].Partitions) != 1) {
		return nil, fmt.Errorf("fetch %s/%d at offset %d: the broker's answer is of no such partition", topic, partition, offset)
	}
	if code == 0 {
		code = told.Topics[0].Partitions[0].ErrorCode
	}
	switch {
	case kafkago.Error(code) == kafkago.OffsetOutOfRange:
		return nil, s.outOfRange(ctx, topic, partition, offset)
	case code != 0:
		return nil, fmt.Errorf("fetch %s/%d at offset %d: %w", topic, partition, offset, kafkago.Error(code))
	}
	of := &told.Topics[0].Partitions[0]
	got := &answer{buffer: told.buffer, set: of.RecordBatches, stable: of.LastStableOffset}
	for _, t := range of.AbortedTransactions {
		got.aborted = append(got.aborted, transaction{producer: t.ProducerID, first: t.FirstOffset})
	}
	return got, nil
}

// outOfRange tells what the log still has. Going on from there in silence would
// leave events out of invoices.
func (s *session) outOfRange(ctx context.Context, topic string, partition int32, offset int64) error {
	one := map[string][]int{topic: {int(partition)}}
	first, err := s.offsets(ctx, one, kafkago.FirstOffset)
	if err != nil {
		return fmt.Errorf("%w (and its range is not known: %w)", kafkago.OffsetOutOfRange, err)
	}
	last, err := s.offsets(ctx, one, kafkago.LastOffset)
	if err != nil {
		return fmt.Errorf("%w (and its range is not known: %w)", kafkago.OffsetOutOfRange, err)
	}
	return fmt.Errorf("%s/%d has offsets %d to %d, and the group stands at %d: messages were deleted before they were read, "+
		"or the topic is another one: %w", topic, partition, first[0].End, last[0].End, offset, kafkago.OffsetOutOfRange)
}

// fetchRequest asks for the batches of a partition as they lie in the log: kafka-go
// unpacks them all while it reads the answer, whatever that comes to (O4). It writes
// and reads itself, as metadataRequest does.
type fetchRequest struct {
	topic     string
	partition int32
	offset    int64
	wait      time.Duration
	// into is memory for the answer.
	into    []byte
	version int16
}

// fetchVersions are the ones that tell of aborted transactions, and know topics by
// name; kafka-go agrees with brokers on one up to the last.
const firstFetch, lastFetch = 4, 11

var (
	_ protocol.RawExchanger  = (*fetchRequest)(nil)
	_ protocol.BrokerMessage = (*fetchRequest)(nil)
)

// ApiKey is Fetch's.
func (*fetchRequest) ApiKey() protocol.ApiKey { return protocol.Fetch } //nolint:revive // the library's interface

// Broker is the partition's leader.
func (r *fetchRequest) Broker(cluster protocol.Cluster) (protocol.Broker, error) {
	return (&fetch.Request{Topics: []fetch.RequestTopic{{
		Topic: r.topic, Partitions: []fetch.RequestPartition{{Partition: r.partition}},
	}}}).Broker(cluster)
}

// Required is for the library: always in our own way. It is told what was agreed on.
func (r *fetchRequest) Required(versions map[protocol.ApiKey]int16) bool {
	r.version = min(versions[protocol.Fetch], lastFetch)
	return true
}

type fetchResponse struct {
	kmsg.FetchResponse
	// buffer is the answer, of which the batches are a part.
	buffer []byte
}

// ApiKey is the request's.
func (*fetchResponse) ApiKey() protocol.ApiKey { return protocol.Fetch } //nolint:revive // the library's interface

// RawExchange writes the request and reads the answer.
func (r *fetchRequest) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	if r.version < firstFetch {
		return nil, fmt.Errorf("the broker knows Fetch up to version %d, and aborted transactions are told from %d on", r.version, firstFetch)
	}
	body, err := exchange(rw, r.request(), r.into)
	if err != nil {
		return nil, err
	}
	res := &fetchResponse{buffer: body}
	res.SetVersion(r.version)
	return res, res.ReadFrom(body)
}

func (r *fetchRequest) request() kmsg.Request {
	req := kmsg.NewPtrFetchRequest()
	req.SetVersion(r.version)
	req.MaxWaitMillis = int32(r.wait / time.Millisecond) //nolint:gosec // a second or a few
	req.MinBytes, req.MaxBytes = 1, maxFetchBytes
	req.IsolationLevel = int8(kafkago.ReadCommitted)
	p := kmsg.NewFetchRequestTopicPartition()
	p.Partition, p.FetchOffset, p.PartitionMaxBytes = r.partition, r.offset, maxFetchBytes
	t := kmsg.NewFetchRequestTopic()
	t.Topic, t.Partitions = r.topic, append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	return req
}

// exchange writes a request and reads the answer's body, into memory that is handed to
// it if it has room.
func exchange(rw io.ReadWriter, req kmsg.Request, into []byte) ([]byte, error) {
	const correlation = 1
	if _, err := rw.Write(kmsg.NewRequestFormatter(kmsg.FormatterClientID("reckon")).AppendRequest(nil, req, correlation)); err != nil {
		return nil, err
	}
	var head [8]byte
	if _, err := io.ReadFull(rw, head[:]); err != nil {
		return nil, err
	}
	size := int(int32(binary.BigEndian.Uint32(head[:4]))) - 4 //nolint:gosec // the bits are a signed number
	if size < 1 || binary.BigEndian.Uint32(head[4:]) != correlation {
		return nil, fmt.Errorf("the broker's answer begins with %x", head)
	}
	body := into[:0]
	for len(body) < size {
		// A length may be wrong: no more memory than has come already.
		have, more := len(body), min(size-len(body), max(maxFetchBytes, len(body)))
		body = slices.Grow(body, more)[:have+more]
		if _, err := io.ReadFull(rw, body[have:]); err != nil {
			return nil, err
		}
	}
	return body, nil
}
