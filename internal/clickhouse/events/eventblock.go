package events

import (
	"fmt"
	"math"
	"time"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/aggregate/fold"
	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/codec"
)

// eventBlock is a block of rows of events, by column.
type eventBlock struct {
	column.Block

	// data is mostly that of the event before.
	accounts, resources, kinds, items, topics, sources, data column.LowCardinality
	ids                                                      column.Strings
	times, sequences, offsets, kafkaMs                       column.Int64s
	logs, partitions                                         column.Int32s
	identities                                               column.FixedStrings16
	stored                                                   column.Decimal128s
	// lifecycle, usage and named tell which columns are there.
	lifecycle, usage, named bool

	// Made of the columns while they are read: the item and the value of each row,
	// and whether some value is below 0.
	names  []string
	values []fold.Units
	bad    bool
}

// newEventBlock is a block of the columns that the queries of events name: type
// and data are not asked for where there is only usage, item and value only where
// there is, source and id only where they are named.
func newEventBlock(lifecycle, usage, named bool) *eventBlock {
	b := &eventBlock{lifecycle: lifecycle, usage: usage, named: named}
	b.Column("account", "LowCardinality(String)", &b.accounts)
	b.Column("resource", "LowCardinality(String)", &b.resources)
	b.Column("time", "DateTime64(3, 'UTC')", &b.times)
	b.Column("sequence", "Int64", &b.sequences)
	b.Column("identity", "FixedString(16)", &b.identities)
	if named {
		b.Column("origin", "LowCardinality(String)", &b.sources)
		b.Column("id", "String", &b.ids)
	}
	if lifecycle {
		b.Column("type", "LowCardinality(String)", &b.kinds)
	}
	if usage {
		b.Column("item", "LowCardinality(String)", &b.items)
		b.Column("value", "Decimal(38, 9)", &b.stored)
	}
	if lifecycle {
		b.Column("said", "LowCardinality(String)", &b.data)
	}
	b.Column("log", "Int32", &b.logs)
	b.Column("topic", "LowCardinality(String)", &b.topics)
	b.Column("partition", "Int32", &b.partitions)
	b.Column("offset", "Int64", &b.offsets)
	b.Column("kafka_ms", "Int64", &b.kafkaMs)
	if usage {
		b.Decoded = b.units
	}
	return b
}

// units makes names and values of the columns.
func (b *eventBlock) units() {
	b.names, b.values, b.bad = b.names[:0], b.values[:0], false
	for i, v := range b.stored {
		b.bad = b.bad || v.High > math.MaxInt64
		b.names, b.values = append(b.names, b.items.At(i)), append(b.values, fold.Units(v))
	}
}

// eventStream stands at rows of one resource, all before the cutoff, from row up
// to end.
type eventStream struct {
	*column.Stream[*eventBlock]
	block    *eventBlock
	row, end int
	// account and resource are those of the rows.
	account, resource string

	cutoff ends
	source string
	known  *knownData
}

// advance goes to the next rows; io.EOF comes after the last.
func (e *eventStream) advance() error {
	for e.row = e.end; ; e.row++ {
		if e.block == nil || e.row >= e.block.Rows {
			block, err := e.Next()
			if err != nil {
				return err
			}
			e.block, e.row = block, 0
		}
		if e.inside(e.row) {
			break
		}
	}
	b := e.block
	e.account, e.resource = b.accounts.At(e.row), b.resources.At(e.row)
	same := column.BothRepeat(&b.accounts, &b.resources, e.row, b.Rows)
	e.end = e.row + 1
	for e.end < same && e.inside(e.end) {
		e.end++
	}
	return nil
}

// inside tells whether a row lies before the cutoff.
func (e *eventStream) inside(i int) bool {
	b := e.block
	return e.cutoff.contain(b.logs[i], b.topics.At(i), b.partitions[i], b.offsets[i])
}

// show makes the rows those that the stream stands at.
func (e *eventStream) show(rows *aggregate.Rows) {
	b, i, j := e.block, e.row, e.end
	*rows = aggregate.Rows{
		AccountID: e.account, ResourceID: e.resource, More: e.more(),
		Times: b.times[i:j], Sequences: b.sequences[i:j], Identities: b.identities[i:j], Of: e,
	}
	if b.usage {
		rows.Items, rows.Values = b.names[i:j], b.values[i:j]
		for ; b.bad && i < j && rows.Err == nil; i++ {
			rows.Err = b.refuse(i)
		}
	}
}

