package fold_test

import (
	"errors"
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
	// first is billing's first month; rederived counts resources whose snapshots lacked a
	// level.
	first     schemas.Month
	rederived int
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
			b.resource(a, resource, w, events, inside)
		}
	}
}

func (b *book) resource(a *fold.Account, id string, w fold.Window, all, inside []oracle.Copy) {
	d, err := derived(a, id, b.snapshots[schemas.ResourceKey{AccountID: a.ID(), ResourceID: id}], inside)
	if errors.Is(err, fold.ErrAbsent) {
		// As the streams do: all of the resource's events, of which the last month is new.
		b.rederived++
		w.From, w.Months.First = time.UnixMilli(0).UTC(), b.first
		full := &book{t: b.t, zone: b.zone, currency: b.currency}
		full.fold(slices.DeleteFunc(slices.Clone(all), func(c oracle.Copy) bool {
			return c.AccountID != a.ID() || (c.ResourceID != "" && c.ResourceID != id)
		}), w)
		for _, l := range full.lines {
			if l.Month == w.Months.Last {
				b.lines = append(b.lines, l)
			}
		}
		for k, s := range full.next {
			if k.ResourceID != "" {
				b.next[k] = s
			}
		}
		return
	}
	b.must(err)
	b.keep(d)
}

// derived folds a resource of the account.
func derived(a *fold.Account, id string, snapshot *schemas.Snapshot, events []oracle.Copy) (schemas.Derived, error) {
	r, err := a.Resource(id, snapshot)
	if err != nil {
		return schemas.Derived{}, err
	}
	own := slices.DeleteFunc(slices.Clone(events), func(c oracle.Copy) bool { return c.AccountID != a.ID() || c.ResourceID != id })
	for _, c := range own {
		if c.Type != schemas.UsageRecorded {
			r.Apply(&c.Event, c.Position, "")
		}
	}
	if err := r.Cut(); err != nil {
		return schemas.Derived{}, err
	}
	for _, c := range own {
		if c.Type == schemas.UsageRecorded {
			value, fits := fold.UnitsOf(c.Value)
			if !fits {
				return schemas.Derived{}, fmt.Errorf("a value of %s", c.Value)
			}
			if err := r.Watch(&c.Event, c.Position, r.Use(c.Item, value, c.Time.UnixMilli())); err != nil {
				return schemas.Derived{}, err
			}
		}
	}
	return r.Derived(), nil
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

		open := func() *book { return &book{t: t, zone: zone, currency: currency, first: c.First} }
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
	open := func() *book { return &book{t: t, zone: zone, currency: schemas.Currency{Code: "VND"}, first: october} }
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

// O9: a snapshot has no level of what was not metered while it had one. Once that is
// metered the level holds all the same: the resource is folded from all its events, in
// that month and in no other.
func TestALevelThatASnapshotLeavesOutHoldsOnceItsItemIsMetered(t *testing.T) {
	zone, october := time.UTC, schemas.Month{Year: 2026, Month: time.October}
	item := func(name string, meter schemas.Meter) schemas.Item {
		return schemas.Item{Name: name, Unit: "GB", UnitPrice: decimal.New(1, 0), Meter: meter, Per: schemas.PerUse}
	}
	at := func(month, day int) time.Time { return time.Date(2026, time.Month(month), day, 0, 0, 0, 0, zone) }
	event := func(kind schemas.Type, at time.Time, l schemas.Lifecycle, u schemas.Usage) oracle.Copy {
		e := schemas.Event{
			Source: "s", ID: at.String() + u.Item, Type: kind, AccountID: "a", ResourceID: "r", Time: at, Lifecycle: l, Usage: u,
		}
		return oracle.Copy{Event: e, KafkaTime: at}
	}
	use := func(at time.Time, item string, value int64) oracle.Copy {
		return event(schemas.UsageRecorded, at, schemas.Lifecycle{}, schemas.Usage{Item: item, Value: decimal.New(value, 0)})
	}
	configure := func(kind schemas.Type, at time.Time, items ...schemas.Item) oracle.Copy {
		return event(kind, at, schemas.Lifecycle{Mode: schemas.Postpaid, Items: items}, schemas.Usage{})
	}
	events := []oracle.Copy{
		configure(schemas.ResourceCreated, at(10, 1), item("disk", schemas.TimeWeighted)),
		use(at(10, 2), "late", 5),
		use(at(10, 2).Add(time.Second), "never", 6),
		use(at(10, 3), "disk", 7),
		configure(schemas.ResourceResized, at(12, 1), item("disk", schemas.TimeWeighted), item("late", schemas.TimeWeighted)),
	}
	b := &book{t: t, zone: zone, currency: schemas.Currency{Code: "VND"}, first: october}
	from, quantities, rederived := time.UnixMilli(0).UTC(), []string{}, []int{}
	for m := october; m != (schemas.Month{Year: 2027, Month: time.February}); m = m.Next() {
		b.lines = nil
		b.months(events, from, m, m)
		from = m.End(zone)
		for _, l := range b.lines {
			quantities = append(quantities, fmt.Sprint(m, " ", l.Item.Name, " ", schemas.FormatDecimal(l.Quantity)))
		}
		rederived = append(rederived, b.rederived)
	}
	if want := []string{
		"2026-10 disk 6.548387097", // 7 in 29 of 31 days
		"2026-11 disk 7", "2026-12 disk 7", "2026-12 late 5", "2027-01 disk 7", "2027-01 late 5",
	}; !slices.Equal(quantities, want) {
		t.Errorf("quantities %q, want %q", quantities, want)
	}
	if want := []int{0, 0, 1, 1}; !slices.Equal(rederived, want) {
		t.Errorf("folded from all events so often by the end of each month: %v, want %v", rederived, want)
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
