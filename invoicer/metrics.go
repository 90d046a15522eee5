package invoicer

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/reckon-billing/reckon/schemas"
)

// Metrics count what is issued. No metric has an account label.
type Metrics struct {
	invoices    *prometheus.CounterVec
	lines       prometheus.Counter
	runs        prometheus.Counter
	parked      prometheus.Gauge
	sealedMonth prometheus.Gauge
	absent      prometheus.Counter
	waiting     *prometheus.GaugeVec
}

// NewMetrics registers the stage's metrics.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		invoices: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "reckon_invoicer_invoices_total", Help: "Invoices issued, by kind.",
		}, []string{"kind"}),
		lines: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "reckon_invoicer_lines_total", Help: "Lines issued.",
		}),
		runs: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "reckon_invoicer_runs_total", Help: "Sealing runs carried out, repeats included.",
		}),
		parked: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "reckon_invoicer_parked_accounts", Help: "Accounts that the newest run left parked.",
		}),
		sealedMonth: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "reckon_invoicer_sealed_month", Help: "Newest sealed month as YYYYMM.",
		}),
		absent: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "reckon_invoicer_snapshots_rederived_total",
			Help: "Snapshots that could not be read or lacked a field, and were derived from all history.",
		}),
	}
	m.waiting = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "reckon_invoicer_waiting_messages", Help: "Messages that a seal waits for ingest to store; none while no seal waits.",
	}, []string{"topic", "partition"})
	reg.MustRegister(m.invoices, m.lines, m.runs, m.parked, m.sealedMonth, m.absent, m.waiting)
	return m
}

// waitsFor says which partitions lag, and of no other that it does.
func (m *Metrics) waitsFor(lags []Lag) {
	if m == nil {
		return
	}
	m.waiting.Reset()
	for _, l := range lags {
		m.waiting.WithLabelValues(l.Topic, strconv.Itoa(int(l.Partition))).Set(float64(l.Noted - l.Stored))
	}
}

func (m *Metrics) issued(b *Batch) {
	if m == nil {
		return
	}
	for i := range b.Invoices {
		m.lines.Add(float64(b.Invoices[i].Lines))
		m.invoices.WithLabelValues(string(b.Invoices[i].Kind)).Inc()
	}
}

func (m *Metrics) rederived() {
	if m != nil {
		m.absent.Inc()
	}
}

func (m *Metrics) sealed(s Seal) {
	if m == nil {
		return
	}
	m.runs.Inc()
	m.parked.Set(float64(len(s.Parked)))
	m.sealedMonth.Set(float64(yearMonth(s.Month)))
}

func yearMonth(m schemas.Month) int { return m.Year*100 + int(m.Month) }