// more tells whether further rows of the resource may come: the next block may go
// on with what this one ends with, and so may what comes after rows that were left
// out.
func (e *eventStream) more() bool {
	b, j := e.block, e.end
	return j == b.Rows || b.accounts.Repeats(j-1, j+1) > j && b.resources.Repeats(j-1, j+1) > j
}

func (e *eventStream) at() (account, resource string) { return e.account, e.resource }

// refuse is an error where the row's value is below 0.
func (b *eventBlock) refuse(i int) error {
	if b.values[i].High > math.MaxInt64 {
		return fmt.Errorf("stored event %v: a value of %s", b.position(i), column.DecimalOf128(b.stored[i], 9))
	}
	return nil
}

func (b *eventBlock) position(i int) schemas.Position {
	return schemas.Position{Log: b.logs[i], Topic: b.topics.At(i), Partition: b.partitions[i], Offset: b.offsets[i]}
}

// Position is as [aggregate.RowSource] says.
func (e *eventStream) Position(i int) (schemas.Position, time.Time) { return e.place(e.row + i) }

func (e *eventStream) place(i int) (schemas.Position, time.Time) {
	return e.block.position(i), kafkaTime(e.block.kafkaMs[i])
}

// Says is as [aggregate.RowSource] says.
func (e *eventStream) Says(i int) (schemas.Type, string) { return e.says(e.row + i) }

func (e *eventStream) says(i int) (schemas.Type, string) {
	if !e.block.lifecycle {
		return schemas.UsageRecorded, ""
	}
	return schemas.Type(e.block.kinds.At(i)), e.block.data.At(i)
}

// Fill is as [aggregate.RowSource] says.
func (e *eventStream) Fill(i int, row *aggregate.Copy) { e.fill(e.row+i, row) }

func (e *eventStream) fill(i int, row *aggregate.Copy) {
	b := e.block
	id := ""
	if b.named {
		e.source, id = b.sources.At(i), string(b.ids.At(i))
	}
	// Field by field: what the data says is overwritten with it.
	row.Source, row.ID, row.Type = e.source, id, schemas.UsageRecorded
	if b.lifecycle {
		row.Type = schemas.Type(b.kinds.At(i))
	}
	row.AccountID, row.ResourceID, row.Time, row.Sequence = e.account, e.resource, time.UnixMilli(b.times[i]).UTC(), b.sequences[i]
	row.Usage = schemas.Usage{}
	row.Position, row.KafkaTime, row.Err = b.position(i), kafkaTime(b.kafkaMs[i]), nil
	if err := e.fillData(&row.Event, i); err != nil {
		row.Err = fmt.Errorf("stored event %s: %w", row.Position.Where(), err)
	}
}

func (e *eventStream) fillData(event *schemas.Event, i int) error {
	b := e.block
	isUsage := event.Type == schemas.UsageRecorded
	switch {
	case isUsage && !b.usage:
		return fmt.Errorf("type %q among the others", event.Type)
	case !isUsage:
		return e.known.set(event, b.data.At(i))
	}
	event.Lifecycle = schemas.Lifecycle{}
	event.Usage = schemas.Usage{Item: b.items.At(i), Value: column.DecimalOf128(b.stored[i], 9)}
	if b.lifecycle {
		return codec.SetData(event, b.data.At(i)) // refuses any
	}
	return nil
}

// ends is a cutoff as it is asked for row by row: the partition of one row is
// mostly that of the row before.
type ends struct {
	all map[schemas.PartitionEnd]int64 // by the partition, without an end
	at  schemas.PartitionEnd
	end int64
}

func newEnds(cutoff schemas.Cutoff) ends {
	e := ends{all: map[schemas.PartitionEnd]int64{}, at: schemas.PartitionEnd{Partition: -1}}
	for _, p := range cutoff {
		e.all[p.WithoutEnd()] = p.End
	}
	return e
}

// contain is [schemas.Cutoff.Contains].
func (e *ends) contain(log int32, topic string, partition int32, offset int64) bool {
	if at := &e.at; partition != at.Partition || log != at.Log || topic != at.Topic {
		*at = schemas.PartitionEnd{Log: log, Topic: topic, Partition: partition}
		e.end = e.all[*at]
	}
	return offset < e.end
}
