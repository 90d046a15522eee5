package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/reckon-billing/reckon/schemas"
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

// unseal empties every table but those of events, as if nothing had been sealed.
func unseal(ctx context.Context, db *database) error {
	names, err := db.exec(ctx, `SELECT name FROM system.tables WHERE database = currentDatabase()
		AND engine LIKE '%MergeTree' AND name NOT IN ('events', 'identities', 'schema_migrations', 'rival_lines')`)
	if err != nil {
		return err
	}
	for name := range strings.FieldsSeq(names) {
		if _, err := db.exec(ctx, "TRUNCATE TABLE "+name); err != nil {
			return err
		}
	}
	return nil
}
