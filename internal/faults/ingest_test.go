package faults

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/internal/testkit"
)

// TestIngestKilledAtRandomLosesAndDoublesNothing guards A1, A3 and A7.
func TestIngestKilledAtRandomLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	events, kills := size(50_000, 2_000_000), size(5, 100)
	w := newWorld(t)
	random := rand.New(rand.NewPCG(1, 2))
	working, killed, stored := 0, 0, int64(0)
	for ; killed < kills; killed++ {
		w.sendUsage(events/kills - events/kills/10)
		before := w.lag()
		p := w.ingest("INGEST_BATCH_ROWS=" + pick(random, "37", "400", "3000", "20000"))
		testkit.Eventually(t, time.Minute, "ingest has begun to commit", func() bool { return w.lag() < before })
		time.Sleep(time.Duration(random.IntN(300)) * time.Millisecond)
		p.Kill()
		if w.lag() > 0 {
			working++
		}
		if killed%10 != 9 { // each tenth time its session is waited out
			w.evict()
		}
	}
	w.sendUsage(events - w.made)
	p := w.ingest()
	w.caughtUp(3 * time.Minute)
	p.Terminate(t)
	stored = w.number("SELECT count() FROM reckon.events")
	w.checkStored()
	w.seal()
	w.checkInvoiced()
	if !t.Failed() {
		figure(t, "%d events, ingest killed with -9 %d times (%d while behind): 0 lost, 0 counted twice (%d stored again)",
			w.made, killed, working, stored-w.messages)
	}
}

func pick[T any](random *rand.Rand, of ...T) T { return of[random.IntN(len(of))] }
