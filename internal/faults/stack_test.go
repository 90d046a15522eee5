package faults

import (
	"math/rand/v2"
	"net"
	"os"
	"testing"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/reckon-billing/reckon/internal/embedded"
	"github.com/reckon-billing/reckon/internal/kafka"
	"github.com/reckon-billing/reckon/internal/testkit"
)

// embeddedWorld is a world whose engines are those of reckon up, which is not
// started yet.
func embeddedWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), now: time.Now().Truncate(time.Second)}
	port := func() string {
		_, port, _ := net.SplitHostPort(testkit.FreeAddress(t))
		return port
	}
	broker := port()
	w.addrs = []string{"127.0.0.1:" + broker}
	w.embedded = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + w.dir, "TMPDIR=" + w.dir, "RECKON_DATA_DIR=" + w.dir + "/data", "RECKON_KAFKA_GROUP=" + group,
		"RECKON_ENGINE_DIR=" + embedded.DefaultEngineDir(os.Getenv), "RECKON_LISTEN=127.0.0.1:0",
		"RECKON_BILLING_FIRST_MONTH=" + month, "RECKON_BILLING_SCHEDULE=0 0 1 1 *", "RECKON_BILLING_GRACE=100000h",
		"RECKON_KAFKA_EMBEDDED_PORT=" + broker, "RECKON_CLICKHOUSE_EMBEDDED_NATIVE_PORT=" + port(),
		"RECKON_CLICKHOUSE_EMBEDDED_HTTP_PORT=" + port(),
	}
	var err error
	if w.kafka, err = kafka.New(kafka.Config{Brokers: w.addrs, Now: time.Now}); err != nil {
		t.Fatal(err)
	}
	return w
}

// up starts reckon up and waits until its engines answer.
func (w *world) up() *testkit.Process {
	w.t.Helper()
	p := start(w.t, w.env(), "up")
	testkit.Eventually(w.t, time.Minute, "reckon up has topics", func() bool {
		if !p.Running() {
			w.t.Fatalf("reckon up ended: %s", &p.Log)
		}
		_, err := w.kafka.Ends(w.t.Context(), lifecycleTopic, usageTopic)
		return err == nil
	})
	return p
}

// TestTheWholeStackKilledLosesNothingAcknowledged kills the one process that holds
// the broker, ingest and, as its child, ClickHouse.
func TestTheWholeStackKilledLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	kills, events := size(4, 40), size(40_000, 400_000)
	w := embeddedWorld(t)
	random := rand.New(rand.NewPCG(11, 12))
	for i := range kills {
		p := w.up()
		if i == 0 {
			w.send(w.created(lifecycleTopic, w.now))
		}
		for range 10 {
			w.sendUsage(events / kills / 10) // acknowledged
		}
		time.Sleep(time.Duration(random.IntN(700)) * time.Millisecond)
		p.Kill()
	}
	p := w.up()
	w.caughtUp(time.Minute)
	e, err := embedded.ReadEndpoints(w.dir + "/data")
	if err != nil {
		t.Fatal(err)
	}
	w.store, err = driver.Open(&driver.Options{Addr: []string{e.Native}, Auth: driver.Auth{Username: e.User, Password: e.Password}})
	if err != nil {
		t.Fatal(err)
	}
	w.checkStored()
	if err := w.store.Close(); err != nil {
		t.Error(err)
	}
	if took := p.Terminate(t); took > stopWithin {
		t.Errorf("reckon up took %v to stop", took)
	}
	if !t.Failed() {
		figure(t, "%d acknowledged events, reckon up with its broker and its ClickHouse killed with -9 %d times: 0 lost, 0 counted twice", w.made, kills)
	}
}
