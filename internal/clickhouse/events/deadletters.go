package events

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/reckon-billing/reckon/internal/audit"
	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/internal/clickhouse/scope"
	"github.com/reckon-billing/reckon/schemas"
)

func bindLetters(f *audit.DeadLetterFilter) []any {
	at := schemas.Position{Topic: f.Topic}
	if f.At != nil {
		at = *f.At
	}
	return []any{
		column.Bind("topic", at.Topic), column.Bind("reason", f.Reason), column.Bind("producer", f.Producer),
		column.Bind("has_from", !f.From.IsZero()), scope.BindTime("from", f.From), column.Bind("has_to", !f.To.IsZero()), scope.BindTime("to", f.To),
		column.Bind("one", f.At != nil), column.Bind("log", at.Log), column.Bind("partition", at.Partition), column.Bind("offset", at.Offset),
	}
}

// DeadLetters yields the chosen letters by log, topic, partition and offset, whole or
// without their bytes. Letters that come meanwhile are not among them.
func (s *Store) DeadLetters(ctx context.Context, filter audit.DeadLetterFilter, whole bool, yield func(*audit.DeadLetter) error) error {
	name := "dead_letters"
	if whole {
		name = "dead_letters_whole"
	}
	rows, err := s.db.Rows(ctx, name, bindLetters(&filter)...)
	if err != nil {
		return fmt.Errorf("read dead letters: %w", err)
	}
	defer func() { _ = rows.Close() }() // always nil
	for {
		letter, err := scanDeadLetter(rows)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read dead letters: %w", err)
		}
		if err := yield(letter); err != nil {
			return err
		}
	}
}

func scanDeadLetter(c *column.Rows) (*audit.DeadLetter, error) {
	var (
		l                   audit.DeadLetter
		key, value          string
		keys, values        []string
		isReplay            bool
		ofLog, ofPartition  int32
		ofOffset            int64
		newLog              int32
		newPartition        int32
		newOffset           int64
		kafkaTime, replayed time.Time
	)
	err := c.Next(&l.Log, &l.Topic, &l.Partition, &l.Offset, &kafkaTime, &l.Producer, &l.Bytes, &key, &value, &keys, &values, &l.Reason, &l.Detail,
		&l.Replays, &replayed, &newLog, &newPartition, &newOffset, &l.Fixed, &isReplay, &ofLog, &ofPartition, &ofOffset)
	if err != nil {
		return nil, err
	}
	if kafkaTime.UnixMilli() != 0 { // 1970 stands for none
		l.Time = kafkaTime.UTC()
	}
	if key != "" {
		l.Key = []byte(key)
	}
	l.Value = []byte(value)
	for i := range keys {
		l.Headers = append(l.Headers, schemas.Header{Key: keys[i], Value: []byte(values[i])})
	}
	if l.Replays > 0 {
		l.ReplayedAt = replayed.UTC()
		l.ReplayedAs = schemas.Position{Log: newLog, Topic: l.Topic, Partition: newPartition, Offset: newOffset}
	}
	if isReplay {
		l.ReplayOf = &schemas.Position{Log: ofLog, Topic: l.Topic, Partition: ofPartition, Offset: ofOffset}
	}
	return &l, nil
}

// DeadLetterReasons counts the chosen letters by reason, most first.
func (s *Store) DeadLetterReasons(ctx context.Context, filter audit.DeadLetterFilter) ([]audit.ReasonCount, error) {
	var all []audit.ReasonCount
	var c audit.ReasonCount
	err := s.db.Each(ctx, "dead_letter_reasons", []any{&c.Reason, &c.Letters, &c.Replayed, &c.Again}, func() error {
		all = append(all, c)
		return nil
	}, bindLetters(&filter)...)
	if err != nil {
		return nil, fmt.Errorf("count dead letters: %w", err)
	}
	return all, nil
}

// AddReplays writes replays down, after the broker has the messages.
func (s *Store) AddReplays(ctx context.Context, replays []audit.Replay, at time.Time) error {
	var topics column.StringInput
	var fixed column.Bools
	var logs, newLogs, partitions, newPartitions column.Int32s
	var offsets, newOffsets, times column.Int64s
	for _, r := range replays {
		topics.Add(r.Letter.Topic)
		logs, newLogs = append(logs, r.Letter.Log), append(newLogs, r.As.Log)
		partitions, offsets = append(partitions, r.Letter.Partition), append(offsets, r.Letter.Offset)
		newPartitions, newOffsets = append(newPartitions, r.As.Partition), append(newOffsets, r.As.Offset)
		fixed, times = append(fixed, r.Fixed), append(times, at.UnixMilli())
	}
	err := s.db.Insert(ctx, "", column.Insert{Table: "dead_letter_replays", Blocks: []column.Input{{
		{Name: "log", Data: &logs},
		{Name: "topic", Data: &topics},
		{Name: "partition", Data: &partitions},
		{Name: "offset", Data: &offsets},
		{Name: "new_log", Data: &newLogs},
		{Name: "new_partition", Data: &newPartitions},
		{Name: "new_offset", Data: &newOffsets},
		{Name: "fixed", Data: &fixed},
		{Name: "replayed_at", Data: column.Millis(&times)},
	}}})
	if err != nil {
		return fmt.Errorf("write down %d replays: %w", len(replays), err)
	}
	return nil
}

// Conflicts yields the copies in conflict by account, resource and time; an empty
// account means all.
func (s *Store) Conflicts(ctx context.Context, account string, yield func(*audit.Conflict) error) error {
	var c audit.Conflict
	var kind string
	err := s.db.Each(ctx, "conflicts", []any{
		&c.AccountID, &c.ResourceID, &c.Source, &c.ID, &kind, &c.Time, &c.Position.Log, &c.Position.Topic, &c.Position.Partition, &c.Position.Offset, &c.Raw,
		&c.Counting.Log, &c.Counting.Topic, &c.Counting.Partition, &c.Counting.Offset, &c.CountingRaw,
	}, func() error {
		c.Type, c.Time = schemas.Type(kind), c.Time.UTC()
		return yield(&c)
	}, column.Bind("account", account))
	if err != nil {
		return fmt.Errorf("list conflicts: %w", err)
	}
	return nil
}
