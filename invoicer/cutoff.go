package invoicer

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// Lag is a partition that ingest has not stored up to the noted end.
type Lag struct {
	Topic         string
	Partition     int32
	Stored, Noted int64
}

// String is as in "billing.usage/3 (stored to 5 of 9)".
func (l Lag) String() string {
	return fmt.Sprintf("%s/%d (stored to %d of %d)", l.Topic, l.Partition, l.Stored, l.Noted)
}

// noted is where the log ended, and when that was looked up.
type noted struct {
	cutoff schemas.Cutoff
	at     time.Time
	// settleAll is of a run that is to derive every sealed month of every resource.
	settleAll bool
}

// NoteCutoff waits until ingest has stored all that lies in the log now, and returns
// where that ends.
func (v *Invoicer) NoteCutoff(ctx context.Context) (schemas.Cutoff, error) {
	n, err := v.noteCutoff(ctx)
	return n.cutoff, err
}

// noteCutoff waits until ingest has stored all that lay before the instant of noting.
func (v *Invoicer) noteCutoff(ctx context.Context) (noted, error) {
	at := v.Now().UTC().Truncate(time.Millisecond)
	ends, err := v.Log.Ends(ctx)
	if err != nil {
		return noted{}, fmt.Errorf("note the ends of the log: %w", err)
	}
	cutoff := schemas.NewCutoff(ends)
	if err := v.wait(ctx, cutoff); err != nil {
		return noted{}, err
	}
	return noted{cutoff: cutoff, at: at}, nil
}

// A waiting seal looks again soon, and ever more seldom while nothing comes of it: each
// look is a question to the store.
const (
	firstLook = 50 * time.Millisecond
	lastLook  = time.Second
)

// wait returns when ingest has stored all before the cutoff. Meanwhile it tells what
// lags, and with nothing that lags that the wait is over.
func (v *Invoicer) wait(ctx context.Context, cutoff schemas.Cutoff) error {
	defer v.Metrics.waitsFor(nil)
	for rest, waited := firstLook, false; ; rest = min(rest*6/5, lastLook) {
		stored, err := v.Log.Stored(ctx)
		if err != nil {
			return fmt.Errorf("ask how far ingest has stored: %w", err)
		}
		lagging := lagsOf(cutoff, stored)
		waited = waited || len(lagging) > 0
		v.Metrics.waitsFor(lagging)
		if v.Waiting != nil && waited {
			v.Waiting(lagging)
		}
		if len(lagging) == 0 {
			return nil
		}
		if err := pause(ctx, rest); err != nil {
			return fmt.Errorf("wait for ingest to store %s: %w", sayLags(lagging), err)
		}
	}
}

// refuseShorter refuses a cutoff that does not hold all that an earlier run's does: the
// log is not the one that was noted then, or was cut back.
func refuseShorter(earlier []schemas.Run, cutoff schemas.Cutoff) error {
	if len(earlier) == 0 {
		return nil
	}
	last := earlier[len(earlier)-1]
	at := map[schemas.PartitionEnd]int64{}
	for _, p := range cutoff {
		at[p.WithoutEnd()] = p.End
	}
	for _, p := range last.Cutoff {
		if end := at[p.WithoutEnd()]; end < p.End {
			return fmt.Errorf("%s/%d%s ends at offset %d, and run %d had noted %d: it was cut back, or the store is another one: see reckon log list",
				p.Topic, p.Partition, schemas.OfLog(p.Log), end, last.Number, p.End)
		}
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func lagsOf(cutoff schemas.Cutoff, stored []schemas.PartitionEnd) []Lag {
	at := make(map[schemas.PartitionEnd]int64, len(stored))
	for _, s := range stored {
		at[s.WithoutEnd()] = s.End
	}
	var lags []Lag
	for _, end := range cutoff {
		if have := at[end.WithoutEnd()]; have < end.End {
			lags = append(lags, Lag{end.Topic, end.Partition, have, end.End})
		}
	}
	return lags
}

func sayLags(lags []Lag) string {
	said := make([]string, len(lags))
	for i, l := range lags {
		said[i] = l.String()
	}
	return strings.Join(said, ", ")
}
