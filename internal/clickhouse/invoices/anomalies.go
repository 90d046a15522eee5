package invoices

import (
	"context"
	"fmt"
	"slices"

	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/internal/clickhouse/scope"
	"github.com/reckon-billing/reckon/schemas"
)

// writeAnomalies stores what a run tells.
func (s *Store) writeAnomalies(ctx context.Context, all []schemas.Anomaly) error {
	if err := s.nameEvents(ctx, all); err != nil {
		return err
	}
	return insertRows(ctx, s, all, func(r *rowSet) *tableRows[schemas.Anomaly] { return r.anomalies })
}

// TellRun stores what a run tells outside a batch of its own, as
// [github.com/reckon-billing/reckon/invoicer/survey.Store] says.
func (s *Store) TellRun(ctx context.Context, all []schemas.Anomaly) error {
	if err := s.writeAnomalies(ctx, all); err != nil {
		return fmt.Errorf("write %d anomalies: %w", len(all), err)
	}
	return nil
}

// Tell is as [invoicer.InvoiceStore] says.
func (s *Store) Tell(ctx context.Context, run int64) error {
	return s.AddTold(ctx, schemas.ToldRun{Run: run})
}

// AddTold writes down that a run has told, as
// [github.com/reckon-billing/reckon/invoicer/survey.Store] says.
func (s *Store) AddTold(ctx context.Context, told schemas.ToldRun) error {
	row, err := toldColumns(&told).Input()
	if err != nil {
		return err
	}
	return s.db.Insert(ctx, "", column.Insert{Table: "told_runs", Blocks: []column.Input{row}})
}

// ToldRuns are those that were written down, by run.
func (s *Store) ToldRuns(ctx context.Context) ([]schemas.ToldRun, error) {
	var all []schemas.ToldRun
	var one schemas.ToldRun
	err := s.db.Each(ctx, "told_runs", toldColumns(&one).Dest(), func() error {
		all = append(all, one)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read which runs have told their anomalies: %w", err)
	}
	return all, nil
}

func toldColumns(t *schemas.ToldRun) column.Fields {
	return column.Fields{{Name: "run", Value: &t.Run}, {Name: "since", Value: &t.Since}, {Name: "left_out", Value: &t.LeftOut}}
}

// namedAtOnce are the events whose names one query looks up: what it looks for are its
// parameters.
const namedAtOnce = 2000

// nameEvents fills in source and id of events that lack them, by where they lie. No event
// has an empty one.
func (s *Store) nameEvents(ctx context.Context, all []schemas.Anomaly) error {
	var unnamed []*schemas.Anomaly
	for i := range all {
		if all[i].Event.ID == "" {
			unnamed = append(unnamed, &all[i])
		}
	}
	for some := range slices.Chunk(unnamed, namedAtOnce) {
		if err := s.nameSome(ctx, some); err != nil {
			return fmt.Errorf("look up who %d events are: %w", len(some), err)
		}
	}
	return nil
}

func (s *Store) nameSome(ctx context.Context, some []*schemas.Anomaly) error {
	at := make(map[schemas.Position][]*schemas.EventRef, len(some))
	var accounts, resources, topics []string
	var times, partitions, offsets, logs []int64
	from, to := some[0].Event.Time, some[0].Event.Time
	for _, a := range some {
		e := &a.Event
		p := e.Position
		at[p] = append(at[p], e)
		accounts, resources, topics = append(accounts, a.AccountID), append(resources, a.ResourceID), append(topics, p.Topic)
		times, logs = append(times, e.Time.UnixMilli()), append(logs, int64(p.Log))
		partitions, offsets = append(partitions, int64(p.Partition)), append(offsets, p.Offset)
		if e.Time.Before(from) {
			from = e.Time
		}
		if e.Time.After(to) {
			to = e.Time
		}
	}
	var p schemas.Position
	var source, id string
	err := s.db.Each(ctx, "event_names", []any{&p.Log, &p.Topic, &p.Partition, &p.Offset, &source, &id}, func() error {
		for _, e := range at[p] {
			e.Source, e.ID = source, id
		}
		return nil
	}, column.Bind("accounts", accounts), column.Bind("resources", resources), column.Bind("times", times), column.Bind("topics", topics),
		column.Bind("partitions", partitions), column.Bind("offsets", offsets), column.Bind("logs", logs),
		scope.BindTime("from", from), scope.BindTime("to", to))
	if err != nil {
		return err
	}
	for _, a := range some {
		if a.Event.ID == "" {
			return fmt.Errorf("the event at %s is gone", a.Event.Position.Where())
		}
	}
	return nil
}
