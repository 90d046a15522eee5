package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/internal/app"
	"github.com/reckon-billing/reckon/internal/embedded"
	"github.com/reckon-billing/reckon/internal/embedded/embeddedtest"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/codec"
	"github.com/reckon-billing/reckon/schemas/migrations"
)

// TestOnServers runs what needs a Kafka and a ClickHouse that run on their own,
// as in production: one embedded stack stands for the servers of all tests.
func TestOnServers(t *testing.T) {
	s := &servers{endpoints: embeddedtest.Start(t).Endpoints()}
	for _, test := range []struct {
		name string
		run  func(*testing.T, *servers)
	}{
		{"F1 F2 H6: a seal that breaks off at any write ends the same", testSealBreaksOff},
		{"from migrate to a settled month", testProductionPath},
		{"a month that is not due says when it will be", testNotDueYet},
		{"a first seal that would forget a lived month refuses", testFirstSealRefuses},
		{"without the setting billing begins with the first seal", testFirstMonthByDefault},
		{"O7: no month that had ended before the first event seals itself", testFirstByItself},
		{"O7: by hand no month before the first event is sealed first, unless told so", testEmptyMonth},
		{"J6 F1: two invoicers seal what is due, and no other", testInvoicers},
		{"a seal waits for ingest and says for what", testSealWaits},
		{"F4 F9: a broken account is parked, the others are sealed", testParkedAccount},
		{"F1 F2 H6: seals that are killed or run at once end like one alone", testSealsDisturbed},
		{"snapshots that cannot be read change nothing that is issued", testUnreadableSnapshots},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, s) })
	}
}

// servers are what the settings of an installation point to.
type servers struct {
	endpoints embedded.Endpoints
	installed int
}

// installation is a reckon on the servers, with topics, a group and a database
// of its own.
type installation struct {
	name     string
	settings []string
	servers  *servers
	now      func() time.Time
}

// install names an installation; nothing is made yet. Its clock is far beyond
// every month of the tests, so that all are due.
func (s *servers) install(settings ...string) *installation {
	s.installed++
	name := fmt.Sprintf("test_%d", s.installed)
	return &installation{
		name: name, servers: s, now: years(60),
		settings: append([]string{
			"RECKON_KAFKA_BROKERS=" + s.endpoints.Kafka,
			"RECKON_KAFKA_TOPICS_LIFECYCLE=" + name + ".lifecycle",
			"RECKON_KAFKA_TOPICS_USAGE=" + name + ".usage",
			"RECKON_KAFKA_TOPICS_DEAD_LETTER=" + name + ".deadletter",
			"RECKON_KAFKA_PARTITIONS=3",
			"RECKON_KAFKA_GROUP=" + name,
			"RECKON_CLICKHOUSE_ADDRESSES=" + s.endpoints.Native,
			"RECKON_CLICKHOUSE_USERNAME=" + s.endpoints.User,
			"RECKON_CLICKHOUSE_PASSWORD=" + s.endpoints.Password,
			"RECKON_CLICKHOUSE_DATABASE=" + name,
			"RECKON_LISTEN=127.0.0.1:0",
			"RECKON_INGEST_BATCH_MAX_AGE=20ms",
		}, settings...),
	}
}

// years is the clock of so many years from now.
func years(n int) func() time.Time {
	return func() time.Time { return time.Now().AddDate(n, 0, 0) }
}

// run runs a command on the installation.
func (i *installation) run(t testing.TB, args ...string) outcome {
	t.Helper()
	return runReckonAt(t, i.now, i.settings, args...)
}

// must is run for a command that must succeed; it returns stdout.
func (i *installation) must(t testing.TB, args ...string) string {
	t.Helper()
	got := i.run(t, args...)
	if got.code != 0 {
		t.Fatalf("reckon %s ended with %d:\n%s", strings.Join(args, " "), got.code, got.stderr)
	}
	return got.stdout
}

