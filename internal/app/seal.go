package app

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/internal/clickhouse"
	"github.com/reckon-billing/reckon/internal/config"
	"github.com/reckon-billing/reckon/internal/telemetry"
	"github.com/reckon-billing/reckon/invoicer"
	"github.com/reckon-billing/reckon/schemas"
)

// What sealing says, in the words of the invoicer: a command prints them and
// imports no stage.
type (
	// Seal is what a run issued.
	Seal = invoicer.Seal
	// Lag is a partition that ingest has not stored as far as a seal needs.
	Lag = invoicer.Lag
	// EmptyMonthError says that a first seal would begin with nothing.
	EmptyMonthError = invoicer.EmptyMonthError
	// Totals count what a run has issued so far.
	Totals = invoicer.Totals
)

// Sealer is the invoicer on what is stored. Each command keeps to one server (O10).
type Sealer struct {
	*invoicer.Invoicer
	keep func(context.Context) error
}

// Seal is [invoicer.Invoicer.Seal].
func (s *Sealer) Seal(ctx context.Context, month schemas.Month) ([]Seal, error) {
	if err := s.keep(ctx); err != nil {
		return nil, err
	}
	return s.Invoicer.Seal(ctx, month)
}

// SealDue is [invoicer.Invoicer.SealDue].
func (s *Sealer) SealDue(ctx context.Context) ([]Seal, error) {
	if err := s.keep(ctx); err != nil {
		return nil, err
	}
	return s.Invoicer.SealDue(ctx)
}

// SettleAll is [invoicer.Invoicer.SettleAll].
func (s *Sealer) SettleAll(ctx context.Context) ([]Seal, error) {
	if err := s.keep(ctx); err != nil {
		return nil, err
	}
	return s.Invoicer.SettleAll(ctx)
}

// Preview is [invoicer.Invoicer.Preview].
func (s *Sealer) Preview(ctx context.Context, month schemas.Month, each func(schemas.Invoice, []schemas.Line) error) error {
	if err := s.keep(ctx); err != nil {
		return err
	}
	return s.Invoicer.Preview(ctx, month, each)
}

// PreviewAll is [invoicer.Invoicer.PreviewAll].
func (s *Sealer) PreviewAll(ctx context.Context, each func(schemas.Invoice, []schemas.Line) error) error {
	if err := s.keep(ctx); err != nil {
		return err
	}
	return s.Invoicer.PreviewAll(ctx, each)
}

// Sealer wires the invoicer to the installation; reg may be nil for no metrics.
func (a *App) Sealer(reg prometheus.Registerer) (*Sealer, error) {
	s, err := Wire(a, a.Store, &a.Config.Billing, a.Now)
	if err == nil && reg != nil {
		s.Metrics = invoicer.NewMetrics(reg)
	}
	return s, err
}

// Wire joins the invoicer to a log, a store and the fold over that store.
func Wire(log invoicer.Log, store *clickhouse.Store, b *config.Billing, now func() time.Time) (*Sealer, error) {
	store = store.OneServer()
	v := &invoicer.Invoicer{
		Log: log, Events: store, RunLog: store, Late: store, Invoices: store, Periods: &aggregate.Deriver{Source: store, Zone: b.Location},
		Currency: currencyOf(b), Zone: b.Location, Grace: b.Grace, Now: now,
	}
	if b.FirstMonth != "" {
		var err error
		if v.FirstMonth, err = schemas.ParseMonth(b.FirstMonth); err != nil {
			return nil, config.Usagef("billing.first_month: %w", err)
		}
	}
	return &Sealer{v, store.Keep}, nil
}

// CheckDue refuses a month that cannot be sealed yet, before anything starts.
func CheckDue(b *config.Billing, month schemas.Month, now time.Time) error {
	due := invoicer.Invoicer{Zone: b.Location, Grace: b.Grace}
	if at := due.Due(month); at.After(now) {
		return &invoicer.NotDueError{Month: month, Due: at}
	}
	return nil
}

// Parked is an error that names the accounts that broke: their months are not
// sealed. It is nil where there are none.
func Parked(seals []Seal) error {
	var named []string
	for _, s := range seals {
		for _, p := range s.Parked {
			named = append(named, fmt.Sprintf("%s of account %q is parked: %s", s.Month, p.AccountID, p.Reason))
		}
	}
	if len(named) == 0 {
		return nil
	}
	return fmt.Errorf("%s (mend it and run reckon invoice again)", strings.Join(named, "; "))
}

// Ends and Stored make the installation the log that the invoicer asks. Ends refuses
// topics that are not the logs they were; logs that have ended are among both.
func (a *App) Ends(ctx context.Context) ([]schemas.PartitionEnd, error) {
	b, err := a.logs(ctx)
	if err != nil {
		return nil, err
	}
	ends := b.open()
	for i := range ends {
		ends[i].End = b.endOf(ends[i])
	}
	return append(ends, b.ended...), nil
}

// Stored is how far the store has noted that partitions are stored.
func (a *App) Stored(ctx context.Context) ([]schemas.PartitionEnd, error) {
	all, err := a.Store.Logs(ctx)
	if err != nil {
		return nil, err
	}
	var open []schemas.PartitionEnd
	settings, _ := a.eventLogs()
	for _, setting := range settings {
		last := newest(all, setting)
		partitions, err := a.Store.Partitions(ctx, &last)
		if err != nil {
			return nil, err
		}
		open = append(open, partitions...)
	}
	reached, err := a.Store.Reached(ctx, open)
	if err != nil {
		return nil, err
	}
	stored := endedLogs(all)
	for _, r := range reached {
		stored = append(stored, r.PartitionEnd)
	}
	return stored, nil
}

// waitingEvery is how often the log repeats what a seal waits for.
const waitingEvery = time.Minute

// sealWait tells log and readiness what a seal of a process waits for: at once, and as
// long as it lasts. Nobody sits before the process who would wonder.
type sealWait struct {
	log   *slog.Logger
	check *telemetry.Check
	now   func() time.Time

	// began and said are of the wait under way, zero without one.
	began, said time.Time
}

// tell is told what lags, again and again, and of nothing when the wait is over.
func (w *sealWait) tell(lags []Lag) {
	now := w.now()
	if len(lags) == 0 {
		w.log.Info("seal goes on", "waited", now.Sub(w.began).Round(time.Millisecond))
		w.began, w.said = time.Time{}, time.Time{}
		w.check.Ready()
		return
	}
	if w.began.IsZero() {
		w.began = now
	}
	what := sayLags(lags)
	w.check.NotReady("a seal waits for ingest to store " + what)
	if !w.said.IsZero() && now.Sub(w.said) < waitingEvery {
		return
	}
	say := w.log.Warn
	if w.said.IsZero() {
		say = w.log.Info // most waits are over soon
	}
	w.said = now
	say("seal waits for ingest", "lagging", what, "waited", now.Sub(w.began).Round(time.Second))
}

// sayLags names the first of them, and how many more there are.
func sayLags(lags []Lag) string {
	const most = 10
	said := make([]string, min(len(lags), most))
	for i := range said {
		said[i] = lags[i].String()
	}
	if more := len(lags) - most; more > 0 {
		said = append(said, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(said, ", ")
}
