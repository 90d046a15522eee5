package main

import (
	"flag"
	"fmt"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/reckon-billing/reckon/internal/app"
	"github.com/reckon-billing/reckon/internal/clickhouse/events"
	"github.com/reckon-billing/reckon/internal/generate"
	"github.com/reckon-billing/reckon/internal/oracle"
	"github.com/reckon-billing/reckon/internal/oracle/histories"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/codec"
)

// L1, L4, A10, A12: random histories go the whole way, through Kafka and
// ClickHouse and the commands of production, in batches of any size, with ingest
// stopped and started in between, and come to what the naive calculator says.
func testHistories(t *testing.T, s *servers) {
	fewChecks(t, 12)
	zones := []*time.Location{zone(t, "Asia/Ho_Chi_Minh"), zone(t, "America/New_York"), time.UTC}
	rapid.Check(t, func(r *rapid.T) {
		z := rapid.SampledFrom(zones).Draw(r, "zone")
		all, first := histories.Drawn(r, z)
		w := &world{
			T: r, t: t, zone: z, first: first,
			i: s.install("RECKON_BILLING_ZONE="+z.String(), "RECKON_BILLING_FIRST_MONTH="+first.String(),
				"RECKON_INGEST_BATCH_ROWS="+strconv.Itoa(rapid.SampledFrom([]int{1, 2, 3, 1000}).Draw(r, "batch"))),
		}
		w.command("migrate")
		w.sys = w.i.connect(t)
		w.stop = w.i.start(t, "ingest")
		defer func() { w.stop() }()
		month, sealed := first, first.Prev()
		for round := 0; len(all) > 0; round++ {
			n := len(all)
			if round < 3 {
				n = rapid.IntRange(0, len(all)).Draw(r, "stored before the seal")
			}
			w.produce(all[:n])
			all = all[n:]
			w.command("invoice", "--month", month.String())
			if sealed.Before(month) {
				sealed = month
			}
			w.check(sealed)
			month = month.Next()
		}
		before := w.i.issued(t)
		w.command("invoice", "--month", sealed.String())
		if w.i.issued(t) != before {
			r.Fatal("sealing again without new events changed something")
		}
	})
}

// fewChecks makes the checks of the test fewer than rapid's default: each moves
// real data.
func fewChecks(t *testing.T, n int) {
	t.Helper()
	checks := flag.Lookup("rapid.checks")
	before := checks.Value.String()
	if checks.DefValue != before {
		return // asked for on the command line
	}
	if err := checks.Value.Set(strconv.Itoa(n)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := checks.Value.Set(before); err != nil {
			t.Error(err)
		}
	})
}

// world is one history on its way through an installation.
type world struct {
	*rapid.T
	t     *testing.T
	i     *installation
	sys   *app.App
	zone  *time.Location
	first schemas.Month
	stop  func()

	copies   []oracle.Copy
	rejected int64
}

func (w *world) command(args ...string) {
	if got := w.i.run(w.t, args...); got.code != 0 {
		w.Fatalf("reckon %v ended with %d:\n%s", args, got.code, got.stderr)
	}
}

// produce sends copies, and poison between them, and remembers where each went.
// Ingest may be stopped and started again before, amid or after.
func (w *world) produce(copies []oracle.Copy) {
	topics := w.sys.EventTopics()
	out, err := w.sys.Kafka.NewProducer(w.t.Context(), topics...)
	if err != nil {
		w.t.Fatal(err)
	}
	defer out.Close()
	for len(copies) > 0 {
		n := rapid.IntRange(1, len(copies)).Draw(w.T, "produced at once")
		messages := make([]schemas.Message, 0, n+1)
		for i := range copies[:n] {
			messages = append(messages, w.message(&copies[i]))
		}
		poison := rapid.IntRange(0, 4).Draw(w.T, "poison") == 0
		if poison {
			messages = append(messages, schemas.Message{
				Position: schemas.Position{Topic: topics[0]}, Time: copies[0].KafkaTime, Key: []byte("k"),
				Value: rapid.SliceOfN(rapid.Byte(), 0, 5).Draw(w.T, "bytes"),
			})
			w.rejected++
		}
		positions, err := out.Produce(w.t.Context(), messages)
		if err != nil {
			w.t.Fatal(err)
		}
		for i, c := range copies[:n] {
			c.Position = positions[i]
			w.copies = append(w.copies, c)
		}
		copies = copies[n:]
		if rapid.IntRange(0, 3).Draw(w.T, "restart") == 0 {
			w.stop()
			w.stop = w.i.start(w.t, "ingest")
		}
	}
}

// message carries a copy in either mode, in either topic, under any key.
func (w *world) message(c *oracle.Copy) schemas.Message {
	m := schemas.Message{Time: c.KafkaTime, Key: []byte(rapid.StringN(0, 2, -1).Draw(w.T, "key"))}
	m.Topic = rapid.SampledFrom(w.sys.EventTopics()).Draw(w.T, "topic")
	if rapid.Bool().Draw(w.T, "structured") {
		m.Value = generate.AppendEvent(nil, &c.Event)
		return m
	}
	subject := c.ResourceID
	if c.Type == schemas.AccountModeChanged {
		subject = c.AccountID
	}
	for _, attribute := range [][2]string{
		{"ce_specversion", "1.0"},
		{"ce_id", c.ID},
		{"ce_source", c.Source},
		{"ce_type", string(c.Type)},
		{"ce_subject", subject},
		{"ce_time", c.Time.In(w.zone).Format("2006-01-02T15:04:05.000Z07:00")},
		{"ce_sequence", strconv.FormatInt(c.Sequence, 10)},
		{"content-type", "application/json"},
	} {
		m.Headers = append(m.Headers, schemas.Header{Key: attribute[0], Value: []byte(attribute[1])})
	}
	m.Value = codec.AppendData(nil, &c.Event)
	return m
}

// check holds what was issued so far, up to the sealed month, against the naive
// calculator.
func (w *world) check(sealed schemas.Month) {
	runs, err := w.sys.Store.Runs(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	want := oracle.Compute(w.copies, oracle.Settings{Zone: w.zone, Currency: vnd, First: w.first, Last: sealed, Cutoffs: histories.Cutoffs(runs)})
	var got []schemas.Line
	for m := w.first; !sealed.Before(m); m = m.Next() {
		err := w.sys.Store.UsageReport(w.t.Context(), m, "", func(row schemas.ReportRow) error {
			got = append(got, row.Line)
			return nil
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
	if diff := oracle.DiffSums(want.Lines, got); len(diff) > 0 {
		w.Fatalf("after the seal of %s: %s", sealed, diff[0])
	}
	if len(runs) == 1 {
		if diff := oracle.Diff(want.Lines, got); len(diff) > 0 {
			w.Fatalf("first seal: %s", diff[0])
		}
	}
	counts, err := w.sys.Store.Counts(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	says := func(c events.Counts) string { return fmt.Sprintf("%+v", c) }
	if want := (events.Counts{
		Stored: want.Stored, Duplicate: want.Duplicate, Conflicting: want.Conflicting, Rejected: w.rejected,
	}); counts != want {
		w.Fatalf("counted %s, must be %s", says(counts), says(want))
	}
}
