package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/reckon-billing/reckon/schemas"
)

// sealCase is one of the shapes of a month.
type sealCase struct {
	// key begins the names of its figures, ratio is that of the headline one.
	key, ratio, name, title string
	workload                workload
	// rival is the statement that does the same job.
	rival string
}

// monthEnd measures seals, against one SQL statement each.
func (b *bench) monthEnd(ctx context.Context) (section, error) {
	s := section{
		Title: "Month-end",
		Note: fmt.Sprintf("From the start of a seal to its last header, in a process of its own. The rival is the same job as\n"+
			"one ClickHouse statement that ends with the lines in a table of the same columns; its results equal\n"+
			"reckon's to the đồng. %d pairs in turn.", b.pairs),
	}
	events, resources := b.sizes.events, b.sizes.events/100
	cases := []sealCase{
		{
			"lifecycle", "month_end_ratio", "(a)", fmt.Sprintf("%s lifecycle events, %s resources, five lines each", short(float64(events)), short(float64(resources))),
			workload{Resources: resources, PerResource: 100, Every: 20},
			"rival_lifecycle",
		},
		{
			"usage", "usage_month_ratio", "(b)", fmt.Sprintf("%s usage events, %s resources, one line each", short(float64(events)), short(float64(resources))),
			workload{Resources: resources, PerResource: 1, Every: 1, Metered: true, Events: events, Copies: 1},
			"rival_usage",
		},
	}
	for i := range cases {
		if !b.wants("month-end-" + strings.Trim(cases[i].name, "()")) {
			continue
		}
		if err := b.sealPairs(ctx, &cases[i], &s); err != nil {
			return s, fmt.Errorf("%s: %w", cases[i].title, err)
		}
	}
	if !b.wants("month-end-c") {
		return s, nil
	}
	if err := b.quietMonth(ctx, &s); err != nil {
		return s, fmt.Errorf("a month without events: %w", err)
	}
	return s, nil
}

// sealPairs lets reckon and its rival do the same month in turn.
func (b *bench) sealPairs(ctx context.Context, c *sealCase, s *section) error {
	return b.onServers(ctx, func(srv *servers) error {
		w := c.workload.of(month(), 0, b.zone)
		base, err := b.stored(ctx, srv, "month", &w, true)
		if err != nil {
			return err
		}
		defer base.close()
		var ratios []float64
		var ours, rivals []sealed
		for i := range b.pairs {
			rival, own, err := b.sealPair(ctx, srv, base, c, &w, i%2 == 0)
			if err != nil {
				return err
			}
			b.say("%s: reckon %.2f s (CPU %.2f and ClickHouse %.2f), rival %.2f s (CPU %.2f); peak %.0f MiB",
				c.key, own.Seconds, own.CPUSeconds, own.EngineSeconds, rival.Seconds, rival.EngineSeconds, mib(own.PeakBytes))
			ratios, rivals, ours = append(ratios, rival.Seconds/own.Seconds), append(rivals, rival), append(ours, own)
		}
		s.Figures = append(s.Figures, figure{c.ratio, c.name + " " + c.title + ": reckon to the rival", "times", "≥ 1", ratios})
		s.Figures = append(s.Figures, sealFigures(c.key, "    reckon", ours)...)
		s.Figures = append(s.Figures,
			figure{c.key + "_rival_seconds", "    the rival", "s", "", seconds(rivals)},
			figure{c.key + "_rival_engine_cpu_seconds", "    CPU of ClickHouse for the rival", "s", "", engines(rivals)})
		own, err := b.sealRound(ctx, srv, base, &w, true)
		if err == nil {
			s.Parts = append(s.Parts, parts{c.key, own.Parts})
		}
		return err
	})
}

// sealPair lets both do the month once, in a database of their own, and compares
// what they wrote.
func (b *bench) sealPair(ctx context.Context, srv *servers, base *database, c *sealCase, w *workload, rivalFirst bool) (rival, own sealed, err error) {
	db, err := b.round(ctx, srv, base)
	if err != nil {
		return rival, own, err
	}
	if _, err := db.run(ctx, "rival_lines", nil); err != nil {
		return rival, own, err
	}
	for _, rivals := range []bool{rivalFirst, !rivalFirst} {
		if rivals {
			rival, err = b.rivalSeal(ctx, srv, db, c, w)
		} else {
			own, err = b.sealNext(ctx, srv, db, w, month(), false)
		}
		if err == nil {
			err = b.settle(ctx, db)
		}
		if err != nil {
			return rival, own, err
		}
	}
	return rival, own, sameLines(ctx, db)
}

// sealRound seals the workload's month in a database of its own.
func (b *bench) sealRound(ctx context.Context, srv *servers, base *database, w *workload, trace bool) (sealed, error) {
	db, err := b.round(ctx, srv, base)
	if err != nil {
		return sealed{}, err
	}
	return b.sealNext(ctx, srv, db, w, month(), trace)
}

