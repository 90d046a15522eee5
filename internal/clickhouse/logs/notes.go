package logs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/schemas"
)

// ErrChainBroken says that the store no longer has what a note would join on to: it
// was restored from before. What is missing has to be read again.
var ErrChainBroken = errors.New("the store does not have what was stored before: it was restored from an earlier state")

// Noter notes what one reader of a partition has stored.
type Noter struct {
	store *Store
	now   func() time.Time
	// last is the note before, from a mark if its From is below 0.
	last schemas.LogNote
	// since counts the notes since the last mark.
	since int
}

// Noter is that of a partition which a mark says is stored to its End.
func (s *Store) Noter(marked schemas.PartitionEnd, now func() time.Time) *Noter {
	return &Noter{store: s, now: now, last: schemas.LogNote{PartitionEnd: marked, From: ofMark}}
}

const (
	ofMark = -1
	// markEvery is how many notes of one reader a chain may have before it is marked
	// anew: to follow so many takes a few milliseconds.
	markEvery = 1000
)

// note is a note on its way, with what it joins on to.
type note struct {
	schemas.LogNote
	last schemas.LogNote
	at   time.Time
}

// Note notes that the partition is stored from where the last note ended up to an
// offset, after it is. ErrChainBroken means that it is not noted: the reader has to
// begin again from where the chain ends.
func (n *Noter) Note(ctx context.Context, to, seen int64) error {
	if to <= n.last.End {
		return nil
	}
	next := schemas.LogNote{PartitionEnd: n.last.PartitionEnd, From: n.last.End, Seen: seen}
	next.End = to
	if err := n.store.notes.Commit(ctx, &note{next, n.last, n.now()}, 1, n.store.insertNotes); err != nil {
		return fmt.Errorf("note that %s/%d is stored to %d: %w", next.Topic, next.Partition, to, err)
	}
	n.last = next
	if n.since++; n.since < markEvery {
		return nil
	}
	n.since = 0
	return n.mark(ctx)
}

// mark marks how far the chain goes, which must be as far as was noted.
func (n *Noter) mark(ctx context.Context) error {
	marks, err := n.store.marks(ctx)
	if err != nil {
		return err
	}
	from := n.last.PartitionEnd
	from.End = marks[from.WithoutEnd()]
	reached, err := n.store.follow(ctx, from)
	if err != nil {
		return err
	}
	if reached.End < n.last.End {
		return fmt.Errorf("%s/%d is stored to %d: %w", reached.Topic, reached.Partition, reached.End, ErrChainBroken)
	}
	return n.store.Mark(ctx, []schemas.PartitionEnd{reached.PartitionEnd})
}

// insertNotes writes notes of several partitions, after a look at what they join on to.
func (s *Store) insertNotes(ctx context.Context, notes []*note) error {
	if err := s.joinOn(ctx, notes); err != nil {
		return err
	}
	var rows noteRows
	rows.topics.Reset()
	for _, n := range notes {
		rows.add(&n.LogNote, n.at)
	}
	return s.db.Insert(ctx, "", column.Insert{Table: "log_notes", Blocks: []column.Input{rows.input()}})
}

// joinOn refuses notes whose forerunners are not there.
func (s *Store) joinOn(ctx context.Context, notes []*note) error {
	var topics []string
	var logs, partitions []int32
	var froms, tos []int64
	wanted := map[forerunner]bool{}
	for _, n := range notes {
		one := forerunner{n.last.PartitionEnd, n.last.From}
		if wanted[one] {
			continue
		}
		wanted[one] = true
		topics, logs, partitions = append(topics, n.Topic), append(logs, n.Log), append(partitions, n.Partition)
		froms, tos = append(froms, n.last.From), append(tos, n.last.End)
	}
	var there int64
	err := s.db.Row(ctx, "forerunners", []any{&there}, column.Bind("topics", topics), column.Bind("logs", logs),
		column.Bind("partitions", partitions), column.Bind("froms", froms), column.Bind("tos", tos))
	if err != nil {
		return fmt.Errorf("look for what was noted before: %w", err)
	}
	if there < int64(len(wanted)) {
		return ErrChainBroken
	}
	return nil
}

// forerunner is a note or a mark that another joins on to.
type forerunner struct {
	schemas.PartitionEnd
	from int64
}

// noteRows are rows of log_notes, by column.
type noteRows struct {
	topics           column.LowCardinalityInput
	logs, partitions column.Int32s
	froms, tos, seen column.Int64s
	reasons          column.StringInput
	times            column.Int64s
}

func (r *noteRows) add(n *schemas.LogNote, at time.Time) {
	r.topics.Add(n.Topic)
	r.logs, r.partitions = append(r.logs, n.Log), append(r.partitions, n.Partition)
	r.froms, r.tos, r.seen = append(r.froms, n.From), append(r.tos, n.End), append(r.seen, n.Seen)
	r.reasons.Add(n.Reason)
	r.times = append(r.times, at.UnixMilli())
}

func (r *noteRows) input() column.Input {
	return column.Input{
		{Name: "topic", Data: &r.topics},
		{Name: "log", Data: &r.logs},
		{Name: "partition", Data: &r.partitions},
		{Name: "from", Data: &r.froms},
		{Name: "to", Data: &r.tos},
		{Name: "seen", Data: &r.seen},
		{Name: "reason", Data: &r.reasons},
		{Name: "noted_at", Data: column.Millis(&r.times)},
	}
}

// AcceptGap notes that messages are gone, and why that is accepted.
func (s *Store) AcceptGap(ctx context.Context, gap schemas.LogNote, at time.Time) error {
	var rows noteRows
	rows.topics.Reset()
	rows.add(&gap, at)
	if err := s.db.Insert(ctx, "", column.Insert{Table: "log_notes", Blocks: []column.Input{rows.input()}}); err != nil {
		return fmt.Errorf("note the gap of %s/%d from %d to %d: %w", gap.Topic, gap.Partition, gap.From, gap.End, err)
	}
	return nil
}

// Gaps are all gaps that were accepted.
func (s *Store) Gaps(ctx context.Context) ([]schemas.LogNote, error) {
	var all []schemas.LogNote
	var n schemas.LogNote
	err := s.db.Each(ctx, "log_gaps", []any{&n.Topic, &n.Log, &n.Partition, &n.From, &n.End, &n.Reason}, func() error {
		all = append(all, n)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the gaps of the logs: %w", err)
	}
	return all, nil
}
