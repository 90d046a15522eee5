package clickhouse

import (
	"crypto/sha256"
	"hash"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/reckon-billing/reckon/schemas"
)

// letterRows are the rejects of a batch, by column.
type letterRows struct {
	topics, reasons          wordInput
	partitions               proto.ColInt32
	offsets, kafkaMs         proto.ColInt64
	keys, values, details    textInput
	headerKeys, headerValues textInput
	keyLists, valueLists     listInput

	all      proto.Input
	digest   hash.Hash
	digested []byte
}

func newLetterRows() *letterRows {
	r := &letterRows{digest: sha256.New()}
	r.keyLists.values, r.valueLists.values = &r.headerKeys, &r.headerValues
	r.all = proto.Input{
		{Name: "topic", Data: &r.topics},
		{Name: "partition", Data: &r.partitions},
		{Name: "offset", Data: &r.offsets},
		{Name: "kafka_ms", Data: &r.kafkaMs},
		{Name: "key", Data: &r.keys},
		{Name: "value", Data: &r.values},
		{Name: "header_keys", Data: &r.keyLists},
		{Name: "header_values", Data: &r.valueLists},
		{Name: "reason", Data: &r.reasons},
		{Name: "detail", Data: &r.details},
	}
	r.reset()
	return r
}

func (r *letterRows) reset() {
	r.all.Reset()
	r.digest.Reset()
}

func (r *letterRows) add(m *schemas.Message, why *schemas.Rejection) {
	r.topics.add(m.Topic)
	r.partitions = append(r.partitions, m.Partition)
	r.offsets = append(r.offsets, m.Offset)
	r.kafkaMs = append(r.kafkaMs, kafkaMillis(m.Time))
	r.keys.addBytes(m.Key)
	r.values.addBytes(m.Value)
	for _, h := range m.Headers {
		r.headerKeys.add(h.Key)
		r.headerValues.addBytes(h.Value)
	}
	r.keyLists.end()
	r.valueLists.end()
	r.reasons.add(why.Reason)
	r.details.add(why.Detail)
	r.digested = append(append(appendMessage(r.digested[:0], m), m.Value...), why.Reason...)
	r.digest.Write(r.digested)
}
