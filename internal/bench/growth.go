package main

import (
	"context"
	"fmt"
)

// growth measures how the cost of a seal grows with events, history and skew.
func (b *bench) growth(ctx context.Context) (section, error) {
	s := section{
		Title: "Growth",
		Note: "Seals of usage months by reckon alone, each measured in a process of its own. Ratios compare with the\n" +
			"smallest, the first and the evenly spread month.",
	}
	for _, step := range []struct {
		name string
		run  func(context.Context, *section) error
	}{{"events", b.moreEvents}, {"year", b.year}, {"giant", b.giant}, {"twice", b.oneAccount}, {"wide", b.wideAccount}} {
		if !b.wants("growth-" + step.name) {
			continue
		}
		if err := step.run(ctx, &s); err != nil {
			return s, err
		}
	}
	return s, nil
}

// usageMonth is a month of usage events spread over resources.
func usageMonth(events, resources int64) workload {
	return workload{Resources: resources, PerResource: 1, Every: 1, Metered: true, Events: events, Copies: 1}
}

// moreEvents seals months of one shape and three sizes.
func (b *bench) moreEvents(ctx context.Context, s *section) error {
	var base float64
	for _, tenths := range []int64{1, 3, 10} {
		events := b.sizes.events * tenths / 10
		r, err := b.alone(ctx, "growth", usageMonth(events, events/100))
		if err != nil {
			return fmt.Errorf("seal %d events: %w", events, err)
		}
		perEvent := median(seconds(r)) * 1e6 / float64(events)
		what := fmt.Sprintf("%s events, %s resources", short(float64(events)), short(float64(events/100)))
		key := fmt.Sprintf("growth_%d", tenths)
		s.Figures = append(s.Figures,
			figure{key + "_us_per_event", what, "µs/event", "", scaled(seconds(r), 1e6/float64(events))},
			figure{key + "_peak_mib", "    peak memory of reckon", "MiB", "≤ 512", peaks(r)})
		if tenths == 1 {
			base = perEvent
			continue
		}
		s.Figures = append(s.Figures, figure{key + "_ratio", "    time per event to the smallest", "times", "≤ 1.2", []float64{perEvent / base}})
	}
	return nil
}

// alone seals one month of the workload, on servers of its own, several times.
func (b *bench) alone(ctx context.Context, name string, shape workload) (all []sealed, err error) {
	err = b.onServers(ctx, func(srv *servers) error {
		w := shape.of(month(), 0, b.zone)
		db, err := b.stored(ctx, srv, name, &w, true)
		if err != nil {
			return err
		}
		defer db.close()
		for range b.repeats {
			r, err := b.sealRound(ctx, srv, db, &w, false)
			if err != nil {
				return err
			}
			b.say("%s, %d events: %.2f s (CPU %.2f and ClickHouse %.2f), peak %.0f MiB", name, shape.Events, r.Seconds, r.CPUSeconds, r.EngineSeconds, mib(r.PeakBytes))
			all = append(all, r)
		}
		return nil
	})
	return all, err
}

// year seals twelve months, one after the other, and then in turns the first again
// and the thirteenth, all their history behind it: each in a database of its own that
// holds what there was before.
func (b *bench) year(ctx context.Context, s *section) error {
	return b.onServers(ctx, func(srv *servers) error {
		shape := usageMonth(b.sizes.events/10, b.sizes.events/1000)
		first := shape.of(month(), 0, b.zone)
		db, err := b.stored(ctx, srv, "year", &first, true)
		if err != nil {
			return err
		}
		defer db.close()
		bare, err := b.round(ctx, srv, db)
		if err != nil {
			return err
		}
		second, last, err := b.twelveMonths(ctx, srv, db, &shape)
		if err != nil {
			return err
		}
		var firsts, lasts []sealed
		var ratios []float64
		for range 3 * b.pairs { // a seal takes less than a second, and noise as long
			one, err := b.sealRound(ctx, srv, bare, &first, false)
			if err != nil {
				return err
			}
			thirteenth, err := b.sealRound(ctx, srv, db, &last, false)
			if err != nil {
				return err
			}
			b.say("first month: %.2f s, thirteenth: %.2f s", one.Seconds, thirteenth.Seconds)
			firsts, lasts, ratios = append(firsts, one), append(lasts, thirteenth), append(ratios, thirteenth.Seconds/one.Seconds)
		}
		traced, err := b.sealRound(ctx, srv, db, &last, true)
		if err != nil {
			return err
		}
		s.Parts = append(s.Parts, parts{"thirteenth month", traced.Parts})
		s.Figures = append(s.Figures,
			figure{"year_first_seconds", fmt.Sprintf("first of thirteen months of %s events", short(float64(shape.Events))), "s", "", seconds(firsts)},
			figure{"year_second_seconds", "    second", "s", "", []float64{second.Seconds}},
			figure{"year_thirteenth_seconds", "    thirteenth, a year of history behind it", "s", "", seconds(lasts)},
			figure{"year_ratio", "    thirteenth to first, in turns", "times", "≤ 1.25", ratios},
			figure{"year_peak_mib", "    peak memory of reckon", "MiB", "≤ 512", peaks(append(firsts, lasts...))})
		return nil
	})
}

