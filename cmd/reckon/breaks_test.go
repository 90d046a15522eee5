package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/internal/clickhouse"
	"github.com/reckon-billing/reckon/internal/simulate"
	"github.com/reckon-billing/reckon/invoicer"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/codec"
	"github.com/reckon-billing/reckon/schemas/tables"
)

// errBroke is where a test lets a process die.
var errBroke = errors.New("broke off")

// breaking is the store with every write cut into steps. Breaks says of each
// step whether it fails: before it was done, or after, when nobody hears of it
// any more.
type breaking struct {
	*clickhouse.Store
	breaks func(step int, what string) failure
	// step counts within one attempt, steps lists those of all.
	step  int
	steps []string
}

type failure int

const (
	never failure = iota
	before
	after
)

func (b *breaking) do(what string, write func() error) error {
	b.step++
	b.steps = append(b.steps, what)
	failed := b.breaks(b.step, what)
	if failed == before {
		return errBroke
	}
	if err := write(); err != nil {
		return err
	}
	if failed == after {
		return errBroke
	}
	return nil
}

func (b *breaking) AddRun(ctx context.Context, run schemas.Run) (schemas.Run, error) {
	stored := run
	err := b.do("run", func() (err error) {
		stored, err = b.Store.AddRun(ctx, run)
		return err
	})
	return stored, err
}

func (b *breaking) AddSeal(ctx context.Context, seal invoicer.Seal) error {
	return b.do("seal", func() error { return b.Store.AddSeal(ctx, seal) })
}

func (b *breaking) MarkTouched(ctx context.Context, run schemas.Run, since schemas.Cutoff, sealedTo time.Time) (n int64, err error) {
	err = b.do("touched", func() (err error) {
		n, err = b.Store.MarkTouched(ctx, run, since, sealedTo)
		return err
	})
	return n, err
}

// Write is one write of the store cut where a process can die: between its
// inserts, and in the middle of those of lines and of headers.
func (b *breaking) Write(ctx context.Context, batch invoicer.Batch) error {
	lines, headers := len(batch.Lines)/2, len(batch.Invoices)/2
	proofs := batch
	proofs.Periods, proofs.Lines, proofs.Snapshots, proofs.Invoices = nil, nil, nil, nil
	for _, part := range []struct {
		what string
		of   invoicer.Batch
	}{
		{"periods", invoicer.Batch{Periods: batch.Periods}},
		{"half of the lines", invoicer.Batch{Lines: batch.Lines[:lines]}},
		{"the other lines", invoicer.Batch{Lines: batch.Lines[lines:]}},
		{"edges", invoicer.Batch{Snapshots: batch.Snapshots}},
		{"proofs", proofs},
		{"half of the headers", invoicer.Batch{Invoices: batch.Invoices[:headers]}},
		{"the other headers", invoicer.Batch{Invoices: batch.Invoices[headers:]}},
	} {
		if empty(part.of) {
			continue
		}
		part.of.Run = batch.Run
		if err := b.do(part.what, func() error { return b.Store.Write(ctx, part.of) }); err != nil {
			return err
		}
	}
	return nil
}

func (b *breaking) Tell(ctx context.Context, run int64) error {
	return b.do("telling", func() error { return b.Store.Tell(ctx, run) })
}

func (b *breaking) Forget(ctx context.Context, run int64, rows []tables.RowKey) error {
	return b.do("forgetting", func() error { return b.Store.Forget(ctx, run, rows) })
}

// fixedLog is a log that ends where the test says, all of it stored.
type fixedLog []schemas.PartitionEnd

func (l fixedLog) Ends(context.Context) ([]schemas.PartitionEnd, error)   { return l, nil }
func (l fixedLog) Stored(context.Context) ([]schemas.PartitionEnd, error) { return l, nil }

// carried is an event with the message that carried it.
type carried struct {
	event   schemas.Event
	message schemas.Message
}

// chapter is a part of a scenario: the events up to a seal, and the seal.
type chapter struct {
	events []carried
	ends   fixedLog
	seal   schemas.Month
}

