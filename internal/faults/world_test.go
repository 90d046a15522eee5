package faults

import (
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	kafkago "github.com/segmentio/kafka-go"

	"github.com/reckon-billing/reckon/internal/embedded"
	"github.com/reckon-billing/reckon/internal/embedded/embeddedtest"
	"github.com/reckon-billing/reckon/internal/kafka"
	"github.com/reckon-billing/reckon/internal/kafka/kafkatest"
	"github.com/reckon-billing/reckon/internal/testkit"
	"github.com/reckon-billing/reckon/schemas"
)

// The names that the program gives its topics by default, and that of its group.
const (
	lifecycleTopic = "billing.lifecycle"
	usageTopic     = "billing.usage"
	letterTopic    = "billing.deadletter"
	group          = "reckon-ingest"
	database       = "reckon"
)

// world is a Kafka broker and a ClickHouse that the program is pointed at as at
// any servers, a proxy before each, and the truth about what was sent.
type world struct {
	truth
	t      *testing.T
	dir    string
	broker *kafkatest.Broker // the first of those
	addrs  []string          // of all brokers
	stack  *embedded.Stack
	proxy  *proxy // before ClickHouse
	kafka  *kafka.Client
	store  driver.Conn // straight to ClickHouse
	now    time.Time   // the timestamp of messages
	users  string      // ClickHouse's users as they were before profile
	// embedded is the program's environment where it runs on its own stack.
	embedded []string
}

// newWorld starts the engines, makes tables and topics, and sends the events that
// begin each resource's life.
func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldOn(t, kafkatest.Start(t))
}

// newWorldOn is newWorld on these brokers.
func newWorldOn(t *testing.T, brokers ...*kafkatest.Broker) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), now: time.Now().Truncate(time.Second), broker: brokers[0]}
	for _, b := range brokers {
		w.addrs = append(w.addrs, b.Addr())
	}
	// The broker that comes with it is not used.
	w.stack = embeddedtest.StartWith(t, embedded.Options{DataDir: w.dir + "/stack", Log: testkit.Warnings(t)})
	w.proxy = newProxy(t, w.stack.Endpoints().Native)
	var err error
	if w.kafka, err = kafka.New(kafka.Config{Brokers: w.addrs, Now: time.Now}); err != nil {
		t.Fatal(err)
	}
	if w.store, err = driver.Open(w.options()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.store.Close() })
	mustRun(t, w.env("KAFKA_REPLICATION_FACTOR="+strconv.Itoa(len(brokers))), "migrate")
	w.send(w.created(lifecycleTopic, w.now))
	return w
}

func (w *world) options() *driver.Options {
	e := w.stack.Endpoints()
	return &driver.Options{
		Addr: []string{e.Native}, Auth: driver.Auth{Username: e.User, Password: e.Password}, MaxOpenConns: 4,
		Settings: driver.Settings{"max_memory_usage": 0}, // what ails the program is not to ail the test
	}
}

// env is the environment of the program, as for servers; settings are NAME=VALUE
// without the prefix and win.
func (w *world) env(settings ...string) []string {
	if w.embedded != nil {
		return w.embedded
	}
	e := w.stack.Endpoints()
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + w.dir, "TMPDIR=" + w.dir,
		"RECKON_KAFKA_BROKERS=" + strings.Join(w.addrs, ","), "RECKON_CLICKHOUSE_ADDRESSES=" + w.proxy.addr(),
		"RECKON_CLICKHOUSE_USERNAME=" + e.User, "RECKON_CLICKHOUSE_PASSWORD=" + e.Password,
		"RECKON_LISTEN=127.0.0.1:0", "RECKON_BILLING_FIRST_MONTH=" + month, "RECKON_KAFKA_GROUP=" + group,
	}
	for _, s := range settings {
		env = append(env, "RECKON_"+s)
	}
	return env
}

