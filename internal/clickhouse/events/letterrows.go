package events

import (
	"crypto/sha256"
	"hash"

	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/schemas"
)

// letterRows are the rejects of a batch, by column.
type letterRows struct {
	topics, reasons          column.LowCardinalityInput
	logs, partitions         column.Int32s
	offsets, kafkaMs         column.Int64s
	keys, values, details    column.StringInput
	headerKeys, headerValues column.StringInput
	keyLists, valueLists     column.ArrayInput

	all      column.Input
	digest   hash.Hash
	digested []byte
}

func newLetterRows() *letterRows {
	r := &letterRows{digest: sha256.New()}
	r.keyLists.Values, r.valueLists.Values = &r.headerKeys, &r.headerValues
	r.all = column.Input{
		{Name: "log", Data: &r.logs},
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
	r.logs = append(r.logs, m.Log)
	r.topics.Add(m.Topic)
	r.partitions = append(r.partitions, m.Partition)
	r.offsets = append(r.offsets, m.Offset)
	r.kafkaMs = append(r.kafkaMs, kafkaMillis(m.Time))
	r.keys.AddBytes(m.Key)
	r.values.AddBytes(m.Value)
	for _, h := range m.Headers {
		r.headerKeys.Add(h.Key)
		r.headerValues.AddBytes(h.Value)
	}
	r.keyLists.End()
	r.valueLists.End()
	r.reasons.Add(why.Reason)
	r.details.Add(why.Detail)
	r.digested = append(append(appendMessage(r.digested[:0], m), m.Value...), why.Reason...)
	r.digest.Write(r.digested)
}
