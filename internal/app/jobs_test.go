package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// clockwork is a clock that only sleeping and working move.
type clockwork struct {
	now  time.Time
	ends time.Time
	stop context.CancelFunc
	ran  []string
}

func (c *clockwork) sleep(_ context.Context, d time.Duration) {
	c.now = c.now.Add(d)
	if !c.now.Before(c.ends) {
		c.stop()
	}
}

// job is work that takes a while, and notes when it began.
func (c *clockwork) job(name, spec string, takes time.Duration) job {
	return job{name, "billing." + name, spec, func(context.Context) error {
		c.ran = append(c.ran, name+" "+c.now.Format("15:04:05"))
		c.now = c.now.Add(takes)
		return nil
	}}
}

// run runs jobs from noon on for so long.
func (c *clockwork) run(t *testing.T, length time.Duration, jobs ...job) error {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	c.now, c.stop = time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC), stop
	c.ends = c.now.Add(length)
	return runner{zone: time.UTC, now: func() time.Time { return c.now }, sleep: c.sleep}.run(ctx, jobs...)
}

func TestAJobRunsAtOnceAndWheneverItIsDue(t *testing.T) {
	for _, c := range []struct {
		name   string
		jobs   func(*clockwork) []job
		length time.Duration
		want   string
	}{
		{"nothing due but at the start", func(c *clockwork) []job { return []job{c.job("a", "0 13 * * *", 0)} }, 30 * time.Minute, "a 12:00:00"},
		{
			"every quarter of an hour", func(c *clockwork) []job { return []job{c.job("a", "*/15 * * * *", time.Second)} }, 40 * time.Minute,
			"a 12:00:00, a 12:15:00, a 12:30:00",
		},
		{
			"what came due meanwhile is due once", func(c *clockwork) []job { return []job{c.job("a", "@every 1m", 150*time.Second)} }, 8 * time.Minute,
			"a 12:00:00, a 12:02:30, a 12:05:00, a 12:07:30",
		},
		{
			"two jobs come in their order", func(c *clockwork) []job {
				return []job{c.job("b", "*/10 * * * *", time.Second), c.job("a", "*/5 * * * *", time.Second)}
			}, 11 * time.Minute, "b 12:00:00, a 12:00:01, a 12:05:00, b 12:10:00, a 12:10:01",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var w clockwork
			if err := w.run(t, c.length, c.jobs(&w)...); !errors.Is(err, context.Canceled) {
				t.Errorf("ended with %v", err)
			}
			if got := strings.Join(w.ran, ", "); got != c.want {
				t.Errorf("ran %s, want %s", got, c.want)
			}
		})
	}
}

func TestAClockThatIsSetBackOrForwardGoesOnFromThere(t *testing.T) {
	var w clockwork
	jumps := []time.Duration{-2 * time.Hour, 3 * time.Hour}
	jump := job{"jump", "billing.jump", "*/30 * * * *", func(context.Context) error {
		w.ran = append(w.ran, w.now.Format("15:04"))
		if len(jumps) > 0 {
			w.now, jumps = w.now.Add(jumps[0]), jumps[1:]
		}
		return nil
	}}
	if err := w.run(t, 100*time.Minute, jump); !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
	// At noon it is set back to ten; half past ten it is set to half past one.
	if want := []string{"12:00", "10:30", "13:30"}; !slices.Equal(w.ran, want) {
		t.Errorf("ran at %v, want %v", w.ran, want)
	}
}

func TestTheFirstFailureEndsTheRunner(t *testing.T) {
	var w clockwork
	broke := errors.New("broke")
	err := w.run(t, time.Hour, job{"a", "billing.a", "* * * * *", func(context.Context) error {
		if len(w.ran) == 2 {
			return broke
		}
		w.ran = append(w.ran, "a")
		return nil
	}}, w.job("b", "0 * * * *", 0))
	if got := fmt.Sprint(w.ran); !errors.Is(err, broke) || got != "[a b 12:00:00]" {
		t.Errorf("ended with %v after %s", err, got)
	}
	if err := w.run(t, time.Hour, w.job("a", "every now and then", 0)); err == nil || !strings.Contains(err.Error(), "billing.a") {
		t.Errorf("a spec that is none: %v", err)
	}
}