// makeTopics makes topics of events as the program makes its own.
func (w *world) makeTopics(names ...string) {
	w.t.Helper()
	for _, name := range names {
		if _, err := w.kafka.EnsureTopics(w.t.Context(), kafka.TopicSpec{
			Name: name, ReplicationFactor: 1, MaxMessageBytes: kafka.EventTopicBytes,
		}); err != nil {
			w.t.Fatal(err)
		}
	}
}

// ingest starts the program as ingest.
func (w *world) ingest(settings ...string) *testkit.Process {
	w.t.Helper()
	return start(w.t, w.env(settings...), "ingest")
}

// forgetLogs makes the store forget how far the logs are stored, so that a group which
// has committed nothing reads them again.
func (w *world) forgetLogs() {
	w.t.Helper()
	for _, table := range []string{"logs", "log_notes", "log_marks"} {
		w.exec("TRUNCATE TABLE reckon." + table)
	}
}

// send produces messages, whatever the broker does meanwhile.
func (w *world) send(messages []schemas.Message) {
	w.t.Helper()
	w.repeats += int64(produce(w.t, w.kafka, messages))
}

// sendUsage sends the next n usage events.
func (w *world) sendUsage(n int) {
	w.t.Helper()
	for n > 0 {
		k := min(n, 50_000)
		w.send(w.usage(usageTopic, k, w.now))
		n -= k
	}
}

// lag is how many messages are not committed yet; -1 when the broker does not say.
func (w *world) lag() int64 {
	ctx, cancel := context.WithTimeout(w.t.Context(), 5*time.Second)
	defer cancel()
	lags, err := w.kafka.Lag(ctx, group, lifecycleTopic, usageTopic)
	if err != nil {
		return -1
	}
	var sum int64
	for _, l := range lags {
		sum += max(0, l.End-l.Committed)
	}
	return sum
}

// caughtUp waits until everything sent is committed.
func (w *world) caughtUp(patience time.Duration) {
	w.t.Helper()
	testkit.Eventually(w.t, patience, "ingest has committed everything", func() bool { return w.lag() == 0 })
}

// committed is how far the group has committed, of each partition.
func (w *world) committed() []schemas.PartitionEnd {
	w.t.Helper()
	at, err := w.kafka.Committed(w.t.Context(), group, lifecycleTopic, usageTopic)
	if err != nil {
		w.t.Fatal(err)
	}
	return at
}

// evict takes killed members out of the group, which otherwise waits out their
// sessions of 10 s.
func (w *world) evict() {
	w.t.Helper()
	client := &kafkago.Client{Addr: kafkago.TCP(w.addrs...), Timeout: 10 * time.Second}
	testkit.Eventually(w.t, 30*time.Second, "the group is empty", func() bool {
		res, err := client.DescribeGroups(w.t.Context(), &kafkago.DescribeGroupsRequest{GroupIDs: []string{group}})
		if err != nil || len(res.Groups) != 1 {
			return false
		}
		leave := &kafkago.LeaveGroupRequest{GroupID: group}
		for _, m := range res.Groups[0].Members {
			leave.Members = append(leave.Members, kafkago.LeaveGroupRequestMember{ID: m.MemberID})
		}
		if len(leave.Members) > 0 {
			_, err = client.LeaveGroup(w.t.Context(), leave)
		}
		return err == nil
	})
}

// number asks ClickHouse for one.
func (w *world) number(query string) int64 {
	w.t.Helper()
	var n int64
	if err := w.store.QueryRow(w.t.Context(), "SELECT toInt64(("+query+"))").Scan(&n); err != nil {
		w.t.Fatalf("%s: %v", query, err)
	}
	return n
}

// exec has ClickHouse do something.
func (w *world) exec(query string) {
	w.t.Helper()
	if err := w.store.Exec(w.t.Context(), query); err != nil {
		w.t.Fatalf("%s: %v", query, err)
	}
}

// checkStored compares what is stored with the truth: every offset of the log
// is there once, and each account has its events, each identity counted once.
func (w *world) checkStored() {
	w.t.Helper()
	w.checkOffsets()
	w.checkAccounts()
}

