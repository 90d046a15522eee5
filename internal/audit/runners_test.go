package audit

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/internal/oracle"
	"github.com/reckon-billing/reckon/invoicer"
	"github.com/reckon-billing/reckon/schemas"
)

// R1, R2, R3, T8, O5, F1, F2: whatever different commands several runners carry out at once, in
// whatever order their calls reach the store, whoever is killed between which two, and
// whichever account is mended meanwhile: all ends in the invoices of one runner. That one
// writes in the largest batches; in those of a row most accounts are wide.
//
// Every pair of commands meets in every beginning, and a third command may join. A
// failure is told as the shortest interleaving that was found, call by call.
func TestDifferentCommandsAtOnceEndInTheInvoicesOfOneRunner(t *testing.T) {
	all := commands()
	divideChecks(t, len(beginnings())*len(all)*(len(all)+1)/2)
	for _, begin := range beginnings() {
		for i, one := range all {
			for _, other := range all[i:] {
				t.Run(begin.name+": "+one.name+" and "+other.name, func(t *testing.T) {
					t.Parallel()
					rapid.Check(t, func(rt *rapid.T) {
						s := drawStory(rt, begin, []command{one, other})
						var fault error
						synctest.Test(t, func(*testing.T) { fault = s.play() })
						if fault != nil {
							rt.Fatalf("%v\n%s", fault, strings.Join(s.stage.calls, "\n"))
						}
					})
				})
			}
		}
	}
}

// R3: an account that could not be read in an earlier run waits, and is not derived in the
// later ones. What another runner has written of it there, for whom it was mended in time,
// is no leftover.
func TestAnAccountThatWaitsForAnEarlierRunLosesNothing(t *testing.T) {
	s := &story{m: newMemory(), stage: &stage{}, first: october()}
	s.m.copies, _ = arrivals()
	seal := func(month schemas.Month) {
		t.Helper()
		if _, err := s.runner(s.m, command{}).Seal(t.Context(), month); err != nil {
			t.Fatal(err)
		}
	}
	unreadable := errors.New("unreadable")
	s.m.broken["a"] = unreadable
	seal(november())
	stale := maps.Clone(s.m.seals)
	clear(s.m.broken)
	seal(november())
	whole := &memory{
		runs: s.m.runs, lines: maps.Clone(s.m.lines), headers: maps.Clone(s.m.headers), snapshots: maps.Clone(s.m.snapshots),
		minutes: maps.Clone(s.m.minutes), periods: maps.Clone(s.m.periods), hashes: maps.Clone(s.m.hashes), touched: s.m.touched,
		anomalies: maps.Clone(s.m.anomalies), surveys: surveyMemory{told: maps.Clone(s.m.surveys.told)},
	}
	s.m.broken["a"], s.m.seals = unreadable, stale // for who read them before
	seal(november())
	if err := s.m.differs(whole); err != nil {
		t.Error(err)
	}
}

// divideChecks makes rapid's checks those of one of so many laws: 100 unless the command
// line asks for a number, which is then that of all together. The race detector takes eight
// times as long, and calls to the store come one after the other here: a tenth is enough.
func divideChecks(t *testing.T, laws int) {
	t.Helper()
	checks := flag.Lookup("rapid.checks")
	before := checks.Value.String()
	all, err := strconv.Atoi(before)
	if err != nil {
		t.Fatal(err)
	}
	each := (all + laws - 1) / laws
	if before == checks.DefValue {
		if each = 100; underRace {
			each = 10
		}
	}
	if err := checks.Value.Set(strconv.Itoa(each)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = checks.Value.Set(before) }) // it was one
}

// command is what a runner is told to do.
type command struct {
	name string
	give func(context.Context, *invoicer.Invoicer) ([]invoicer.Seal, error)
	// month is sealed once the command has succeeded; zero of one that takes what is due.
	month schemas.Month
	// other are settings that differ from everybody's.
	other bool
	// all settles every month that is sealed.
	all bool
}

func october() schemas.Month { return schemas.Month{Year: 2024, Month: time.October} }

func november() schemas.Month { return october().Next() }

func december() schemas.Month { return november().Next() }

