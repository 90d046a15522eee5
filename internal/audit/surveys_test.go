package audit

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/reckon-billing/reckon/aggregate"
	"github.com/reckon-billing/reckon/internal/oracle"
	"github.com/reckon-billing/reckon/internal/oracle/histories"
	"github.com/reckon-billing/reckon/invoicer"
	"github.com/reckon-billing/reckon/invoicer/survey"
	"github.com/reckon-billing/reckon/schemas"
)

func surveyor(m *memory, z *time.Location) *survey.Surveyor {
	return &survey.Surveyor{
		RunLog: m, Log: m, Late: m, Store: m, Zone: z, Deriver: &aggregate.Deriver{Source: m, Zone: z}, Rows: 2,
		Now: func() time.Time { return time.Date(2030, 1, 1, 0, 0, len(m.surveys.whole), 0, time.UTC) },
	}
}

// T8: whatever is stored and sealed in between, what seals and the newest survey tell
// together is what all events come to: an anomaly that a late event heals is gone, one
// that it makes is there, each once. That holds whatever broke off on the way, and where
// some seals are of a version that told of none.
func TestWhatSealsAndSurveysTellIsWhatAllEventsComeTo(t *testing.T) {
	zones := []*time.Location{zone(t, "Asia/Ho_Chi_Minh"), zone(t, "America/New_York"), time.UTC}
	broke := errors.New("broke off")
	rapid.Check(t, func(t *rapid.T) {
		z := rapid.SampledFrom(zones).Draw(t, "zone")
		all, first := histories.Drawn(t, z)
		m := newMemory()
		breaks := rapid.SliceOfN(rapid.Int32Range(1, 80), 0, 9).Draw(t, "writes that break")
		var writes atomic.Int32
		m.fail = func(string) error {
			if slices.Contains(breaks, writes.Add(1)) {
				return broke
			}
			return nil
		}
		try := func(what string, do func() error) {
			for {
				if err := do(); err == nil {
					return
				} else if !errors.Is(err, broke) {
					t.Fatalf("%s: %v", what, err)
				}
			}
		}
		month := first
		for round := 0; len(all) > 0 || round == 0; round++ {
			n := rapid.IntRange(0, len(all)).Draw(t, "stored before the seal")
			m.copies, all = append(m.copies, all[:n]...), all[n:]
			if clear(m.broken); len(all) > 0 && len(m.copies) > 0 && rapid.Bool().Draw(t, "an event cannot be read") {
				e := rapid.SampledFrom(m.copies).Draw(t, "which")
				m.broken[e.Source+"/"+e.ID+" of "+e.AccountID] = errors.New("unreadable")
			}
			if rapid.Bool().Draw(t, "seals") {
				try("seal", func() error {
					_, err := sealer(m, z, first).Seal(context.Background(), month)
					return err
				})
				if rapid.IntRange(0, 4).Draw(t, "by an older version") == 4 {
					m.untell()
				}
				if _, untold := m.toldSince(); !untold {
					checkStanding(t, m, z, first, m.runs[len(m.runs)-1].Month) // before there is a survey
				}
				if rapid.Bool().Draw(t, "next month") {
					month = month.Next()
				}
			}
			if len(all) == 0 && m.parks() {
				try("seal what was parked", func() error {
					_, err := sealer(m, z, first).Seal(context.Background(), month)
					return err
				})
			}
			if len(all) > 0 && rapid.Bool().Draw(t, "no survey") {
				continue
			}
			try("survey", func() error {
				_, err := surveyor(m, z).Survey(context.Background())
				return err
			})
			checkStanding(t, m, z, first, schemas.Month{Year: 2199, Month: time.December})
		}
	})
}

// parks tells whether any account is parked.
func (m *memory) parks() bool {
	for _, s := range m.seals {
		if len(s.Parked) > 0 {
			return true
		}
	}
	return false
}

