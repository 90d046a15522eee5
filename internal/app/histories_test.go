package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"github.com/reckon-billing/reckon/internal/config"
	"github.com/reckon-billing/reckon/internal/embedded"
	"github.com/reckon-billing/reckon/internal/embedded/embeddedtest"
	"github.com/reckon-billing/reckon/internal/generate"
	"github.com/reckon-billing/reckon/internal/kafka"
	"github.com/reckon-billing/reckon/internal/oracle"
	"github.com/reckon-billing/reckon/internal/oracle/histories"
	"github.com/reckon-billing/reckon/internal/testkit"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/codec"
)

// storyChecks are the histories of a run unless the command line asks for more, as
// `make laws` does: each takes about a second, a third of it for tables and topics.
const storyChecks = 60

// L1, L4, A10, A12, T8: random histories go the whole way, through Kafka and ClickHouse
// and the stages of production, in batches of any size, with ingest stopped and
// started in between, and come to what the naive calculator says.
func TestHistoriesOnTheEnginesComeToWhatTheNaiveCalculatorSays(t *testing.T) {
	checks := flag.Lookup("rapid.checks")
	if before := checks.Value.String(); before == checks.DefValue {
		if err := checks.Value.Set(strconv.Itoa(storyChecks)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = checks.Value.Set(before) })
	}
	w := &world{t: t}
	rapid.Check(t, w.history)
}

// world is a stack on which one history after the other has topics, a group and a
// database of its own.
type world struct {
	t         *testing.T
	stack     *embedded.Stack
	histories int
}

// perStack are the histories of a stack: what is dropped takes the engine's time
// for a while.
const perStack = 200

// servers are those of the next history.
func (w *world) servers() embedded.Endpoints {
	if w.histories%perStack == 0 {
		if w.stack != nil {
			if err := w.stack.Close(context.WithoutCancel(w.t.Context())); err != nil {
				w.t.Fatal(err)
			}
		}
		w.stack = embeddedtest.StartWith(w.t, embedded.Options{Log: slog.New(slog.DiscardHandler)})
	}
	w.histories++
	return w.stack.Endpoints()
}

func (w *world) history(r *rapid.T) {
	zone := rapid.SampledFrom([]string{"Asia/Ho_Chi_Minh", "America/New_York", "UTC"}).Draw(r, "zone")
	z, err := time.LoadLocation(zone)
	if err != nil {
		r.Fatal(err)
	}
	all, first := histories.Drawn(r, z)
	s := w.begin(r, "RECKON_BILLING_ZONE="+zone, "RECKON_BILLING_FIRST_MONTH="+first.String(),
		"RECKON_INGEST_BATCH_ROWS="+strconv.Itoa(rapid.SampledFrom([]int{1, 2, 3, 1000}).Draw(r, "batch")))
	defer s.end()
	s.first = first
	s.startIngest()
	month, sealed := first, first.Prev()
	for round := 0; len(all) > 0; round++ {
		n := len(all)
		if round < 3 {
			n = rapid.IntRange(0, len(all)).Draw(r, "stored before the seal")
		}
		s.produce(all[:n])
		all = all[n:]
		s.seal(month)
		if sealed.Before(month) {
			sealed = month
		}
		s.check(sealed)
		s.look(sealed, len(all) == 0)
		month = month.Next()
	}
	before := s.issued(sealed)
	s.seal(sealed)
	if !reflect.DeepEqual(s.issued(sealed), before) {
		r.Fatal("sealing again without new events changed something")
	}
}

// story is one history on its way through an installation of its own.
type story struct {
	*rapid.T
	*App
	servers embedded.Endpoints
	ctx     context.Context //nolint:containedctx // of one history
	zone    *time.Location
	first   schemas.Month
	stop    func()

	copies   []oracle.Copy
	rejected int64
}