// sealFigures are those of a case without a rival.
func sealFigures(key, name string, all []sealed) []figure {
	var perSecond, cpu []float64
	for _, r := range all {
		cpu, perSecond = append(cpu, r.CPUSeconds), append(perSecond, float64(r.Invoices)/r.Seconds)
	}
	return []figure{
		{key + "_reckon_seconds", name, "s", "", seconds(all)},
		{key + "_invoices_per_second", "    sealed invoices", "1/s", "≥ 10 000", perSecond},
		{key + "_reckon_peak_mib", "    peak memory of reckon", "MiB", "≤ 512", peaks(all)},
		{key + "_reckon_cpu_seconds", "    CPU of reckon", "s", "", cpu},
		{key + "_engine_cpu_seconds", "    CPU of ClickHouse for reckon", "s", "", engines(all)},
	}
}

// stored makes a database with the workload's events in it.
func (b *bench) stored(ctx context.Context, srv *servers, name string, w *workload, settle bool) (*database, error) {
	if err := b.migrate(ctx, srv, name); err != nil {
		return nil, err
	}
	db := newDatabase(srv.Endpoints, name)
	if err := w.store(ctx, db, true); err != nil {
		return nil, err
	}
	if settle {
		return db, b.settle(ctx, db)
	}
	return db, nil
}

// settle waits until ClickHouse merges no more in the background.
func (b *bench) settle(ctx context.Context, db *database) error {
	for quiet := 0; quiet < 5; {
		merging, err := db.exec(ctx, "SELECT count() FROM system.merges")
		if err != nil {
			return err
		}
		quiet++
		if merging != "0" {
			quiet = 0
		}
		if err := pause(ctx, 10*pollEvery); err != nil {
			return err
		}
	}
	return nil
}

// sealNext seals the workload's month on what is sealed already.
func (b *bench) sealNext(ctx context.Context, srv *servers, db *database, w *workload, first schemas.Month, trace bool) (sealed, error) {
	o := sealOrder{Endpoints: srv.Endpoints, Database: db.name, First: first, Month: w.Month, Ends: w.ends(), Trace: trace}
	if b.profiles != "" {
		b.rounds++
		o.Profile = filepath.Join(b.profiles, fmt.Sprintf("seal_%s_%d.prof", db.name, b.rounds))
	}
	m, err := b.measure(srv)
	if err != nil {
		return sealed{}, err
	}
	r, err := o.seal(ctx)
	if err == nil {
		err = m.stop()
	}
	r.EngineSeconds = m.engine
	return r, err
}

// rivalSeal is the rival's turn.
func (b *bench) rivalSeal(ctx context.Context, srv *servers, db *database, c *sealCase, w *workload) (r sealed, err error) {
	m, err := b.measure(srv)
	if err != nil {
		return r, err
	}
	began := b.now()
	if _, err := db.run(ctx, c.rival, w); err != nil {
		return r, err
	}
	r.Seconds = b.now().Sub(began).Seconds()
	err = m.stop()
	r.EngineSeconds = m.engine
	return r, err
}

// sameLines compares what both wrote, line by line and in sum.
func sameLines(ctx context.Context, db *database) error {
	answer, err := db.run(ctx, "differences", nil)
	if err != nil {
		return err
	}
	if answer != "0" {
		return fmt.Errorf("reckon and the rival differ: %s", answer)
	}
	return nil
}

// quietMonth seals a month in which nothing happened to the resources that live.
func (b *bench) quietMonth(ctx context.Context, s *section) error {
	const repeats = 2
	resources := b.sizes.alive
	return b.onServers(ctx, func(srv *servers) error {
		w := workload{Resources: resources, PerResource: 1, Every: 1}.of(month(), 0, b.zone)
		db, err := b.stored(ctx, srv, "quiet", &w, true)
		if err != nil {
			return err
		}
		defer db.close()
		if _, err := b.sealNext(ctx, srv, db, &w, month(), false); err != nil {
			return err
		}
		var all []sealed
		var traced sealed
		for i := range repeats + 1 {
			w.Month = w.Month.Next()
			one, err := b.sealNext(ctx, srv, db, &w, month(), i == repeats)
			if err != nil {
				return err
			}
			if one.Invoices != resources {
				return fmt.Errorf("%d resources live in %s, %d invoices were sealed", resources, w.Month, one.Invoices)
			}
			b.say("alive: reckon %.2f s (CPU %.2f and ClickHouse %.2f), peak %.0f MiB",
				one.Seconds, one.CPUSeconds, one.EngineSeconds, mib(one.PeakBytes))
			if traced = one; i < repeats {
				all = append(all, one)
			}
		}
		s.Figures = append(s.Figures, sealFigures("alive", fmt.Sprintf("(c) %s resources alive, no event this month: reckon", short(float64(resources))), all)...)
		s.Parts = append(s.Parts, parts{"alive", traced.Parts})
		return nil
	})
}
