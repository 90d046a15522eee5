package app

import (
	"context"
	"slices"

	"github.com/reckon-billing/reckon/internal/audit"
	"github.com/reckon-billing/reckon/internal/clickhouse"
	"github.com/reckon-billing/reckon/schemas"
)

// Auditor verifies and explains what the installation issued.
func (a *App) Auditor() *audit.Auditor { return a.auditor(a.Store) }

func (a *App) auditor(store *clickhouse.Store) *audit.Auditor {
	return &audit.Auditor{
		RunLog: store, Invoices: store, Proofs: store, Stored: store, Log: readLog{a}, Events: store, Resources: store,
		KeptPeriods: store.KeptPeriods(), KeptSnapshots: store.KeptSnapshots(), KeptMinutes: store.KeptMinutes(),
		KeptAnomalies: store.KeptAnomalies(), Told: store,
		Currency: a.Currency(), Zone: a.Config.Billing.Location,
	}
}

// Verify is [audit.Auditor.Verify], of one server: what another does not have yet would be
// taken for a difference.
func (a *App) Verify(ctx context.Context, month schemas.Month, skipLog bool) (*audit.Proof, error) {
	store := a.Store.OneServer()
	if err := store.Keep(ctx); err != nil {
		return nil, err
	}
	return a.auditor(store).Verify(ctx, month, skipLog)
}

// readLog is the log as verify reads it again: the messages of the topics are those of
// their newest logs.
type readLog struct{ *App }

// Gaps is as [audit.Log] says.
func (l readLog) Gaps(ctx context.Context) ([]schemas.LogNote, error) { return l.Store.Gaps(ctx) }

// Starts is as [audit.Log] says.
func (l readLog) Starts(ctx context.Context, topics ...string) ([]schemas.PartitionEnd, error) {
	all, err := l.Store.Logs(ctx)
	if err != nil {
		return nil, err
	}
	settings, there := l.eventLogs()
	topics = slices.DeleteFunc(slices.Clone(topics), func(topic string) bool { return !slices.Contains(there, topic) })
	starts, err := l.Kafka.Starts(ctx, topics...)
	for i := range starts {
		starts[i].Log = newest(all, settings[slices.Index(there, starts[i].Topic)]).Number
	}
	return starts, err
}

// Read is as [audit.Log] says.
func (l readLog) Read(ctx context.Context, of schemas.PartitionEnd, from int64, each func(*schemas.Message) error) error {
	return l.Kafka.Read(ctx, of.Topic, of.Partition, from, of.End, func(m *schemas.Message) error {
		m.Log = of.Log
		return each(m)
	})
}
