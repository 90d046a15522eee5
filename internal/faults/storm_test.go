package faults

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/internal/testkit"
	"github.com/reckon-billing/reckon/schemas"
)

// TestARebalanceStormLosesNothingAndNoCommitGoesBack guards A4, J1 and J2:
// members of the group come and go while events flow.
func TestARebalanceStormLosesNothingAndNoCommitGoesBack(t *testing.T) {
	t.Parallel()
	changes := size(6, 60)
	every := time.Duration(size(500, 2000)) * time.Millisecond
	w := newWorld(t)
	random := rand.New(rand.NewPCG(5, 6))
	high := map[schemas.Position]int64{}
	asked, most := 0, 0
	look := func() {
		for _, p := range w.committed() {
			at := schemas.Position{Topic: p.Topic, Partition: p.Partition}
			if p.End < high[at] {
				t.Errorf("%s/%d was committed at %d after %d", p.Topic, p.Partition, p.End, high[at])
			}
			high[at] = max(high[at], p.End)
		}
		asked++
	}
	members := []*testkit.Process{w.ingest("INGEST_BATCH_ROWS=500")}
	for range changes {
		if len(members) == 1 || len(members) < 6 && random.IntN(2) == 0 {
			members = append(members, w.ingest("INGEST_BATCH_ROWS=500"))
		} else {
			i := random.IntN(len(members))
			if took := members[i].Terminate(t); took > 5*time.Second {
				t.Errorf("a member took %v to leave", took)
			}
			members = append(members[:i], members[i+1:]...)
		}
		most = max(most, len(members))
		for next := time.Now().Add(every); time.Now().Before(next); {
			w.sendUsage(500)
			look()
		}
	}
	for w.lag() != 0 && !t.Failed() {
		look()
	}
	for _, m := range members {
		m.Terminate(t)
	}
	look()
	w.checkStored()
	w.seal()
	w.checkInvoiced()
	if !t.Failed() {
		figure(t, "%d events over %d changes of a group of up to %d members, one each %v, 8 partitions: 0 lost, 0 counted twice, no commit went back (asked %d times)",
			w.made, changes, most, every, asked)
	}
}
