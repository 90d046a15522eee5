package app

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/reckon-billing/reckon/ingest"
	"github.com/reckon-billing/reckon/schemas"
)

// logbook is what is known of the logs of events and what the brokers tell of them: an
// element each for each topic, in the same order.
type logbook struct {
	known []ingest.KnownLog
	found []ingest.FoundLog
	// ended are the partitions of the logs before, with where they ended.
	ended []schemas.PartitionEnd
}

// differences are how what is found differs from what is known.
func (b *logbook) differences() (all []schemas.LogDifference) {
	for i := range b.known {
		all = append(all, ingest.CompareLogs(&b.known[i], &b.found[i])...)
	}
	return all
}

// open are the partitions of the logs that are read, with how far each is stored.
func (b *logbook) open() (stored []schemas.PartitionEnd) {
	for i := range b.known {
		for p := range b.found[i].Ends {
			at := b.known[i].Partition(int32(p))
			at.End = b.known[i].StoredTo(at.Partition)
			stored = append(stored, at)
		}
	}
	return stored
}

// endOf is where the brokers say that a partition ends.
func (b *logbook) endOf(p schemas.PartitionEnd) int64 {
	for i := range b.found {
		if b.found[i].Topic == p.Topic {
			return b.found[i].Ends[p.Partition]
		}
	}
	return 0
}

// eventLogs are the settings that name topics of events, with the topics; a topic that
// two of them name is the first's.
func (a *App) eventLogs() (settings, topics []string) {
	for _, s := range [][2]string{{"lifecycle", a.Config.Kafka.Topics.Lifecycle}, {"usage", a.Config.Kafka.Topics.Usage}} {
		if !slices.Contains(topics, s[1]) {
			settings, topics = append(settings, s[0]), append(topics, s[1])
		}
	}
	return settings, topics
}

// logs reads what is known of the logs and compares it with what is there: where they
// differ it refuses, with a [schemas.RefusedLogError].
func (a *App) logs(ctx context.Context) (*logbook, error) {
	b, err := a.readLogs(ctx)
	if err != nil {
		return nil, err
	}
	if found := b.differences(); len(found) > 0 {
		return nil, &schemas.RefusedLogError{Found: found}
	}
	return b, nil
}

// readLogs reads both sides.
func (a *App) readLogs(ctx context.Context) (*logbook, error) {
	settings, topics := a.eventLogs()
	found, err := a.Kafka.Logs(ctx, topics...)
	if err != nil {
		return nil, fmt.Errorf("ask which logs the topics are: %w", err)
	}
	all, err := a.Store.Logs(ctx)
	if err != nil {
		return nil, err
	}
	b := &logbook{found: found, ended: endedLogs(all)}
	for i, setting := range settings {
		known := ingest.KnownLog{Log: schemas.Log{Setting: setting, Topic: topics[i], Begins: found[i].Begins}}
		at := slices.IndexFunc(all, func(l schemas.Log) bool { return l.Setting == setting })
		if at < 0 {
			err = a.knowBySight(ctx, &known, &found[i])
		} else {
			err = a.knowByNotes(ctx, &known, newest(all, setting), &found[i])
		}
		if err != nil {
			return nil, err
		}
		b.known = append(b.known, known)
	}
	return b, nil
}

// newest is the log that a setting's topic is now: they are sorted.
func newest(all []schemas.Log, setting string) (last schemas.Log) {
	for _, l := range all {
		if l.Setting == setting {
			last = l
		}
	}
	return last
}

// endedLogs are the partitions of logs that others have taken the place of.
func endedLogs(all []schemas.Log) (ended []schemas.PartitionEnd) {
	for _, l := range all {
		if l.Before == nil {
			continue
		}
		for p, end := range l.Before.Ends {
			ended = append(ended, schemas.PartitionEnd{
				Log: l.Before.Number, Topic: l.Before.Topic, Partition: int32(p), End: end,
			})
		}
	}
	return ended
}

// knowByNotes follows the notes of a log. Where no ids are told, it is known by its
// last stored messages too.
func (a *App) knowByNotes(ctx context.Context, known *ingest.KnownLog, recorded schemas.Log, found *ingest.FoundLog) error {
	known.Log = recorded
	partitions := make([]schemas.PartitionEnd, max(len(recorded.Begins), len(found.Ends)))
	for p := range partitions {
		partitions[p] = recorded.Partition(int32(p))
		partitions[p].End = recorded.Begin(int32(p))
	}
	reached, err := a.Store.Reached(ctx, partitions)
	if err != nil {
		return err
	}
	for _, r := range reached {
		known.Stored = append(known.Stored, r.End)
	}
	if recorded.Topic != found.Topic || recorded.TopicID != "" && found.TopicID != "" {
		return nil
	}
	last, err := a.Store.LastMessages(ctx, recorded.Topic, recorded.Number)
	if err != nil {
		return err
	}
	return a.changed(ctx, known, found, last)
}

