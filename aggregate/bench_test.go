package aggregate

import (
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

// made is a source whose rows are made as they are read, so that a benchmark
// measures the fold and nothing else.
type made struct {
	resources, lifecycle, usage int
	snapshots                   []schemas.Snapshot
}

type madeRows[T any] struct {
	n    int
	make func(i int, row *T)
	rows [2]T
	i    int
}

func (r *madeRows[T]) Next() (*T, error) {
	if r.i == r.n {
		return nil, io.EOF
	}
	row := &r.rows[r.i%2]
	r.make(r.i, row)
	r.i++
	return row, nil
}

func (r *madeRows[T]) Close() error { return nil }

func (m *made) Snapshots(context.Context, Scope) (schemas.Cursor[schemas.Snapshot], error) {
	return &madeRows[schemas.Snapshot]{n: len(m.snapshots), make: func(i int, s *schemas.Snapshot) { *s = m.snapshots[i] }}, nil
}

func (m *made) Strays(context.Context, schemas.Cutoff) (schemas.Cursor[StrayCopy], error) {
	return &madeRows[StrayCopy]{}, nil
}

func (m *made) Events(_ context.Context, _ Scope, what What) (schemas.Cursor[Rows], error) {
	start := time.Date(2026, 9, 30, 17, 0, 0, 0, time.UTC)
	names := make([]string, m.resources)
	for i := range names {
		names[i] = fmt.Sprintf("res-%07d", i)
	}
	configurations := make([][]schemas.Item, 5)
	for i := range configurations {
		configurations[i] = []schemas.Item{
			{Name: "server", Unit: "server", UnitPrice: decimal.NewFromInt(int64(165_000 + i)), Quantity: decimal.NewFromInt(1), Per: schemas.Per30d},
			{Name: "traffic", Unit: "GB", UnitPrice: decimal.NewFromInt(800), Meter: schemas.Sum, Per: schemas.PerUse},
		}
	}
	if what == Usage {
		return RowsOf(&madeRows[Copy]{n: m.resources * m.usage, make: func(i int, c *Copy) {
			k := i % m.usage
			c.AccountID, c.ResourceID, c.Source, c.ID = "acme", names[i/m.usage], "bench", "u"
			c.Time, c.Type, c.Item = start.Add(time.Duration(k+1)*time.Minute), schemas.UsageRecorded, "traffic"
			c.Sequence, c.Value = int64(k), decimal.New(int64(k)*1_000_001, -9)
			c.Position = schemas.Position{Topic: "billing.usage", Offset: int64(i)}
		}}), nil
	}
	return RowsOf(&madeRows[Copy]{n: m.resources * m.lifecycle, make: func(i int, c *Copy) {
		k := i % m.lifecycle
		c.AccountID, c.ResourceID, c.Source, c.ID = "acme", names[i/m.lifecycle], "bench", "l"
		c.Time, c.Type, c.Mode = start.Add(time.Duration(k)*time.Hour), schemas.ResourceResized, ""
		c.Sequence, c.Items = int64(k), configurations[k*5/m.lifecycle]
		c.Position = schemas.Position{Topic: "billing.lifecycle", Offset: int64(i)}
		if k == 0 {
			c.Type, c.Mode, c.ResourceName = schemas.ResourceCreated, schemas.Postpaid, "name"
		}
	}}), nil
}

func BenchmarkFold(b *testing.B) {
	october := schemas.Month{Year: 2026, Month: 10}
	zone := time.FixedZone("+07", 7*3600)
	first := schemas.Derivation{Run: schemas.Run{Number: 1}, First: october, Last: october, New: true}
	second := first
	second.Run.Number, second.Earlier, second.Last = 2, []schemas.Run{first.Run}, october.Next()
	var living []schemas.Snapshot
	cases := []struct {
		name   string
		source *made
		plan   schemas.Derivation
		rows   int
	}{
		{"100 lifecycle events a resource", &made{resources: 1000, lifecycle: 100}, first, 100_000},
		{"100 usage events a resource", &made{resources: 1000, lifecycle: 1, usage: 100}, first, 101_000},
		{"one giant resource", &made{resources: 1, lifecycle: 1, usage: 100_000}, first, 100_001},
		{"alive without any event", &made{resources: 1000}, second, 1000},
	}
	for _, c := range cases {
		b.Run(c.name, func(b *testing.B) {
			c.source.snapshots = living
			b.ReportAllocs()
			for b.Loop() {
				periods := 0
				d := &Deriver{Source: c.source, Zone: zone}
				err := d.Derive(b.Context(), c.plan, func(r schemas.Derived) error {
					periods += len(r.Periods)
					if c.name == cases[0].name && len(living) < 1000 && r.Snapshot != nil {
						living = append(living, *r.Snapshot)
					}
					return r.Err
				})
				if err != nil || periods == 0 {
					b.Fatal(periods, err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(c.rows), "ns/row")
		})
	}
}
