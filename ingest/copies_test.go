package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"github.com/reckon-billing/reckon/schemas"
)

var errGone = errors.New("there is no such topic")

// letterbox is a topic of dead letters, and the store's notes of what it lacks. It
// fails on demand.
type letterbox struct {
	copies map[schemas.Position]int
	// owed and written are what was noted of each letter.
	stored, owed, written map[schemas.Position]bool
	gone                  bool
	fails                 func(step string) outcome
}

func newLetterbox() *letterbox {
	return &letterbox{
		copies: map[schemas.Position]int{}, stored: map[schemas.Position]bool{}, owed: map[schemas.Position]bool{}, written: map[schemas.Position]bool{},
		fails: func(string) outcome { return fine },
	}
}

// topic is the letterbox as a topic.
type topic struct{ *letterbox }

func (l topic) Copy(_ context.Context, rejected []Rejected) error {
	how := l.fails("copy")
	if l.gone {
		return errGone
	}
	for _, r := range rejected[:portion(how, len(rejected))] {
		l.copies[r.Message.Position]++
	}
	return failure(how)
}

func (l *letterbox) NoteCopies(_ context.Context, letters []schemas.Position, written bool) error {
	how := l.fails("note")
	for _, at := range letters[:portion(how, len(letters))] {
		if written {
			l.written[at] = true
		} else {
			l.owed[at] = true
		}
	}
	return failure(how)
}

func (l *letterbox) lacking() []schemas.Position {
	all := slices.Collect(maps.Keys(l.owed))
	all = slices.DeleteFunc(all, func(at schemas.Position) bool { return l.written[at] })
	slices.SortFunc(all, func(a, b schemas.Position) int { return int(a.Offset - b.Offset) })
	return all
}

func (l *letterbox) OwedCopies(_ context.Context, yield func(*Rejected) error) error {
	for _, at := range l.lacking() {
		if err := yield(&Rejected{Message: schemas.Message{Position: at}}); err != nil {
			return err
		}
	}
	return failure(l.fails("read"))
}

func (l *letterbox) CountOwedCopies(context.Context) (int64, error) {
	return int64(len(l.lacking())), failure(l.fails("count"))
}

// letters are rejects at the offsets.
func letters(offsets ...int64) (all []Rejected) {
	for _, o := range offsets {
		all = append(all, Rejected{Message: schemas.Message{Position: schemas.Position{Topic: "t", Offset: o}}})
	}
	return all
}

// copier is a Copies over the letterbox, with its log and metrics.
func (l *letterbox) copier() (*Copies, *bytes.Buffer, *prometheus.Registry) {
	var log bytes.Buffer
	reg := prometheus.NewRegistry()
	return &Copies{Topic: topic{l}, Debts: l, Metrics: NewMetrics(reg), Log: slog.New(slog.NewTextHandler(&log, nil))}, &log, reg
}

// O6: while the topic is gone its copies are owed, which is told once and counted; when
// it is there again they are made up, each once, and whoever noted them.
func TestCopiesThatTheTopicDoesNotTakeAreOwedAndMadeUp(t *testing.T) {
	l := newLetterbox()
	c, log, reg := l.copier()
	owed := func() float64 { return value(t, reg, "reckon_ingest_owed_copies") }
	step := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	step(c.Copy(t.Context(), letters(1, 2)))
	if len(l.owed) != 0 {
		t.Errorf("of copies that were taken %v are noted", l.owed)
	}
	l.gone = true
	step(c.Copy(t.Context(), letters(3, 4)))
	step(c.Copy(t.Context(), letters(5)))
	if owed() != 3 || len(l.lacking()) != 3 {
		t.Errorf("owed are %v, noted %v", owed(), l.lacking())
	}
	step(c.MakeUp(t.Context()))
	if n := strings.Count(log.String(), "level=WARN"); n != 1 || !strings.Contains(log.String(), errGone.Error()) {
		t.Errorf("it warned %d times:\n%s", n, log.String())
	}
	// Another process that comes up meanwhile finds them too.
	other, otherLog, otherReg := l.copier()
	step(other.MakeUp(t.Context()))
	if got := value(t, otherReg, "reckon_ingest_owed_copies"); got != 3 {
		t.Errorf("to another process %v are owed", got)
	}
	l.gone = false
	step(c.Copy(t.Context(), letters(6))) // nobody tries at each: the next round does
	step(c.MakeUp(t.Context()))
	step(other.MakeUp(t.Context()))
	step(c.Copy(t.Context(), letters(7)))
	for o := range int64(7) {
		if n := l.copies[schemas.Position{Topic: "t", Offset: o + 1}]; n != 1 {
			t.Errorf("letter %d was copied %d times", o+1, n)
		}
	}
	if owed() != 0 || value(t, otherReg, "reckon_ingest_owed_copies") != 0 || len(l.lacking()) != 0 {
		t.Errorf("owed are still %v, noted %v", owed(), l.lacking())
	}
	if n := strings.Count(log.String(), "made up\" stage=ingest rows=4"); n != 1 {
		t.Errorf("that they are made up was said %d times:\n%s\n%s", n, log.String(), otherLog.String())
	}
}

