package events

import (
	"context"
	"encoding/hex"
	"fmt"

	"github.com/reckon-billing/reckon/internal/audit"
	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/internal/clickhouse/scope"
	"github.com/reckon-billing/reckon/schemas"
)

// columnLists are parts of statements: {{row_of_events}} and {{row_of_dead_letters}}
// are a row of those tables as one text, made of the columns that ingest inserts.
func columnLists() column.Texts {
	all := column.Texts{}
	all.RowOf("events", newEventRows(column.NewArena()).all)
	all.RowOf("dead_letters", newLetterRows().all)
	return all
}

// StoredMessages streams the rows of every message before the cutoff, as
// [audit.Messages] says.
func (s *Store) StoredMessages(ctx context.Context, cutoff schemas.Cutoff) (schemas.Cursor[audit.StoredMessage], error) {
	rows, err := column.OpenStream(ctx, s.db, "stored_messages", nil, scope.BindCutoff("", cutoff), newMessageBlock(), newMessageBlock())
	if err != nil {
		return nil, err
	}
	return &storedMessages{Stream: rows}, nil
}

// messageBlock is a block of rows of stored_messages.sql, by column.
type messageBlock struct {
	column.Block
	topics, reasons  column.LowCardinality
	logs, partitions column.Int32s
	offsets          column.Int64s
	rejected         column.Bools
	digests          column.FixedStrings
	details          column.Strings
}

func newMessageBlock() *messageBlock {
	b := &messageBlock{digests: column.FixedStrings{Size: len(schemas.Digest{})}}
	b.Column("log", "Int32", &b.logs)
	b.Column("topic", "LowCardinality(String)", &b.topics)
	b.Column("partition", "Int32", &b.partitions)
	b.Column("offset", "Int64", &b.offsets)
	b.Column("rejected", "Bool", &b.rejected)
	b.Column("digest", "FixedString(32)", &b.digests)
	b.Column("reason", "LowCardinality(String)", &b.reasons)
	b.Column("detail", "String", &b.details)
	return b
}

// storedMessages goes through the rows of blocks.
type storedMessages struct {
	*column.Stream[*messageBlock]
	block *messageBlock
	at    int
	row   audit.StoredMessage
}

// Next is as [schemas.Cursor] says.
func (c *storedMessages) Next() (*audit.StoredMessage, error) {
	if c.at++; c.block == nil || c.at >= c.block.Rows {
		block, err := c.Stream.Next()
		if err != nil {
			return nil, err
		}
		c.block, c.at = block, 0
	}
	b, i := c.block, c.at
	c.row = audit.StoredMessage{
		Position: schemas.Position{Log: b.logs[i], Topic: b.topics.At(i), Partition: b.partitions[i], Offset: b.offsets[i]},
		Rejected: b.rejected[i], Digest: schemas.Digest(b.digests.Row(i)), Why: schemas.Rejection{Reason: b.reasons.At(i), Detail: b.details.Like("", i)},
	}
	return &c.row, nil
}

// Close is as [schemas.Cursor] says.
func (c *storedMessages) Close() error {
	c.Stream.Close()
	return nil
}

// StoredBytes yields the messages of a partition that are stored before an offset, as
// [audit.Messages] says.
func (s *Store) StoredBytes(ctx context.Context, end schemas.PartitionEnd, yield func(*audit.StoredBytes) error) error {
	var b audit.StoredBytes
	var digest, key, value string
	var keys, values []string
	var ms int64
	b.Message.Log, b.Message.Topic, b.Message.Partition = end.Log, end.Topic, end.Partition
	err := s.db.Each(ctx, "stored_bytes",
		[]any{&b.Rejected, &digest, &b.Why.Reason, &b.Why.Detail, &b.Message.Offset, &ms, &key, &value, &keys, &values},
		func() error {
			copy(b.Digest[:], digest)
			b.Message.Time, b.Message.Key, b.Message.Value = kafkaTime(ms), []byte(key), []byte(value)
			b.Message.Headers = b.Message.Headers[:0]
			for i := range min(len(keys), len(values)) {
				b.Message.Headers = append(b.Message.Headers, schemas.Header{Key: keys[i], Value: []byte(values[i])})
			}
			return yield(&b)
		}, column.Bind("log", end.Log), column.Bind("topic", end.Topic), column.Bind("partition", end.Partition), column.Bind("before", end.End))
	if err != nil {
		return fmt.Errorf("read the stored messages of %s/%d: %w", end.Topic, end.Partition, err)
	}
	return nil
}

// MessageRows are the rows of one message, as [audit.Messages] says.
func (s *Store) MessageRows(ctx context.Context, at schemas.Position, rejected bool) ([]string, error) {
	return s.texts(ctx, "stored_row", column.Bind("rejected", rejected),
		column.Bind("log", at.Log), column.Bind("topic", at.Topic), column.Bind("partition", at.Partition), column.Bind("offset", at.Offset))
}

// StrayedRows are rows that may be those of a message, as [audit.Messages] says.
func (s *Store) StrayedRows(ctx context.Context, cutoff schemas.Cutoff, m *schemas.Message, identity schemas.Hash, rejected bool) ([]string, error) {
	return s.texts(ctx, "strayed_messages", append(scope.BindCutoff("", cutoff), column.Bind("rejected", rejected),
		column.Bind("identity", hex.EncodeToString(identity[:])), column.Bind("kafka_ms", kafkaMillis(m.Time)))...)
}

func (s *Store) texts(ctx context.Context, query string, args ...any) ([]string, error) {
	all, err := column.All(ctx, s.db, query, func(c *column.Rows) (text string, err error) { return text, c.Next(&text) }, args...)
	if err != nil {
		return nil, fmt.Errorf("read the rows of a message: %w", err)
	}
	return all, nil
}

// MissingIdentities names events before the cutoff that the search for copies of
// one identity would not see, up to so many, by log, topic, partition and offset.
func (s *Store) MissingIdentities(ctx context.Context, cutoff schemas.Cutoff, most int) ([]schemas.Position, error) {
	var all []schemas.Position
	var one schemas.Position
	err := s.db.Each(ctx, "missing_identities", []any{&one.Log, &one.Topic, &one.Partition, &one.Offset}, func() error {
		all = append(all, one)
		return nil
	}, append(scope.BindCutoff("", cutoff), column.Bind("most", int64(most)))...)
	if err != nil {
		return nil, fmt.Errorf("look for events without an identity: %w", err)
	}
	return all, nil
}