// twelveMonths seals the month that is stored and eleven more, and stores the
// thirteenth. It gives what the second took.
func (b *bench) twelveMonths(ctx context.Context, srv *servers, db *database, shape *workload) (second sealed, last workload, err error) {
	m := month()
	for n := range int64(13) {
		last = shape.of(m, n, b.zone)
		if n > 0 {
			if err := last.store(ctx, db, false); err != nil {
				return second, last, err
			}
			if err := b.settle(ctx, db); err != nil {
				return second, last, err
			}
		}
		if n == 12 {
			break
		}
		r, err := b.sealNext(ctx, srv, db, &last, month(), false)
		if err != nil {
			return second, last, err
		}
		b.say("month %d: %.2f s, peak %.0f MiB", n+1, r.Seconds, mib(r.PeakBytes))
		if n == 1 {
			second = r
		}
		m = m.Next()
	}
	return second, last, nil
}

// giant compares one resource with all the events with an even spread.
func (b *bench) giant(ctx context.Context, s *section) error {
	events := b.sizes.events / 2
	even, err := b.alone(ctx, "even", usageMonth(events, events/100))
	if err != nil {
		return err
	}
	one, err := b.alone(ctx, "giant", usageMonth(events, 1))
	if err != nil {
		return err
	}
	s.Figures = append(s.Figures,
		figure{"even_seconds", fmt.Sprintf("%s events, evenly spread", short(float64(events))), "s", "", seconds(even)},
		figure{"giant_seconds", "    all on one resource", "s", "", seconds(one)},
		figure{"giant_ratio", "    one resource to the even spread", "times", "≤ 1.5", []float64{median(seconds(one)) / median(seconds(even))}},
		figure{"giant_peak_mib", "    peak memory of reckon, one resource", "MiB", "≤ 512", peaks(one)})
	return nil
}

// oneAccount seals one account all of whose usage events were sent twice.
func (b *bench) oneAccount(ctx context.Context, s *section) error {
	shape := usageMonth(b.sizes.events/2, 1000)
	shape.OneAccount, shape.Copies = true, 100
	r, err := b.alone(ctx, "twice", shape)
	if err != nil {
		return err
	}
	s.Figures = append(s.Figures,
		figure{"dedup_seconds", fmt.Sprintf("%s stored events of one account, each sent twice", short(float64(2*shape.Events))), "s", "", seconds(r)},
		figure{"dedup_peak_mib", "    peak memory of reckon", "MiB", "≤ 512", peaks(r)})
	return nil
}

// wideAccount seals one account of very many resources (O5), which is derived twice.
func (b *bench) wideAccount(ctx context.Context, s *section) error {
	shape := workload{Resources: b.sizes.events * 3 / 100, PerResource: 4, Every: 1, Events: b.sizes.events * 3 / 10, Copies: 1, Metered: true}
	even, err := b.alone(ctx, "spread", shape)
	if err != nil {
		return err
	}
	shape.OneAccount = true
	one, err := b.alone(ctx, "wide", shape)
	if err != nil {
		return err
	}
	s.Figures = append(s.Figures,
		figure{"wide_seconds", fmt.Sprintf("%s resources of one account", short(float64(shape.Resources))), "s", "", seconds(one)},
		figure{"wide_ratio", "    to as many of many accounts", "times", "≤ 2", []float64{median(seconds(one)) / median(seconds(even))}},
		figure{"wide_peak_mib", "    peak memory of reckon", "MiB", "≤ 512", peaks(one)})
	return nil
}

func median(values []float64) float64 { return (&figure{Values: values}).median() }

func seconds(all []sealed) []float64 {
	var out []float64
	for _, r := range all {
		out = append(out, r.Seconds)
	}
	return out
}

func peaks(all []sealed) []float64 {
	var out []float64
	for _, r := range all {
		out = append(out, mib(r.PeakBytes))
	}
	return out
}

func engines(all []sealed) []float64 {
	var out []float64
	for _, r := range all {
		out = append(out, r.EngineSeconds)
	}
	return out
}

func scaled(values []float64, by float64) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = v * by
	}
	return out
}