func commands() []command {
	seal := func(name string, month schemas.Month) command {
		return command{name: name, month: month, give: func(ctx context.Context, v *invoicer.Invoicer) ([]invoicer.Seal, error) { return v.Seal(ctx, month) }}
	}
	other := seal("November by other settings", november())
	other.other = true
	return []command{
		seal("October", october()), seal("November", november()), seal("December", december()), other,
		{name: "what is due", give: func(ctx context.Context, v *invoicer.Invoicer) ([]invoicer.Seal, error) {
			v.Replay = false
			return v.SealDue(ctx)
		}},
		{name: "settle all", all: true, give: func(ctx context.Context, v *invoicer.Invoicer) ([]invoicer.Seal, error) { return v.SettleAll(ctx) }},
	}
}

// beginning is what has happened before the runners come.
type beginning struct {
	name string
	// broken says that there is an account that cannot be read, until it is mended.
	broken bool
	before func(*story) error
}

func beginnings() []beginning {
	sealed := func(s *story) error {
		_, err := s.runner(s.m, command{}).Seal(context.Background(), october())
		return err
	}
	return []beginning{
		{name: "nothing is sealed", before: func(*story) error { return nil }},
		{name: "October is sealed", before: sealed},
		{name: "October is sealed but for an account", broken: true, before: func(s *story) error {
			return cmp.Or(sealed(s), s.leave())
		}},
		{name: "the seal of October was killed", before: func(s *story) error {
			killed := s.enter(commands()[0])
			s.stage.play([]turn{{0, s.killedAt, diesAfter}})
			return killed.err
		}},
	}
}

// story is several runners, and what happens around them.
type story struct {
	m     *memory
	stage *stage
	begin beginning
	cast  []command
	turns []turn
	// broken is the account or resource that cannot be read at first; leftover says that
	// an older version left rows of it.
	broken   string
	leftover bool
	// late are the events that arrive one after the other.
	late []oracle.Copy
	// first is everybody's setting, other makes others of somebody's.
	first schemas.Month
	other func(*invoicer.Invoicer)
	// rows are those of a batch, killedAt is the call after which the seal before died.
	rows, killedAt int
}

func drawStory(t *rapid.T, begin beginning, cast []command) *story {
	s := &story{m: newMemory(), stage: &stage{}, begin: begin, cast: cast}
	s.m.copies, s.late = arrivals()
	if all := commands(); rapid.Bool().Draw(t, "a third") {
		s.cast = append(slices.Clone(cast), rapid.SampledFrom(all).Draw(t, "which"))
	}
	if begin.broken || rapid.IntRange(0, 3).Draw(t, "broken") == 3 {
		s.broken = rapid.SampledFrom([]string{"a/r2", "a", "a/r1"}).Draw(t, "what cannot be read")
	}
	s.leftover = begin.broken && rapid.Bool().Draw(t, "an older version left rows")
	if rapid.Bool().Draw(t, "with the setting") {
		s.first = october()
	}
	s.other = rapid.SampledFrom([]func(*invoicer.Invoicer){
		func(v *invoicer.Invoicer) {
			v.Zone = time.UTC
			v.Periods = &aggregate.Deriver{Source: v.Periods.(*aggregate.Deriver).Source, Zone: time.UTC}
		},
		func(v *invoicer.Invoicer) { v.Currency = schemas.Currency{Code: "USD", Digits: 2} },
		func(v *invoicer.Invoicer) { v.FirstMonth = november() },
	}).Draw(t, "other setting")
	s.rows = rapid.SampledFrom([]int{0, 1, 3}).Draw(t, "rows of a batch")
	s.killedAt = rapid.IntRange(1, 25).Draw(t, "the seal before was killed at")
	s.turns = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) turn {
		return turn{
			who:   rapid.IntRange(0, len(s.cast)+2).Draw(t, "who"),
			calls: rapid.SampledFrom([]int{0, 1, 2, 3, 5, 8, 12, 17, 25, 40}).Draw(t, "calls"),
			then:  rapid.SampledFrom([]fate{lives, lives, lives, lives, diesBefore, diesAfter}).Draw(t, "then"),
		}
	}), 0, 12).Draw(t, "turns")
	return s
}

