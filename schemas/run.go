package schemas

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// RunKind says what a run is for.
type RunKind string

// KindSeal is a run that seals a month or settles sealed ones. Only these decide
// which copy of an event counts (contract 2).
const KindSeal RunKind = "seal"

// Run is one seal as it was written down before anything was derived: which
// month, which part of the log it may look at, and when (contract 5.2).
type Run struct {
	// Number counts the runs of all kinds from 1 without gaps. Between those of one
	// kind others may lie.
	Number int64
	Kind   RunKind
	Month  Month
	// CreatedAt is the instant at which the ends were noted, UTC; it is created_at
	// of all that the run issues.
	CreatedAt time.Time
	// Cutoff is the noted end of every partition, sorted.
	Cutoff Cutoff
	// SettleAll tells that the run derives every sealed month of every resource again,
	// and not only of those that late events touch (contract 2).
	SettleAll bool
	// Settings that the first run fixes for good.
	FirstMonth     Month
	Currency, Zone string
}

// Equal tells whether two runs are the same in all that was written down.
func (r Run) Equal(o Run) bool {
	return r.Number == o.Number && r.Kind == o.Kind && r.Month == o.Month && r.CreatedAt.Equal(o.CreatedAt) && r.Cutoff.Equal(o.Cutoff) && r.SettleAll == o.SettleAll &&
		r.FirstMonth == o.FirstMonth && r.Currency == o.Currency && r.Zone == o.Zone
}

// PartitionEnd is the end of one partition: the offset after the last message.
type PartitionEnd struct {
	Log       int32
	Topic     string
	Partition int32
	End       int64
}

// Cutoff is a set of partition ends, sorted by log, topic and partition. It names every
// log that there was, those that have ended with their ends.
type Cutoff []PartitionEnd

// NewCutoff sorts the ends into a cutoff.
func NewCutoff(ends []PartitionEnd) Cutoff {
	c := slices.Clone(ends)
	slices.SortFunc(c, PartitionEnd.compare)
	return c
}

func (p PartitionEnd) compare(o PartitionEnd) int {
	return cmp.Or(cmp.Compare(p.Log, o.Log), strings.Compare(p.Topic, o.Topic), cmp.Compare(p.Partition, o.Partition))
}

// PartitionEnd is the partition that the message lies in, without an end.
func (p Position) PartitionEnd() PartitionEnd {
	return PartitionEnd{Log: p.Log, Topic: p.Topic, Partition: p.Partition}
}

// WithoutEnd is the partition alone, to look it up by.
func (p PartitionEnd) WithoutEnd() PartitionEnd {
	p.End = 0
	return p
}

// Contains tells whether the message at the position lies before the cutoff. A
// partition that the cutoff does not name had no messages.
func (c Cutoff) Contains(p Position) bool {
	i, found := slices.BinarySearchFunc(c, p.PartitionEnd(), PartitionEnd.compare)
	return found && p.Offset < c[i].End
}

// Equal tells whether two cutoffs are the same.
func (c Cutoff) Equal(o Cutoff) bool { return slices.Equal(c, o) }
