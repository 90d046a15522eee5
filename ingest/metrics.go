package ingest

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics counts what the pipelines of one process did.
//
// Conservation law, for each topic and whenever no batch is open:
//
//	read = stored + rejected + abandoned
//
// Abandoned messages were read but not committed when a pipeline stopped; the
// log gives them again, so they are counted again. An open batch makes the left
// side larger by its rows and no more. Which stored rows are duplicates and
// conflicts is known to the store alone, and exported from there.
type Metrics struct {
	read, stored, abandoned, rejected *prometheus.CounterVec
	batches                           *prometheus.CounterVec
	batchRows                         prometheus.Histogram
	lag, lastCommit                   *prometheus.GaugeVec
	owed                              prometheus.Gauge
}

// NewMetrics registers the metrics of ingest.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "reckon_ingest_" + name, Help: help}, labels)
		reg.MustRegister(v)
		return v
	}
	gauge := func(name, help string) *prometheus.GaugeVec {
		v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "reckon_ingest_" + name, Help: help},
			[]string{"topic", "partition"})
		reg.MustRegister(v)
		return v
	}
	m := &Metrics{
		read:      counter("read_messages_total", "Messages fetched from the log.", "topic"),
		stored:    counter("stored_rows_total", "Events stored and committed; a redelivered one counts again.", "topic"),
		rejected:  counter("rejected_messages_total", "Messages stored as dead letters, by reason.", "topic", "reason"),
		abandoned: counter("abandoned_messages_total", "Messages given back to the log when a partition stopped.", "topic"),
		batches:   counter("batches_total", "Batches committed, by what cut them.", "cause"),
		batchRows: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "reckon_ingest_batch_rows", Help: "Messages in a batch.",
			Buckets: prometheus.ExponentialBuckets(1, 10, 6),
		}),
		lag: gauge("lag_messages", "Offsets between the partition's last stable offset and what is committed."),
		// A partition whose commits stop while its lag grows is stuck, whatever its
		// lag is (A4).
		lastCommit: gauge("last_commit_timestamp_seconds", "When the partition was last committed, in Unix seconds."),
	}
	m.owed = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "reckon_ingest_owed_copies", Help: "Dead letters, stored, whose copies their topic has not taken yet.",
	})
	reg.MustRegister(m.batchRows, m.owed)
	for _, c := range causes() {
		m.batches.WithLabelValues(string(c))
	}
	return m
}

// flushed counts a batch that was stored and committed.
func (m *Metrics) flushed(p *Pipeline, why cause) {
	b := &p.batch
	m.stored.WithLabelValues(p.Topic).Add(float64(b.accepted))
	for i := range b.rejected {
		m.rejected.WithLabelValues(p.Topic, b.rejected[i].Rejection.Reason).Inc()
	}
	m.batches.WithLabelValues(string(why)).Inc()
	if rows := b.rows(); rows > 0 {
		m.batchRows.Observe(float64(rows))
	}
	m.lastCommit.WithLabelValues(p.labels()...).Set(float64(p.Now().UnixMilli()) / 1000)
}

// labels are those of the partition's gauges.
func (p *Pipeline) labels() []string {
	return []string{p.Topic, strconv.Itoa(int(p.Partition))}
}