// chapters parses the lines of a scenario into events as ingest would store
// them. Rejects are left out.
func chapters(t testing.TB, lines []string) []chapter {
	t.Helper()
	parser := codec.Parser{Currency: vnd}
	at := schemas.Position{Topic: "billing.lifecycle"}
	var out []chapter
	var now chapter
	for _, line := range lines {
		month, err := simulate.Directive([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		if !month.IsZero() {
			now.seal, now.ends = month, fixedLog{{Topic: at.Topic, End: at.Offset}}
			out = append(out, now)
			now = chapter{}
			continue
		}
		m := schemas.Message{Position: at, Time: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), Value: []byte(line)}
		if e, err := parser.Parse(&m); err == nil {
			now.events = append(now.events, carried{e, m})
		}
		at.Offset++
	}
	return out
}

func empty(b invoicer.Batch) bool {
	return len(b.Periods)+len(b.Lines)+len(b.Snapshots)+len(b.Invoices)+len(b.Hashes)+len(b.Minutes)+len(b.Anomalies) == 0
}

// told plays a story on an installation of its own. Where the store breaks, the
// seal is tried again, as after a restart, until it succeeds.
func told(t *testing.T, s *servers, story []chapter, breaks func(run, attempt, step int) failure) (*installation, *breaking) {
	t.Helper()
	i := s.install()
	store := &breaking{Store: i.connect(t).Store}
	if _, err := store.Migrate(t.Context(), i.now()); err != nil {
		t.Fatal(err)
	}
	for run, c := range story {
		batch := store.Open()
		for _, e := range c.events {
			if err := batch.Accept(&e.event, &e.message); err != nil {
				t.Fatal(err)
			}
		}
		if err := batch.Store(t.Context()); err != nil {
			t.Fatal(err)
		}
		for attempt := 0; ; attempt++ {
			store.step, store.breaks = 0, func(step int, _ string) failure { return breaks(run, attempt, step) }
			err := sealAgain(t, store, story[0].seal, c, run, attempt)
			if err == nil {
				break
			}
			if !errors.Is(err, errBroke) || attempt > 100 {
				t.Fatalf("run %d, attempt %d: %v", run, attempt, err)
			}
		}
	}
	return i, store
}

// sealAgain seals as a new process would. Its clock goes on from attempt to
// attempt, but what a run issues is of the instant that was written down with it.
func sealAgain(t *testing.T, store *breaking, first schemas.Month, c chapter, run, attempt int) error {
	runs, err := store.Runs(t.Context())
	if err != nil {
		return err
	}
	now := time.Date(2030, 1, 1+run, 0, 0, 0, 0, time.UTC)
	if len(runs) > run {
		now = now.Add(time.Duration(attempt) * time.Minute)
	}
	z := zone(t)
	v := &invoicer.Invoicer{
		Log: c.ends, RunLog: store, Late: store, Invoices: store, Periods: &aggregate.Deriver{Source: store.Store, Zone: z},
		Currency: vnd, Zone: z, FirstMonth: first, Now: func() time.Time { return now },
	}
	_, err = v.Seal(t.Context(), c.seal)
	return err
}

// F1, F2, H6: a run that breaks off at any write and is carried out again gives
// the same rows as one that does not, each once.
func testSealBreaksOff(t *testing.T, s *servers) {
	text := mustRun(t, nil, "generate", "--seed", "5", "--month", "2026-10", "--months", "2", "--accounts", "3", "--resources", "15",
		"--usage", "150", "--late", "1000")
	lines := append([]string{createdLine("late", "2026-10-10T00:00:00+07:00")}, strings.Split(strings.TrimSpace(text), "\n")...)
	// After both months a deletion in the first is settled.
	story := chapters(t, append(lines,
		`{"specversion":"1.0","id":"deleted","source":"test","type":"resource.deleted","subject":"late",`+
			`"time":"2026-10-20T00:00:00+07:00","data":{"account_id":"a"}}`, `{"seal":"2026-11"}`))
	whole, _ := told(t, s, story, func(int, int, int) failure { return never })
	want := whole.issued(t)
	t.Run("at each write in turn, before it and after it", func(t *testing.T) {
		i, _ := told(t, s, story, func(_, attempt, step int) failure {
			switch {
			case step == attempt/2+1 && attempt%2 == 0:
				return before
			case step == attempt/2+1:
				return after
			}
			return never
		})
		sameText(t, i.issued(t), want)
		i.issuedOnce(t)
	})
	second, _ := told(t, s, story[:2], func(int, int, int) failure { return never })
	want = second.issued(t)
	if n := second.ask(t, "SELECT count() FROM {db}.invoices FINAL WHERE kind = 'adjustment'"); n == "0\n" {
		t.Fatal("there is no adjustment: the story shows too little")
	}
	// The second run settles and seals; once each of its writes is the last that
	// the first attempt did.
	for last := 1; ; last++ {
		broke := false
		i, store := told(t, s, story[:2], func(run, attempt, step int) failure {
			if run == 1 && attempt == 0 && step == last {
				broke = true
				return after
			}
			return never
		})
		if !broke {
			t.Logf("%d writes: %q", last-1, store.steps)
			break
		}
		t.Run(fmt.Sprintf("once, after write %d", last), func(t *testing.T) {
			sameText(t, i.issued(t), want)
			i.issuedOnce(t)
		})
	}
}
