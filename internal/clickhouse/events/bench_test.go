package events

import (
	"errors"
	"io"
	"strconv"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/internal/clickhouse/clickhousetest"
	"github.com/reckon-billing/reckon/internal/embedded/embeddedtest"
)

// BenchmarkStore inserts and reads batches of usage events; an operation is a
// batch of 50,000.
func BenchmarkStore(b *testing.B) {
	endpoints := embeddedtest.Start(b).Endpoints()
	s := open(b, endpoints.Native, endpoints.User, endpoints.Password)
	const rows = 50_000
	raw := make([]byte, 370)
	offset := int64(0)
	b.Run("insert", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			batch := make([]clickhousetest.Carried, 0, rows)
			for range rows {
				offset++
				row := clickhousetest.UsageEvent("account-"+strconv.FormatInt(offset%5000, 10), "resource-"+strconv.FormatInt(offset%20011, 10),
					strconv.FormatInt(offset, 10), clickhousetest.Noon().Add(time.Duration(offset%1_000_000)*time.Millisecond), offset)
				row.Event.Value, row.Message.Value = decimal.New(offset, -3), raw
				row.Message.Time = clickhousetest.Noon()
				batch = append(batch, row)
			}
			b.StartTimer()
			if err := clickhousetest.InsertEvents(b.Context(), s, batch...); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.N)*rows/b.Elapsed().Seconds(), "rows/s")
	})
	b.Run("read", func(b *testing.B) {
		read := 0
		for b.Loop() {
			cursor, err := events(b.Context(), s, whole(), aggregate.Usage)
			if err != nil {
				b.Fatal(err)
			}
			for {
				_, err := cursor.Next()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					b.Fatal(err)
				}
				read++
			}
			if err := cursor.Close(); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(read)/b.Elapsed().Seconds(), "rows/s")
	})
	b.Run("count", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Counts(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(offset)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
}