// arrivals are the events that are there, and those that come late one after the other.
// Accounts have a resource that a late event touches, one with a coupon that is deleted, and
// a prepaid one, which has a snapshot and no invoice.
func arrivals() (there, late []oracle.Copy) {
	items := func(price int64) []schemas.Item {
		return []schemas.Item{
			{Name: "cpu", Unit: "vCPU", UnitPrice: decimal.NewFromInt(price), Quantity: decimal.NewFromInt(1), Per: schemas.Per30d},
			{Name: "traffic", Unit: "GB", UnitPrice: decimal.NewFromInt(7), Meter: schemas.Sum, Per: schemas.PerUse, FreeQuantity: decimal.NewFromInt(1)},
		}
	}
	var all []oracle.Copy
	happens := func(kind schemas.Type, account, resource string, month, day int, change func(*schemas.Event)) {
		at := time.Date(2024, time.Month(month), day, 0, 0, 0, 0, time.FixedZone("", 7*60*60)).UTC()
		e := schemas.Event{Source: "s", ID: fmt.Sprint(len(all)), Type: kind, AccountID: account, ResourceID: resource, Time: at}
		if change != nil {
			change(&e)
		}
		all = append(all, oracle.Copy{Event: e, KafkaTime: at, Position: schemas.Position{Topic: "billing.lifecycle", Offset: int64(len(all))}})
	}
	postpaid := func(price int64) func(*schemas.Event) {
		return func(e *schemas.Event) { e.Mode, e.Items, e.ResourceName = schemas.Postpaid, items(price), "server" }
	}
	used := func(e *schemas.Event) { e.Item, e.Value = "traffic", decimal.NewFromInt(3) }

	happens(schemas.AccountModeChanged, "a", "", 9, 1, func(e *schemas.Event) { e.Mode = schemas.Postpaid })
	happens(schemas.ResourceCreated, "a", "r1", 10, 1, postpaid(43_200))
	happens(schemas.ResourceCreated, "a", "r2", 10, 5, func(e *schemas.Event) {
		postpaid(86_400)(e)
		e.Coupon = &schemas.Coupon{Code: "GIFT", Value: decimal.NewFromInt(100_000)}
	})
	happens(schemas.ResourceCreated, "a", "r3", 10, 7, func(e *schemas.Event) {
		e.Mode, e.Items, e.ExpiresAt = schemas.Prepaid, items(43_200)[:1], e.Time.AddDate(0, 0, 30)
	})
	happens(schemas.ResourceCreated, "b", "r1", 10, 10, postpaid(43_200))
	happens(schemas.UsageRecorded, "b", "r1", 10, 11, used)
	// What no item meters, and what is used of a suspended server: both bill nothing.
	happens(schemas.UsageRecorded, "b", "r1", 10, 12, func(e *schemas.Event) { e.Item, e.Value = "disk", decimal.NewFromInt(5) })
	there = slices.Clone(all)

	happens(schemas.ResourceResized, "b", "r1", 10, 20, func(e *schemas.Event) { e.Items = items(129_600) })
	happens(schemas.ResourceDeleted, "a", "r2", 10, 25, nil)
	happens(schemas.UsageRecorded, "b", "r1", 11, 11, used)
	happens(schemas.ResourceResized, "a", "r1", 12, 5, func(e *schemas.Event) { e.Items = items(86_400) })
	happens(schemas.ResourceSuspended, "b", "r1", 11, 20, nil)
	happens(schemas.UsageRecorded, "b", "r1", 11, 21, used)
	return there, all[len(there):]
}

// ports are all that an invoicer and its deriver ask of a log and a store.
type ports interface {
	invoicer.Log
	invoicer.RunLog
	invoicer.Late
	invoicer.InvoiceStore
	aggregate.Source
}