// begin installs reckon, in far years, when every month is due.
func (w *world) begin(r *rapid.T, settings ...string) *story {
	e, name := w.servers(), fmt.Sprintf("history_%d", w.histories)
	cfg, err := config.Load("", append(settings,
		"RECKON_KAFKA_BROKERS="+e.Kafka, "RECKON_KAFKA_GROUP="+name, "RECKON_KAFKA_PARTITIONS=3",
		"RECKON_KAFKA_TOPICS_LIFECYCLE="+name+".lifecycle", "RECKON_KAFKA_TOPICS_USAGE="+name+".usage",
		"RECKON_KAFKA_TOPICS_DEAD_LETTER="+name+".deadletter",
		"RECKON_CLICKHOUSE_ADDRESSES="+e.Native, "RECKON_CLICKHOUSE_DATABASE="+name,
		"RECKON_CLICKHOUSE_USERNAME="+e.User, "RECKON_CLICKHOUSE_PASSWORD="+e.Password,
		"RECKON_INGEST_BATCH_MAX_AGE=10ms",
	))
	if err != nil {
		r.Fatal(err)
	}
	s := &story{T: r, servers: e, ctx: context.WithoutCancel(w.t.Context()), zone: cfg.Billing.Location, stop: func() {}}
	now := func() time.Time { return time.Now().AddDate(60, 0, 0) }
	s.App, err = Connect(s.ctx, Options{Config: cfg, Log: testkit.Warnings(w.t), Now: now})
	if err != nil {
		r.Fatal(err)
	}
	if err := errors.Join(s.Prepare(s.ctx), s.Check(s.ctx)); err != nil {
		s.end()
		r.Fatal(err)
	}
	return s
}

// end leaves nothing of the history behind.
func (s *story) end() {
	s.stop()
	if err := s.Close(); err != nil {
		s.Error(err)
	}
	if err := query(s.ctx, s.servers, "system", "DROP DATABASE "+s.Config.ClickHouse.Database); err != nil {
		s.Error(err)
	}
}

// query carries out a statement as somebody with a client would.
func query(ctx context.Context, e embedded.Endpoints, database, text string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+e.HTTP+"/?database="+database, strings.NewReader(text))
	if err != nil {
		return err
	}
	request.SetBasicAuth(e.User, e.Password)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	said, err := io.ReadAll(response.Body)
	if err = errors.Join(err, response.Body.Close()); err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", text, said)
	}
	return err
}

func (s *story) startIngest() {
	ctx, cancel := context.WithCancel(s.ctx)
	ended := make(chan error, 1)
	go func() { ended <- unlessStopped(ctx, s.ingesting(prometheus.NewRegistry()).run(ctx, nil)) }()
	s.stop = func() {
		cancel()
		s.stop = func() {}
		if err := <-ended; err != nil {
			s.Errorf("ingest ended with %v", err)
		}
	}
}

func (s *story) seal(month schemas.Month) {
	sealer, err := s.Sealer(nil)
	if err != nil {
		s.Fatal(err)
	}
	sealer.Empty = true                                                                                // a history may begin after its first seal
	sealer.BatchRows = rapid.SampledFrom([]int{0, 0, 2}).Draw(s.T, "rows that a seal writes together") // of 2 many accounts are wide (O5)
	seals, err := sealer.Seal(s.ctx, month)
	if err := errors.Join(err, Parked(seals)); err != nil {
		s.Fatalf("seal %s: %v", month, err)
	}
}

// produce sends copies, and poison between them, and remembers where each went.
// Ingest may be stopped and started again before, amid or after.
func (s *story) produce(copies []oracle.Copy) {
	topics := s.EventTopics()
	out, err := s.Kafka.NewProducer(s.ctx, topics...)
	if err != nil {
		s.Fatal(err)
	}
	defer out.Close()
	for len(copies) > 0 {
		n := rapid.IntRange(1, len(copies)).Draw(s.T, "produced at once")
		messages := make([]schemas.Message, 0, n+1)
		for i := range copies[:n] {
			messages = append(messages, s.message(&copies[i]))
		}
		if rapid.IntRange(0, 4).Draw(s.T, "poison") == 0 {
			messages = append(messages, schemas.Message{
				Position: schemas.Position{Topic: topics[0]}, Time: copies[0].KafkaTime, Key: []byte("k"),
				Value: rapid.SliceOfN(rapid.Byte(), 0, 5).Draw(s.T, "bytes"),
			})
			s.rejected++
		}
		s.send(out, messages, copies[:n])
		copies = copies[n:]
		if rapid.IntRange(0, 3).Draw(s.T, "restart") == 0 {
			s.stop()
			s.startIngest()
		}
	}
}

