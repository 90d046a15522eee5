package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"github.com/reckon-billing/reckon/schemas"
)

// world is a partition of a log, a store, and a dead-letter topic that outlive
// the process. Each step may fail before it did anything, half way, or after it
// was done without our hearing of it.
type world struct {
	log       []string      // by offset; see the kinds below
	stable    int64         // the last stable offset
	committed int64         // noted as stored: where the next process begins
	stored    map[int64]int // by offset: how often
	dead      map[int64]int
	copies    map[int64]int
	now       time.Time
	// atOnce is how many messages a fetch gives at most; 0 is 1.
	atOnce int
	// fails decides how a step goes.
	fails func(step string) outcome
}

// The kinds of records in the log.
const (
	good   = "good"
	poison = "poison"
	marker = "marker" // no message: a transaction marker or a compacted gap
)

// outcome is how a step goes.
type outcome int

const (
	fine outcome = iota
	failed
	half    // a part was done
	unheard // all was done, but the answer got lost
)

var errWorld = errors.New("the world failed")

func newWorld(log []string) *world {
	return &world{
		log: log, stable: int64(len(log)), now: at(0),
		stored: map[int64]int{}, dead: map[int64]int{}, copies: map[int64]int{},
		fails: func(string) outcome { return fine },
	}
}

// reader is one process's sight of the log. It implements Source.
type reader struct {
	*world
	next    int64
	fetched []schemas.Message
}

// Fetch gives up to r.atOnce messages, whose bytes are overwritten by the next one.
func (r *reader) Fetch(ctx context.Context, until time.Time) ([]schemas.Message, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if r.fails("fetch") != fine {
		return nil, errWorld
	}
	for i := range r.fetched {
		copy(r.fetched[i].Value, "overwritten")
	}
	r.fetched = nil
	r.now = r.now.Add(time.Millisecond)
	for ; r.next < r.stable && len(r.fetched) < max(1, r.atOnce); r.next++ {
		if r.log[r.next] != marker {
			r.fetched = append(r.fetched, schemas.Message{
				Position: schemas.Position{Topic: "t", Offset: r.next}, Value: []byte(r.log[r.next]),
			})
		}
	}
	if len(r.fetched) > 0 {
		return r.fetched, nil
	}
	if r.now.Before(until) {
		r.now = until
	}
	return nil, ErrIdle
}

func (r *reader) Progress() (next, end int64) { return r.next, r.stable }

func (r *reader) Confirm(context.Context) error { return failure(r.fails("confirm")) }

func (r *reader) Commit(context.Context, int64) error { return failure(r.fails("commit")) }

func (w *world) Note(_ context.Context, to, _ int64) error {
	how := w.fails("note")
	if how == fine || how == unheard {
		w.committed = to
	}
	return failure(how)
}

func (w *world) Open() Rows { return &gathered{of: w} }

// gathered is a batch for the world: the offsets of its messages.
type gathered struct {
	of             *world
	accepted, dead []int64
}

func (g *gathered) Accept(_ *schemas.Event, m *schemas.Message) error {
	g.accepted = append(g.accepted, m.Offset)
	return nil
}

func (g *gathered) Reject(m *schemas.Message, _ *schemas.Rejection) error {
	g.dead = append(g.dead, m.Offset)
	return nil
}

func (g *gathered) Store(context.Context) error {
	w, accepted, dead := g.of, g.accepted, g.dead
	g.accepted, g.dead = nil, nil
	how := w.fails("insert")
	done := portion(how, len(accepted)+len(dead))
	for _, offset := range accepted[:min(done, len(accepted))] {
		w.stored[offset]++
	}
	for _, offset := range dead[:max(0, done-len(accepted))] {
		w.dead[offset]++
	}
	return failure(how)
}

func (w *world) Copy(_ context.Context, rejected []Rejected) error {
	how := w.fails("copy")
	for _, r := range rejected[:portion(how, len(rejected))] {
		if string(r.Message.Value) != poison {
			return fmt.Errorf("a copy of %q", r.Message.Value)
		}
		w.copies[r.Message.Offset]++
	}
	return failure(how)
}

// portion is how much of n was done.
func portion(how outcome, n int) int {
	switch how {
	case fine, unheard:
		return n
	case half:
		return n / 2
	case failed:
	}
	return 0
}

