package generate

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/codec"
)

func config(t *testing.T) Config {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Ho_Chi_Minh")
	if err != nil {
		t.Fatal(err)
	}
	return Config{
		Seed: 7, First: schemas.Month{Year: 2026, Month: 10}, Months: 1, Zone: zone,
		Accounts: 20, Resources: 300, Usage: 20_000, Noise: Believable(),
	}
}

func generator(t *testing.T, c Config) *Generator {
	t.Helper()
	g, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// parsed reads a line as ingest would, in a message of the far future.
func parsed(b []byte) (schemas.Event, error) {
	p := codec.Parser{Currency: schemas.Currency{Code: "VND"}}
	return p.Parse(&schemas.Message{Value: b, Time: time.Date(2199, 1, 1, 0, 0, 0, 0, time.UTC)})
}

// equal compares what two events say, numbers by value.
func equal(a, b *schemas.Event) bool {
	sameCoupon := (a.Coupon == nil) == (b.Coupon == nil) &&
		(a.Coupon == nil || a.Coupon.Code == b.Coupon.Code && a.Coupon.Value.Equal(b.Coupon.Value))
	return a.Source == b.Source && a.ID == b.ID && a.Type == b.Type && a.AccountID == b.AccountID &&
		a.ResourceID == b.ResourceID && a.Time.Equal(b.Time) && a.Sequence == b.Sequence && a.Mode == b.Mode &&
		a.ResourceName == b.ResourceName && a.Product == b.Product && a.Service == b.Service &&
		schemas.EqualItems(a.Items, b.Items) && sameCoupon && a.ExpiresAt.Equal(b.ExpiresAt) &&
		a.AutoRenew == b.AutoRenew && a.Item == b.Item && a.Value.Equal(b.Value)
}

func TestTheSameSeedGivesTheSameBytes(t *testing.T) {
	sum := func(seed uint64) [32]byte {
		c := config(t)
		c.Seed = seed
		h := sha256.New()
		for l := range generator(t, c).Lines() {
			h.Write(append(l.Bytes, '\n'))
		}
		return [32]byte(h.Sum(nil))
	}
	first := sum(7)
	if again := sum(7); again != first {
		t.Error("the same seed gave other bytes")
	}
	if sum(8) == first {
		t.Error("another seed gave the same bytes")
	}
}

func TestEveryLineIsWhatTheTruthSays(t *testing.T) {
	c := config(t)
	c.Noise = Noise{Window: 64, Duplicates: 500, Respelled: 1_000, Conflicts: 500, Poison: 1_000, Anomalies: 300}
	first := map[[2]string]schemas.Event{}
	g := generator(t, c)
	for l := range g.Lines() {
		if bytes.ContainsAny(l.Bytes, "\n\r") || len(bytes.TrimSpace(l.Bytes)) == 0 {
			t.Fatalf("not a line: %q", l.Bytes)
		}
		if l.Kind == Seal {
			continue
		}
		e, err := parsed(l.Bytes)
		if l.Kind == Rejected {
			var r *schemas.Rejection
			if !errors.As(err, &r) || r.Reason != l.Fault {
				t.Errorf("%s: got %v\n%s", l.Fault, err, l.Bytes)
			}
			continue
		}
		if err != nil || !equal(&e, &l.Event) || !json.Valid(l.Bytes) {
			t.Fatalf("%v\n%s\nread %+v\nwant %+v", err, l.Bytes, e, l.Event)
		}
		id := [2]string{e.Source, e.ID}
		before, again := first[id]
		switch {
		case again != (l.Kind != Stored):
			t.Fatalf("kind %d, but seen before: %v\n%s", l.Kind, again, l.Bytes)
		case !again:
			first[id] = e
		case equal(&before, &e) != (l.Kind == Duplicate):
			t.Fatalf("kind %d\n%s", l.Kind, l.Bytes)
		}
	}
	truth := g.Truth()
	if int64(len(first)) != truth.Stored {
		t.Errorf("%d identities, %d stored", len(first), truth.Stored)
	}
	if len(truth.Faults) < 25 {
		t.Errorf("only %d ways to go wrong: %v", len(truth.Faults), truth.Faults)
	}
}

func TestEveryFaultIsRefusedForItsReason(t *testing.T) {
	g := generator(t, config(t))
	e := schemas.Event{
		Source: "s", ID: "i", Type: schemas.UsageRecorded, AccountID: "a", ResourceID: "r",
		Time: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), Usage: schemas.Usage{Item: "capacity", Value: d(15, 1)},
	}
	for _, f := range faults() {
		var r *schemas.Rejection
		line := f.make(&e, g.rng)
		if _, err := parsed(line); !errors.As(err, &r) || r.Reason != f.reason {
			t.Errorf("%s: got %v\n%s", f.reason, err, line)
		}
	}
}

func TestNoiseComesAtItsRate(t *testing.T) {
	c := config(t)
	c.Usage = 100_000
	c.Noise = Noise{Window: 10, Duplicates: 100, Respelled: 200, Conflicts: 300, Poison: 400, Anomalies: 500}
	g := generator(t, c)
	var lines int64
	for l := range g.Lines() {
		if l.Kind != Seal {
			lines++
		}
	}
	truth := g.Truth()
	if truth.Lines != lines || lines != truth.Stored+truth.Duplicate+truth.Conflicting+truth.Rejected || truth.Seals != 1 {
		t.Errorf("the truth does not add up to %d lines: %+v", lines, truth)
	}
	var faults int64
	for _, n := range truth.Faults {
		faults += n
	}
	if faults != truth.Rejected {
		t.Errorf("%d faults, %d rejected", faults, truth.Rejected)
	}
	for name, n := range map[string]struct{ got, per, of int64 }{
		"duplicates and respelled": {truth.Duplicate, 300, truth.Stored},
		"conflicts":                {truth.Conflicting, 300, truth.Stored},
		"poison":                   {truth.Rejected, 400, truth.Stored},
		"anomalies":                {truth.Misplaced, 500, truth.Stored - truth.Misplaced},
	} {
		// Ten per cent is more than five standard deviations at these numbers.
		want := n.of * n.per / perEvents
		if n.got < want*9/10 || n.got > want*11/10 {
			t.Errorf("%s: %d, want about %d", name, n.got, want)
		}
	}
	if truth.Usage < 95_000 || truth.Usage > 105_000+truth.Misplaced {
		t.Errorf("%d usage events, want about 100,000", truth.Usage)
	}
}

