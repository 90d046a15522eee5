package faults

import (
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/internal/embedded"
	"github.com/reckon-billing/reckon/internal/embedded/embeddedtest"
	"github.com/reckon-billing/reckon/internal/testkit"
)

// faultsPerLife is after how many faults ingest is started anew: it rests longer
// after each, up to 30 s, and a test has not the time.
const faultsPerLife = 3

// suffer runs ingest on events, lets the fault happen so many times while it
// works, and then wants everything stored and invoiced, once.
func (w *world) suffer(times, events int, fault func(random *rand.Rand)) {
	w.t.Helper()
	random := rand.New(rand.NewPCG(3, 4))
	p := w.ingest("INGEST_BATCH_ROWS=2000")
	for i := range times {
		if i > 0 && i%faultsPerLife == 0 {
			p.Terminate(w.t)
			p = w.ingest("INGEST_BATCH_ROWS=2000")
		}
		w.sendUsage(events / times)
		fault(random)
	}
	w.sendUsage(events - w.made)
	w.caughtUp(2 * time.Minute)
	if took := p.Terminate(w.t); took > 5*time.Second {
		w.t.Errorf("ingest took %v to stop", took)
	}
	if n := strings.Count(p.Log.String(), "stage stopped"); n == 0 {
		w.t.Error("ingest never noticed a fault")
	}
	w.checkStored()
	w.seal()
	w.checkInvoiced()
}

// midInsert waits until so many bytes went to ClickHouse from now on.
func (w *world) midInsert(bytes int64) {
	w.t.Helper()
	reached := make(chan struct{})
	var once sync.Once
	begin := w.proxy.sent.Load()
	w.proxy.watch(func() {
		if w.proxy.sent.Load()-begin > bytes {
			once.Do(func() { close(reached) })
		}
	})
	defer w.proxy.watch(nil)
	select {
	case <-reached:
	case <-time.After(time.Minute):
		w.t.Fatal("no insert within a minute")
	}
}

// killEngine ends ClickHouse with -9 and starts it again on its ports.
func (w *world) killEngine() {
	w.t.Helper()
	engine, err := os.FindProcess(engineOf(w.t, os.Getpid(), w.stack.Endpoints().Native))
	if err == nil {
		err = engine.Kill()
	}
	if err != nil {
		w.t.Fatalf("kill ClickHouse: %v", err)
	}
	// Its own supervisor would rest longer each time.
	if err := w.stack.Close(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.startEngine()
}

// startEngine starts the stack again where it was.
func (w *world) startEngine() {
	w.t.Helper()
	e := w.stack.Endpoints()
	w.stack = embeddedtest.StartWith(w.t, embedded.Options{
		DataDir: w.dir + "/stack", Log: testkit.Warnings(w.t), PortsFixed: true,
		Ports: embedded.Ports{Native: testkit.Port(w.t, e.Native), HTTP: testkit.Port(w.t, e.HTTP)},
	})
}

func TestClickHouseKilledMidInsertLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	times, events := size(3, 30), size(60_000, 600_000)
	w := newWorld(t)
	w.suffer(times, events, func(random *rand.Rand) {
		w.midInsert(int64(random.IntN(1 << 20)))
		w.killEngine()
	})
	if !t.Failed() {
		figure(t, "%d events, ClickHouse killed with -9 mid-insert %d times: 0 lost, 0 counted twice", w.made, times)
	}
}

func TestTheBrokerStoppedAndStartedLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	times, events := size(2, 10), size(40_000, 400_000)
	w := newWorld(t)
	n := 0
	w.suffer(times, events, func(random *rand.Rand) {
		w.midInsert(int64(random.IntN(1 << 20)))
		if n++; n%2 == 0 {
			w.broker.Kill(t)
		} else {
			w.broker.Stop(t)
		}
		time.Sleep(time.Duration(random.IntN(1000)) * time.Millisecond)
		w.broker.Start(t)
		w.broker.WaitReady(t)
	})
	if !t.Failed() {
		figure(t, "%d events, the broker stopped (or killed with -9) and started %d times: 0 lost, 0 counted twice", w.made, times)
	}
}

// TestAnswersOfClickHouseThatNeverArriveDoubleNothing guards A1 and J4: the rows
// are stored, the connection is cut before ingest hears of it.
func TestAnswersOfClickHouseThatNeverArriveDoubleNothing(t *testing.T) {
	t.Parallel()
	times, events := size(3, 30), size(60_000, 600_000)
	w := newWorld(t)
	var unheard int64
	w.suffer(times, events, func(*rand.Rand) {
		before := w.proxy.muted.Load()
		w.proxy.swallow()
		testkit.Eventually(t, time.Minute, "an answer was swallowed", func() bool { return w.proxy.muted.Load() > before })
		var uncommitted int64
		for _, p := range w.committed() {
			uncommitted += w.number("SELECT countDistinct(offset) FROM reckon.events WHERE topic = '" + p.Topic +
				"' AND partition = " + text(int64(p.Partition)) + " AND offset >= " + text(p.End))
		}
		if uncommitted == 0 {
			t.Error("the answer that was swallowed was of no stored insert")
		}
		unheard += uncommitted
	})
	if !t.Failed() {
		figure(t, "%d events, %d connections cut after the server stored and before it answered (%d rows stored unheard): 0 lost, 0 counted twice",
			w.made, times, unheard)
	}
}
