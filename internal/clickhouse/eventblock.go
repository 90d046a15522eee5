package clickhouse

import (
	"fmt"
	"time"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/schemas"
)

// eventBlock is a block of rows of events, by column.
type eventBlock struct {
	columns
	rows int

	accounts, resources, sources, ids, data texts
	times, sequences, offsets, kafkaMs      proto.ColInt64
	partitions                              proto.ColInt32
	kinds, items, topics                    words
	values                                  proto.ColDecimal128
	// lifecycle and usage tell which columns are there.
	lifecycle, usage bool
}

// newEventBlock is a block of the columns that the queries of events name: data
// is not asked for where there is only usage, item and value only where there is.
func newEventBlock(lifecycle, usage bool) *eventBlock {
	b := &eventBlock{lifecycle: lifecycle, usage: usage}
	b.columns = columns{
		{"account_id", "String", &b.accounts},
		{"resource_id", "String", &b.resources},
		{"time", "DateTime64(3, 'UTC')", &b.times},
		{"sequence", "Int64", &b.sequences},
		{"source", "String", &b.sources},
		{"id", "String", &b.ids},
		{"type", "LowCardinality(String)", &b.kinds},
	}
	if usage {
		b.columns = append(b.columns, column{"item", "LowCardinality(String)", &b.items}, column{"value", "Decimal(38, 9)", &b.values})
	}
	if lifecycle {
		b.columns = append(b.columns, column{"data", "String", &b.data})
	}
	b.columns = append(b.columns,
		column{"topic", "LowCardinality(String)", &b.topics},
		column{"partition", "Int32", &b.partitions},
		column{"offset", "Int64", &b.offsets},
		column{"kafka_ms", "Int64", &b.kafkaMs},
	)
	return b
}

// DecodeResult is called by the library for each block.
func (b *eventBlock) DecodeResult(r *proto.Reader, version int, block proto.Block) error {
	b.rows = block.Rows
	return b.columns.DecodeResult(r, version, block)
}

// eventStream stands at one row after the other, of those before the cutoff.
type eventStream struct {
	*stream[*eventBlock]
	block *eventBlock
	row   int
	// account and resource are those of the row.
	account, resource string

	cutoff ends
	source string
	ids    shared
	known  *knownData
}

// advance goes to the next row; io.EOF comes after the last.
func (e *eventStream) advance() error {
	for {
		e.row++
		if e.block == nil || e.row >= e.block.rows {
			block, err := e.next()
			if err != nil {
				return err
			}
			e.block, e.row, e.ids = block, 0, shared{}
		}
		b, i := e.block, e.row
		if e.cutoff.contain(b.topics.at(i), b.partitions[i], b.offsets[i]) {
			e.account = b.accounts.like(e.account, i)
			e.resource = b.resources.like(e.resource, i)
			return nil
		}
	}
}

// fill makes the row a copy of an event.
func (e *eventStream) fill(row *aggregate.Copy) {
	b, i := e.block, e.row
	e.source = b.sources.like(e.source, i)
	*row = aggregate.Copy{
		Event: schemas.Event{
			Source: e.source, ID: e.ids.at(&b.ids, i), Type: schemas.Type(b.kinds.at(i)),
			AccountID: e.account, ResourceID: e.resource, Time: time.UnixMilli(b.times[i]).UTC(), Sequence: b.sequences[i],
		},
		Position:  schemas.Position{Topic: b.topics.at(i), Partition: b.partitions[i], Offset: b.offsets[i]},
		KafkaTime: kafkaTime(b.kafkaMs[i]),
	}
	if err := e.fillData(&row.Event); err != nil {
		row.Err = fmt.Errorf("stored event %s[%d]@%d: %w", row.Position.Topic, row.Position.Partition, row.Position.Offset, err)
	}
}

func (e *eventStream) fillData(event *schemas.Event) error {
	b, i := e.block, e.row
	isUsage := event.Type == schemas.UsageRecorded
	switch {
	case isUsage && !b.usage || !isUsage && !b.lifecycle:
		return fmt.Errorf("type %q among the others", event.Type)
	case isUsage:
		event.Item, event.Value = b.items.at(i), decimal128(b.values[i], 9)
		if b.lifecycle {
			return event.SetData(string(b.data.at(i))) // refuses any
		}
		return nil
	}
	return e.known.set(event, b.data.at(i))
}

// ends is a cutoff as it is asked for row by row: the partition of one row is
// mostly that of the row before.
type ends struct {
	all       map[string]map[int32]int64
	topic     string
	partition int32
	end       int64
}

func newEnds(cutoff schemas.Cutoff) ends {
	e := ends{all: map[string]map[int32]int64{}, partition: -1}
	for _, p := range cutoff {
		if e.all[p.Topic] == nil {
			e.all[p.Topic] = map[int32]int64{}
		}
		e.all[p.Topic][p.Partition] = p.End
	}
	return e
}

// contain is [schemas.Cutoff.Contains].
func (e *ends) contain(topic string, partition int32, offset int64) bool {
	if partition != e.partition || topic != e.topic {
		e.topic, e.partition, e.end = topic, partition, e.all[topic][partition]
	}
	return offset < e.end
}
