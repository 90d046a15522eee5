package ingest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"github.com/reckon-billing/reckon/schemas"
)

// value is the sum of a metric over all its labels but those that differ from
// the ones given; 0 if there is none.
func value(t interface{ Fatalf(string, ...any) }, reg *prometheus.Registry, name string, labels ...string) float64 {
	families, err := reg.Gather()
	if err != nil {
		t.Fatalf("gather: %v", err)
	}
	sum := 0.0
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			var has []string
			for _, l := range m.GetLabel() {
				has = append(has, l.GetName()+"="+l.GetValue())
			}
			if slices.ContainsFunc(labels, func(l string) bool { return !slices.Contains(has, l) }) {
				continue
			}
			sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return sum
}

func TestMessagesAreConserved(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(rapid.SliceOfN(rapid.SampledFrom([]string{good, poison, marker}), 0, 40).Draw(t, "log"))
		w.fails = func(string) outcome {
			return rapid.SampledFrom([]outcome{fine, fine, fine, fine, fine, fine, failed, half, unheard}).Draw(t, "outcome")
		}
		reg, _ := w.live(Limits{Rows: rapid.IntRange(1, 10).Draw(t, "rows"), Age: 10 * time.Millisecond})
		read := value(t, reg, "reckon_ingest_read_messages_total")
		stored := value(t, reg, "reckon_ingest_stored_rows_total")
		rejected := value(t, reg, "reckon_ingest_rejected_messages_total")
		abandoned := value(t, reg, "reckon_ingest_abandoned_messages_total")
		if read != stored+rejected+abandoned {
			t.Fatalf("read %v, but stored %v + rejected %v + abandoned %v", read, stored, rejected, abandoned)
		}
	})
}

func TestWhatAQuietRunCounts(t *testing.T) {
	w := newWorld([]string{good, poison, good, marker, good, marker, marker})
	reg, err := w.live(Limits{Rows: 2, Age: 10 * time.Millisecond})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("ended by %v", err)
	}
	for name, want := range map[string]float64{
		"reckon_ingest_read_messages_total":      4,
		"reckon_ingest_stored_rows_total":        3,
		"reckon_ingest_rejected_messages_total":  1,
		"reckon_ingest_abandoned_messages_total": 0,
	} {
		if got := value(t, reg, name); got != want {
			t.Errorf("%s = %v, want %v", name, got, want)
		}
	}
	if got := value(t, reg, "reckon_ingest_rejected_messages_total", "reason=not_json", "topic=t"); got != 1 {
		t.Errorf("rejected for not_json = %v, want 1", got)
	}
	if got := value(t, reg, "reckon_ingest_batches_total", "cause=rows"); got != 2 {
		t.Errorf("batches cut by rows = %v, want 2", got)
	}
	if got := value(t, reg, "reckon_ingest_batches_total", "cause=idle"); got != 1 {
		t.Errorf("batches cut by idleness = %v, want 1: the markers at the end", got)
	}
	if w.committed != 7 {
		t.Errorf("committed %d, want 7: past the markers", w.committed)
	}
}

// TestABatchSizeChangesNothingThatIsStored is replay's --batch.
func TestABatchSizeChangesNothingThatIsStored(t *testing.T) {
	log := []string{good, poison, good, good, marker, poison, good}
	for rows := 1; rows <= 8; rows++ {
		w := newWorld(log)
		if _, err := w.live(Limits{Rows: rows, Age: time.Millisecond}); !errors.Is(err, context.Canceled) {
			t.Fatalf("ended by %v", err)
		}
		for offset, kind := range log {
			o := int64(offset)
			if w.stored[o] != count(kind == good) || w.dead[o] != count(kind == poison) || w.copies[o] != count(kind == poison) {
				t.Errorf("with batches of %d, offset %d (%s) is stored %d, dead %d, copied %d times",
					rows, o, kind, w.stored[o], w.dead[o], w.copies[o])
			}
		}
	}
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestAPartitionThatWasNeverCommittedIsCommittedAtItsFirstPause(t *testing.T) {
	// Retention took the first 100 messages before anybody came: without a commit
	// the group would look 100 behind for ever, and a seal would wait.
	w := newWorld(nil)
	commits := 0
	w.fails = func(step string) outcome {
		if step == "commit" {
			commits++
			return failed
		}
		return fine
	}
	w.stable = 0
	r := &reader{world: w}
	p := pipelineOn(w, r)
	if err := p.Run(t.Context()); !errors.Is(err, errWorld) || commits != 1 {
		t.Errorf("ended by %v after %d commits, want the one commit that failed", err, commits)
	}
}

func TestAnErrorThatIsNoRejectionStopsThePartition(t *testing.T) {
	w := newWorld([]string{good, good})
	p := pipelineOn(w, &reader{world: w})
	boom := errors.New("boom")
	p.Parse = func(m *schemas.Message) (schemas.Event, error) {
		if m.Offset == 1 {
			return schemas.Event{}, boom
		}
		return parse(m)
	}
	if err := p.Run(t.Context()); !errors.Is(err, boom) {
		t.Errorf("ended by %v, want the parser's error", err)
	}
	if len(w.stored)+len(w.dead) != 0 || w.committed != 0 {
		t.Errorf("stored %v, dead %v, committed %d after a failure", w.stored, w.dead, w.committed)
	}
}

func TestAPartitionThatStoppedIsNoLongerReported(t *testing.T) {
	w := newWorld([]string{good})
	reg, _ := w.live(Limits{Rows: 1, Age: time.Millisecond})
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if n := f.GetName(); n == "reckon_ingest_lag_messages" || n == "reckon_ingest_last_commit_timestamp_seconds" {
			t.Errorf("%s still tells of a partition that another process may own", n)
		}
	}
}

// T4: a partition has succeeded when a batch of it was committed or nothing is left to
// store, and not by being read.
func TestAPartitionSucceedsWhenItStoresOrHasNothingToStore(t *testing.T) {
	for _, c := range []struct {
		name, fails string
		log         []string
		succeeds    bool
	}{
		{"an empty log", "", nil, true},
		{"a log that is stored", "", []string{good, poison, marker}, true},
		{"a store that takes nothing", "insert", []string{good, good}, false},
		{"a group that takes no commit", "commit", []string{good}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(c.log)
			w.fails = func(step string) outcome {
				if step == c.fails {
					return failed
				}
				return fine
			}
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			p := pipelineOn(w, &reader{world: w})
			succeeded := false
			p.Succeeded = func() {
				if succeeded = true; w.committed == w.stable {
					stop()
				}
			}
			if err := p.Run(ctx); succeeded != c.succeeds || c.succeeds != (ctx.Err() != nil) {
				t.Errorf("ended with %v, succeeded %t", err, succeeded)
			}
		})
	}
}
