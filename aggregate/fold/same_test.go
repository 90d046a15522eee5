package fold

import (
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

func aState() *state {
	noon := time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)
	return &state{
		Phase: running, Mode: schemas.Postpaid, Name: "web", Product: "vServer", Service: "Compute",
		Items: []schemas.Item{
			{Name: "cpu", Unit: "core", UnitPrice: decimal.NewFromInt(3), Quantity: decimal.NewFromInt(2), Per: schemas.Per30d},
			{Name: "disk", Unit: "GB", UnitPrice: decimal.NewFromInt(5), Meter: schemas.TimeWeighted, Per: schemas.Per30d},
		},
		Balance: &couponBalance{Code: "TET", Value: decimal.NewFromInt(7), Source: "s", ID: "c"}, Since: noon,
		Opened: schemas.EventRef{Source: "s", ID: "c", Type: schemas.ResourceCreated, Time: noon, Position: schemas.Position{Topic: "t", Offset: 1}},
		Levels: map[string]decimal.Decimal{"disk": decimal.NewFromInt(9)},
		Before: &state{Phase: deleted, Mode: schemas.Postpaid, Name: "old", Items: []schemas.Item{{Name: "cpu"}}},
	}
}

// T2: whatever of a state is another is named; in which form it is written, and what is
// too old to matter, is no difference.
func TestWhatIsAnotherInAStateIsNamed(t *testing.T) {
	soon, late := time.Date(2026, 10, 2, 0, 0, 0, 0, time.UTC), time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for want, change := range map[string]func(*state){
		"phase":                               func(s *state) { s.Phase = suspended },
		"mode":                                func(s *state) { s.Mode = schemas.Prepaid },
		"resource_name":                       func(s *state) { s.Name = "wet" },
		"product":                             func(s *state) { s.Product = "vServeR" },
		"service":                             func(s *state) { s.Service = "Computes" },
		"items":                               func(s *state) { s.Items[0].Quantity = decimal.New(2_000_000_001, -9) },
		"coupon":                              func(s *state) { s.Balance.Value = decimal.NewFromInt(8) },
		"last created or recovered":           func(s *state) { s.Since = s.Since.Add(time.Millisecond) },
		"opening event":                       func(s *state) { s.Opened.Position.Offset++ },
		"levels":                              func(s *state) { s.Levels["disk"] = decimal.NewFromInt(10) },
		"resource_name of what it was before": func(s *state) { s.Before.Name = "ole" },
	} {
		stored := aState()
		change(stored)
		got, err := DiffStates(stored.encode(), aState().encode(), soon)
		if err != nil || got != want {
			t.Errorf("%s was changed: %q, %v", want, got, err)
		}
	}
	same := aState()
	same.Levels["disk"] = decimal.New(90, -1)
	for _, stored := range []*state{aState(), same} {
		if got, err := DiffStates(stored.encode(), aState().encode(), soon); err != nil || got != "" {
			t.Errorf("%q, %v", got, err)
		}
	}
	forgotten := aState()
	forgotten.Before = nil
	if got, err := DiffStates(forgotten.encode(), aState().encode(), late); err != nil || got != "" {
		t.Errorf("a month later what it was before matters: %q, %v", got, err)
	}
	if got, err := DiffStates(forgotten.encode(), aState().encode(), soon); err != nil || got == "" {
		t.Errorf("half a day later what it was before does not matter: %v", err)
	}
	if got, err := DiffStates("\x63", aState().encode(), soon); err != nil || got == "" {
		t.Errorf("a form that nobody can read: %q, %v", got, err)
	}
}

// Levels that a state has since all were kept, or lacks since some are not, are no
// difference; of an item that is metered they are.
func TestLevelsOfOlderStatesAreNoDifference(t *testing.T) {
	for _, c := range []struct {
		name         string
		stored, want func(*state)
		differs      bool
	}{
		{"more of a state in which all were kept", func(s *state) { s.Levels["other"] = decimal.NewFromInt(1) }, func(s *state) { s.LeftOut = true }, false},
		{"more of one that leaves some out", func(s *state) { s.Levels["other"], s.LeftOut = decimal.NewFromInt(1), true }, func(s *state) { s.LeftOut = true }, true},
		{"more where none was left out", func(s *state) { s.Levels["other"] = decimal.NewFromInt(1) }, func(*state) {}, true},
		{"less of what nothing meters", func(s *state) { s.LeftOut = true }, func(s *state) { s.Levels["other"], s.LeftOut = decimal.NewFromInt(1), true }, false},
		{"less of what is metered", func(s *state) { s.Levels, s.LeftOut = nil, true }, func(s *state) { s.LeftOut = true }, true},
	} {
		stored, want := aState(), aState()
		c.stored(stored)
		c.want(want)
		got, err := DiffStates(stored.encode(), want.encode(), stored.Since)
		if err != nil || (got != "") != c.differs {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
	}
}