// untell takes away what the last run told, and that it did, if it does not stand for
// others.
func (m *memory) untell() {
	last := m.runs[len(m.runs)-1].Number
	if m.surveys.told[last] != nil {
		return
	}
	delete(m.surveys.told, last)
	maps.DeleteFunc(m.anomalies, func(k anomalyKey, _ schemas.Anomaly) bool { return k.run == last })
}

// checkStanding holds what stands of the months up to one against the naive calculator. Of
// an account that is parked, or cannot be read, is told later.
func checkStanding(t *rapid.T, m *memory, z *time.Location, first, last schemas.Month) {
	later := func(account string) bool {
		for _, s := range m.seals {
			if slices.ContainsFunc(s.Parked, func(p invoicer.Parked) bool { return p.AccountID == account }) {
				return true
			}
		}
		for what := range m.broken {
			if strings.HasSuffix(what, " of "+account) {
				return true
			}
		}
		return false
	}
	var got, want []string
	for _, a := range m.standing() {
		if a.Month != schemas.MonthOf(a.Event.Time, z) {
			t.Fatalf("%s is told of in %s", sayAnomaly(a), a.Month)
		}
		if !last.Before(a.Month) && !later(a.AccountID) {
			got = append(got, sayAnomaly(a))
		}
	}
	s := oracle.Settings{Zone: z, Currency: vnd, First: first, Last: first, Cutoffs: histories.Cutoffs(m.runs)}
	for _, a := range oracle.Compute(m.copies, s).Anomalies {
		if !last.Before(schemas.MonthOf(a.Event.Time, z)) && !later(a.AccountID) {
			want = append(want, sayAnomaly(a))
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Fatalf("after %d runs, what stands is\n got %q\nwant %q", len(m.runs), got, want)
	}
}

// T8: a survey of what has not changed writes nothing; two that survey the same write the
// same; and what one says of an account that cannot be read is said when it can be.
func TestASurveyOfWhatHasNotChangedWritesNothing(t *testing.T) {
	m := newMemory()
	m.copies, _ = arrivals()
	look := func(anew bool, stand int) survey.Result {
		t.Helper()
		got, err := surveyor(m, zone(t, "Asia/Ho_Chi_Minh")).Survey(t.Context())
		if err != nil || got.Anew != anew || len(m.standing()) != stand {
			t.Fatalf("a survey came to %+v, %v, and %v stand; want anew %t and %d", got, err, m.standing(), anew, stand)
		}
		return got
	}
	m.broken["b/r1"] = errors.New("unreadable")
	if got := look(true, 0); len(got.Broken) != 1 || got.Broken["b"] == nil || !slices.Equal(got.LeftOut, []string{"b"}) {
		t.Errorf("it broke on %v and left out %v", got.Broken, got.LeftOut)
	}
	clear(m.broken)
	look(true, 1)
	before := maps.Clone(m.surveys.rows)
	m.fail = func(what string) error { t.Errorf("%s is written", what); return nil }
	look(false, 1)
	if m.fail = nil; len(before) != 1 || len(m.surveys.rows) != 1 {
		t.Errorf("there are rows of %d and then of %d surveys, want those of one", len(before), len(m.surveys.rows))
	}
	twin := *m
	twin.surveys = newSurveyMemory()
	if _, err := surveyor(&twin, zone(t, "Asia/Ho_Chi_Minh")).Survey(t.Context()); err != nil {
		t.Fatal(err)
	}
	other := newMemory()
	other.copies = m.copies
	if _, err := surveyor(other, zone(t, "Asia/Ho_Chi_Minh")).Survey(t.Context()); err != nil {
		t.Fatal(err)
	}
	for id, rows := range other.surveys.rows {
		if !maps.EqualFunc(rows, twin.surveys.rows[id], func(a, b schemas.Anomaly) bool { return sayAnomaly(a) == sayAnomaly(b) }) || len(rows) == 0 {
			t.Errorf("two surveys of one store say %v and %v", other.surveys.rows, twin.surveys.rows)
		}
	}
}