func (s *story) send(out *kafka.Producer, messages []schemas.Message, copies []oracle.Copy) {
	positions, err := out.Produce(s.ctx, messages)
	if err != nil {
		s.Fatal(err)
	}
	for i, c := range copies {
		c.Position = positions[i]
		s.copies = append(s.copies, c)
	}
}

// message carries a copy in either mode, in either topic, under any key.
func (s *story) message(c *oracle.Copy) schemas.Message {
	m := schemas.Message{Time: c.KafkaTime, Key: []byte(rapid.StringN(0, 2, -1).Draw(s.T, "key"))}
	m.Topic = rapid.SampledFrom(s.EventTopics()).Draw(s.T, "topic")
	if rapid.Bool().Draw(s.T, "structured") {
		m.Value = generate.AppendEvent(nil, &c.Event)
		return m
	}
	subject := c.ResourceID
	if c.Type == schemas.AccountModeChanged {
		subject = c.AccountID
	}
	attributes := map[string]string{
		"ce_specversion": "1.0", "ce_id": c.ID, "ce_source": c.Source, "ce_type": string(c.Type), "ce_subject": subject,
		"ce_time":     c.Time.In(s.zone).Format("2006-01-02T15:04:05.000Z07:00"),
		"ce_sequence": strconv.FormatInt(c.Sequence, 10), "content-type": "application/json",
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		m.Headers = append(m.Headers, schemas.Header{Key: name, Value: []byte(attributes[name])})
	}
	m.Value = codec.AppendData(nil, &c.Event)
	return m
}

// issued are the rows of all months up to the sealed one, and the runs.
func (s *story) issued(sealed schemas.Month) (rows []schemas.ReportRow) {
	for m := s.first; !sealed.Before(m); m = m.Next() {
		err := s.Store.UsageReport(s.ctx, m, "", func(row schemas.ReportRow) error {
			rows = append(rows, row)
			return nil
		})
		if err != nil {
			s.Fatal(err)
		}
	}
	return rows
}

// documents are what a run issued, in order.
func (s *story) documents(run int64) (all []oracle.Document) {
	err := s.Store.RunRows(s.ctx, run, func(row schemas.ReportRow) error {
		if n := len(all); n == 0 || all[n-1].Code != row.InvoiceCode {
			all = append(all, oracle.Document{Code: row.InvoiceCode, Kind: row.Kind, Run: run})
		}
		d := &all[len(all)-1]
		d.Rows = append(d.Rows, row.Line)
		return nil
	})
	if err != nil {
		s.Fatal(err)
	}
	return all
}

// check holds what was issued so far against the naive calculator.
func (s *story) check(sealed schemas.Month) {
	runs, err := s.Store.Runs(s.ctx)
	if err != nil {
		s.Fatal(err)
	}
	want := oracle.Compute(s.copies, oracle.Settings{
		Zone: s.zone, Currency: s.Currency(), First: s.first, Last: sealed, Cutoffs: histories.Cutoffs(runs),
	})
	var got []schemas.Line
	for _, row := range s.issued(sealed) {
		got = append(got, row.Line)
	}
	diff := oracle.DiffSums(want.Lines, got)
	diff = append(diff, oracle.DiffPrices(got, s.Currency())...)
	var seals []oracle.Seal
	var documents []oracle.Document
	for _, run := range runs {
		seals = append(seals, oracle.Seal{Number: run.Number, Month: run.Month, Cutoff: run.Cutoff})
		documents = append(documents, s.documents(run.Number)...)
	}
	mustBe := oracle.Documents(s.copies, oracle.Settings{Zone: s.zone, Currency: s.Currency(), First: s.first}, seals)
	diff = append(diff, oracle.DiffDocuments(mustBe, documents)...)
	if len(diff) > 0 {
		s.Fatalf("after the seal of %s: %s", sealed, diff[0])
	}
	counts, err := s.Store.Counts(s.ctx)
	if err != nil {
		s.Fatal(err)
	}
	counted, truly := [4]int64{counts.Stored, counts.Duplicate, counts.Conflicting, counts.Rejected},
		[4]int64{want.Stored, want.Duplicate, want.Conflicting, s.rejected}
	if counted != truly {
		s.Fatalf("counted %d stored, duplicate, conflicting and rejected, must be %d", counted, truly)
	}
}