// runner is an invoicer that does a command, with everybody's settings or others.
func (s *story) runner(p ports, c command) *invoicer.Invoicer {
	z, _ := time.LoadLocation("Asia/Ho_Chi_Minh")
	v := &invoicer.Invoicer{
		Log: p, RunLog: p, Late: p, Invoices: p, Currency: vnd, Zone: z, FirstMonth: s.first, Replay: true,
		BatchRows: s.rows, Periods: &aggregate.Deriver{Source: p, Zone: z},
		// No two runs are noted at one instant, and November is the last month that is due.
		Now: func() time.Time {
			return time.Date(2024, 12, 20, 0, 0, 0, 0, z).Add(time.Duration(len(s.stage.calls)) * time.Minute)
		},
	}
	if c.other {
		s.other(v)
	}
	return v
}

// enter lets a runner come who does a command, and holds him to what he says of it.
func (s *story) enter(c command) *actor {
	return s.stage.enter(fmt.Sprintf("runner %d, %s", len(s.stage.actors), c.name), func(a *actor) error {
		h := hands{a, s.m}
		v := s.runner(h, c)
		_, err := c.give(context.Background(), v)
		return s.judge(a, v, c, err)
	})
}

// play lets all of it happen, and says what is wrong with how it ended.
func (s *story) play() error {
	if s.broken != "" {
		s.m.broken[s.broken] = errors.New("unreadable")
	}
	if err := s.begin.before(s); err != nil {
		return err
	}
	s.stage.actors, s.stage.holds = nil, s.m.whole
	for _, c := range s.cast {
		s.enter(c)
	}
	s.stage.enter("an operator", func(a *actor) error {
		return ignoreKill(a.do("mends what cannot be read", func() error { clear(s.m.broken); return nil }))
	})
	s.stage.enter("the log", func(a *actor) error {
		for _, c := range s.late {
			if err := a.do(fmt.Sprintf("takes the %s of %s/%s", c.Type, c.AccountID, c.ResourceID), func() error {
				s.m.copies = append(s.m.copies, c)
				return nil
			}); err != nil {
				return ignoreKill(err)
			}
		}
		return nil
	})
	s.stage.enter("account runs", func(a *actor) error {
		for range 2 {
			if err := a.do("RECORD one", func() error {
				next, err := s.m.NextNumber(context.Background())
				s.m.others[next] = true
				return err
			}); err != nil {
				return ignoreKill(err)
			}
		}
		return nil
	})
	s.stage.play(s.turns)
	if s.stage.fault != nil {
		return s.stage.fault
	}
	for _, a := range s.stage.actors {
		if a.err != nil {
			return fmt.Errorf("%s: %w", a.name, a.err)
		}
	}
	return s.checkEnd()
}

func ignoreKill(err error) error {
	if errors.Is(err, errKilled) {
		return nil
	}
	return err
}

// leave puts rows into the store as an older version may have left them when it parked
// the account in the midst of it: rows that the mended account does not come to.
func (s *story) leave() error {
	if !s.leftover {
		return nil
	}
	z, _ := time.LoadLocation("Asia/Ho_Chi_Minh")
	start := october().Start(z)
	of := func(code string) schemas.Line {
		return schemas.Line{
			InvoiceCode: code, AccountID: "a", ResourceID: "r1", Month: october(), PeriodStart: start, PeriodEnd: october().End(z), Position: 7, Run: 1,
			Item: schemas.Item{Name: "gone"}, Amounts: schemas.Amounts{BeforeTax: decimal.NewFromInt(1), TotalAmount: decimal.NewFromInt(1)},
		}
	}
	counted, none := of(schemas.InvoiceCode("a", "r1", october(), start)), of("INV-none")
	b := invoicer.Batch{
		Run: s.m.runs[0], Lines: []schemas.Line{counted, none},
		Periods:   []schemas.Period{{AccountID: "a", ResourceID: "r1", Month: october(), Start: start.Add(time.Hour), Run: 1}},
		Snapshots: []schemas.Snapshot{{AccountID: "a", ResourceID: "ghost", At: november(), Run: 1, State: "?"}},
		Minutes:   []schemas.ResourceMinutes{{Month: october(), AccountID: "a", ResourceID: "zombie", Run: 1}},
		Hashes:    []schemas.InvoiceHash{{Month: october(), AccountID: "a", ResourceID: "r1", Code: none.InvoiceCode, Run: 1}},
	}
	return s.m.Write(context.Background(), b)
}