func failure(how outcome) error {
	if how == fine {
		return nil
	}
	return errWorld
}

// parse takes everything but poison.
func parse(m *schemas.Message) (schemas.Event, error) {
	if bytes.Equal(m.Value, []byte(poison)) {
		return schemas.Event{}, fmt.Errorf("parse: %w", &schemas.Rejection{Reason: "not_json", Detail: "poison"})
	}
	return schemas.Event{ID: string(m.Value)}, nil
}

// live starts a process on the world and runs it until a step fails, or until
// it has committed all there is. It gives the process's metrics.
func (w *world) live(limits Limits) (*prometheus.Registry, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	reg := prometheus.NewRegistry()
	r := &reader{world: w, next: w.committed}
	p := Pipeline{
		Topic: "t", Source: r, Parse: parse, Sink: w, Notes: w, DeadLetters: w, Limits: limits,
		Now: func() time.Time {
			if w.committed == w.stable {
				cancel()
			}
			return w.now
		},
		Metrics: NewMetrics(reg), Log: slog.New(slog.DiscardHandler),
	}
	return reg, p.Run(ctx)
}

// check says whether every committed message is where it belongs.
func (w *world) check(t interface{ Fatalf(string, ...any) }) {
	for offset, kind := range w.log[:w.committed] {
		o := int64(offset)
		switch {
		case kind == good && w.stored[o] == 0:
			t.Fatalf("offset %d was committed and is not in the store", o)
		case kind == poison && (w.dead[o] == 0 || w.copies[o] == 0):
			t.Fatalf("offset %d was committed and is not in the dead letters (%d) and their topic (%d)",
				o, w.dead[o], w.copies[o])
		case kind != good && w.stored[o] > 0, kind != poison && w.dead[o]+w.copies[o] > 0:
			t.Fatalf("offset %d (%s) went where it does not belong", o, kind)
		}
	}
}

// TestNothingCommittedIsEverLost lets a process die 30 times at random steps
// (A1, A6, A7). Swapping insert and commit in flush makes it fail at once, and
// so does committing before the copy (both tried).
func TestNothingCommittedIsEverLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(rapid.SliceOfN(rapid.SampledFrom([]string{good, good, good, poison, marker}), 0, 60).Draw(t, "log"))
		limits := Limits{
			Rows: rapid.IntRange(1, 20).Draw(t, "rows"), Bytes: rapid.IntRange(0, 8_000).Draw(t, "bytes"),
			Age: time.Duration(rapid.IntRange(1, 30).Draw(t, "age_ms")) * time.Millisecond,
		}
		w.atOnce = rapid.IntRange(1, 30).Draw(t, "at_once")
		if rapid.Bool().Draw(t, "memory") {
			limits.Memory = &Memory{Bytes: rapid.Int64Range(0, 8_000).Draw(t, "memory_bytes")}
		}
		all := w.stable
		for life := range 30 {
			w.stable = rapid.Int64Range(w.committed, all).Draw(t, "stable")
			w.fails = func(string) outcome {
				return rapid.SampledFrom([]outcome{fine, fine, fine, fine, fine, fine, failed, half, unheard}).Draw(t, "outcome")
			}
			before := w.committed
			if _, err := w.live(limits); !errors.Is(err, errWorld) && !errors.Is(err, context.Canceled) {
				t.Fatalf("life %d ended by %v", life, err)
			}
			if w.committed < before {
				t.Fatalf("the committed offset went from %d to %d", before, w.committed)
			}
			w.check(t)
		}
		w.stable, w.fails = all, func(string) outcome { return fine }
		if _, err := w.live(limits); !errors.Is(err, context.Canceled) {
			t.Fatalf("the last life ended by %v", err)
		}
		if w.committed != all {
			t.Fatalf("committed %d of %d although nothing failed", w.committed, all)
		}
		w.check(t)
	})
}

// pipelineOn is a pipeline over the world with one row a batch.
func pipelineOn(w *world, r *reader) *Pipeline {
	return &Pipeline{
		Topic: "t", Source: r, Parse: parse, Sink: w, Notes: w, DeadLetters: w,
		Limits: Limits{Rows: 10, Age: 10 * time.Millisecond}, Now: func() time.Time { return w.now },
		Metrics: NewMetrics(prometheus.NewRegistry()), Log: slog.New(slog.DiscardHandler),
	}
}