// O6: whatever fails in between, a letter that is stored has its copy in the end, and
// none is noted as written that is not.
func TestEveryLetterHasItsCopyInTheEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLetterbox()
		l.fails = func(string) outcome {
			return rapid.SampledFrom([]outcome{fine, fine, fine, failed, half, unheard}).Draw(t, "outcome")
		}
		c, _, _ := l.copier()
		var taken []Rejected
		for next := int64(0); next < 30; {
			l.gone = rapid.Bool().Draw(t, "gone")
			if rapid.Bool().Draw(t, "dies") {
				c, _, _ = l.copier()
			}
			batch := letters(next, next+1)
			if c.Copy(context.Background(), batch) == nil { // else the log gives them again
				taken, next = append(taken, batch...), next+2
			}
			_ = c.MakeUp(context.Background()) // as it ends
			for at := range l.written {
				if l.copies[at] == 0 {
					t.Fatalf("%v is noted as written, and is not", at)
				}
			}
		}
		l.gone, l.fails = false, func(string) outcome { return fine }
		if err := c.MakeUp(context.Background()); err != nil {
			t.Fatal(err)
		}
		for _, r := range taken {
			if l.copies[r.Message.Position] == 0 {
				t.Fatalf("%v has no copy", r.Message.Position)
			}
		}
	})
}

func TestManyOwedCopiesAreMadeUpInPortions(t *testing.T) {
	l := newLetterbox()
	c, _, reg := l.copier()
	l.gone = true
	var offsets []int64
	for o := range int64(2*madeUpLetters + 1) {
		offsets = append(offsets, o)
	}
	if err := c.Copy(t.Context(), letters(offsets...)); err != nil {
		t.Fatal(err)
	}
	l.gone = false
	calls := 0
	l.fails = func(step string) outcome {
		if step == "copy" {
			if calls++; calls == 2 {
				l.gone = true
			}
		}
		return fine
	}
	if err := c.MakeUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := value(t, reg, "reckon_ingest_owed_copies"); left != madeUpLetters+1 || calls != 2 {
		t.Errorf("after a portion %v are owed, in %d calls", left, calls)
	}
}

// A store that fails is an error, and a process that is told to end owes nothing for it.
func TestWhatEndsACopyIsNotAlwaysTheTopic(t *testing.T) {
	l := newLetterbox()
	c, _, _ := l.copier()
	l.gone = true
	for _, step := range []string{"note", "count", "read"} {
		l.fails = func(s string) outcome {
			if s == step {
				return failed
			}
			return fine
		}
		err := c.Copy(t.Context(), letters(1))
		if step != "note" {
			l.gone = false
			err = c.MakeUp(t.Context())
		}
		if !errors.Is(err, errWorld) {
			t.Errorf("a store that fails to %s: %v", step, err)
		}
	}
	l = newLetterbox()
	c, log, _ := l.copier()
	l.gone = true
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := c.Copy(ctx, letters(1)); err == nil || len(l.owed) != 0 || log.Len() != 0 {
		t.Errorf("told to end: %v; owed %v; said %s", err, l.owed, log.String())
	}
	slept := []time.Duration{}
	ctx, stop = context.WithCancel(t.Context())
	l.gone = false
	succeeded := 0
	err := c.Run(ctx, time.Minute, func(_ context.Context, d time.Duration) {
		if slept = append(slept, d); len(slept) == 3 {
			stop()
		}
	}, func() { succeeded++ })
	if !errors.Is(err, context.Canceled) || succeeded != 3 || fmt.Sprint(slept) != "[1m0s 1m0s 1m0s]" {
		t.Errorf("ended with %v, succeeded %d times, slept %v", err, succeeded, slept)
	}
}
