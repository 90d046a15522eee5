package events

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"

	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/codec"
)

// eventRows are the rows of a batch of events, by column, and those that stand for
// them in identities.
type eventRows struct {
	accounts, resources, sources, ids, data column.StringInput
	raw                                     column.ArenaInput
	kinds, items, topics                    column.LowCardinalityInput
	times, sequences, offsets, kafkaMs      column.Int64s
	logs, partitions                        column.Int32s
	usage                                   column.Bools
	values                                  column.Decimal128Input
	identities, contents                    column.FixedStrings16
	headerKeys, headerValues                column.StringInput
	keyLists, valueLists                    column.ArrayInput
	shortIdentities, shortContents          column.UInt64s

	all, short column.Input
	digest     hash.Hash
	// digested is what has yet to go into the digest, canonical what data is
	// written to.
	digested, canonical []byte
}

func newEventRows(arena *column.Arena) *eventRows {
	r := &eventRows{values: column.Decimal128Input{Places: 9, Name: "value"}, raw: column.ArenaInput{Arena: arena}, digest: sha256.New()}
	r.keyLists.Values, r.valueLists.Values = &r.headerKeys, &r.headerValues
	r.all = column.Input{
		{Name: "account_id", Data: &r.accounts},
		{Name: "resource_id", Data: &r.resources},
		{Name: "time", Data: column.Millis(&r.times)},
		{Name: "sequence", Data: &r.sequences},
		{Name: "source", Data: &r.sources},
		{Name: "id", Data: &r.ids},
		{Name: "is_usage", Data: &r.usage},
		{Name: "type", Data: &r.kinds},
		{Name: "item", Data: &r.items},
		{Name: "value", Data: &r.values},
		{Name: "data", Data: &r.data},
		{Name: "identity", Data: &r.identities},
		{Name: "content", Data: &r.contents},
		{Name: "log", Data: &r.logs},
		{Name: "topic", Data: &r.topics},
		{Name: "partition", Data: &r.partitions},
		{Name: "offset", Data: &r.offsets},
		{Name: "kafka_ms", Data: &r.kafkaMs},
		{Name: "raw", Data: &r.raw},
		{Name: "header_keys", Data: &r.keyLists},
		{Name: "header_values", Data: &r.valueLists},
	}
	r.short = column.Input{
		{Name: "identity", Data: &r.shortIdentities},
		{Name: "content", Data: &r.shortContents},
	}
	return r
}

func (r *eventRows) reset() {
	r.all.Reset()
	r.short.Reset()
	r.digest.Reset()
	r.digested = r.digested[:0]
}

// digestAtOnce is how many bytes are digested at a time: row by row costs twice.
const digestAtOnce = 8 << 10

// sum is the digest of the rows so far. Where the messages lie is not enough: a
// topic that was made anew has the same offsets with other bytes, and the server
// drops an insert with a known token without a word.
func (r *eventRows) sum() []byte {
	r.digest.Write(r.digested)
	r.digested = r.digested[:0]
	return r.digest.Sum(nil)
}

func (r *eventRows) rows() int { return len(r.times) }

// add refuses an event whose value the column cannot hold.
func (r *eventRows) add(e *schemas.Event, m *schemas.Message) error {
	if err := r.values.Add(e.Value); err != nil {
		return fmt.Errorf("%s: %w", m.Where(), err)
	}
	identity, content := schemas.Identity(e.Source, e.ID), codec.Content(e)
	isUsage := e.Type == schemas.UsageRecorded
	r.accounts.Add(e.AccountID)
	r.resources.Add(e.ResourceID)
	r.times = append(r.times, e.Time.UnixMilli())
	r.sequences = append(r.sequences, e.Sequence)
	r.sources.Add(e.Source)
	r.ids.Add(e.ID)
	r.usage = append(r.usage, isUsage)
	r.kinds.Add(string(e.Type))
	r.items.Add(e.Item)
	r.canonical = r.canonical[:0]
	if !isUsage {
		r.canonical = codec.AppendData(r.canonical, e)
	}
	r.data.AddBytes(r.canonical)
	r.identities = append(r.identities, identity)
	r.contents = append(r.contents, content)
	r.shortIdentities = append(r.shortIdentities, binary.LittleEndian.Uint64(identity[:]))
	r.shortContents = append(r.shortContents, binary.LittleEndian.Uint64(content[:]))
	r.logs = append(r.logs, m.Log)
	r.topics.Add(m.Topic)
	r.partitions = append(r.partitions, m.Partition)
	r.offsets = append(r.offsets, m.Offset)
	r.kafkaMs = append(r.kafkaMs, kafkaMillis(m.Time))
	r.raw.Add(m.Value)
	for _, h := range m.Headers {
		r.headerKeys.Add(h.Key)
		r.headerValues.AddBytes(h.Value)
	}
	r.keyLists.End()
	r.valueLists.End()
	r.digested = append(append(appendMessage(r.digested, m), identity[:]...), content[:]...)
	if len(r.digested) >= digestAtOnce {
		r.digest.Write(r.digested)
		r.digested = r.digested[:0]
	}
	return nil
}

// appendMessage appends where a message lies and when it was written.
func appendMessage(b []byte, m *schemas.Message) []byte {
	b = append(binary.AppendUvarint(b, uint64(len(m.Topic))), m.Topic...)
	b = binary.BigEndian.AppendUint32(b, uint32(m.Log))                  //nolint:gosec // its bits
	b = binary.BigEndian.AppendUint32(b, uint32(m.Partition))            //nolint:gosec // its bits
	b = binary.BigEndian.AppendUint64(b, uint64(m.Offset))               //nolint:gosec // its bits
	return binary.BigEndian.AppendUint64(b, uint64(kafkaMillis(m.Time))) //nolint:gosec // its bits
}
