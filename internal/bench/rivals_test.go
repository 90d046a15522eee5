package main

import (
	"context"
	"errors"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/ingest"
	"github.com/reckon-billing/reckon/internal/clickhouse"
	"github.com/reckon-billing/reckon/internal/embedded"
	"github.com/reckon-billing/reckon/internal/embedded/embeddedtest"
	"github.com/reckon-billing/reckon/internal/kafka"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/codec"
)

func TestMain(m *testing.M) { os.Exit(embeddedtest.Run(m)) }

// A rival that did another job would be no rival.
func TestARivalComesToTheSameLines(t *testing.T) {
	billing, err := zone()
	if err != nil {
		t.Fatal(err)
	}
	endpoints := embeddedtest.Start(t).Endpoints()
	for _, c := range []struct {
		name, rival       string
		shape             workload
		lines, identities int64
	}{
		{"of a month of changes", "rival_lifecycle", workload{Resources: 40, PerResource: 100, Every: 20}, 200, 4000},
		{"of a month of usage", "rival_usage", usageMonth(3000, 50), 50, 3050},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := bench{now: time.Now, log: t.Output(), zone: billing}
			srv := &servers{Endpoints: endpoints}
			w := c.shape.of(month(), 0, billing)
			db, err := b.stored(t.Context(), srv, "rival_"+strconv.FormatInt(c.lines, 10), &w, false)
			if err != nil {
				t.Fatal(err)
			}
			defer db.close()
			rows, err := db.exec(t.Context(), "SELECT uniqExact(identity), count() > uniqExact(identity) FROM events")
			if want := strconv.FormatInt(c.identities, 10) + "\t1"; err != nil || rows != want {
				t.Fatalf("identities, and whether some are stored twice: %q, want %q, %v", rows, want, err)
			}
			if _, err := db.run(t.Context(), "rival_lines", nil); err != nil {
				t.Fatal(err)
			}
			if _, err := db.run(t.Context(), c.rival, &w); err != nil {
				t.Fatal(err)
			}
			o := sealOrder{Endpoints: endpoints, Database: db.name, First: month(), Month: month(), Ends: w.ends(), Trace: true}
			r, err := o.run(t.Context(), time.Now)
			if err != nil {
				t.Fatal(err)
			}
			if r.Lines != c.lines {
				t.Errorf("reckon made %d lines, want %d", r.Lines, c.lines)
			}
			if err := sameLines(t.Context(), db); err != nil {
				t.Error(err)
			}
			if _, err := db.exec(t.Context(), "ALTER TABLE rival_lines DELETE WHERE rand() < 0 OR resource_id = 'vm-00000007'", "mutations_sync", "2"); err != nil {
				t.Fatal(err)
			}
			if sameLines(t.Context(), db) == nil {
				t.Error("the lines of a resource are gone, and nothing was noticed")
			}
		})
	}
}

// Events that the Kafka engine stores are those that reckon stores, column by column.
func TestTheKafkaEngineFillsTheTableAsReckonDoes(t *testing.T) {
	billing, err := zone()
	if err != nil {
		t.Fatal(err)
	}
	endpoints := embeddedtest.Start(t).Endpoints()
	b, srv := bench{now: time.Now, log: t.Output(), zone: billing}, &servers{Endpoints: endpoints, engine: os.Getpid(), broker: os.Getpid()}
	const n = 100
	if err := b.fillTopic(t.Context(), srv, n); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"rival", "ours"} {
		if err := b.migrate(t.Context(), srv, name); err != nil {
			t.Fatal(err)
		}
	}
	db := newDatabase(endpoints, "rival")
	defer db.close()
	if _, _, err := b.rivalIngest(t.Context(), srv, db, n, &meter{srv: srv}); err != nil {
		t.Fatal(err)
	}
	ingestAll(t, endpoints, n)
	const columns = "account_id, resource_id, time, sequence, source, id, is_usage, type, item, value, data, identity, content," +
		" topic, partition, offset, kafka_ms, raw, header_keys, header_values"
	rows, err := db.exec(t.Context(), "SELECT count(), sum(sides) FROM (SELECT "+columns+", count() AS sides FROM"+
		" (SELECT * FROM rival.events UNION ALL SELECT * FROM ours.events) GROUP BY "+columns+")")
	if want := "100\t200"; err != nil || rows != want {
		t.Errorf("different rows, and rows: %q, want %q; %v", rows, want, err)
	}
}

// ingestAll stores the topic as ingest does.
func ingestAll(t *testing.T, endpoints embedded.Endpoints, n int) {
	t.Helper()
	store, err := clickhouse.Open(clickhouse.Config{
		Addresses: []string{endpoints.Native}, Database: "ours", Username: endpoints.User, Password: endpoints.Password,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	k, err := kafka.New(kafka.Config{Brokers: []string{endpoints.Kafka}, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	parser := codec.Parser{Currency: schemas.Currency{Code: "VND"}}
	ctx, enough := context.WithCancel(t.Context())
	defer enough()
	var stored atomic.Int64
	err = k.Consume(ctx, "ours", []string{usageTopic}, fromTheBegin, func(ctx context.Context, p *kafka.Partition) error {
		for {
			messages, err := p.Fetch(ctx, time.Now().Add(time.Second))
			if errors.Is(err, ingest.ErrIdle) {
				continue
			}
			if err != nil {
				return err
			}
			for _, m := range messages {
				event, err := parser.Parse(&m)
				if err != nil {
					return err
				}
				batch := store.Open()
				if err := errors.Join(batch.Accept(&event, &m), batch.Store(ctx)); err != nil {
					return err
				}
				if stored.Add(1) == int64(n) {
					enough()
				}
			}
		}
	})
	if stored.Load() != int64(n) {
		t.Fatalf("%d of %d events stored: %v", stored.Load(), n, err)
	}
}

// fromTheBegin begins where everything is still to be read.
func fromTheBegin(_ context.Context, partitions []schemas.PartitionEnd) ([]schemas.PartitionEnd, []ingest.FoundLog, error) {
	return partitions, nil, nil
}
