package invoicer

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/reckon-billing/reckon/schemas"
)

// sequence is a run log in which others record runs too. At a try of a number in
// meanwhile they come first.
type sequence struct {
	RunLog
	all       []schemas.Run
	meanwhile map[int64][]schemas.RunKind
	tried     []int64
}

const otherKind schemas.RunKind = "account"

func (s *sequence) NextNumber(context.Context) (int64, error) { return int64(len(s.all)) + 1, nil }

func (s *sequence) Runs(context.Context) ([]schemas.Run, error) {
	return slices.DeleteFunc(slices.Clone(s.all), func(r schemas.Run) bool { return r.Kind != schemas.KindSeal }), nil
}

func (s *sequence) AddRun(_ context.Context, run schemas.Run) (schemas.Run, error) {
	s.tried = append(s.tried, run.Number)
	s.record("theirs", s.meanwhile[run.Number]...)
	if run.Number > int64(len(s.all)) {
		s.all = append(s.all, run)
	}
	return s.all[run.Number-1], nil
}

func (s *sequence) record(currency string, kinds ...schemas.RunKind) {
	for _, kind := range kinds {
		s.all = append(s.all, schemas.Run{Number: int64(len(s.all)) + 1, Kind: kind, Currency: currency})
	}
}

// A run of another kind is never taken for a seal's, no seal that somebody else
// recorded meanwhile is passed over, and none is taken for the runner's own.
func TestARunHasANumberThatNoOtherHas(t *testing.T) {
	const seal = schemas.KindSeal
	for name, c := range map[string]struct {
		before    []schemas.RunKind
		meanwhile map[int64][]schemas.RunKind
		tried     []int64
		// ours is the number that our run has, 0 where it is not recorded.
		ours int64
	}{
		"the first":                   {nil, nil, []int64{1}, 1},
		"after a seal":                {[]schemas.RunKind{seal}, nil, []int64{2}, 2},
		"after others":                {[]schemas.RunKind{seal, otherKind, otherKind}, nil, []int64{4}, 4},
		"others come first":           {[]schemas.RunKind{seal}, map[int64][]schemas.RunKind{2: {otherKind, otherKind}}, []int64{2, 4}, 4},
		"and again":                   {nil, map[int64][]schemas.RunKind{1: {otherKind}, 2: {otherKind}}, []int64{1, 2, 3}, 3},
		"a seal comes first":          {[]schemas.RunKind{seal}, map[int64][]schemas.RunKind{2: {seal}}, []int64{2}, 0},
		"others, then a seal":         {[]schemas.RunKind{seal}, map[int64][]schemas.RunKind{2: {otherKind, seal, otherKind}}, []int64{2}, 0},
		"others, then two seals":      {nil, map[int64][]schemas.RunKind{1: {otherKind, seal, seal}}, []int64{1}, 0},
		"others, and then two others": {nil, map[int64][]schemas.RunKind{1: {otherKind}, 2: {otherKind, seal}}, []int64{1, 2}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := &sequence{meanwhile: c.meanwhile}
			s.record("ours", c.before...)
			v := &Invoicer{RunLog: s, Zone: time.UTC, Currency: schemas.Currency{Code: "ours"}}
			next, runs, err := v.readRuns(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			ours, err := v.recordRun(t.Context(), &books{runs: runs, nextNumber: next}, schemas.Month{Year: 2026, Month: time.October}, noted{})
			if err != nil {
				t.Fatal(err)
			}
			var number int64
			for _, run := range s.all[len(c.before):] {
				if run.Currency == "ours" {
					number = run.Number
				}
			}
			if number != c.ours || ours != (number != 0) || !slices.Equal(s.tried, c.tried) {
				t.Errorf("tried %v, ours %t with number %d; want %v, number %d", s.tried, ours, number, c.tried, c.ours)
			}
		})
	}
}
