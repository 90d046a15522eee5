package main

import (
	"context"
	"fmt"
	"time"

	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/migrations"
)

// workload is a month of stored events: the parameters of lifecycle.sql and
// usage.sql.
type workload struct {
	Resources int64
	// PerResource lifecycle events each, of which one in Every changes the
	// configuration.
	PerResource, Every int64
	// Events of usage in all.
	Events int64
	// Copies in a hundred usage events are stored twice.
	Copies int64
	// Metered tells that the one item of a resource is metered.
	Metered bool
	// OneAccount gives all resources to one account.
	OneAccount bool
	Month      schemas.Month
	// From and To are the month's bounds in milliseconds.
	From, To int64
	// Offset is where the events begin in the log; each month has its own Seed.
	Offset, Seed int64
}

// of gives the workload a month, the n-th of its benchmark, from 0.
func (w workload) of(m schemas.Month, n int64, zone *time.Location) workload {
	w.Month, w.From, w.To = m, m.Start(zone).UnixMilli(), m.End(zone).UnixMilli()
	w.Seed, w.Offset = n, n*w.offsets()
	return w
}

// offsets are what one month takes of each partition at most.
func (w *workload) offsets() int64 { return 2 * max(w.Resources*w.PerResource, w.Events) }

// ends are those of the partitions after the month, as if Kafka told them.
func (w *workload) ends() []schemas.PartitionEnd {
	var ends []schemas.PartitionEnd
	for _, topic := range []string{lifecycleTopic, usageTopic} {
		for p := range int32(partitions) {
			ends = append(ends, schemas.PartitionEnd{Topic: topic, Partition: p, End: w.Offset + w.offsets()})
		}
	}
	return ends
}

// store writes the events straight into the table, the usage only or both.
func (w *workload) store(ctx context.Context, db *database, lifecycle bool) error {
	if lifecycle {
		if _, err := db.run(ctx, "lifecycle", w); err != nil {
			return fmt.Errorf("make lifecycle events: %w", err)
		}
	}
	if w.Events > 0 {
		if _, err := db.run(ctx, "usage", w); err != nil {
			return fmt.Errorf("make usage events: %w", err)
		}
	}
	if _, err := db.run(ctx, "identities", w); err != nil {
		return fmt.Errorf("store the identities: %w", err)
	}
	return nil
}

// Kind restricts the rivals' statements to the events that there are.
func (w *workload) Kind() string {
	if w.Events == 0 {
		return " AND NOT is_usage"
	}
	return ""
}

// round makes a database for one round, with all that is in the base. No round takes
// away what another left, and no folder goes before all is over: ext4 searches long
// for room for a new file among many that were just deleted, so whoever writes more
// files would pay for the rounds before.
func (b *bench) round(ctx context.Context, srv *servers, base *database) (*database, error) {
	b.rounds++
	name := fmt.Sprintf("%s_%d", base.name, b.rounds)
	if err := b.migrate(ctx, srv, name); err != nil {
		return nil, err
	}
	db := base.in(name)
	// What is read lies in every round as it does in the base.
	statements := []string{"SYSTEM STOP MERGES events", "SYSTEM STOP MERGES identities"}
	tables, _, err := migrations.Made()
	if err != nil {
		return nil, err
	}
	for _, table := range tables {
		if table == "schema_migrations" {
			continue // migrate has filled it
		}
		statements = append(statements, "ALTER TABLE "+table+" ATTACH PARTITION tuple() FROM "+base.name+"."+table)
	}
	for _, statement := range statements {
		if _, err := db.exec(ctx, statement); err != nil {
			return nil, err
		}
	}
	return db, nil
}
