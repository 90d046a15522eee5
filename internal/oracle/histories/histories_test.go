package histories

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/reckon-billing/reckon/internal/generate"
	"github.com/reckon-billing/reckon/internal/oracle"
	"github.com/reckon-billing/reckon/schemas"
	"github.com/reckon-billing/reckon/schemas/codec"
)

func hoChiMinh(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Ho_Chi_Minh")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func wide(zone *time.Location) Config {
	c := Small(zone)
	c.Accounts, c.Resources = 2, 3
	return c
}

func TestEveryCopyIsAValidEvent(t *testing.T) {
	copies := Copies(wide(hoChiMinh(t)))
	parser := codec.Parser{Currency: schemas.Currency{Code: "VND"}}
	rapid.Check(t, func(t *rapid.T) {
		seen := map[schemas.Position]bool{}
		for _, c := range copies.Draw(t, "copies") {
			value := generate.AppendEvent(nil, &c.Event)
			e, err := parser.Parse(&schemas.Message{Position: c.Position, Time: c.KafkaTime, Value: value})
			if err != nil {
				t.Fatalf("%v\n%s", err, value)
			}
			if e.Compare(&c.Event) != 0 || e.Type != c.Type || !schemas.EqualItems(e.Items, c.Items) || !e.Value.Equal(c.Value) {
				t.Fatalf("read %+v\nwant %+v", e, c.Event)
			}
			if seen[c.Position] {
				t.Fatalf("two messages at %+v", c.Position)
			}
			seen[c.Position] = true
		}
	})
}

func TestEveryIdentityIsThereOnce(t *testing.T) {
	events := Events(wide(hoChiMinh(t)))
	rapid.Check(t, func(t *rapid.T) {
		seen := map[[2]string]bool{}
		for _, e := range events.Draw(t, "events") {
			if seen[[2]string{e.Source, e.ID}] {
				t.Fatalf("%s %s is there twice", e.Source, e.ID)
			}
			seen[[2]string{e.Source, e.ID}] = true
		}
	})
}

// TestHistoriesReachTheCorners guards the drawing itself: a law that is checked
// on histories in which nothing happens holds nothing.
func TestHistoriesReachTheCorners(t *testing.T) {
	c := wide(hoChiMinh(t))
	copies := Copies(c)
	reasons, meters, modes := map[schemas.Reason]int{}, map[schemas.Meter]int{}, map[bool]int{}
	var lines, used, couponed, split, duplicates, conflicts, parted int
	for seed := range 400 {
		drawn := copies.Example(seed)
		r := oracle.Compute(drawn, oracle.Settings{
			Zone: c.Zone, Currency: schemas.Currency{Code: "VND"}, First: c.First, Last: c.First.Next().Next(),
		})
		duplicates, conflicts = duplicates+int(r.Duplicate), conflicts+int(r.Conflicting)
		for _, a := range r.Anomalies {
			reasons[a.Reason]++
		}
		for i, l := range r.Lines {
			lines++
			meters[l.Item.Meter]++
			if l.Item.Meter != schemas.NoMeter && !l.Quantity.IsZero() {
				used++
			}
			if !l.CouponValue.IsZero() {
				couponed++
				if l.TotalAmount.Sign() > 0 {
					split++
				}
			}
			if i > 0 && r.Lines[i-1].ResourceID == l.ResourceID && r.Lines[i-1].PeriodEnd.Equal(l.PeriodStart) {
				parted++
			}
		}
		for _, k := range r.Conservation {
			modes[k.Excluded > 0]++
		}
	}
	for what, n := range map[string]int{
		"lines": lines, "metered lines with usage": used, "lines with coupon": couponed, "coupons used up": split,
		"duplicates": duplicates, "conflicts": conflicts, "touching periods": parted,
		"months with prepaid": modes[true], "months without": modes[false],
	} {
		if n < 20 {
			t.Errorf("%s: only %d in 400 histories", what, n)
		}
	}
	for _, reason := range []schemas.Reason{
		schemas.UnknownResource, schemas.DuplicateCreate, schemas.AfterDelete, schemas.NoEffect, schemas.TooLate,
		schemas.UnmatchedUsage, schemas.NoTerm,
	} {
		if reasons[reason] < 5 {
			t.Errorf("%s: only %d in 400 histories", reason, reasons[reason])
		}
	}
	if len(meters) != 9 {
		t.Errorf("meters with lines: %v", meters)
	}
}
