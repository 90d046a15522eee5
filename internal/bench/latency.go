package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/reckon-billing/reckon/internal/kafka"
	"github.com/reckon-billing/reckon/schemas"
)

const (
	// arriving is how many events are produced in a second, in so many portions by
	// so many producers.
	arriving  = 50_000
	portions  = 20
	producers = 2
	// lookEvery is how often the table is asked; what it finds is as old as that.
	lookEvery = 50 * time.Millisecond
	// warmUp is left out: the group is being joined.
	warmUp = 3 * time.Second
)

// latency measures how long after it was handed to the producer an event is
// found by a query, settings as shipped.
func (b *bench) latency(ctx context.Context) (section, error) {
	s := section{
		Title: "Latency",
		Note: fmt.Sprintf("%s events a second are produced for %s while `reckon ingest` runs as shipped. An event's time\n"+
			"goes from the moment it is handed to the producer to the end of the query that finds it in the\n"+
			"table, asked every %s.", short(arriving), b.sizes.latency, lookEvery),
	}
	err := b.onServers(ctx, func(srv *servers) error {
		took, late, err := b.arrive(ctx, srv)
		if err != nil {
			return err
		}
		slices.Sort(took)
		at := func(share float64) []float64 { return []float64{took[int(share*float64(len(took)-1))].Seconds()} }
		s.Figures = []figure{
			{"latency_p50_seconds", "p50", "s", "", at(0.5)},
			{"latency_p99_seconds", "p99 from produced to queryable", "s", "≤ 2", at(0.99)},
			{"latency_max_seconds", "slowest", "s", "", at(1)},
			{"latency_late_seconds", "the producers fell behind their pace by at most", "s", "", []float64{late.Seconds()}},
		}
		return nil
	})
	return s, err
}

// arrivals remembers when each event was handed over, by partition in the order
// of offsets.
type arrivals struct {
	mu   sync.Mutex
	at   [partitions][]arrival
	took []time.Duration
	// n are still to be found.
	n int
}

// arrival is an event's offset and instant.
type arrival struct {
	offset int64
	at     time.Time
}

func (a *arrivals) add(positions []schemas.Position, at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, p := range positions {
		a.at[p.Partition] = append(a.at[p.Partition], arrival{p.Offset, at})
	}
	a.n += len(positions)
}

// found notes that a partition is in the table up to an offset.
func (a *arrivals) found(partition int, last int64, now, from time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	queue := a.at[partition]
	slices.SortFunc(queue, func(x, y arrival) int { return int(x.offset - y.offset) })
	for len(queue) > 0 && queue[0].offset <= last {
		if queue[0].at.After(from) {
			a.took = append(a.took, now.Sub(queue[0].at))
		}
		queue = queue[1:]
		a.n--
	}
	a.at[partition] = queue
}

func (a *arrivals) left() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.n
}

// arrive produces at an even pace and looks for what arrives.
func (b *bench) arrive(ctx context.Context, srv *servers) (took []time.Duration, late time.Duration, err error) {
	k, err := kafka.New(kafka.Config{Brokers: []string{srv.Kafka}, Now: b.now})
	if err != nil {
		return nil, 0, err
	}
	if err := makeTopics(ctx, k); err != nil {
		return nil, 0, err
	}
	if err := b.migrate(ctx, srv, "latency"); err != nil {
		return nil, 0, err
	}
	db := newDatabase(srv.Endpoints, "latency")
	defer db.close()
	cmd, err := b.startIngest(ctx, srv, "latency")
	if err != nil {
		return nil, 0, err
	}
	a := arrivals{}
	var behind [producers]time.Duration
	from := b.now().Add(warmUp)
	g, ctx := errgroup.WithContext(ctx)
	done := make(chan struct{})
	g.Go(func() error {
		defer close(done)
		each, ctx := errgroup.WithContext(ctx)
		for i := range producers {
			each.Go(func() error { return b.pace(ctx, k, &a, i, &behind[i]) })
		}
		return each.Wait()
	})
	g.Go(func() error { return b.look(ctx, db, &a, from, done) })
	err = errors.Join(g.Wait(), stopIngest(cmd))
	if err == nil && len(a.took) == 0 {
		err = errors.New("no event was found")
	}
	return a.took, slices.Max(behind[:]), err
}

// pace is one producer: its share of each portion, at its time.
func (b *bench) pace(ctx context.Context, k *kafka.Client, a *arrivals, which int, behind *time.Duration) error {
	p, err := k.NewProducer(ctx, usageTopic)
	if err != nil {
		return fmt.Errorf("produce: %w", err)
	}
	defer p.Close()
	const share = arriving / portions / producers
	began := b.now()
	u := &usageMessages{}
	for n := range int((b.sizes.latency + warmUp).Seconds()) * portions {
		due := began.Add(time.Duration(n) * time.Second / portions)
		if wait := due.Sub(b.now()); wait > 0 {
			if err := pause(ctx, wait); err != nil {
				return err
			}
		}
		at := b.now()
		*behind = max(*behind, at.Sub(due))
		messages := make([]schemas.Message, share)
		u.from = at
		for i := range messages {
			messages[i] = u.message((n*share+i)*producers + which)
			messages[i].Time = at
		}
		positions, err := p.Produce(ctx, messages)
		if err != nil {
			return fmt.Errorf("produce: %w", err)
		}
		a.add(positions, at)
	}
	return nil
}

// look asks the table how far each partition has come until all is found.
func (b *bench) look(ctx context.Context, db *database, a *arrivals, from time.Time, done <-chan struct{}) error {
	since := "-1"
	for {
		var ended bool
		select {
		case <-done:
			ended = true
		default:
		}
		where := ""
		if !ended {
			// Only what is new since the last look, or asking would be the work. A part
			// that is merged away meanwhile is found with the next one.
			names, last, err := newParts(ctx, db, since)
			if err != nil {
				return err
			}
			since = last
			where = " WHERE _part IN (" + names + ")"
		}
		if err := b.lookAt(ctx, db, a, from, where); err != nil {
			return err
		}
		if ended && a.left() == 0 {
			return nil
		}
		if err := pause(ctx, lookEvery); err != nil {
			return err
		}
	}
}

// newParts are the parts of the table with a block after the given one, quoted,
// and the last block there is.
func newParts(ctx context.Context, db *database, since string) (names, last string, err error) {
	answer, err := db.exec(ctx, "SELECT arrayStringConcat(groupArrayIf(concat('\\'', name, '\\''), max_block_number > "+since+"), ','), max(max_block_number)"+
		" FROM system.parts WHERE database = currentDatabase() AND table = 'events' AND active FORMAT TSVRaw")
	if err != nil {
		return "", "", err
	}
	names, last, _ = strings.Cut(answer, "\t")
	if names == "" {
		names = "''"
	}
	return names, last, nil
}

// lookAt asks the table how far each partition has come.
func (b *bench) lookAt(ctx context.Context, db *database, a *arrivals, from time.Time, where string) error {
	answer, err := db.exec(ctx, "SELECT partition, max(offset) FROM events"+where+" GROUP BY partition")
	if err != nil {
		return err
	}
	now := b.now()
	for line := range strings.Lines(answer) {
		fields := strings.Fields(line)
		if len(fields) != 2 {
			return fmt.Errorf("asked for a partition and an offset, got %q", line)
		}
		partition, err := strconv.Atoi(fields[0])
		if err != nil {
			return err
		}
		last, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil {
			return err
		}
		a.found(partition, last, now, from)
	}
	return nil
}