// connect is the installation as the commands have it.
func (i *installation) connect(t testing.TB) *app.App {
	t.Helper()
	a := &cli{environ: slices.Concat(outside(), i.settings), stdout: io.Discard, stderr: io.Discard, now: i.now}
	cfg, log, err := a.settings()
	if err != nil {
		t.Fatal(err)
	}
	s, err := a.connect(t.Context(), cfg, quiet(log, cfg))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// start runs a command that goes on until stopped. The returned function stops
// it, as a signal would, and is called at the end of the test at the latest.
func (i *installation) start(t testing.TB, args ...string) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var stderr bytes.Buffer
	a := &cli{environ: slices.Concat(outside(), i.settings), stdin: strings.NewReader(""), stdout: io.Discard, stderr: &stderr, now: i.now}
	ended := make(chan int, 1)
	go func() { ended <- a.run(ctx, args) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case code := <-ended:
			if code != 0 {
				t.Errorf("reckon %s was stopped and ended with %d:\n%s", strings.Join(args, " "), code, stderr.String())
			}
		case <-time.After(30 * time.Second):
			t.Errorf("reckon %s does not stop", strings.Join(args, " "))
		}
	})
	t.Cleanup(stop)
	return stop
}

// produce sends lines of a scenario as a replay would, but stamped with their
// own times' future, so that none is rejected for it.
func (i *installation) produce(t testing.TB, lines ...string) {
	t.Helper()
	s := i.connect(t)
	out, err := s.Kafka.NewProducer(t.Context(), s.EventTopics()...)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	var messages []schemas.Message
	for _, line := range lines {
		m := schemas.Message{Time: i.now().UTC().Truncate(time.Millisecond), Value: []byte(line)}
		kind, _ := codec.TypeOf(m.Value)
		m.Topic = s.Config.Kafka.Topics.Of(codec.Topic(kind))
		account, _ := codec.AccountOf(m.Value)
		m.Key = []byte(account)
		messages = append(messages, m)
	}
	if _, err := out.Produce(t.Context(), messages); err != nil {
		t.Fatal(err)
	}
}

// ask asks ClickHouse over HTTP, as finance would; {db} is the installation's
// database.
func (i *installation) ask(t testing.TB, query string) string {
	t.Helper()
	answer, err := i.tryAsk(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func (i *installation) tryAsk(ctx context.Context, query string) (string, error) {
	e := i.servers.endpoints
	query = strings.ReplaceAll(query, "{db}", i.name)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+e.HTTP+"/?"+url.Values{"wait_end_of_query": {"1"}}.Encode(),
		strings.NewReader(query))
	if err != nil {
		return "", err
	}
	request.SetBasicAuth(e.User, e.Password)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", query, body)
	}
	return string(body), err
}

// issued is everything that the seals of an installation left, each row as it is
// stored, whatever was merged.
func (i *installation) issued(t testing.TB) string {
	t.Helper()
	var b strings.Builder
	tables, _, err := migrations.Made()
	if err != nil {
		t.Fatal(err)
	}
	others := []string{
		"schema_migrations", "events", "identities", "dead_letters", "dead_letter_replays", "dead_letter_copies",
		"surveys", "survey_anomalies", "survey_resources", // they are of whenever it was
	}
	tables = slices.DeleteFunc(tables, func(table string) bool { return slices.Contains(others, table) })
	for _, table := range tables {
		columns := "*"
		if table == "seals" {
			columns = "DISTINCT * EXCEPT (sealed_at, proof)" // when each of those who did the work had done it, and the hash of it
		}
		fmt.Fprintf(&b, "== %s\n%s", table, i.ask(t, "SELECT "+columns+" FROM {db}."+table+" FINAL ORDER BY ALL FORMAT TSV"))
	}
	return b.String()
}

// issuedOnce holds that no invoice, and no line of one, is there twice.
func (i *installation) issuedOnce(t testing.TB) {
	t.Helper()
	for _, query := range []string{
		"SELECT code FROM {db}.invoices FINAL GROUP BY code HAVING count() > 1",
		"SELECT invoice_code, period_start, item, coupon_code, line_number, count() FROM {db}.invoice_rows GROUP BY ALL HAVING count() > 1",
		"SELECT number FROM {db}.runs FINAL GROUP BY number HAVING count() > 1",
		"SELECT code FROM {db}.invoices AS h FINAL WHERE lines != (SELECT count() FROM {db}.invoice_rows AS l WHERE l.invoice_code = h.code)",
	} {
		if twice := i.ask(t, query); twice != "" {
			t.Errorf("%s gives\n%s", query, twice)
		}
	}
}