// knowBySight is of a topic of which no log is recorded: by its last stored messages, if
// any were stored before there were logs. What is stored of it is what the group had
// committed then, as far as the store has it.
func (a *App) knowBySight(ctx context.Context, known *ingest.KnownLog, found *ingest.FoundLog) error {
	last, err := a.Store.LastMessages(ctx, found.Topic, 0)
	if err != nil || len(last) == 0 {
		return err
	}
	for _, m := range last {
		known.Stored = append(known.Stored, make([]int64, max(0, int(m.Partition)+1-len(known.Stored)))...)
		known.Stored[m.Partition] = m.Offset + 1
	}
	for p := range found.Begins {
		if p >= len(known.Stored) {
			known.Stored = append(known.Stored, found.Begins[p])
		} else if known.Stored[p] == 0 {
			known.Stored[p] = found.Begins[p]
		}
	}
	return a.changed(ctx, known, found, last)
}

// changed looks at the last stored messages where the log still has them.
func (a *App) changed(ctx context.Context, known *ingest.KnownLog, found *ingest.FoundLog, last []schemas.Message) error {
	for _, stored := range last {
		p := int(stored.Partition)
		if p >= len(found.Ends) || stored.Offset < found.Begins[p] || stored.Offset >= found.Ends[p] || stored.Offset >= known.StoredTo(stored.Partition) {
			continue
		}
		same := false
		err := a.Kafka.Read(ctx, found.Topic, stored.Partition, stored.Offset, stored.Offset+1, func(m *schemas.Message) error {
			same = m.Offset == stored.Offset && m.Time.Equal(stored.Time) && bytes.Equal(m.Value, stored.Value)
			return nil
		})
		if err != nil {
			return fmt.Errorf("look at the last stored message of %s/%d: %w", found.Topic, p, err)
		}
		if !same {
			known.Changed = append(known.Changed, stored.Partition)
		}
	}
	return nil
}

// usualGroup was the group's name by default before it held the installation's id.
const usualGroup = "reckon-ingest"

// begin records the first log of a topic. What was stored before is taken as stored as
// far as the group had committed it: a batch may have been stored in part.
func (a *App) begin(ctx context.Context, known *ingest.KnownLog, found *ingest.FoundLog) error {
	var marks []schemas.PartitionEnd
	if known.Stored != nil {
		group := a.Config.Kafka.Group
		if group == "" {
			group = usualGroup
		}
		committed, err := a.Kafka.Committed(ctx, group, found.Topic)
		if err != nil {
			return err
		}
		for _, c := range committed {
			known.Stored[c.Partition] = max(min(c.End, known.Stored[c.Partition]), found.Begins[c.Partition])
			at := known.Partition(c.Partition)
			at.End = known.Stored[c.Partition]
			marks = append(marks, at)
		}
	}
	known.TopicID, known.ClusterID, known.BeganAt = found.TopicID, found.ClusterID, a.Now()
	known.Found = "first seen"
	if len(marks) > 0 {
		known.Found = "was read before there were logs"
	}
	if err := a.Store.Mark(ctx, marks); err != nil {
		return err
	}
	stored, err := a.Store.AddLog(ctx, known.Log)
	known.Log = stored
	return err
}

// begins tells ingest from where partitions are read, and marks them there. A topic that
// is read for the first time begins its first log here.
func (a *App) begins(ctx context.Context, partitions []schemas.PartitionEnd) ([]schemas.PartitionEnd, []ingest.FoundLog, error) {
	b, err := a.logs(ctx)
	if err != nil {
		return nil, nil, err
	}
	for i := range b.known {
		if !b.known[i].BeganAt.IsZero() {
			continue
		}
		if err := a.begin(ctx, &b.known[i], &b.found[i]); err != nil {
			return nil, nil, err
		}
	}
	var from []schemas.PartitionEnd
	for _, at := range b.open() {
		if slices.ContainsFunc(partitions, func(p schemas.PartitionEnd) bool { return p.Topic == at.Topic && p.Partition == at.Partition }) {
			from = append(from, at)
		}
	}
	if len(from) != len(partitions) {
		return nil, nil, fmt.Errorf("the group gave %d partitions, of which the brokers tell of %d", len(partitions), len(from))
	}
	return from, b.found, a.Store.Mark(ctx, from)
}

// group is the consumer group of ingest. By default no other installation has it.
func (a *App) group(ctx context.Context) (string, error) {
	if name := a.Config.Kafka.Group; name != "" {
		return name, nil
	}
	var drawn [8]byte
	if _, err := rand.Read(drawn[:]); err != nil {
		return "", fmt.Errorf("draw an id of the installation: %w", err)
	}
	id, err := a.Store.Installation(ctx, hex.EncodeToString(drawn[:]), a.Now())
	return usualGroup + "-" + id, err
}
