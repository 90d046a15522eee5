package events

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/reckon-billing/reckon/ingest"
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

var _ ingest.Debts = (*Store)(nil)

// NoteCopies notes that copies of dead letters are owed, or were written; see
// [ingest.Debts].
func (s *Store) NoteCopies(ctx context.Context, letters []schemas.Position, written bool) error {
	var topics column.StringInput
	var logs, partitions column.Int32s
	var offsets column.Int64s
	var all column.Bools
	for _, at := range letters {
		topics.Add(at.Topic)
		logs, partitions, offsets = append(logs, at.Log), append(partitions, at.Partition), append(offsets, at.Offset)
		all = append(all, written)
	}
	err := s.db.Insert(ctx, "", column.Insert{Table: "dead_letter_copies", Blocks: []column.Input{{
		{Name: "log", Data: &logs},
		{Name: "topic", Data: &topics},
		{Name: "partition", Data: &partitions},
		{Name: "offset", Data: &offsets},
		{Name: "written", Data: &all},
	}}})
	if err != nil {
		return fmt.Errorf("note %d copies of dead letters: %w", len(letters), err)
	}
	return nil
}

// OwedCopies yields the dead letters whose copies are owed; see [ingest.Debts].
func (s *Store) OwedCopies(ctx context.Context, yield func(*ingest.Rejected) error) error {
	var r ingest.Rejected
	var ms int64
	var key, value string
	var keys, values []string
	m, why := &r.Message, &r.Rejection
	err := s.db.Each(ctx, "owed_letters", []any{
		&m.Log, &m.Topic, &m.Partition, &m.Offset, &ms, &key, &value, &keys, &values, &why.Reason, &why.Detail,
	}, func() error {
		m.Time, m.Key, m.Value, m.Headers = kafkaTime(ms), nil, []byte(value), nil
		if key != "" {
			m.Key = []byte(key)
		}
		for i := range keys {
			m.Headers = append(m.Headers, schemas.Header{Key: keys[i], Value: []byte(values[i])})
		}
		return yield(&r)
	})
	if err != nil {
		return fmt.Errorf("read the dead letters whose copies are owed: %w", err)
	}
	return nil
}

// CountOwedCopies counts them; see [ingest.Debts].
func (s *Store) CountOwedCopies(ctx context.Context) (n int64, err error) {
	if err := s.db.Row(ctx, "count_owed", []any{&n}); err != nil {
		return 0, fmt.Errorf("count the copies of dead letters that are owed: %w", err)
	}
	return n, nil
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