// checkOffsets wants every offset of the log stored.
func (w *world) checkOffsets() {
	w.t.Helper()
	ends, err := w.kafka.Ends(w.t.Context(), lifecycleTopic, usageTopic)
	if err != nil {
		w.t.Fatal(err)
	}
	var messages int64
	for _, end := range ends {
		messages += end.End
		stored := w.number(fmt.Sprintf("SELECT countDistinct(offset) FROM (SELECT offset FROM reckon.events WHERE topic = '%[1]s' AND partition = %[2]d"+
			" UNION ALL SELECT offset FROM reckon.dead_letters WHERE topic = '%[1]s' AND partition = %[2]d) WHERE offset < %[3]d", end.Topic, end.Partition, end.End))
		if stored != end.End {
			w.t.Errorf("%s/%d: %d offsets of %d are stored", end.Topic, end.Partition, stored, end.End)
		}
	}
	if messages < w.messages || messages > w.messages+w.repeats {
		w.t.Errorf("the log holds %d messages, %d were sent, %d of them perhaps again", messages, w.messages, w.repeats)
	}
	if n := w.number("SELECT count() FROM reckon.dead_letters FINAL"); n != w.poison {
		w.t.Errorf("%d dead letters, %d were sent", n, w.poison)
	}
}

// checkAccounts compares what counts of each account with the truth.
func (w *world) checkAccounts() {
	w.t.Helper()
	rows, err := w.store.Query(w.t.Context(), "SELECT account_id, toInt64(count()), toInt64(sum(v)) FROM "+
		"(SELECT any(account_id) AS account_id, any(value) AS v FROM reckon.events WHERE is_usage GROUP BY identity) GROUP BY account_id ORDER BY account_id")
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	i := 0
	for ; rows.Next(); i++ {
		var name string
		var count, sum int64
		if err := rows.Scan(&name, &count, &sum); err != nil {
			w.t.Fatal(err)
		}
		if name != account(i) || count != w.count[i] || sum != w.sum[i] {
			w.t.Errorf("%s has %d events of sum %d; want %s with %d of %d", name, count, sum, account(i), w.count[i], w.sum[i])
		}
	}
	if rows.Err() != nil || w.made > 0 && i != accounts {
		w.t.Errorf("%d accounts of %d are stored, %v", i, accounts, rows.Err())
	}
}

// seal seals the month with the program.
func (w *world) seal() {
	w.t.Helper()
	mustRun(w.t, w.env(), "invoice", "--month", month)
}

// report is the usage report of the month, its header left out.
func (w *world) report() [][]string {
	w.t.Helper()
	rows, err := csv.NewReader(strings.NewReader(mustRun(w.t, w.env(), "report", "usage", "--month", month, "--format", "csv"))).ReadAll()
	if err != nil || len(rows) == 0 {
		w.t.Fatalf("report: %d rows, %v", len(rows), err)
	}
	return rows[1:]
}

// invoiced is what each account was invoiced in all, and by which invoices.
func (w *world) invoiced() (totals map[string]int64, codes map[string][]string) {
	w.t.Helper()
	totals, codes = map[string]int64{}, map[string][]string{}
	for _, row := range w.report() {
		total, err := strconv.ParseInt(row[21], 10, 64)
		if err != nil {
			w.t.Fatalf("row %q: %v", row, err)
		}
		totals[row[0]] += total
		if !slices.Contains(codes[row[0]], row[1]) {
			codes[row[0]] = append(codes[row[0]], row[1])
		}
	}
	return totals, codes
}

// checkInvoiced compares the month's lines with the truth: an invoice for each
// account, of the amount that its events come to.
func (w *world) checkInvoiced() {
	w.t.Helper()
	totals, codes := w.invoiced()
	for i := range accounts {
		if name := account(i); totals[name] != w.total(i) || len(codes[name]) != 1 {
			w.t.Errorf("%s has %d invoices of %d in all; want 1 of %d", name, len(codes[name]), totals[name], w.total(i))
		}
	}
	if len(totals) != accounts {
		w.t.Errorf("%d accounts were invoiced, want %d", len(totals), accounts)
	}
}
