package fold_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/reckon-billing/reckon/aggregate/fold"
	"github.com/reckon-billing/reckon/internal/oracle"
	"github.com/reckon-billing/reckon/internal/oracle/histories"
	"github.com/reckon-billing/reckon/invoicer/rating"
	"github.com/reckon-billing/reckon/schemas"
)

// book folds and prices histories that are slices: no store, no stream.
type book struct {
	t        rapid.TB
	zone     *time.Location
	currency schemas.Currency
	// snapshots are those that a fold begins with, next those that it leaves.
	snapshots, next map[schemas.ResourceKey]*schemas.Snapshot
	lines           []schemas.Line
}

// months folds the events from one instant on to the end of the last month.
func (b *book) months(events []oracle.Copy, from time.Time, first, last schemas.Month) {
	b.fold(events, fold.Window{
		From: from, To: last.End(b.zone), Zone: b.zone, Months: fold.Months{First: first, Last: last}, Next: last.Next(),
	})
}

func (b *book) fold(events []oracle.Copy, w fold.Window) {
	f := fold.Open(w)
	// As in a store: the living have a snapshot a month, tombstones stay.
	b.next = map[schemas.ResourceKey]*schemas.Snapshot{}
	for k, s := range b.snapshots {
		if s.Deleted {
			b.next[k] = s
		}
	}
	defer func() { b.snapshots = b.next }()
	inside := slices.DeleteFunc(slices.Clone(events), func(c oracle.Copy) bool {
		end := w.To
		if c.Type != schemas.UsageRecorded {
			end = end.Add(fold.ProvisionWindow + time.Millisecond)
		}
		return c.Time.Before(w.From) || !c.Time.Before(end)
	})
	for _, id := range accountsOf(events) {
		a := f.Account(id)
		if s := b.snapshots[schemas.ResourceKey{AccountID: id}]; s != nil {
			b.must(a.Start(s))
		}
		for _, c := range inside {
			if c.AccountID == id && c.ResourceID == "" {
				a.Apply(&c.Event, c.Position)
			}
		}
		b.keep(a.Derived())
		for _, resource := range resourcesOf(events, id) {
			b.resource(a, resource, inside)
		}
	}
}

func (b *book) resource(a *fold.Account, id string, events []oracle.Copy) {
	r, err := a.Resource(id, b.snapshots[schemas.ResourceKey{AccountID: a.ID(), ResourceID: id}])
	b.must(err)
	own := slices.DeleteFunc(slices.Clone(events), func(c oracle.Copy) bool { return c.AccountID != a.ID() || c.ResourceID != id })
	for _, c := range own {
		if c.Type != schemas.UsageRecorded {
			r.Apply(&c.Event, c.Position, "")
		}
	}
	b.must(r.Cut())
	for _, c := range own {
		if c.Type == schemas.UsageRecorded {
			value, fits := fold.UnitsOf(c.Value)
			if !fits {
				b.t.Fatalf("a value of %s", c.Value)
			}
			b.must(r.Watch(&c.Event, c.Position, r.Use(c.Item, value, c.Time.UnixMilli())))
		}
	}
	b.keep(r.Derived())
}

// keep prices what was derived, and keeps the snapshot for the next month.
func (b *book) keep(d schemas.Derived) {
	b.must(d.Err)
	rater := rating.Rater{Currency: b.currency}
	for i := range d.Periods {
		b.lines = append(b.lines, rater.Lines(&d.Periods[i])...)
	}
	s := d.Snapshot
	if s == nil {
		return
	}
	if s.Balance != nil {
		s.CouponUsed = rater.Used(s.Balance)
	}
	if s.Before != nil {
		s.UsedBefore = rater.Used(s.Before)
	}
	b.next[schemas.ResourceKey{AccountID: d.AccountID, ResourceID: d.ResourceID}] = s
}

