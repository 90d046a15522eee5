package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/reckon-billing/reckon/internal/audit"
	"github.com/reckon-billing/reckon/internal/kafka/kafkatest"
	"github.com/reckon-billing/reckon/schemas"
)

// life is an installation whose parts are lost and restored: on an embedded stack, but
// for Kafka where Apache Kafka is what is tested.
type life struct {
	*testing.T
	folder string
	broker *kafkatest.Broker // nil for the embedded one
	app    *App
	// ingested ends when ingest does.
	ingested chan error
	stop     context.CancelFunc
}

func newLife(t *testing.T) *life {
	l := &life{T: t, folder: filepath.Join(t.TempDir(), "data")}
	if kafkatest.IsApache() {
		l.broker = kafkatest.Start(t)
	}
	l.open()
	t.Cleanup(l.close)
	return l
}

func (l *life) open() {
	l.Helper()
	o := options(l.T, l.folder)
	o.Config.Billing.FirstMonth = "2026-09"
	o.Config.Ingest.BatchMaxAge = 10 * time.Millisecond
	o.Config.Kafka.Partitions = 2
	o.Now = func() time.Time { return time.Now().AddDate(60, 0, 0) }
	if l.broker != nil {
		o.Config.Kafka.Brokers, o.Config.Kafka.ReplicationFactor = []string{l.broker.Addr()}, 1
	}
	var err error
	if l.app, err = Connect(l.Context(), o); err != nil {
		l.Fatal(err)
	}
	if err := l.app.Prepare(l.Context()); err != nil {
		l.Fatal(err)
	}
}

// admin does what operators do to its Kafka.
func (l *life) admin() *kafkatest.Admin {
	l.Helper()
	if l.broker != nil {
		return kafkatest.NewAdmin(l.T, l.broker.Addr())
	}
	return kafkatest.NewAdmin(l.T, l.app.Endpoints().Kafka)
}

// loseKafka puts an empty Kafka where there was one.
func (l *life) loseKafka() {
	l.Helper()
	if l.broker == nil {
		l.lose("kafka")
		return
	}
	l.broker.Kill(l.T)
	l.broker = kafkatest.Start(l.T)
	l.Cleanup(l.close) // before the broker
}

// replaced is what is said of a Kafka that was replaced. The embedded broker always tells
// the same cluster.
func (l *life) replaced() string {
	if l.broker == nil {
		return "was deleted and made again"
	}
	return "lies on cluster"
}

func (l *life) close() {
	if l.app == nil {
		return
	}
	l.stopIngest()
	if err := l.app.Close(); err != nil {
		l.Error(err)
	}
	l.app = nil
}

// again closes, loses or restores what it is told to, and opens.
func (l *life) again(change func()) {
	l.Helper()
	l.close()
	change()
	l.open()
}

func (l *life) lose(part string) {
	l.Helper()
	if err := os.RemoveAll(filepath.Join(l.folder, part)); err != nil {
		l.Fatal(err)
	}
}

func (l *life) startIngest() {
	ctx, stop := context.WithCancel(context.WithoutCancel(l.Context()))
	l.stop, l.ingested = stop, make(chan error, 1)
	go func() { l.ingested <- unlessStopped(ctx, l.app.ingesting(prometheus.NewRegistry()).run(ctx, nil)) }()
}

func (l *life) stopIngest() {
	if l.ingested == nil {
		return
	}
	l.stop()
	if err := <-l.ingested; err != nil {
		l.Errorf("ingest ended with %v", err)
	}
	l.ingested = nil
}

// refuses holds that neither ingest nor a seal goes on, for a reason that says this.
func (l *life) refuses(want ...string) {
	l.Helper()
	l.startIngest()
	refused := new(schemas.RefusedLogError)
	if err := <-l.ingested; !errors.As(err, &refused) {
		l.Fatalf("ingest ended with %v", err)
	} else {
		for _, text := range append(want, "reckon log accept") {
			if !strings.Contains(err.Error(), text) {
				l.Errorf("%q does not say %q", err, text)
			}
		}
	}
	l.ingested = nil
	if err := l.trySeal("2026-10"); !errors.As(err, &refused) {
		l.Errorf("the seal ended with %v", err)
	}
}

func (l *life) accept() {
	l.Helper()
	found, err := l.app.AcceptLogs(l.Context(), "the disk died")
	if err != nil || len(found) == 0 {
		l.Fatalf("accepted %v, %v", found, err)
	}
	if again, err := l.app.AcceptLogs(l.Context(), "twice"); err != nil || len(again) > 0 {
		l.Fatalf("accepted again %v, %v", again, err)
	}
}

