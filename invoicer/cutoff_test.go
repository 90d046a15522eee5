package invoicer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/reckon-billing/reckon/schemas"
)

// slowLog is a log of one partition with 9 messages, of which ingest stores one for
// each of the given looks.
type slowLog struct {
	looks  int
	stored func(look int) (int64, error)
}

func (l *slowLog) Ends(context.Context) ([]schemas.PartitionEnd, error) {
	return []schemas.PartitionEnd{{Topic: "billing.usage", Partition: 3, End: 9}}, nil
}

func (l *slowLog) Stored(context.Context) ([]schemas.PartitionEnd, error) {
	l.looks++
	to, err := l.stored(l.looks)
	return []schemas.PartitionEnd{{Topic: "billing.usage", Partition: 3, End: to}}, err
}

// waitingMetric is what reckon_invoicer_waiting_messages says, as partition=messages.
func waitingMetric(t *testing.T, reg *prometheus.Registry) string {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, f := range families {
		if f.GetName() != "reckon_invoicer_waiting_messages" {
			continue
		}
		for _, m := range f.GetMetric() {
			said = append(said, fmt.Sprintf("%s=%v", m.GetLabel()[0].GetValue(), m.GetGauge().GetValue()))
		}
	}
	return strings.Join(said, " ")
}

// T1: what a seal waits for is told at once and at every look, by the metric too, and
// once that it is over.
func TestASealThatWaitsSaysForWhatUntilItIsOver(t *testing.T) {
	broke := errors.New("broke")
	for _, c := range []struct {
		name   string
		stored func(look int) (int64, error)
		err    error
		want   string
	}{
		{"nothing lags", func(int) (int64, error) { return 9, nil }, nil, ""},
		{
			"two looks", func(look int) (int64, error) { return int64(4 + 3*min(look-1, 1) + 2*max(0, look-2)), nil }, nil,
			"billing.usage/3 (stored to 4 of 9) 3=5, billing.usage/3 (stored to 7 of 9) 3=2, nothing ",
		},
		{
			"a store that breaks meanwhile", func(look int) (int64, error) {
				if look > 1 {
					return 0, broke
				}
				return 0, nil
			}, broke, "billing.usage/3 (stored to 0 of 9) 3=9",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				reg := prometheus.NewRegistry()
				var told []string
				v := Invoicer{Log: &slowLog{stored: c.stored}, Now: time.Now, Metrics: NewMetrics(reg)}
				v.Waiting = func(lags []Lag) {
					what := "nothing"
					if len(lags) > 0 {
						what = sayLags(lags)
					}
					told = append(told, what+" "+waitingMetric(t, reg))
				}
				if _, err := v.NoteCutoff(t.Context()); !errors.Is(err, c.err) {
					t.Errorf("ended with %v", err)
				}
				if got := strings.Join(told, ", "); got != c.want {
					t.Errorf("told %q, want %q", got, c.want)
				}
				if left := waitingMetric(t, reg); left != "" {
					t.Errorf("after it the metric says %q", left)
				}
			})
		})
	}
}

// T1: a seal that waits for long asks about once a second, and soon at first.
func TestASealThatWaitsAsksEverMoreSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var at []time.Duration
		log := &slowLog{stored: func(int) (int64, error) {
			at = append(at, time.Since(began))
			if time.Since(began) > time.Hour {
				return 9, nil
			}
			return 0, nil
		}}
		v := Invoicer{Log: log, Now: time.Now}
		if _, err := v.NoteCutoff(t.Context()); err != nil {
			t.Fatal(err)
		}
		if log.looks > 3700 {
			t.Errorf("it asked %d times in an hour", log.looks)
		}
		for i := 1; i < len(at); i++ {
			// It sees what happened a fifth of the wait later at most, or a second.
			if late := at[i] - at[i-1]; late > max(firstLook, min(lastLook, at[i-1]/4+firstLook)) {
				t.Fatalf("at %s it looked only %s after it had last", at[i], late)
			}
		}
	})
}

func TestASealThatIsToldToEndSaysForWhatItWaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		v := Invoicer{Log: &slowLog{stored: func(int) (int64, error) { return 5, nil }}, Now: time.Now}
		_, err := v.NoteCutoff(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "billing.usage/3 (stored to 5 of 9)") {
			t.Errorf("ended with %v", err)
		}
	})
}

// L4: a later run never sees less of the log than an earlier one did.
func TestACutoffBeforeThatOfAnEarlierRunIsRefusedByItsPartition(t *testing.T) {
	end := func(log int32, partition int32, end int64) schemas.PartitionEnd {
		return schemas.PartitionEnd{Log: log, Topic: "billing.usage", Partition: partition, End: end}
	}
	earlier := []schemas.Run{{Number: 1, Cutoff: schemas.NewCutoff([]schemas.PartitionEnd{end(0, 0, 6), end(0, 1, 3)})}}
	for name, c := range map[string]struct {
		cutoff []schemas.PartitionEnd
		want   string
	}{
		"as far":                                  {[]schemas.PartitionEnd{end(0, 0, 6), end(0, 1, 3)}, ""},
		"farther, with another log":               {[]schemas.PartitionEnd{end(0, 0, 7), end(0, 1, 3), end(2, 0, 1)}, ""},
		"one partition is shorter":                {[]schemas.PartitionEnd{end(0, 0, 1), end(0, 1, 3)}, "billing.usage/0 ends at offset 1, and run 1 had noted 6"},
		"one partition is gone":                   {[]schemas.PartitionEnd{end(0, 0, 6)}, "billing.usage/1 ends at offset 0, and run 1 had noted 3"},
		"another log has as many, the first none": {[]schemas.PartitionEnd{end(2, 0, 6), end(2, 1, 3)}, "billing.usage/0 ends at offset 0"},
	} {
		err := refuseShorter(earlier, schemas.NewCutoff(c.cutoff))
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if err := refuseShorter(nil, nil); err != nil {
		t.Errorf("before the first run: %v", err)
	}
}
