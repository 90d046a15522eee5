package events

import (
	"math"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/ingest"
	"github.com/reckon-billing/reckon/internal/clickhouse/clickhousetest"
	"github.com/reckon-billing/reckon/internal/clickhouse/column"
	"github.com/reckon-billing/reckon/schemas"
)

// testKafkaTimestamps stores messages with the timestamps that a producer may
// write: all of them, or one message would stop its partition for ever.
func testKafkaTimestamps(t *testing.T, s *Store) {
	stamps := []int64{math.MinInt64, -2, -1, 0, 1, 9214646400000, 253402300800000, 1 << 62, math.MaxInt64}
	at := func(ms int64) time.Time {
		if ms == -1 {
			return time.Time{} // none
		}
		return time.UnixMilli(ms).UTC()
	}
	var batch []clickhousetest.Carried
	var letters []ingest.Rejected
	for i, ms := range stamps {
		offset := int64(i)
		row := clickhousetest.UsageEvent("a", "r", time.Duration(offset).String(), clickhousetest.Noon(), offset)
		row.Message.Time = at(ms)
		batch = append(batch, row)
		letter := ingest.Rejected{Message: row.Message, Rejection: schemas.Rejection{Reason: "no_timestamp"}}
		letter.Message.Offset += 1000
		letters = append(letters, letter)
	}
	clickhousetest.Store(t, s, batch...)
	if err := clickhousetest.InsertRejects(t.Context(), s, letters...); err != nil {
		t.Fatal(err)
	}
	cursor, err := events(t.Context(), s, whole(), aggregate.Usage)
	got := clickhousetest.Collect(t, cursor, err)
	if len(got) != len(stamps) {
		t.Fatalf("%d rows, want %d", len(got), len(stamps))
	}
	for _, c := range got {
		if want := at(stamps[c.Position.Offset]); !c.KafkaTime.Equal(want) || c.KafkaTime.IsZero() != want.IsZero() {
			t.Errorf("offset %d: got %v, want %v", c.Position.Offset, c.KafkaTime, want)
		}
	}
	// Of dead letters the timestamp is kept as it was, and people see the nearest
	// one that their clients can show.
	for i, ms := range stamps {
		var stored int64
		var shown time.Time
		const query = "SELECT kafka_ms, kafka_time FROM dead_letters FINAL WHERE offset = {offset:Int64}"
		if err := clickhousetest.Direct(t, config(s)).QueryRow(t.Context(), query, column.Bind("offset", int64(1000+i))).Scan(&stored, &shown); err != nil {
			t.Fatal(err)
		}
		if want := time.UnixMilli(max(0, min(ms, 9214646399999))); stored != ms || !shown.Equal(want) {
			t.Errorf("dead letter with %d: got %d, shown as %v, want %v", ms, stored, shown, want)
		}
	}
	// Of two copies that no seal holds, the one with the lower timestamp counts.
	early, late := clickhousetest.UsageEvent("a", "r", "copied", clickhousetest.Noon(), 51), clickhousetest.UsageEvent("a", "r", "copied", clickhousetest.Noon(), 50)
	early.Message.Time, late.Message.Time = at(math.MaxInt64-1), at(math.MaxInt64)
	clickhousetest.Store(t, s, early, late)
	const counting = "SELECT counting_offset FROM repeated_events WHERE id = 'copied' AND kafka_time = '2261-12-31 23:59:59.999'"
	if got := clickhousetest.Number(t, config(s), counting); got != 51 {
		t.Errorf("offset %d counts, want 51", got)
	}
}