// send produces values to partition 0 of a topic, or the key's.
func (l *life) send(topic string, values ...string) {
	l.Helper()
	out, err := l.app.Kafka.NewProducer(l.Context(), topic)
	if err != nil {
		l.Fatal(err)
	}
	defer out.Close()
	var messages []schemas.Message
	for _, v := range values {
		messages = append(messages, schemas.Message{
			Position: schemas.Position{Topic: topic}, Key: []byte("a1"), Value: []byte(v), Time: time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC),
		})
	}
	if _, err := out.Produce(l.Context(), messages); err != nil {
		l.Fatal(err)
	}
}

func (l *life) trySeal(month string) error {
	m, err := schemas.ParseMonth(month)
	if err != nil {
		l.Fatal(err)
	}
	s, err := l.app.Sealer(nil)
	if err != nil {
		l.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(l.Context(), 30*time.Second)
	defer cancel()
	_, err = s.Seal(ctx, m)
	return err
}

func (l *life) seal(month string) {
	l.Helper()
	if err := l.trySeal(month); err != nil {
		l.Fatalf("seal %s: %v", month, err)
	}
}

// totals are what was issued of a month, by resource and kind, in whole đồng.
func (l *life) totals(month string) map[string]int64 {
	l.Helper()
	m, err := schemas.ParseMonth(month)
	if err != nil {
		l.Fatal(err)
	}
	sums := map[string]int64{}
	err = l.app.Store.UsageReport(l.Context(), m, "", func(r schemas.ReportRow) error {
		sums[string(r.Kind)] += r.TotalAmount.IntPart()
		sums[r.ResourceID+" "+string(r.Kind)] += r.TotalAmount.IntPart()
		return nil
	})
	if err != nil {
		l.Fatal(err)
	}
	return sums
}

func (l *life) expect(month string, want map[string]int64) {
	l.Helper()
	got := l.totals(month)
	for what, sum := range want {
		if got[what] != sum {
			l.Errorf("%s: %s is %d, must be %d (all: %v)", month, what, got[what], sum, got)
		}
	}
}

// event is one of account a1 in the billing zone, with more data behind the account.
func event(id, kind, resource, at, data string) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"s","type":%q,"subject":%q,"time":%q,"data":{"account_id":"a1"%s}}`, id, kind, resource, at+"T00:00:00+07:00", data)
}

// machine has a fixed item of a đồng a minute and a metered one of a đồng a unit.
const machine = `,"mode":"postpaid","resource_name":"n","product":"p","service":"s","items":[` +
	`{"item":"vm","unit":"u","unit_price":"43200","quantity":"1"},{"item":"req","unit":"u","unit_price":"1","meter":"sum","per":"use"}]`

func used(id, resource, at string, value int) string {
	return event(id, "usage.recorded", resource, at, fmt.Sprintf(`,"item":"req","value":%d`, value))
}

const lifecycle, usage = "billing.lifecycle", "billing.usage"

// september has six machines, and events of October that the seal of September has
// stored already.
func (l *life) september() {
	var made, uses []string
	for i := range 6 {
		made = append(made, event(fmt.Sprintf("c%d", i+1), "resource.created", fmt.Sprintf("r%d", i+1), "2026-09-01", machine))
	}
	made = append(made, event("d1", "resource.deleted", "r1", "2026-10-11", ""), event("c7", "resource.created", "r7", "2026-10-21", machine))
	for i := range 20 {
		if i < 10 {
			uses = append(uses, used(fmt.Sprintf("u%d", i+1), "r1", "2026-09-02", 10))
		} else {
			uses = append(uses, used(fmt.Sprintf("u%d", i+1), "r2", "2026-10-05", 10))
		}
	}
	l.send(lifecycle, made...)
	l.send(usage, append(uses, "not json 1", "not json 2")...)
	l.seal("2026-09")
}

// october has late events too, and 25 messages that are no events.
func (l *life) october() {
	l.send(lifecycle, event("d2", "resource.deleted", "r2", "2026-09-16", ""), event("d3", "resource.deleted", "r3", "2026-10-16", ""))
	l.send(usage, used("u21", "r4", "2026-09-03", 1000), used("u22", "r4", "2026-10-20", 500))
	for i := range 25 {
		l.send(usage, fmt.Sprintf("bad %d", i))
	}
}

// wantOctober is what October comes to by hand: r1 until the 11th 14,400; r2 is gone; r3
// until the 16th 21,600; r4 to r6 44,640 each and 500 of usage; r7 from the 21st 15,840.
func (l *life) wantOctober() {
	l.Helper()
	l.expect("2026-10", map[string]int64{
		"invoice": 186260, "r1 invoice": 14400, "r3 invoice": 21600, "r4 invoice": 45140, "r5 invoice": 44640, "r7 invoice": 15840,
	})
	l.expect("2026-09", map[string]int64{"r2 adjustment": -21600, "r4 adjustment": 1000})
}

func (l *life) letters() (n int) {
	err := l.app.Store.DeadLetters(l.Context(), audit.DeadLetterFilter{}, false, func(*audit.DeadLetter) error {
		n++
		return nil
	})
	if err != nil {
		l.Fatal(err)
	}
	return n
}