func TestMonthsAreSealedInOrderAfterTheirEvents(t *testing.T) {
	c := config(t)
	c.Months, c.Noise = 3, Noise{Window: 100, Duplicates: 100}
	sealed := c.First
	last := false
	for l := range generator(t, c).Lines() {
		last = l.Kind == Seal
		if last {
			if want := `{"seal":"` + sealed.String() + `"}`; string(l.Bytes) != want || l.Month != sealed {
				t.Fatalf("got %s, want %s", l.Bytes, want)
			}
			sealed = sealed.Next()
			continue
		}
		if l.Event.Time.Before(sealed.Start(c.Zone)) && sealed != c.First {
			t.Fatalf("late: %s", l.Bytes)
		}
	}
	if !last || sealed.Compare(c.First) != 3 {
		t.Errorf("ends with a seal: %v; next month %s", last, sealed)
	}
}

func TestLateEventsComeAfterTheSealOfTheirMonth(t *testing.T) {
	c := config(t)
	c.Months, c.Noise = 2, Noise{Window: 100, Late: 200}
	g := generator(t, c)
	seals, late := 0, int64(0)
	for l := range g.Lines() {
		switch {
		case l.Kind == Seal:
			seals++
		case l.Late:
			late++
			if seals != 1 || !l.Event.Time.Before(c.First.End(c.Zone)) {
				t.Fatalf("after %d seals: %s", seals, l.Bytes)
			}
		}
	}
	if truth := g.Truth(); late == 0 || truth.Late != late {
		t.Errorf("%d late, %+v", late, truth)
	}
}

func TestACloudIsBelievable(t *testing.T) {
	c := config(t)
	c.Noise = Noise{}
	types := map[schemas.Type]int{}
	meters := map[schemas.Meter]int{}
	pers := map[schemas.Per]int{}
	active, born := map[string]bool{}, map[string]bool{}
	coupons, disorder, foreign := 0, 0, 0
	var before time.Time
	for l := range generator(t, c).Lines() {
		e := &l.Event
		types[e.Type]++
		for _, i := range e.Items {
			meters[i.Meter]++
			pers[i.Per]++
		}
		if e.Coupon != nil {
			coupons++
		}
		if l.Kind == Stored && e.Time.Before(before) {
			disorder++
		}
		before = e.Time
		if utf8.RuneCountInString(e.ResourceName) < len(e.ResourceName) {
			foreign++
		}
		if e.Type == schemas.ResourceCreated {
			born[e.ResourceID] = true
		}
		if !e.Time.Before(c.First.Start(c.Zone)) {
			active[e.ResourceID] = true
		}
	}
	for _, want := range []schemas.Type{
		schemas.AccountModeChanged, schemas.ResourceCreated, schemas.ResourceResized, schemas.ResourceRenewed,
		schemas.ResourceSuspended, schemas.ResourceResumed, schemas.ResourceDeleted, schemas.ResourceRecovered,
		schemas.ResourceProvisionFailed, schemas.UsageRecorded,
	} {
		if types[want] == 0 {
			t.Errorf("no %s", want)
		}
	}
	if len(meters) != 9 || len(pers) != 4 || coupons == 0 || foreign == 0 {
		t.Errorf("meters %v, pers %v, %d coupons, %d names with accents", meters, pers, coupons, foreign)
	}
	if disorder != 0 {
		t.Errorf("%d events out of order without a window", disorder)
	}
	idle := 0
	for id := range born {
		if !active[id] {
			idle++
		}
	}
	if idle == 0 {
		t.Error("every resource has an event in the month")
	}
}

func TestWhatCannotBeMadeIsRefused(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"no zone":           func(c *Config) { c.Zone = nil },
		"no month":          func(c *Config) { c.First = schemas.Month{} },
		"no months":         func(c *Config) { c.Months = 0 },
		"no accounts":       func(c *Config) { c.Accounts = 0 },
		"no resources":      func(c *Config) { c.Resources = 0 },
		"negative usage":    func(c *Config) { c.Usage = -1 },
		"negative rate":     func(c *Config) { c.Noise.Poison = -1 },
		"rate above all":    func(c *Config) { c.Noise.Duplicates = perEvents + 1 },
		"window too large":  func(c *Config) { c.Noise.Window = maxWindow + 1 },
		"too many resource": func(c *Config) { c.Resources = maxResources + 1 },
	} {
		c := config(t)
		change(&c)
		if _, err := New(c); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func BenchmarkLines(b *testing.B) {
	c := Config{
		Seed: 1, First: schemas.Month{Year: 2026, Month: 10}, Months: 1, Zone: time.UTC,
		Accounts: 1_000, Resources: 20_000, Usage: 1_000_000_000, Noise: Believable(),
	}
	g, err := New(c)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		l, ok := g.Next()
		if !ok {
			b.Fatal("ended early")
		}
		b.SetBytes(int64(len(l.Bytes)))
	}
}
