package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/internal/audit"
	"github.com/reckon-billing/reckon/internal/config"
	"github.com/reckon-billing/reckon/internal/embedded"
	"github.com/reckon-billing/reckon/internal/embedded/embeddedtest"
	"github.com/reckon-billing/reckon/internal/oracle"
	"github.com/reckon-billing/reckon/internal/testkit"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/codec"
	"github.com/reckon-billing/reckon/schemas/migrations"
)

// What testdata/older/rows.sql holds is what a version stored that knew no line_number,
// when it sealed and settled July and August of 2026 as testdata/older/events.jsonl
// says: invoices, and adjustments of one row a line. It had the migrations before 0016.
const olderMigrations = 15

// A store of an older version is migrated, verified, and settled by this one.
func TestAStoreOfAnOlderVersion(t *testing.T) {
	o := openOlderStore(t)
	july, august := schemas.Month{Year: 2026, Month: time.July}, schemas.Month{Year: 2026, Month: time.August}
	september := august.Next()
	o.playTo(t, 3)
	if seals, err := o.sealer(t).Seal(t.Context(), august); err != nil || len(seals) > 0 {
		t.Fatalf("what it had sealed was carried out again: %+v, %v", seals, err)
	}
	for _, month := range []schemas.Month{july, august} {
		o.verified(t, month)
	}
	o.everyAdjustmentIsKnown(t)
	o.anomaliesStand(t)

	o.playTo(t, 4)
	if _, err := o.sealer(t).Seal(t.Context(), september); err != nil {
		t.Fatal(err)
	}
	var got []string
	var rows []schemas.Line
	if err := o.Store.RunRows(t.Context(), 4, func(r schemas.ReportRow) error {
		rows = append(rows, r.Line)
		got = append(got, fmt.Sprintf("%s %s %d. %s %s %d min × %s: %s - %s = %s", r.Month, r.ResourceID, r.Number, r.PeriodStart.In(o.Config.Billing.Location).Format("01-02"),
			r.Item.Name, r.Minutes, r.Quantity, r.Gross(), r.CouponValue, r.TotalAmount))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, settledByRun4()) {
		t.Errorf("run 4 issued\n%s\nmust have issued\n%s", strings.Join(got, "\n"), strings.Join(settledByRun4(), "\n"))
	}
	for _, month := range []schemas.Month{july, august, september} {
		o.verified(t, month)
	}
	o.addUp(t, rows, september)
	if seals, err := o.sealer(t).Seal(t.Context(), september); err != nil || len(seals) > 0 {
		t.Errorf("sealing again made %+v, %v", seals, err)
	}
	o.everyAdjustmentIsKnown(t)
	o.anomaliesStand(t)
	o.explained(t, july)
}

// anomaliesStand holds the view anomalies, after a survey, against what all that is stored
// comes to: the older version told of none (T8).
func (o *olderStore) anomaliesStand(t *testing.T) {
	t.Helper()
	if got, err := o.Surveyor().Survey(t.Context()); err != nil || !got.Anew {
		t.Fatalf("a survey came to %+v, %v", got, err)
	}
	stored, err := o.Stored(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	if err := o.Auditor().Anomalies(t.Context(), schemas.NewCutoff(stored), nil, func(a schemas.Anomaly) error {
		want = append(want, strings.Join([]string{a.ResourceID, string(a.Reason), a.Event.Source, a.Event.ID, a.Event.Position.Where()}, " "))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(want)
	got, err := asked(t.Context(), o.endpoints, "older", "SELECT concat(resource_id, ' ', reason, ' ', source, ' ', id, ' ', topic, '/', toString(partition), '/', toString(offset)) AS row FROM anomalies ORDER BY row")
	if err != nil || !slices.Equal(got, want) && (len(want) > 0 || len(got) > 1) {
		t.Errorf("there are\n%s\nand must be\n%s\n%v", strings.Join(got, "\n"), strings.Join(want, "\n"), err)
	}
}

// settledByRun4 are the rows of the adjustments and of September, worked by hand: prices
// are 1, 1.5 or 2 a minute, 100 a GB with 10 % tax, and 0. Quantities that are taken back
// are the sums of what the older version invoiced.
func settledByRun4() []string {
	return []string{
		// Deleted on the 21st; up to the 16th it was settled before, and stays.
		"2026-07 added 1. 07-16 cpu 23040 min × -1: -23040 - 0 = -23040",
		"2026-07 added 2. 07-16 cpu 7200 min × 1: 7200 - 0 = 7200",
		"2026-07 added 3. 07-16 disk 23040 min × -1: -23040 - 0 = -23040",
		"2026-07 added 4. 07-16 disk 7200 min × 1: 7200 - 0 = 7200",
		// Deleted on the 16th; a was dearer for a while, b was gone for a while.
		"2026-07 back 1. 07-01 a 44640 min × -3: -44640 - 0 = -44640",
		"2026-07 back 2. 07-01 a 21600 min × 1: 21600 - 0 = 21600",
		"2026-07 back 3. 07-01 b 44640 min × -2: -44640 - 0 = -44640",
		"2026-07 back 4. 07-01 b 21600 min × 1: 21600 - 0 = 21600",
		// 50,000 are used up from the oldest period on.
		"2026-07 coupon 1. 07-01 cpu 21600 min × -2: -21600 - -21600 = 0",
		"2026-07 coupon 2. 07-01 cpu 12960 min × 1: 12960 - 12960 = 0",
		"2026-07 coupon 3. 07-10 cpu 8640 min × 1: 12960 - 12960 = 0",
		"2026-07 coupon 4. 07-16 cpu 23040 min × -1: -46080 - -28400 = -17680",
		"2026-07 coupon 5. 07-16 cpu 23040 min × 1: 46080 - 24080 = 22000",
		// What costs nothing was left.
		"2026-07 free 1. 07-01 traffic 44640 min × -5: 0 - 0 = 0",
		"2026-07 free 2. 07-01 traffic 44640 min × 7.5: 0 - 0 = 0",
		// b is gone since before, and stays so.
		"2026-07 gone 1. 07-01 a 44640 min × -2: -89280 - 0 = -89280",
		"2026-07 gone 2. 07-01 a 27360 min × 1: 54720 - 0 = 54720",
		"2026-07 gone 3. 07-20 a 17280 min × 1: 17280 - 0 = 17280",
		"2026-07 grew 1. 07-01 traffic 44640 min × -12.5: -825 - 0 = -825",
		"2026-07 grew 2. 07-01 traffic 44640 min × 8.5: 935 - 0 = 935",
		"2026-07 grew-twice 1. 07-01 traffic 44640 min × -21: -935 - 0 = -935",
		"2026-07 grew-twice 2. 07-01 traffic 44640 min × 9.5: 1045 - 0 = 1045",
		// b was gone, and is here again.
		"2026-07 returned 1. 07-01 a 44640 min × -2: -89280 - 0 = -89280",
		"2026-07 returned 2. 07-01 a 44640 min × 1: 44640 - 0 = 44640",
		"2026-07 returned 3. 07-01 b 44640 min × -1: 0 - 0 = 0",
		"2026-07 returned 4. 07-01 b 44640 min × 1: 44640 - 0 = 44640",

		"2026-08 added 1. 08-01 cpu 44640 min × -1: -44640 - 0 = -44640",
		"2026-08 added 2. 08-01 disk 44640 min × -1: -44640 - 0 = -44640",
		"2026-08 back 1. 08-01 a 44640 min × -2: -44640 - 0 = -44640",
		"2026-08 back 2. 08-01 b 44640 min × -1: -44640 - 0 = -44640",
		"2026-08 free 1. 08-01 traffic 44640 min × 0: 0 - 0 = 0",
		"2026-08 free 2. 08-01 traffic 44640 min × 1: 0 - 0 = 0",
		"2026-08 gone 1. 08-01 a 44640 min × -1: -89280 - 0 = -89280",
		"2026-08 gone 2. 08-01 a 44640 min × 1: 44640 - 0 = 44640",
		"2026-08 returned 1. 08-01 a 44640 min × -1: -89280 - 0 = -89280",
		"2026-08 returned 2. 08-01 a 44640 min × 1: 44640 - 0 = 44640",
		"2026-08 returned 3. 08-01 b 44640 min × 1: 44640 - 0 = 44640",

		"2026-09 calm 1. 09-01 cpu 43200 min × 1: 47520 - 0 = 47520",
		"2026-09 coupon 1. 09-01 cpu 43200 min × 1: 86400 - 0 = 86400",
		"2026-09 free 1. 09-01 traffic 43200 min × 0: 0 - 0 = 0",
		"2026-09 gone 1. 09-01 a 43200 min × 1: 43200 - 0 = 43200",
		"2026-09 grew 1. 09-01 traffic 43200 min × 0: 0 - 0 = 0",
		"2026-09 grew-twice 1. 09-01 traffic 43200 min × 0: 0 - 0 = 0",
		"2026-09 returned 1. 09-01 a 43200 min × 1: 43200 - 0 = 43200",
		"2026-09 returned 2. 09-01 b 43200 min × 1: 43200 - 0 = 43200",
	}
}

// olderStore is an installation that begins with the rows of an older version.
type olderStore struct {
	*App
	endpoints embedded.Endpoints
	// lines are those of the scenario; played are the first of them, copies what they said.
	lines  [][]byte
	played int
	copies []oracle.Copy
}

func openOlderStore(t *testing.T) *olderStore {
	stack := embeddedtest.StartWith(t, embedded.Options{Log: slog.New(slog.DiscardHandler)})
	e := stack.Endpoints()
	cfg, err := config.Load("", []string{
		"RECKON_KAFKA_BROKERS=" + e.Kafka, "RECKON_KAFKA_PARTITIONS=1", "RECKON_CLICKHOUSE_ADDRESSES=" + e.Native,
		"RECKON_CLICKHOUSE_DATABASE=older", "RECKON_CLICKHOUSE_USERNAME=" + e.User, "RECKON_CLICKHOUSE_PASSWORD=" + e.Password,
		"RECKON_INGEST_BATCH_MAX_AGE=10ms", "RECKON_BILLING_FIRST_MONTH=2026-07",
	})
	if err != nil {
		t.Fatal(err)
	}
	o := &olderStore{endpoints: e}
	o.fill(t)
	clock, began := time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC), time.Now()
	o.App, err = Connect(t.Context(), Options{Config: cfg, Log: testkit.Warnings(t), Now: func() time.Time { return clock.Add(time.Since(began)) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := errors.Join(o.Prepare(t.Context()), o.Check(t.Context())); err != nil {
		t.Fatal(err)
	}
	o.ingest(t)
	scenario, err := os.ReadFile("testdata/older/events.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	o.lines = bytes.Split(bytes.TrimSpace(scenario), []byte("\n"))
	return o
}

// fill makes the tables of the older version, and inserts its rows.
func (o *olderStore) fill(t *testing.T) {
	t.Helper()
	all, err := migrations.All()
	if err != nil {
		t.Fatal(err)
	}
	o.ask(t, "", "CREATE DATABASE older")
	for i := range all[:olderMigrations] {
		statements, err := all[i].Statements(migrations.Target{})
		if err != nil {
			t.Fatal(err)
		}
		for _, statement := range statements {
			o.ask(t, "older", statement)
		}
		o.ask(t, "older", fmt.Sprintf("INSERT INTO schema_migrations (number, name, checksum, digits, applied_at) VALUES (%d, '%s', '%s', 0, now64(3))",
			all[i].Number, all[i].Name, all[i].Checksum))
	}
	rows, err := os.ReadFile("testdata/older/rows.sql")
	if err != nil {
		t.Fatal(err)
	}
	for statement := range strings.SplitSeq(strings.TrimSpace(string(rows)), ";\n") {
		o.ask(t, "older", strings.TrimSuffix(statement, ";"))
	}
}

func (o *olderStore) ask(t *testing.T, database, query string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+o.endpoints.HTTP+"/?database="+database, strings.NewReader(query))
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth(o.endpoints.User, o.endpoints.Password)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	said, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%.200s: %s %v", query, said, err)
	}
}

// ingest runs until the test ends.
func (o *olderStore) ingest(t *testing.T) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- unlessStopped(ctx, o.ingesting(prometheus.NewRegistry()).run(ctx, nil)) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("ingest ended with %v", err)
		}
	})
}

func (o *olderStore) sealer(t *testing.T) *Sealer {
	t.Helper()
	s, err := o.Sealer(nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// playTo sends the events up to the seal of that number, each to where it lay before.
func (o *olderStore) playTo(t *testing.T, seal int) {
	t.Helper()
	out, err := o.Kafka.NewProducer(t.Context(), o.EventTopics()...)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	parser := codec.Parser{Currency: o.Currency()}
	for seals := bytes.Count(bytes.Join(o.lines[:o.played], nil), []byte(`{"seal"`)); seals < seal; o.played++ {
		line := o.lines[o.played]
		var read struct {
			Type schemas.Type
			Time time.Time
		}
		if err := json.Unmarshal(line, &read); err != nil {
			t.Fatal(err)
		}
		if read.Type == "" {
			seals++
			continue
		}
		m := schemas.Message{Time: read.Time.UTC(), Key: []byte("acme"), Value: line}
		if m.Topic = o.Config.Kafka.Topics.Lifecycle; read.Type == schemas.UsageRecorded {
			m.Topic = o.Config.Kafka.Topics.Usage
		}
		positions, err := out.Produce(t.Context(), []schemas.Message{m})
		if err != nil {
			t.Fatal(err)
		}
		event, err := parser.Parse(&m)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		o.copies = append(o.copies, oracle.Copy{Event: event, Position: positions[0], KafkaTime: m.Time})
	}
}

// verified holds the month against its events and the log, and says what differs.
func (o *olderStore) verified(t *testing.T, month schemas.Month) {
	t.Helper()
	p, err := o.Auditor().Verify(t.Context(), month, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range p.Found {
		t.Errorf("%s: %s", month, found)
	}
}

// everyAdjustmentIsKnown changes one row of each adjustment after the other by as little
// as can be: verify makes what was issued again, as the version did that issued it, and
// names the row.
func (o *olderStore) everyAdjustmentIsKnown(t *testing.T) {
	t.Helper()
	var last []schemas.ReportRow // of each adjustment
	rows := map[string]map[schemas.LineKey]int{}
	for run := int64(1); run <= 4; run++ {
		if err := o.Store.RunRows(t.Context(), run, func(r schemas.ReportRow) error {
			if r.Kind != schemas.KindAdjustment {
				return nil
			}
			if rows[r.InvoiceCode] == nil {
				rows[r.InvoiceCode], last = map[schemas.LineKey]int{}, append(last, r)
			}
			rows[r.InvoiceCode][r.Key()]++
			last[len(last)-1] = r
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range last {
		where := fmt.Sprintf("WHERE invoice_code = '%s' AND item = '%s' AND period_start = fromUnixTimestamp64Milli(%d) AND line_number = %d SETTINGS mutations_sync = 2",
			r.InvoiceCode, r.Item.Name, r.PeriodStart.UnixMilli(), r.Number)
		o.ask(t, "older", "ALTER TABLE invoice_lines UPDATE total_amount = total_amount + 1 "+where)
		p, err := o.Auditor().Verify(t.Context(), r.Month, true)
		want := fmt.Sprintf(`: total_amount is stored as "%s", derived "%s"`, r.TotalAmount.Add(decimal.NewFromInt(1)), r.TotalAmount)
		if rows[r.InvoiceCode][r.Key()] > 1 {
			want = fmt.Sprintf(", row %d%s", r.Number, want)
		}
		if err != nil || len(p.Found) != 1 || !strings.HasPrefix(p.Found[0], r.InvoiceCode+": line ") || !strings.Contains(p.Found[0], `"`+r.Item.Name+`"`) || !strings.HasSuffix(p.Found[0], want) {
			t.Errorf("with another amount in %s verify found %q, %v, want %s", r.InvoiceCode, p.Found, err, want)
		}
		o.ask(t, "older", "ALTER TABLE invoice_lines UPDATE total_amount = total_amount - 1 "+where)
	}
}

// explained holds explanations of July against what was worked by hand: of a difference,
// and of rows that take back what one invoice had, or the sum of what several had.
func (o *olderStore) explained(t *testing.T, july schemas.Month) {
	t.Helper()
	of := func(resource string, run int64) *audit.Explanation {
		t.Helper()
		x, err := o.Auditor().Explain(t.Context(), schemas.AdjustmentCode("acme", resource, july, run), false)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	difference := of("grew", 2).Lines[0]
	if difference.TakesBack != "" || len(difference.Invoiced) != 1 || difference.Now.TotalAmount != "825" || difference.TotalAmount != "275" || difference.Usage.Measured != "7.5" {
		t.Errorf("a difference is explained as %+v", difference)
	}
	sum := of("grew", 4).Lines
	if back := sum[0]; len(sum) != 2 || back.TakesBack != schemas.AdjustmentCode("acme", "grew", july, 2) || len(back.Invoiced) != 2 || back.Price != nil || back.TotalAmount != "-825" {
		t.Errorf("what takes back a sum is explained as %+v", back)
	}
	if now := sum[1]; now.TakesBack != "" || now.Usage.Measured != "8.5" || now.Price.Exact != "850" || now.TotalAmount != "935" {
		t.Errorf("the line as it is now is explained as %+v", now)
	}
	one := of("added", 4).Lines[0]
	if one.TakesBack != schemas.AdjustmentCode("acme", "added", july, 3) || len(one.Invoiced) > 0 || one.Price.Exact != "23040" || one.ClosedBy != nil || one.TotalAmount != "-23040" {
		t.Errorf("what takes back one row is explained as %+v", one)
	}
}

// addUp holds all rows of the lines that were corrected against the second calculator,
// and of all lines the amounts.
func (o *olderStore) addUp(t *testing.T, corrected []schemas.Line, last schemas.Month) {
	t.Helper()
	runs, err := o.Store.Runs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	settings := oracle.Settings{Zone: o.Config.Billing.Location, Currency: o.Currency(), First: runs[0].FirstMonth, Last: last}
	for _, run := range runs {
		settings.Cutoffs = append(settings.Cutoffs, run.Cutoff)
	}
	type key struct {
		resource string
		schemas.LineKey
	}
	exact := map[key]bool{}
	for i := range corrected {
		exact[key{corrected[i].ResourceID, corrected[i].Key()}] = true
	}
	// Elsewhere quantities are those of differences.
	held := func(l schemas.Line) schemas.Line {
		if !exact[key{l.ResourceID, l.Key()}] {
			l.Quantity = l.Quantity.Sub(l.Quantity)
		}
		return l
	}
	var want, got []schemas.Line
	for _, l := range oracle.Compute(o.copies, settings).Lines {
		want = append(want, held(l))
	}
	for month := settings.First; !last.Before(month); month = month.Next() {
		if err := o.Store.UsageReport(t.Context(), month, "", func(r schemas.ReportRow) error {
			got = append(got, held(r.Line))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range oracle.DiffSums(want, got) {
		t.Error(d)
	}
}
