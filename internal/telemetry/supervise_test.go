package telemetry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// world is a clock that only sleeping and running move.
type world struct {
	now    time.Time
	rests  []time.Duration
	health *Health
	during []Status
}

func newWorld() *world {
	w := &world{now: time.Unix(0, 0)}
	w.health = NewHealth(w.clock)
	return w
}

func (w *world) clock() time.Time { return w.now }

func (w *world) sleep(_ context.Context, d time.Duration) {
	w.rests = append(w.rests, d)
	w.during = append(w.during, w.health.Status())
	w.now = w.now.Add(d)
}

// supervise lets a stage fail after each of the given times, then stops it.
func (w *world) supervise(t *testing.T, log *slog.Logger, lives ...time.Duration) float64 {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	reg := prometheus.NewRegistry()
	s := NewSupervisor(log, reg, w.sleep)
	life := 0
	check := w.health.Check("ingest")
	s.Run(ctx, "ingest", check, func(ctx context.Context) error {
		if w.health.Status().Ready {
			t.Errorf("life %d: ready before it said so", life)
		}
		check.Ready()
		if !w.health.Status().Ready {
			t.Errorf("life %d: not ready after it said so", life)
		}
		if life == len(lives) {
			stop()
			return ctx.Err()
		}
		w.now = w.now.Add(lives[life])
		life++
		return fmt.Errorf("failure %d", life)
	})
	families, err := reg.Gather()
	if err != nil || len(families) != 1 || families[0].GetName() != "reckon_supervisor_restarts_total" {
		t.Fatalf("metrics %v, %v", families, err)
	}
	return families[0].GetMetric()[0].GetCounter().GetValue()
}

func TestAStoppedStageRestsTwiceAsLongEachTimeUpToHalfAMinute(t *testing.T) {
	w := newWorld()
	restarts := w.supervise(t, slog.New(slog.DiscardHandler), make([]time.Duration, 7)...)
	want := []time.Duration{1e9, 2e9, 4e9, 8e9, 16e9, 30e9, 30e9}
	if !slices.Equal(w.rests, want) {
		t.Errorf("rested %v, want %v", w.rests, want)
	}
	if restarts != 7 {
		t.Errorf("counted %v restarts, want 7", restarts)
	}
}

func TestAStageThatRanForAMinuteRestsFromTheStartAgain(t *testing.T) {
	w := newWorld()
	w.supervise(t, slog.New(slog.DiscardHandler), 0, 0, time.Minute, 0, time.Minute-1)
	want := []time.Duration{1e9, 2e9, 1e9, 2e9, 4e9}
	if !slices.Equal(w.rests, want) {
		t.Errorf("rested %v, want %v", w.rests, want)
	}
}

func TestEachFailureIsLoggedOnceAndTheEndIsNot(t *testing.T) {
	var out bytes.Buffer
	w := newWorld()
	w.supervise(t, slog.New(slog.NewTextHandler(&out, nil)), 0, 0)
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], `"failure 1"`) || !strings.Contains(lines[1], `"failure 2"`) {
		t.Errorf("logged:\n%s", out.String())
	}
}

// A permanent error is logged once, not at each retry; one that comes back after the
// stage was well is another.
func TestTheSameFailureIsLoggedAgainOnlyAfterTheStageWasWell(t *testing.T) {
	var out bytes.Buffer
	w := newWorld()
	check := w.health.Check("invoicer")
	ctx, stop := context.WithCancel(t.Context())
	lives := []struct {
		fails string
		ready bool
		lasts time.Duration
	}{
		{"no topic", false, 0},
		{"no topic", false, 0},
		{"no topic", false, time.Hour},
		{"no topic", true, time.Minute - 1},
		{"no topic", true, time.Minute},
		{"no topic", false, 0},
		{"no store", false, 0},
		{"no topic", false, 0},
	}
	life := 0
	NewSupervisor(slog.New(slog.NewTextHandler(&out, nil)), prometheus.NewRegistry(), w.sleep).Run(ctx, "invoicer", check, func(context.Context) error {
		if life == len(lives) {
			stop()
			return nil
		}
		l := lives[life]
		if life++; l.ready {
			check.Ready()
		}
		w.now = w.now.Add(l.lasts)
		return errors.New(l.fails)
	})
	var logged []string
	for line := range strings.Lines(out.String()) {
		_, text, _ := strings.Cut(line, `err="`)
		logged = append(logged, text[:len("no topic")])
	}
	if want := []string{"no topic", "no topic", "no store", "no topic"}; !slices.Equal(logged, want) {
		t.Errorf("logged %q, want %q", logged, want)
	}
	// Every rest is longer until the stage was well.
	if want := []time.Duration{1e9, 2e9, 4e9, 8e9, 1e9, 2e9, 4e9, 8e9}; !slices.Equal(w.rests, want) {
		t.Errorf("rested %v, want %v", w.rests, want)
	}
}

// T4: what failed is not ready until something has succeeded, also while it is tried
// again.
func TestAStageThatIsStartedAgainIsNotReadyBeforeItSaysSo(t *testing.T) {
	w := newWorld()
	check := w.health.Check("ingest")
	ctx, stop := context.WithCancel(t.Context())
	lives := 0
	NewSupervisor(slog.New(slog.DiscardHandler), prometheus.NewRegistry(), w.sleep).Run(ctx, "ingest", check, func(context.Context) error {
		if lives++; lives == 3 {
			stop()
		}
		if s := w.health.Status(); lives > 1 && (s.Ready || s.Checks[0].Reason != "no store") {
			t.Errorf("life %d: %+v", lives, s)
		}
		return errors.New("no store")
	})
}

func TestWhileAStageRestsReadinessIsFalseAndNamesTheFailure(t *testing.T) {
	w := newWorld()
	w.supervise(t, slog.New(slog.DiscardHandler), 0, 2*time.Minute)
	for i, s := range w.during {
		want := CheckStatus{Name: "ingest", Reason: fmt.Sprintf("failure %d", i+1)}
		if s.Ready || s.Checks[0] != want {
			t.Errorf("rest %d: %+v, want %+v", i, s, want)
		}
	}
	if s := w.health.Status(); s.Ready || s.Checks[0].Reason != "stopped" {
		t.Errorf("at the end: %+v", s)
	}
}

func TestAStageThatEndsWithoutAnErrorIsStartedAgainToo(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	w := newWorld()
	var out bytes.Buffer
	lives := 0
	NewSupervisor(slog.New(slog.NewTextHandler(&out, nil)), prometheus.NewRegistry(), w.sleep).
		Run(ctx, "ingest", w.health.Check("ingest"), func(context.Context) error {
			if lives++; lives == 2 {
				stop()
			}
			return nil
		})
	if lives != 2 || !strings.Contains(out.String(), errEnded.Error()) {
		t.Errorf("%d lives; logged:\n%s", lives, out.String())
	}
}

func TestTheEndCutsARestShort(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	health := NewHealth(time.Now)
	lives := 0
	NewSupervisor(slog.New(slog.DiscardHandler), prometheus.NewRegistry(),
		func(ctx context.Context, _ time.Duration) { stop(); Sleep(ctx, time.Hour) }).
		Run(ctx, "ingest", health.Check("ingest"), func(context.Context) error {
			lives++
			return errors.New("failure")
		})
	if lives != 1 {
		t.Errorf("%d lives, want 1", lives)
	}
}