func (b *book) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func accountsOf(events []oracle.Copy) []string {
	var out []string
	for _, c := range events {
		out = append(out, c.AccountID)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func resourcesOf(events []oracle.Copy, account string) []string {
	var out []string
	for _, c := range events {
		if c.AccountID == account && c.ResourceID != "" {
			out = append(out, c.ResourceID)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// L1, L2, C2, D2: folded in memory, over full history or month by month from snapshots, a
// history prices to what the naive calculator says, with the same anomalies.
func TestAFoldInMemoryIsWhatTheNaiveCalculatorSays(t *testing.T) {
	zone, err := time.LoadLocation("Asia/Ho_Chi_Minh")
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		c := histories.Small(zone)
		var events []oracle.Copy
		for i, e := range histories.Events(c).Draw(t, "events") {
			events = append(events, oracle.Copy{Event: e, Position: schemas.Position{Topic: "t", Offset: int64(i)}, KafkaTime: e.Time})
		}
		slices.SortFunc(events, func(a, b oracle.Copy) int { return a.Compare(&b.Event) })
		last := c.First.Next().Next()
		currency := schemas.Currency{Code: "VND"}
		want := oracle.Compute(events, oracle.Settings{Zone: zone, Currency: currency, First: c.First, Last: last})

		open := func() *book { return &book{t: t, zone: zone, currency: currency} }
		full, monthly := open(), open()
		full.months(events, time.UnixMilli(0).UTC(), c.First, last)
		from := time.UnixMilli(0).UTC()
		for month := c.First; !last.Before(month); month = month.Next() {
			monthly.months(events, from, month, month)
			from = month.End(zone)
		}
		for what, b := range map[string]*book{"full history": full, "month by month": monthly} {
			if diff := oracle.Diff(want.Lines, b.lines); len(diff) > 0 {
				t.Fatalf("%s: %d differences, first: %s", what, len(diff), diff[0])
			}
		}
		sameSnapshots(t, monthly.snapshots, full.snapshots)
		sameAnomalies(t, open(), events, want.Anomalies)
	})
}

// Who pays for a minute has its usage: one that is deleted and recovered within a minute
// pays for it and has the level in it, whether the recovery fails before the month is
// derived or after.
func TestAMinuteOfAVoidStretchIsThatOfTheLifeBeforeIt(t *testing.T) {
	zone := time.UTC
	at := func(text string) time.Time {
		at, err := time.ParseInLocation("2006-01-02 15:04:05", "2026-"+text, zone)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	items := []schemas.Item{
		{Name: "sum", Unit: "GB", UnitPrice: decimal.New(1, 0), Meter: schemas.Sum, Per: schemas.PerUse},
		{Name: "level", Unit: "GB", UnitPrice: decimal.New(1, 0), Meter: schemas.TimeWeighted, Per: schemas.PerUse},
	}
	event := func(kind schemas.Type, text string, change func(*schemas.Event)) oracle.Copy {
		e := schemas.Event{Source: "s", ID: string(kind) + text, Type: kind, AccountID: "a", ResourceID: "r", Time: at(text)}
		if change != nil {
			change(&e)
		}
		return oracle.Copy{Event: e, KafkaTime: e.Time}
	}
	use := func(item string, value int64) func(*schemas.Event) {
		return func(e *schemas.Event) {
			e.ID, e.Usage = e.ID+item, schemas.Usage{Item: item, Value: decimal.New(value, 0)}
		}
	}
	events := []oracle.Copy{
		event(schemas.ResourceCreated, "10-31 23:50:00", func(e *schemas.Event) { e.Mode, e.Items = schemas.Postpaid, items }),
		event(schemas.ResourceDeleted, "10-31 23:59:10", nil),
		event(schemas.ResourceRecovered, "10-31 23:59:20", nil),
		event(schemas.UsageRecorded, "10-31 23:59:40", use("sum", 3)),
		event(schemas.UsageRecorded, "10-31 23:59:40", use("level", 7)),
		event(schemas.UsageRecorded, "11-01 05:00:00", use("level", 9)), // void, and in no minute of a life
		event(schemas.ResourceProvisionFailed, "11-01 10:00:00", nil),
		event(schemas.ResourceRecovered, "11-02 00:00:00", nil),
		event(schemas.ResourceDeleted, "11-02 01:00:00", nil),
	}
	october, november := schemas.Month{Year: 2026, Month: time.October}, schemas.Month{Year: 2026, Month: time.November}
	open := func() *book { return &book{t: t, zone: zone, currency: schemas.Currency{Code: "VND"}} }
	full, monthly := open(), open()
	full.months(events, time.UnixMilli(0).UTC(), october, november)
	monthly.months(events[:5], time.UnixMilli(0).UTC(), october, october) // before it failed
	monthly.months(events, october.End(zone), november, november)
	for what, b := range map[string]*book{"full history": full, "month by month": monthly} {
		var got []string
		for _, l := range b.lines {
			got = append(got, fmt.Sprintf("%s-%s %s %s", l.PeriodStart.Format("02 15:04"), l.PeriodEnd.Format("02 15:04"), l.Item.Name, schemas.FormatDecimal(l.Quantity)))
		}
		want := []string{
			"31 23:50-01 00:00 sum 3", "31 23:50-01 00:00 level 0.7", // 7 in the last of ten minutes
			"02 00:00-02 01:00 sum 0", "02 00:00-02 01:00 level 7",
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
}

// sameAnomalies folds all there is, whatever month it is of.
func sameAnomalies(t *rapid.T, b *book, events []oracle.Copy, anomalies []schemas.Anomaly) {
	say := func(a *schemas.Anomaly) string {
		return fmt.Sprintf("%s/%s %s %s", a.AccountID, a.ResourceID, a.Event.ID, a.Reason)
	}
	var got, want []string
	b.fold(events, fold.Window{
		From: time.UnixMilli(0).UTC(), To: time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC), Zone: b.zone,
		Anomalies: func(a schemas.Anomaly) error {
			got = append(got, say(&a))
			return nil
		},
	})
	for i := range anomalies {
		want = append(want, say(&anomalies[i]))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Fatalf("anomalies %q, want %q", got, want)
	}
}

func sameSnapshots(t *rapid.T, got, want map[schemas.ResourceKey]*schemas.Snapshot) {
	keys := func(all map[schemas.ResourceKey]*schemas.Snapshot) []schemas.ResourceKey {
		var out []schemas.ResourceKey
		for k := range all {
			out = append(out, k)
		}
		slices.SortFunc(out, schemas.ResourceKey.Compare)
		return out
	}
	for _, k := range keys(want) {
		g, w := got[k], want[k]
		if g == nil || g.State != w.State || g.Deleted != w.Deleted || !g.CouponUsed.Equal(w.CouponUsed) || !g.UsedBefore.Equal(w.UsedBefore) {
			t.Fatalf("the snapshot of %v month by month\n%+v\nand from full history\n%+v", k, g, w)
		}
	}
}
