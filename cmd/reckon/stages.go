package main

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/ingest"
	"github.com/reckon-billing/reckon/internal/kafka"
	"github.com/reckon-billing/reckon/invoicer"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/codec"
)

// ingestStage is what a process that ingests needs.
type ingestStage struct {
	*system
	sink    ingest.Sink
	limits  ingest.Limits
	metrics *ingest.Metrics
}

func (s *system) ingestStage(reg prometheus.Registerer) *ingestStage {
	return &ingestStage{
		system: s, sink: s.store, metrics: ingest.NewMetrics(reg),
		limits: ingest.Limits{
			Rows: s.cfg.Ingest.BatchRows, Bytes: int(s.cfg.Ingest.BatchBytes), Age: s.cfg.Ingest.BatchMaxAge,
			Memory: &ingest.Memory{Bytes: int64(s.cfg.Ingest.Memory)},
		},
	}
}

// run ingests until ctx ends or something fails: a worker a partition.
func (s *ingestStage) run(ctx context.Context) error {
	producer, err := s.kafka.NewProducer(ctx, s.cfg.Kafka.Topics.DeadLetter)
	if err != nil {
		return fmt.Errorf("connect for dead letters: %w", err)
	}
	defer producer.Close()
	letters := &kafka.DeadLetters{Producer: producer, Topic: s.cfg.Kafka.Topics.DeadLetter, Now: s.now}
	return s.kafka.Consume(ctx, s.cfg.Kafka.Group, s.eventTopics(), func(ctx context.Context, p *kafka.Partition) error {
		parser := codec.NewFastParser(codec.Parser{Currency: s.currency()})
		pipeline := ingest.Pipeline{
			Topic: p.Topic, Partition: p.ID, Source: p, Parse: parser.Parse, Sink: s.sink, DeadLetters: letters,
			Limits: s.limits, Now: s.now, Metrics: s.metrics, Log: s.log,
		}
		return pipeline.Run(ctx)
	})
}

// deriver folds what is stored, in the billing zone.
func (s *system) deriver() *aggregate.Deriver {
	return &aggregate.Deriver{Source: s.store, Zone: s.cfg.Billing.Location}
}

// invoicerStage seals on what is stored; reg may be nil for no metrics.
func (s *system) invoicerStage(reg prometheus.Registerer) (*invoicer.Invoicer, error) {
	v := &invoicer.Invoicer{
		Log: s, RunLog: s.store, Late: s.store, Invoices: s.store, Periods: s.deriver(),
		Currency: s.currency(), Zone: s.cfg.Billing.Location, Grace: s.cfg.Billing.Grace, Now: s.now,
	}
	if reg != nil {
		v.Metrics = invoicer.NewMetrics(reg)
	}
	if s.cfg.Billing.FirstMonth != "" {
		var err error
		if v.FirstMonth, err = schemas.ParseMonth(s.cfg.Billing.FirstMonth); err != nil {
			return nil, usagef("billing.first_month: %w", err)
		}
	}
	return v, nil
}
